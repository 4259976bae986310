"""The people: who follows, since when, and who is still owed a message."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import looks
from wechat.admin.menu import PEOPLE, Entry
from wechat.admin.records import RecordAdmin
from wechat.models import Follower

_OPENID = re.compile(r"[A-Za-z0-9_-]{20,64}")


class OwedFilter(admin.SimpleListFilter):
    """Those who should have got something and did not."""

    title = _("owed a message")
    parameter_name = "owed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Follower]) -> QuerySet[Follower]:
        return queryset.filter(owed__gt=0) if self.value() == "yes" else queryset


@admin.register(Follower)
class FollowerAdmin(RecordAdmin):
    """Read-only."""

    menu = Entry(PEOPLE, 10, "group")
    list_display = ("person", "follows", "account", "first_seen", "last_seen", "still_owed")
    list_filter = ("subscribed", OwedFilter, "account")
    list_select_related = ("account",)
    search_fields = ("openid",)
    search_help_text = _("A complete openid, or a part of a nickname.")
    fieldsets = (
        (None, {"fields": ("person", "openid", "account", "follows", "still_owed", "messages_of_it")}),
        (_("When"), {"fields": ("first_seen", "last_seen", "message_at", "event_at")}),
    )
    readonly_fields = ("person", "follows", "still_owed", "messages_of_it")

    @admin.display(description=_("person"))
    def person(self, follower: Follower) -> str:
        return str(follower)

    @admin.display(description=_("follows"))
    def follows(self, follower: Follower) -> SafeString:
        return (
            looks.badge(gettext("Following"), "success")
            if follower.subscribed
            else looks.badge(gettext("Not following"))
        )

    @admin.display(description=_("messages owed"))
    def still_owed(self, follower: Follower) -> str:
        return looks.badge(follower.owed, "warning") if follower.owed else looks.NOTHING

    @admin.display(description=_("messages"))
    def messages_of_it(self, follower: Follower) -> str:
        search = urlencode({"q": follower.openid})
        return looks.lines(
            looks.link(f"{reverse(f'admin:wechat_{name}_changelist')}?{search}", text)
            for name, text in (("push", gettext("Received pushes")), ("outgoingmessage", gettext("Sent and waiting")))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Follower], search_term: str
    ) -> tuple[QuerySet[Follower], bool]:
        term = search_term.strip()
        if not term or _OPENID.fullmatch(term):
            return super().get_search_results(request, queryset, term)
        return queryset.filter(nickname__icontains=term), False
