"""Who scanned the codes of quotes, and the links they got."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from orders import profiles, sharing
from orders.models import Order, Scan
from wechat.admin import looks
from wechat.admin.actions import asks_first
from wechat.admin.menu import Entry, Group
from wechat.admin.records import OPENID_HELP, RecordAdmin
from wechat.models.followers import mask

QUOTES = Group(10, _("Quotes"))


class ScanColumns:
    """What is shown of a scan, in a quote and in the list."""

    @admin.display(description=_("person"))
    def who(self, scan: Scan) -> str:
        return mask(scan.openid)

    @admin.display(description=_("scanned"))
    def when(self, scan: Scan) -> str:
        """In a quote: the way to the scan's own page."""
        moment = date_format(timezone.localtime(scan.scanned_at), "DATETIME_FORMAT")
        return looks.link(reverse("admin:orders_scan_change", args=[scan.pk]), moment)

    @admin.display(description=_("card"))
    def card_state(self, scan: Scan) -> str:
        message = scan.message
        if message is None:
            return looks.NOTHING
        url = reverse("admin:wechat_outgoingmessage_change", args=[message.pk])
        return looks.link(url, message.get_state_display())

    @admin.display(description=_("shared page"))
    def shared(self, scan: Scan) -> str:
        if scan.revoked:
            return looks.badge(gettext("Link revoked"), "danger")
        return looks.outside_link(f"{settings.PUBLIC_URL}{scan.get_absolute_url()}", gettext("Open"))


class ScanInline(ScanColumns, TabularInline):  # type: ignore[misc]
    """Who scanned the code of this quote; a scan's own page holds its action."""

    model = Scan
    fields = readonly_fields = ("when", "who", "kind", "card_state", "shared")
    ordering = ("-pk",)
    per_page = 20
    extra = 0
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scan]:
        return super().get_queryset(request).select_related("message")  # type: ignore[no-any-return]

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False


@admin.register(Scan)
class ScanAdmin(ScanColumns, RecordAdmin):
    """Who scanned what; a shared link that went too far can be revoked."""

    menu = Entry(QUOTES, 20, "qr_code_scanner")
    list_display = ("scanned_at", "scene", "who", "kind", "card_state", "shared", "account")
    list_filter = ("kind", "account", "scanned_at")
    list_select_related = ("account", "message")
    search_fields = ("openid",)
    search_help_text = OPENID_HELP
    fields = ("scanned_at", "scene", "order", "account", "openid", "kind", "card_state", "shared", "chain", "shown")
    readonly_fields = ("card_state", "shared", "chain", "shown")
    actions_detail = ("revoke", "remove_profile")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """What there still is to end or to remove."""
        scan = self.get_object(request, unquote(str(object_id)))
        offered: list[Any] = super().get_actions_detail(request, object_id) if scan else []
        there = {"revoke": scan and not scan.revoked, "remove_profile": scan and profiles.profile_of(scan)}
        return [each for each in offered if there[each.path]]

    @admin.display(description=_("passed on"))
    def chain(self, scan: Scan) -> str:
        """How far the link went, without names: each forward that was opened, below the one it came from."""
        forwards = sharing.chain(scan)
        if not forwards:
            return gettext("Nobody has opened a forwarded link yet")
        told = [gettext("%(count)d forwards were opened, up to %(depth)d steps from the owner.") % sharing.extent(scan)]
        for forward in forwards:
            opened = date_format(timezone.localtime(forward.opened_at), "DATETIME_FORMAT")
            told.append(f"{'→ ' * forward.depth}{opened}")
        return looks.lines(told)

    @admin.display(description=_("shown of the person"))
    def shown(self, scan: Scan) -> str:
        """What he agreed to show on the page, and since when."""
        profile = profiles.profile_of(scan)
        if profile is None:
            return gettext("Nothing; the page has a placeholder")
        since = date_format(timezone.localtime(profile.given_at), "DATETIME_FORMAT")
        picture = looks.outside_link(profile.avatar, gettext("Open the picture")) if profile.avatar else ""
        said = {gettext("nickname"): profile.nickname, gettext("avatar"): picture, gettext("agreed"): since}
        return looks.facts(said)

    @asks_first(
        _("Remove avatar and name"),
        question=_("Remove what the page shows of this person?"),
        consequence=_("The page shows a placeholder, wherever the link went. The person can agree anew."),
        icon="person_off",
        permission="act",
    )
    def remove_profile(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        scan = self.found(request, object_id)
        if scan is not None and profiles.take_back(scan):
            self.log_change(request, scan, gettext("Avatar and name removed"))
            self.message_user(request, gettext("Avatar and name are removed from the page."), messages.SUCCESS)
        return self.back(request, scan)

    @asks_first(
        _("Revoke link"),
        question=_("Revoke the link of this scan?"),
        consequence=_("The card in WeChat, and wherever it was shared, opens nothing any more."),
        icon="link_off",
        permission="act",
    )
    def revoke(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        scan = self.found(request, object_id)
        if scan is not None and profiles.revoke(scan):
            self.log_change(request, scan, gettext("Link revoked"))
            self.message_user(request, gettext("The link is revoked."), messages.SUCCESS)
        return self.back(request, scan)
