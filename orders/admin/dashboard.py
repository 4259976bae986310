"""The first page of the admin: how things stand (wechat.admin.health), then the funnel; and its tables as files.

Comes in: a request, with the filters of the funnel in its query. Goes out: what this person may see of his accounts.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders import funnel
from orders.models import Order
from orders.periods import Asked, asked_by
from orders.steps import STEPS
from wechat.admin import health, troubles
from wechat.admin.scope import accounts_of, only
from wechat.admin.spreadsheet import download

LINES = ("made", "scanned", "accepted", "opened")  # what the chart shows
COLOURS = ("--color-base-500", "--color-primary-600", "--color-blue-600", "--color-orange-600")
VIEW = "orders.view_order"
OPTIONS: dict[str, Any] = {  # of Chart.js
    "animation": False,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "elements": {"point": {"radius": 2}},
    "plugins": {"legend": {"position": "bottom", "labels": {"color": "#8a93a3", "boxWidth": 12, "boxHeight": 3}}},
    "scales": {
        "x": {"ticks": {"color": "#8a93a3", "maxTicksLimit": 12, "maxRotation": 0}, "grid": {"display": False}},
        "y": {"beginAtZero": True, "ticks": {"color": "#8a93a3", "precision": 0}, "grid": {}},
    },
}
STACKED = {**OPTIONS, "scales": {axis: {**rest, "stacked": True} for axis, rest in OPTIONS["scales"].items()}}


@dataclass(frozen=True)
class Table:
    """A table of the page, which is also a file: its title, what its first column holds, and its rows."""

    name: str
    title: str | Promise
    first: str | Promise
    rows: Callable[[Asked], Sequence[funnel.Row]]


BY_DAY = Table("day", _("By day"), _("day"), funnel.by_day)
SHOWN_DAYS = 31  # the newest of the period; the chart and the file have all
TABLES = (
    Table("code", _("By channel code"), _("channel code"), funnel.by_code),
    Table("campaign", _("By campaign"), _("campaign"), funnel.by_campaign),
    Table("salesperson", _("By salesperson"), _("salesperson"), funnel.by_salesperson),
    BY_DAY,
)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD["DASHBOARD_CALLBACK"]."""
    context = health.dashboard(request, context)
    user: Any = request.user
    if accounts_of(user) == frozenset():
        return context
    context["troubles"] = troubles.lately(user)
    context["watches_errors"] = user.has_perm("wechat.view_apicall") or user.has_perm("wechat.view_outgoingmessage")
    return {**context, **_funnel(request)} if user.has_perm(VIEW) else context


def _funnel(request: HttpRequest) -> dict[str, Any]:
    """The figures and the filter bar; where no quote was made in these days, what to do instead."""
    asked, choices = asked_by(request)
    query = urlencode(choices.chosen)
    page: dict[str, Any] = {"asked": asked, "choices": choices, "steps": STEPS, "query": query, "file": address()}
    page |= {"chart_options": json.dumps(OPTIONS), "stacked_options": json.dumps(STACKED)}
    page["bars"] = funnel.bars(asked)
    page["followers"] = _with_totals(funnel.followers(asked))
    if not page["bars"][0].count:
        page["has_quotes"] = only(Order.objects.all(), request.user).exists()
        return page
    tables = {table: table.rows(asked) for table in TABLES}
    page["chart"] = _chart(tables[BY_DAY])
    page["days_left_out"] = max(0, len(tables[BY_DAY]) - SHOWN_DAYS)
    tables[BY_DAY] = tables[BY_DAY][-SHOWN_DAYS:]
    page["tables"] = list(tables.items())
    page["waits"] = funnel.waits(asked)
    return page


def _with_totals(days: Sequence[tuple[Any, int, int]]) -> dict[str, Any]:
    won, lost = sum(row[1] for row in days), sum(row[2] for row in days)
    return {"days": days, "won": won, "lost": lost, "chart": _followers_chart(days) if won or lost else ""}


def _chart(days: Sequence[funnel.Row]) -> str:
    """The lines of the days, for Chart.js."""
    numbers = {step.name: number for number, step in enumerate(STEPS)}
    labels = {step.name: str(step.label) for step in STEPS}
    lines = [
        {
            "label": labels[name],
            "data": [row.counts[numbers[name]] for row in days],
            "borderColor": f"var({colour})",
            "backgroundColor": f"var({colour})",
            "tension": 0.2,
        }
        for name, colour in zip(LINES, COLOURS, strict=True)
    ]
    return json.dumps({"labels": [date_format(row.label, "n/j") for row in days], "datasets": lines})


def _followers_chart(days: Sequence[tuple[Any, int, int]]) -> str:
    won = {"label": gettext("won"), "data": [row[1] for row in days], "backgroundColor": "var(--color-primary-600)"}
    lost = {"label": gettext("lost"), "data": [-row[2] for row in days], "backgroundColor": "var(--color-orange-600)"}
    return json.dumps({"labels": [date_format(row[0], "n/j") for row in days], "datasets": [won, lost]})


def funnel_file(request: HttpRequest) -> HttpResponseBase:
    """One of the tables as CSV, with the filters of the page; `table` names it."""
    asked, _choices = asked_by(request)
    named = {table.name: table for table in TABLES}
    wanted = request.GET.get("table", "")
    if wanted == "followers":
        return _file("followers", asked, [gettext("day"), gettext("won"), gettext("lost")], funnel.followers(asked))
    if wanted == "times":
        rows = [(row.label, row.after, row.count, row.median, row.p95) for row in funnel.waits(asked).rows]
        heading: list[object] = [_("step"), _("after"), _("quotes"), _("median (s)"), _("95 % within (s)")]
        return _file("times", asked, heading, rows)
    table = named.get(wanted, named["day"])
    heading = [table.first, *(step.label for step in STEPS)]
    return _file(table.name, asked, heading, ([row.label, *row.counts] for row in table.rows(asked)))


def _file(name: str, asked: Asked, heading: Sequence[object], rows: Iterable[Sequence[object]]) -> HttpResponseBase:
    return download(f"funnel-{name}-{asked.first:%Y%m%d}-{asked.last:%Y%m%d}.csv", heading, rows)


def address() -> str:
    """Where the files are."""
    return reverse("admin:orders_order_funnel")
