"""What WeChat says about the account: a banner on every page for those who work for it, until one of them puts it away."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import notices
from wechat.admin import looks
from wechat.admin.actions import asks_first
from wechat.admin.menu import ACCOUNT, Entry
from wechat.admin.records import RecordAdmin, leave
from wechat.models import Notice, Push

SHOWN = 3  # banners above a page; the rest is behind a link
_GRAVITY = [Notice.Level.DANGER, Notice.Level.WARNING, Notice.Level.GOOD]


@dataclass(frozen=True)
class Banner:
    """One notice as a page shows it. An address is empty where this person may not go."""

    level: str
    heading: str
    facts: list[str]
    advice: str
    push_url: str
    put_away_url: str


@dataclass(frozen=True)
class Banners:
    """Those of one page, the gravest first, and how many there are in all. A phone shows the first one only."""

    shown: list[Banner]
    count: int


def banners(request: HttpRequest) -> dict[str, Any]:
    """A context processor: the database is asked only by a page that shows them."""
    return {"notice_banners": SimpleLazyObject(lambda: _banners(request))}


def _banners(request: HttpRequest) -> Banners:
    page: Any = admin.site._registry[Notice]
    if not page.has_view_permission(request):
        return Banners([], 0)
    waiting = list(page.get_queryset(request).filter(seen_at=None).select_related("account"))
    waiting.sort(key=lambda notice: _GRAVITY.index(notice.level))
    return Banners([_banner(notice, request, page) for notice in waiting[:SHOWN]], len(waiting))


def _banner(notice: Notice, request: HttpRequest, page: Any) -> Banner:
    may_act = page.has_act_permission(request, notice)
    return Banner(
        level=notice.level,
        heading=notices.heading(notice),
        facts=notices.facts(notice),
        advice=notices.advice(notice),
        push_url=_push_url(notice, request),
        put_away_url=reverse("admin:wechat_notice_put_away", args=[notice.pk]) if may_act else "",
    )


def _push_url(notice: Notice, request: HttpRequest) -> str:
    """The page of the push that said so; retention may have removed it, then the page says that."""
    may_see = notice.push_id is not None and admin.site._registry[Push].has_view_permission(request)
    return reverse("admin:wechat_push_change", args=[notice.push_id]) if may_see else ""


class WaitingFilter(admin.SimpleListFilter):
    """Those that nobody has put away."""

    title = _("put away")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Yes")), ("yes", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        return queryset.filter(seen_at__isnull=self.value() == "yes") if self.value() in ("yes", "no") else queryset


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    """Read-only, with one action."""

    menu = Entry(ACCOUNT, 30, "campaign")
    list_display = ("created_at", "status", "what", "account", "put_away_by")
    list_filter = ("level", WaitingFilter, "account")
    list_select_related = ("account", "seen_by")
    readonly_fields = ("status", "what", "said", "to_do", "its_push", "put_away_by")
    actions_detail = ("put_away",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notice], search_term: str
    ) -> tuple[QuerySet[Notice], bool]:
        """There are a few a year: nothing is searched."""
        return queryset, False

    def get_fieldsets(self, request: HttpRequest, obj: Notice | None = None) -> list[tuple[Any, dict[str, Any]]]:
        """Without the way to the push for those who may not see pushes."""
        said = ("status", "what", "account", "said", "to_do")
        its_push = ("its_push",) if obj and _push_url(obj, request) else ()
        return [
            (None, {"fields": (*said, *its_push)}),
            (_("When"), {"fields": ("created_at", "mailed_at", "put_away_by")}),
        ]

    @admin.display(description=_("level"))
    def status(self, notice: Notice) -> SafeString:
        return looks.badge(notice.get_level_display(), notice.level)

    @admin.display(description=_("what WeChat says"))
    def what(self, notice: Notice) -> str:
        return notices.title(notice)

    @admin.display(description=_("details"))
    def said(self, notice: Notice) -> str:
        known: Iterable[object] = notices.facts(notice)
        return looks.lines(known)

    @admin.display(description=_("what to do"))
    def to_do(self, notice: Notice) -> str:
        return notices.advice(notice) or looks.NOTHING

    @admin.display(description=_("push"))
    def its_push(self, notice: Notice) -> str:
        return looks.link(reverse("admin:wechat_push_change", args=[notice.push_id]), gettext("What WeChat sent"))

    @admin.display(description=_("put away"))
    def put_away_by(self, notice: Notice) -> str:
        if notice.seen_at is None:
            return looks.NOTHING
        moment = date_format(timezone.localtime(notice.seen_at), "DATETIME_FORMAT")
        return f"{moment} {notice.seen_by or ''}".strip()

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        notice = self.get_object(request, unquote(str(object_id)))
        waiting = notice is not None and notice.seen_at is None
        return super().get_actions_detail(request, object_id) if waiting else []  # type: ignore[no-any-return]

    @asks_first(
        _("Put away"),
        question=_("Put this notice away?"),
        consequence=_("It disappears from the pages of everybody who works for this account, and stays in this list."),
        icon="done",
        permission="act",
    )
    def put_away(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        """Also what the button of a banner posts to; `next` is the page it stood on."""
        notice = self.found(request, object_id)
        waiting = Notice.objects.filter(pk=notice.pk, seen_at=None) if notice else Notice.objects.none()
        if waiting.update(seen_at=timezone.now(), seen_by=request.user.pk):
            self.log_change(request, notice, gettext("Put away"))
            self.message_user(request, gettext("The notice is put away."), messages.SUCCESS)
        back = request.POST.get("next", "")
        if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
            return leave(request, back)
        return self.back(request, notice)
