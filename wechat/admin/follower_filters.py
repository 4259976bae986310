"""The questions that staff ask of the list of followers, each in the form that a list of a million answers at once."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from wechat.admin.scope import only
from wechat.models import Follower, Tag


class OwedFilter(admin.SimpleListFilter):
    """Those who should have got something and did not."""

    title = _("owed a message")
    parameter_name = "owed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Follower]) -> QuerySet[Follower]:
        return queryset.filter(owed__gt=0) if self.value() == "yes" else queryset


class TagFilter(admin.SimpleListFilter):
    """Those who have one tag; it offers the tags of the user's accounts."""

    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        tags = list(only(Tag.objects.select_related("account"), request.user))
        several = len({tag.account_id for tag in tags}) > 1
        return [(str(tag.pk), f"{tag.name} ({tag.account})" if several else tag.name) for tag in tags]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Follower]) -> QuerySet[Follower]:
        chosen = self.value()
        if not chosen or chosen not in {number for number, _name in self.lookup_choices}:
            return queryset
        worn = Follower.tags.through._default_manager.filter(tag_id=chosen)
        return queryset.filter(pk__in=worn.values("follower_id"))


class SourceFilter(admin.SimpleListFilter):
    """Those who came by one code: its scene is typed, for there are as many codes as quotes."""

    title = _("came by the code")
    parameter_name = "source"
    template = "admin/filter_by_text.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        """One, for the template: what is typed now, and the other parameters, which go along."""
        kept = [
            (name, value) for name, values in changelist.filter_params.items() for value in values if name != "source"
        ]
        kept += [("q", changelist.query)] if changelist.query else []
        yield {"value": self.value() or "", "kept": kept}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Follower]) -> QuerySet[Follower]:
        scene = (self.value() or "").strip()
        return queryset.filter(source=scene) if scene else queryset
