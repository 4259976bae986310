"""The menu of the admin: every ModelAdmin says itself where it stands, so that no room has to know another's pages."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Group:
    """A heading of the menu; groups stand in the order of `position`."""

    position: int
    title: str | Promise


@dataclass(frozen=True)
class Entry:
    """The place of one model's list. `icon` is a name of Material Symbols; without `title` the model's own plural serves."""

    group: Group
    position: int
    icon: str
    title: str | Promise = ""


MESSAGES = Group(20, _("Messages"))
PEOPLE = Group(30, _("People"))
ACCOUNT = Group(40, _("Official Account"))
ACCESS = Group(50, _("Access"))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """UNFOLD["SIDEBAR"]["navigation"]: the lists this person may see."""
    overview = {"title": _("Overview"), "icon": "monitor_heart", "link": reverse("admin:index")}
    placed = [
        (entry, model_admin)
        for model_admin in admin.site._registry.values()
        if (entry := getattr(model_admin, "menu", None)) and model_admin.has_view_permission(request)
    ]
    placed.sort(key=lambda pair: (pair[0].group.position, pair[0].position))
    groups = [
        {"title": group.title, "separator": True, "items": [_item(*pair) for pair in pairs]}
        for group, pairs in groupby(placed, key=lambda pair: pair[0].group)
    ]
    return [{"items": [overview]}, *groups]


def _item(entry: Entry, model_admin: Any) -> dict[str, Any]:
    opts = model_admin.model._meta
    return {
        "title": entry.title or opts.verbose_name_plural,
        "icon": entry.icon,
        "link": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
