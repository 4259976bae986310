"""The list of the reply rules: what each listens to, what it answers, whether it is on, how often it answered lately."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from wechat.admin import hits, rule_looks
from wechat.admin.history import HistoryAdmin
from wechat.admin.rule_form import missing
from wechat.keywords import normalise
from wechat.models import Rule, RuleDay


class AnswerFilter(admin.SimpleListFilter):
    """By the kind of an answer."""

    title = _("kind of answer")
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, label) for kind, (label, _icon) in rule_looks.ANSWERS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> QuerySet[Rule]:
        kind = self.value()
        if not kind:
            return queryset
        return queryset.filter(pk__in=_where(queryset, "answers", lambda answer: answer.get("kind") == kind))


class UnusedFilter(admin.SimpleListFilter):
    """Rules that nobody needed for a long time."""

    title = _("use")
    parameter_name = "unused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Never used in %(days)d days") % {"days": hits.RARELY})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> QuerySet[Rule]:
        if self.value() != "yes":
            return queryset
        since = timezone.localdate() - timedelta(days=hits.RARELY)
        return queryset.exclude(Exists(RuleDay.objects.filter(rule=OuterRef("pk"), day__gt=since, hits__gt=0)))


class RuleList(HistoryAdmin):
    """Columns, filters, search, and the switch."""

    list_display = ("name", "account", "listens_to", "answered", "switch", "priority", "lately", "changed")
    list_filter = ("enabled", AnswerFilter, UnusedFilter, "account")
    list_select_related = ("account",)
    search_fields = ("name",)
    search_help_text = _("A part of a name or of a keyword.")
    actions = ("switch_on", "switch_off")
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        rules: QuerySet[Rule] = super().get_queryset(request)
        return hits.with_days(rules)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.switch_view))
        return [path("<path:object_id>/switch/<str:state>/", view, name="wechat_rule_switch"), *super().get_urls()]

    @admin.display(description=_("keywords"))
    def listens_to(self, rule: Rule) -> SafeString:
        return rule_looks.chips(rule.keywords)

    @admin.display(description=_("answers"))
    def answered(self, rule: Rule) -> SafeString:
        return rule_looks.answers_in_short(rule.answers)

    @admin.display(description=_("on"), ordering="enabled")
    def switch(self, rule: Rule) -> SafeString:
        """A button of the list's own form: one click, and it works without a script."""
        url = reverse("admin:wechat_rule_switch", args=[rule.pk, "off" if rule.enabled else "on"])
        return rule_looks.switch(url, on=rule.enabled)

    @admin.display(description=_("last 30 days"))
    def lately(self, rule: Rule) -> SafeString:
        return hits.small_chart(hits.recent(rule))

    @admin.display(description=_("changed"), ordering="updated_at")
    def changed(self, rule: Rule) -> SafeString:
        moment = date_format(timezone.localtime(rule.updated_at), "DATETIME_FORMAT")
        since = gettext("%(time)s ago") % {"time": timesince(rule.updated_at, depth=1)}
        return format_html('<span title="{}">{}</span>', moment, since)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Who may only look gets no switch."""
        shown = tuple(super().get_list_display(request))
        return shown if self.has_change_permission(request) else tuple(n if n != "switch" else "enabled" for n in shown)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Rule], search_term: str
    ) -> tuple[QuerySet[Rule], bool]:
        if not (term := normalise(search_term)):
            return queryset, False
        found = _where(queryset, "keywords", lambda word: term in normalise(rule_looks.keyword_in_words(word)[1]))
        return queryset.filter(Q(name__icontains=search_term.strip()) | Q(pk__in=found)), False

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, chosen: QuerySet[Rule]) -> None:
        self._switch(request, chosen, on=True)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, chosen: QuerySet[Rule]) -> None:
        self._switch(request, chosen, on=False)

    def switch_view(self, request: HttpRequest, object_id: str, state: str) -> HttpResponse:
        """The button in the list. Goes back to the list as it was."""
        rule = self.get_object(request, unquote(object_id))
        if rule is None or state not in ("on", "off"):
            raise Http404
        if not self.has_change_permission(request, rule):
            raise PermissionDenied
        self._switch(request, [rule], on=state == "on")
        query = urlsplit(request.headers.get("Referer", "")).query
        return redirect(f"{reverse('admin:wechat_rule_changelist')}{'?' if query else ''}{query}")

    def _switch(self, request: HttpRequest, rules: Iterable[Rule], *, on: bool) -> None:
        """Row by row: each change is in the history, and every process hears of it."""
        done = sum(self._switch_one(request, rule, on=on) for rule in rules)
        text = ngettext("%(count)d rule is off now.", "%(count)d rules are off now.", done)
        if on:
            text = ngettext("%(count)d rule is on now.", "%(count)d rules are on now.", done)
        if done:
            self.message_user(request, text % {"count": done}, messages.SUCCESS)

    def _switch_one(self, request: HttpRequest, rule: Rule, *, on: bool) -> bool:
        """Whether something changed. A rule that lacks something cannot be switched on."""
        lacks = missing(rule.keywords, rule.answers) if on else {}
        for text in lacks.values():
            self.message_user(request, f"{rule}: {text}", messages.ERROR)
        if lacks or rule.enabled == on:
            return False
        rule.enabled = on
        rule.save()
        self.log_change(request, rule, gettext("Switched on") if on else gettext("Switched off"))
        return True


def _where(rules: QuerySet[Rule], field: str, holds: Callable[[dict[str, Any]], bool]) -> list[int]:
    """The rules with such a keyword or answer. Databases differ in how they look into JSON; this reads one column."""
    listed = rules.order_by().values_list("pk", field)
    return [
        pk for pk, parts in listed if isinstance(parts, list) and any(holds(p) for p in parts if isinstance(p, dict))
    ]
