"""The filters of the channel codes and of their scans; each offers what belongs to the user's own accounts."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from wechat.admin.scope import only
from wechat.models import ChannelCode

OFFERED = 200  # campaigns or people that a filter lists


class _Words(admin.SimpleListFilter):
    """By a text that staff typed, out of those that are there."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        name = str(self.parameter_name)
        mine = only(ChannelCode.objects.order_by(name), request.user)
        words = mine.exclude(**{name: ""}).values_list(name, flat=True)
        return [(word, word) for word in words.distinct()[:OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChannelCode]) -> QuerySet[ChannelCode]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class CampaignFilter(_Words):
    title, parameter_name = _("campaign"), "campaign"


class SalespersonFilter(_Words):
    title, parameter_name = _("salesperson"), "salesperson"


class _Linked(admin.SimpleListFilter):
    """What a link of another page chose; it is shown only then, to be taken off again."""

    def has_output(self) -> bool:
        return bool(self.value())

    def choices(self, changelist: Any) -> Iterator[Any]:
        chosen, query = self.value(), changelist.get_query_string(remove=[self.parameter_name])
        yield {"selected": not chosen, "query_string": query, "display": _("All")}
        for value, words in self.lookup_choices:
            yield {"selected": value == chosen, "query_string": "", "display": words}


class BatchFilter(_Linked):
    """The codes that were made at once."""

    title, parameter_name = _("made together"), "batch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        chosen = request.GET.get("batch", "")
        return [(chosen, chosen)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChannelCode]) -> QuerySet[ChannelCode]:
        return queryset.filter(batch=self.value()) if self.value() else queryset


class CodeFilter(_Linked):
    """The scans of one code."""

    title, parameter_name = _("channel code"), "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        number = request.GET.get("code", "")
        mine = only(ChannelCode.objects.all(), request.user)
        code = mine.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
        return [(number, code.name if code else number)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        number = self.value() or ""
        if not number:
            return queryset
        return queryset.filter(code=int(number)) if number.isdecimal() and len(number) < 19 else queryset.none()
