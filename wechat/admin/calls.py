"""The log of calls as staff see it: what was asked of WeChat, what it answered, and what that means."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import endpoints, looks, outcomes
from wechat.admin.menu import ACCOUNT, Entry
from wechat.admin.records import RecordAdmin
from wechat.explanations import Explanation, explain, explain_silence
from wechat.models import ApiCall

NEWEST = 200  # calls of each path that a word finds
RESULTS = {
    "failed": (_("Failed"), Q(failed=True)),
    "ok": (_("Succeeded"), Q(failed=False)),
    "silent": (_("No answer came"), Q(failed=True, errcode=None)),
}


class ResultFilter(SimpleListFilter):
    """By what became of it."""

    title = _("result")
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, (label, _condition) in RESULTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
        result = RESULTS.get(self.value() or "")
        return queryset.filter(result[1]) if result else queryset


class EndpointFilter(SimpleListFilter):
    """By what was asked, out of the known calls: asking the database which occur would read the whole table."""

    title = _("call")
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(endpoints.NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
        path = self.value()
        return queryset.filter(endpoint=path) if path in endpoints.NAMES else queryset


@admin.register(ApiCall)
class ApiCallAdmin(RecordAdmin):
    """Read-only."""

    menu = Entry(ACCOUNT, 80, "swap_vert", _("API calls"))
    list_display = ("when", "result", "what", "account", "milliseconds", "rid")
    list_filter = (ResultFilter, EndpointFilter, "account", "started_at")
    list_select_related = ("account",)
    ordering = ("-started_at", "-pk")
    search_fields = ("rid",)
    search_help_text = _("A rid, a path such as /cgi-bin/menu/create, or a word such as “menu”.")
    fieldsets = (
        (None, {"fields": ("when", "what", "account", "explained")}),
        (_("Details"), {"fields": ("method", "endpoint", "milliseconds", "again", "sent", "rid", "errcode", "error")}),
    )
    readonly_fields = ("when", "what", "explained", "again", "sent")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """One call by its rid, all of one path, or the newest of each path of that name: by an index in any case."""
        term = search_term.strip().removeprefix("rid:").strip()
        if term.startswith("/"):
            queryset = queryset.filter(endpoint=term)
        elif paths := endpoints.named(term) if term else []:
            # One path at a time: for several at once the database would sort everything it has of them.
            newest = (
                queryset.filter(endpoint=path).order_by("-started_at").values_list("pk")[:NEWEST] for path in paths
            )
            queryset = queryset.filter(pk__in=[number for rows in newest for (number,) in rows])
        elif term:
            queryset = queryset.filter(rid=term.lower())
        return queryset, False

    @admin.display(description=_("time"))
    def when(self, call: ApiCall) -> str:
        """With its seconds: calls follow each other fast."""
        return timezone.localtime(call.started_at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description=_("result"))
    def result(self, call: ApiCall) -> SafeString:
        if not call.failed:
            return looks.badge(gettext("Succeeded"), "success")
        code = (
            looks.badge(gettext("No answer came"), "warning")
            if call.errcode is None
            else looks.badge(call.errcode, "danger")
        )
        return format_html("<span>{} {}</span>", code, _explanation(call).title)

    @admin.display(description=_("call"))
    def what(self, call: ApiCall) -> str:
        return str(endpoints.in_words(call.endpoint))

    @admin.display(description=_("what it means"))
    def explained(self, call: ApiCall) -> str:
        return outcomes.shown(_explanation(call)) if call.failed else gettext("WeChat accepted it.")

    @admin.display(description=_("repeated"))
    def again(self, call: ApiCall) -> str:
        if call.attempt == 1:
            return gettext("No")
        return gettext("Yes: with a new access token, after the first was refused")

    @admin.display(description=_("sent message"))
    def sent(self, call: ApiCall) -> str:
        if call.message_id is None:
            return looks.NOTHING
        return looks.link(reverse("admin:wechat_outgoingmessage_change", args=[call.message_id]), call.message_id)


def _explanation(call: ApiCall) -> Explanation:
    return explain_silence(call.error) if call.errcode is None else explain(call.errcode, call.error, call.endpoint)
