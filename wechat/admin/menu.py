"""The menu of the admin: every ModelAdmin says itself where it stands, so that no room has to know another's pages."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
REPLIES = Group(25, _("Replies"))
PEOPLE = Group(30, _("People"))
ACCOUNT = Group(40, _("Official Account"))
ACCESS = Group(50, _("Access"))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """UNFOLD["SIDEBAR"]["navigation"]: the lists this person may see."""
    overview = {"title": _("Overview"), "icon": "monitor_heart", "link": reverse("admin:index")}
    placed = sorted(_places(request), key=lambda place: (place[0].group.position, place[0].position))
    here = max((link for _entry, link in placed if request.path.startswith(link)), key=len, default="")
    groups = [
        {"title": group.title, "separator": True, "items": [_item(*place, here=here) for place in places]}
        for group, places in groupby(placed, key=lambda place: place[0].group)
    ]
    return [{"items": [overview]}, *groups]


def _places(request: HttpRequest) -> Iterator[tuple[Entry, str]]:
    """Every list and page that this person may see, with its address. A ModelAdmin may bring pages of its own."""
    for model_admin in admin.site._registry.values():
        entry = getattr(model_admin, "menu", None)
        opts = model_admin.model._meta
        if entry and model_admin.has_view_permission(request):
            titled = replace(entry, title=entry.title or opts.verbose_name_plural)
            yield titled, reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        yield from getattr(model_admin, "menu_pages", _none)(request)


def _none(_request: HttpRequest) -> tuple[()]:
    return ()


def _item(entry: Entry, link: str, *, here: str) -> dict[str, Any]:
    """One line; without `active` the theme would light up every list whose address begins like that of the page."""
    return {"title": entry.title, "icon": entry.icon, "link": link, "active": link == here}
