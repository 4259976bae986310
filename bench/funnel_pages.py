"""Opens the first page with every filter over a full year, and compares its figures with those counted by hand.

Runs inside the project, see bench.funnel. True when all figures are equal and each page took less than LIMIT.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench import funnel_rows as rows
from orders import funnel, journeys
from orders.models import Journey
from orders.periods import Asked
from wechat.models import Account

LIMIT, TIMES = 300.0, 5  # ms; requests of each page
DAYS = 365
FILES = ("day", "code", "campaign", "salesperson", "followers", "times")
Measured = tuple[str, Callable[[], Any]]


def run(events: int) -> bool:
    """Make the year, follow it, compare, measure."""
    story = _year(events)
    began = time.perf_counter()
    while journeys.run():
        pass
    print(f"followed by the worker: {story.count / (time.perf_counter() - began):.0f} events/s")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does within minutes
    found = rows.reached(story)
    equal = [_is_equal(name, asked, story, found) for name, asked in _questions(story)]
    _explain(story)
    print(f"\n{'':52}first   slowest of the rest (ms)")
    slowest = max([_measure(*case) for case in _cases(story)])
    print(f"\nslowest: {slowest:.0f} ms; figures {'equal' if all(equal) else 'DIFFERENT'}")
    return all(equal) and slowest < LIMIT


def _year(events: int) -> rows.Story:
    for slug in ("main", "branch", "south"):
        Account.objects.create(slug=slug)
    accounts = list(Account.objects.order_by("pk"))
    codes = rows.make_codes(accounts, 30)
    began = time.perf_counter()
    first = timezone.localdate() - timedelta(days=DAYS - 1)
    story = rows.tell(events, first=first, days=DAYS, accounts=[one.pk for one in accounts], codes=codes)
    rows.store(story)
    made = time.perf_counter() - began
    print(f"{story.count} events of {len(story.quotes)} quotes, {len(codes)} codes: made in {made:.0f} s")
    return story


def _questions(story: rows.Story) -> Iterator[tuple[str, Asked]]:
    last = story.first + timedelta(days=DAYS - 1)
    year = Asked(story.first, last, frozenset(story.accounts))
    yield "the year", year
    yield "a month", replace(year, first=last - timedelta(days=59), last=last - timedelta(days=30))
    yield "a day", replace(year, first=last)
    yield "one account", replace(year, accounts=frozenset(story.accounts[:1]))
    yield "one code", replace(year, code=next(iter(story.codes)))
    yield "one campaign", replace(year, campaign="活动2")
    yield "one salesperson", replace(year, salesperson="销售1")


def _is_equal(name: str, asked: Asked, story: rows.Story, found: dict[int, rows.Reached]) -> bool:
    quotes = rows.wanted(story, asked)
    waits = funnel.waits(asked)
    newest = [quote for quote in quotes if quote.made.astimezone(rows.SHANGHAI).date() >= waits.since]
    by_hand = {
        str(funnel.BY_NAME[step].label): (number, round(median, 6), round(p95, 6))
        for step, (number, median, p95) in rows.times(newest, found).items()
    }
    days = {row.label: list(row.counts) for row in funnel.by_day(asked) if any(row.counts)}
    codes = sorted(rows.table(story, quotes, found, "code").values())
    equal = [
        list(funnel.totals(asked).values()) == rows.counts(quotes, found),
        days == rows.table(story, quotes, found, "day"),
        sorted(list(row.counts) for row in funnel.by_code(asked)) == codes,
        {row.label: (row.count, round(row.median, 6), round(row.p95, 6)) for row in waits.rows} == by_hand,
    ]
    print(f"{name}: {len(quotes)} quotes, times of {len(newest)} since {waits.since}: {equal}", flush=True)
    return all(equal)


def _explain(story: rows.Story) -> None:
    asked = dict(_questions(story))["a month"]
    for question in (
        funnel.FunnelDay.objects.filter(asked.condition()).values("day"),
        Journey.objects.filter(asked.condition()).exclude(shown_wait=None).order_by("shown_wait").values("shown_wait"),
    ):
        print(question.explain())


def _cases(story: rows.Story) -> Iterator[tuple[str, Callable[[], Any]]]:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    page, files = reverse("admin:index"), reverse("admin:orders_order_funnel")
    year = {"period": "own", "from": story.first.isoformat(), "to": timezone.localdate().isoformat()}
    filters: dict[str, dict[str, Any]] = {
        "": {},
        ", one account": {"account": story.accounts[0]},
        ", one code": {"code": next(iter(story.codes))},
        ", one campaign": {"campaign": "活动2"},
        ", one salesperson": {"salesperson": "销售1"},
    }
    periods: dict[str, dict[str, Any]] = {"today": {"period": "today"}, "30 days": {}, "90 days": {"period": "90"}}
    for period, query in {**periods, "a year": year}.items():
        for name, more in filters.items():
            yield f"first page, {period}{name}", _asking(boss, page, {**query, **more})
    for name in FILES:
        yield f"CSV, a year, {name}", _asking(boss, files, {**year, "table": name})
    asked = dict(_questions(story))["the year"]
    for read in (funnel.bars, funnel.by_day, funnel.by_code, funnel.by_campaign, funnel.by_salesperson, funnel.waits):
        yield f"figures of the year: {read.__name__}", lambda read=read: read(asked)


def _asking(client: Client, address: str, query: dict[str, Any]) -> Callable[[], Any]:
    def ask() -> None:
        response = client.get(address, query)
        if response.status_code != 200:
            raise SystemExit(f"{address} {query}: {response.status_code}")
        if response.streaming:
            b"".join(response.streaming_content)

    return ask


def _measure(name: str, do: Callable[[], Any]) -> float:
    taken = []
    for _time in range(TIMES):
        began = time.perf_counter()
        do()
        taken.append((time.perf_counter() - began) * 1000)
    print(f"{name:48}{taken[0]:9.0f}{max(taken[1:]):9.0f}", flush=True)
    return max(taken[1:])  # the first one also compiles the templates
