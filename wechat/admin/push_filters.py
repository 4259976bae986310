"""The questions that staff ask of the inbox, each in the form that a list of a million pushes answers at once."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator as Endless

from wechat import pushes
from wechat.admin import kinds
from wechat.admin.scope import only
from wechat.models import Push, Rule, RuleDay
from wechat.pushes import Pushes

COUNTED = timedelta(days=30)
OFFERED = 30  # rules in the filter; any other is reached from its own page
AnsweredBy = Push.AnsweredBy


class InfinitePaginator(Endless):  # type: ignore[misc]  # the theme knows it by its name
    """Finds the numbers of a page's rows before the rows: they stand in a narrow index (wechat.pushes)."""

    def page(self, number: int | str) -> Any:
        number = int(self.validate_number(number))
        start = (number - 1) * self.per_page
        bare = self.object_list.prefetch_related(None)
        numbers = bare.values_list("pk", flat=True)[start : start + self.per_page]
        return self._get_page(self.object_list.filter(pk__in=list(numbers)), number, self)


class Choice(SimpleListFilter):
    """A filter by one of many choices, in a box that opens."""

    template = "admin/filter_by_choice.html"


class KindFilter(Choice):
    """By kind, out of the known ones: asking the database which kinds occur would read the whole table."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(kinds.KINDS.items())

    def queryset(self, request: HttpRequest, queryset: Pushes) -> Pushes:
        kind = self.value() or ""
        return pushes.of_kind(queryset, kind) if kind in kinds.KINDS else queryset


def _answered_by(who: str) -> Callable[[Pushes], Pushes]:
    return lambda chosen: chosen.filter(answered_by=who)


class FateFilter(SimpleListFilter):
    """By what became of it."""

    title = _("what became of it")
    parameter_name = "fate"
    fates: Mapping[str, tuple[str | Promise, Callable[[Pushes], Pushes]]] = {
        "failed": (_("Failed"), pushes.failed),
        "unanswered": (_("Unanswered"), pushes.unanswered),
        "rule": (_("Answered by a rule"), _answered_by(AnsweredBy.RULE)),
        "welcome": (_("Answered by the welcome"), _answered_by(AnsweredBy.WELCOME)),
        "handler": (_("Answered by the program"), _answered_by(AnsweredBy.HANDLER)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _chosen) in self.fates.items()]

    def queryset(self, request: HttpRequest, queryset: Pushes) -> Pushes:
        fate = self.fates.get(self.value() or "")
        return fate[1](queryset) if fate else queryset


class RuleFilter(Choice):
    """By the rule that answered: those that answered most lately, and the one that is chosen."""

    title = _("rule")
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        lately = RuleDay.objects.filter(day__gte=timezone.localdate() - COUNTED)
        hits = only(lately, request.user, "rule__account").values_list("rule_id").annotate(sum=Sum("hits"))
        offered = [rule_id for rule_id, _sum in hits.order_by("-sum")[:OFFERED]]
        if (chosen := self.number()) is not None:
            offered.append(chosen)
        rules = only(Rule.objects.filter(pk__in=offered), request.user)
        names = dict(rules.order_by("name").values_list("pk", "name"))
        if chosen is not None:
            names.setdefault(chosen, f"#{chosen}")  # deleted meanwhile: its pushes are still there
        return [(str(number), name) for number, name in names.items()]

    def number(self) -> int | None:
        """The rule that the address names."""
        value = self.used_parameters.get(self.parameter_name) or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None

    def queryset(self, request: HttpRequest, queryset: Pushes) -> Pushes:
        number = self.number()
        return queryset if number is None else pushes.of_rule(queryset, number)


class ReceivedFilter(SimpleListFilter):
    """By the day it came."""

    title = _("received")
    parameter_name = "since"
    days: Mapping[str, tuple[str | Promise, int]] = {
        "today": (_("Today"), 0),
        "week": (_("Past 7 days"), 7),
        "month": (_("Past 30 days"), 30),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _days) in self.days.items()]

    def queryset(self, request: HttpRequest, queryset: Pushes) -> Pushes:
        chosen = self.days.get(self.value() or "")
        return pushes.received_since(queryset, _midnight(chosen[1])) if chosen else queryset


def _midnight(days_ago: int) -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def ordering(request: HttpRequest) -> tuple[str, ...]:
    """The newest first. The failed ones in the order of their own index, so that SQLite takes it."""
    failed = request.GET.get(FateFilter.parameter_name) == "failed"
    return ("-received_at", "-pk") if failed else ("-pk",)
