"""What people said or tapped and nobody answered, grouped by the worker (wechat.digest): the best source of new rules."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from wechat import conf, pushes
from wechat.admin import kinds, looks
from wechat.admin.actions import asks_first
from wechat.admin.menu import REPLIES, Entry
from wechat.admin.push_looks import message_of
from wechat.admin.records import RecordAdmin
from wechat.digest import TEXT_LENGTH
from wechat.models import Push, UnansweredText
from wechat.models.followers import mask
from wechat.rules import Query, RuleEntry, index_of

SHOWN = 10  # pushes on the page of a text
LOOKED_AT = 200  # of those that may be the ones


class SourceFilter(admin.SimpleListFilter):
    """Typed, spoken, or the key of a menu button."""

    title = _("source")
    parameter_name = "from"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("typed", _("Typed")), ("voice", _("Spoken")), ("menu", _("Keys of the menu"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UnansweredText]) -> QuerySet[UnansweredText]:
        if self.value() == "menu":
            return queryset.exclude(source__in=("", "voice"))
        source = {"typed": "", "voice": "voice"}.get(self.value() or "")
        return queryset if source is None else queryset.filter(source=source)


class AsideFilter(admin.SimpleListFilter):
    """What was put aside is out of sight until somebody asks for it."""

    title = _("put aside")
    parameter_name = "aside"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Put aside"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("To be looked at")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[UnansweredText]) -> QuerySet[UnansweredText]:
        return queryset.filter(dismissed=self.value() == "yes")


@admin.register(UnansweredText)
class UnansweredTextAdmin(RecordAdmin):
    """Read-only, but for what becomes of each: a rule, or nothing."""

    menu = Entry(REPLIES, 20, "contact_support")
    list_display = ("said", "origin", "count", "first_at", "last_at", "account")
    list_filter = (SourceFilter, AsideFilter, "account")
    list_select_related = ("account",)
    ordering = ("-count", "-last_at")  # type: ignore[assignment]
    search_fields = ("text",)
    search_help_text = _("A part of the text.")
    actions = ("put_aside", "take_back")
    actions_detail = ("put_this_aside",)

    class Media:
        css = {"all": ("css/rule_pages.css",)}

    fields = ("said", "origin", "account", "count", "first_at", "last_at", "dismissed")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UnansweredText], search_term: str
    ) -> tuple[QuerySet[UnansweredText], bool]:
        term = search_term.strip()
        return (queryset.filter(text__icontains=term) if term else queryset), False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.list_display, self._step(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        seen = ("pushes_with_it",) if request.user.has_perm("wechat.view_push") else ()
        return (*self.fields, *seen, self._step(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def _step(self, request: HttpRequest) -> str:
        """Who may not make rules is told only whether there is one by now."""
        return "next_step" if request.user.has_perm("wechat.add_rule") else "answered_now"

    @admin.display(description=_("text"), ordering="text")
    def said(self, row: UnansweredText) -> SafeString:
        return format_html('<bdi style="overflow-wrap:anywhere">{}</bdi>', row.text)

    @admin.display(description=_("source"))
    def origin(self, row: UnansweredText) -> str:
        return str(kinds.in_words(row.source)) if row.source else gettext("Typed")

    @admin.display(description=_("now"))
    def answered_now(self, row: UnansweredText) -> str:
        rule = _rule_by_now(row)
        return _answering(rule) if rule else looks.NOTHING

    @admin.display(description=_("what next"))
    def next_step(self, row: UnansweredText) -> str:
        if rule := _rule_by_now(row):
            return _answering(rule)
        query = urlencode({"account": str(row.account_id), "text": row.text, "source": row.source})
        return looks.link(f"{reverse('admin:wechat_rule_add')}?{query}", gettext("Make a rule of this"))

    @admin.display(description=_("latest pushes"))
    def pushes_with_it(self, row: UnansweredText) -> str:
        return looks.lines(
            looks.link(
                reverse("admin:wechat_push_change", args=[push.pk]),
                f"{date_format(timezone.localtime(push.received_at), 'DATETIME_FORMAT')} · {mask(push.openid)}",
            )
            for push in _latest(row)
        )

    @admin.action(description=_("Put aside"), permissions=["act"])
    def put_aside(self, request: HttpRequest, chosen: QuerySet[UnansweredText]) -> None:
        self._put(request, chosen, aside=True)

    @admin.action(description=_("Take back"), permissions=["act"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[UnansweredText]) -> None:
        self._put(request, chosen, aside=False)

    @asks_first(
        _("Put aside"),
        question=_("Put this text aside?"),
        consequence=_("It leaves the list. It can be taken back at any time."),
        icon="inventory_2",
        permission="act",
    )
    def put_this_aside(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        row = self.found(request, object_id)
        if row is not None:
            self._put(request, self.get_queryset(request).filter(pk=row.pk), aside=True)
        return self.back(request)

    def _put(self, request: HttpRequest, chosen: QuerySet[UnansweredText], *, aside: bool) -> None:
        rows = list(chosen.exclude(dismissed=aside))
        UnansweredText.objects.filter(pk__in=[row.pk for row in rows]).update(dismissed=aside)
        for row in rows:
            self.log_change(request, row, gettext("Put aside") if aside else gettext("Taken back"))
        text = (
            ngettext("%(count)d text is put aside.", "%(count)d texts are put aside.", len(rows))
            if aside
            else ngettext("%(count)d text is back.", "%(count)d texts are back.", len(rows))
        )
        self.message_user(request, text % {"count": len(rows)}, messages.SUCCESS)


def _answering(rule: RuleEntry) -> SafeString:
    name = looks.link(reverse("admin:wechat_rule_change", args=[rule.id]), format_html("<bdi>{}</bdi>", rule.name))
    return format_html("{} {}", gettext("Answered by now:"), name)


def _rule_by_now(row: UnansweredText) -> RuleEntry | None:
    """The rule that would be asked first if somebody said it now."""
    try:
        index = index_of(conf.account_by_id(row.account_id))
    except KeyError:  # the account was just deleted
        return None
    query = Query(row.text, row.source or None, row.source or "text", None)
    found = index.candidates(query, timezone.now())
    return found[0].entry if found else None


def _latest(row: UnansweredText) -> Iterator[Push]:
    """The newest pushes that said just this, out of those that a text can be looked for in."""
    longest = max(row.text.split(), key=len, default="")
    mine = pushes.unanswered(Push.objects.filter(account_id=row.account_id, kind=row.source or "text"))
    alike = pushes.containing(mine, longest).order_by("-pk")[:LOOKED_AT]
    return islice((push for push in alike if _text_of(push) == row.text), SHOWN)


def _text_of(push: Push) -> str:
    message = message_of(push)
    fields = message.fields if message else {}
    words = fields.get("content") or fields.get("recognition") or fields.get("eventkey") or ""
    return " ".join(words.split())[:TEXT_LENGTH]
