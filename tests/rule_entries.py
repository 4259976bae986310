"""What the tests of the rules engine share: rules without a database, what people do, and what is found for it."""

import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation

from wechat.rules import Keyword, Outcome, Query, RuleEntry, RuleIndex

CHINA = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 12, tzinfo=CHINA)
KIND_ORDER = ("exact", "event_key", "scene"), ("contains",), ("regex",), ("message_type",), ("takeover",)


def entry(number: int, *keywords: tuple[str, str], **values: Any) -> RuleEntry:
    """A rule with this id that is always on, unless `values` say otherwise."""
    plain: dict[str, Any] = {
        "id": number,
        "name": f"rule {number}",
        "enabled": True,
        "priority": 0,
        "keywords": tuple(Keyword(kind, text) for kind, text in keywords),
        "answers": ({"kind": "text", "content": "ok"},),
        "choice": "all",
        "starts_on": None,
        "ends_on": None,
        "from_time": None,
        "until_time": None,
    }
    return RuleEntry(**plain | values)


def said(text: str) -> Query:
    return Query(text, None, "text", None)


def pressed(key: str, source: str = "click") -> Query:
    return Query(key, source, source, None)


def found(entries: Iterable[RuleEntry], query: Query, now: datetime = NOON) -> list[int]:
    return [candidate.entry.id for candidate in RuleIndex(entries).candidates(query, now)]


def matches(kind: str, keyword: str, query: Query) -> bool:
    return found([entry(1, (kind, keyword))], query) == [1]


def explained(entries: Iterable[RuleEntry], query: Query) -> dict[int, tuple[Outcome, str]]:
    with translation.override("en"):
        return {each.entry.id: (each.outcome, each.reason) for each in RuleIndex(entries).explain(query, NOON)}


LONG = [
    "a" * 2048,
    "".join(random.Random(1).choices("ab", k=2048)),
    "".join(random.Random(2).choices("ab0123456789", k=2048)),
    "".join(random.Random(3).choices("ab砖价😀", k=2048)),
    "砖" * 2048,
]
BAD: dict[str, Callable[[int], str]] = {
    "(a+)+$": lambda number: f"(a+)+{number or '$'}",
    "(.*a){20}": lambda number: f"(.*a){{20}}{number or ''}",
    "a.{19}b": lambda number: f"a.{{19}}b{number or ''}",
    "[ab].{0,99}": lambda number: f"[ab].{{0,99}}{number or 'c'}",
}


def run_all(threads: Iterable[threading.Thread]) -> None:
    running = list(threads)
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
