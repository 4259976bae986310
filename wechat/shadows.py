"""Which rules stand before which others, for the linter: found by asking an index, never by comparing each with each.

Comes in: the rules of one account. Goes out: for a keyword, the rules that are always asked before its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import time
from itertools import islice
from typing import Any

from django.utils import timezone

from wechat.keywords import Keyword
from wechat.rules import Candidate, Query, RuleEntry, RuleIndex

ASKED = 3  # candidates of one message; who is fourth is never asked
LOOKED_AT = 20  # rules with the same keyword that are compared in time: more of them tell nothing new

_RANK = {"exact": 0, "event_key": 0, "scene": 0, "contains": 1, "regex": 2, "message_type": 3, "takeover": 4}
_PLACEHOLDER = re.compile(r"##[A-Z]+##")
_NEEDED: Mapping[str, str] = {
    "image": "media",
    "voice": "media",
    "video": "media",
    "music": "thumb",
    "news": "articles",
}

Order = tuple[bool, int, int, int]


class Survey:
    """The rules of one account that are on, now or later, and how they stand to one another."""

    def __init__(self, entries: Iterable[RuleEntry]) -> None:
        self._now = timezone.now()
        today = timezone.localdate()
        on = [entry for entry in entries if entry.enabled and (entry.ends_on is None or entry.ends_on >= today)]
        always = [entry for entry in on if not entry.is_seasonal]
        self._index = RuleIndex(always)
        # What matches a text that *contains* a keyword, whatever stands around it: shorter contained keywords only.
        self._contained = RuleIndex([_only(entry, "contains") for entry in always])
        self._same: dict[tuple[str, str], list[RuleEntry]] = defaultdict(list)
        for entry in on:
            for key in {keyword.key: None for keyword in entry.keywords}:
                self._same[key].append(entry)
        for (kind, _text), rules in self._same.items():
            rules.sort(key=lambda entry: order(entry, kind))

    def before(self, entry: RuleEntry, keyword: Keyword) -> list[Candidate]:
        """Up to three rules that are on all the time, match whatever this keyword matches, and are asked before `entry`."""
        mine = order(entry, keyword.kind)
        found = self._matching(keyword)
        return [one for one in found if one.entry.id != entry.id and order(one.entry, one.keyword.kind) < mine][:ASKED]

    def blocked_by(self, entry: RuleEntry) -> RuleEntry | None:
        """The rule because of which this one never answers; None while it can."""
        blockers = [self._blocker(entry, keyword) for keyword in entry.keywords]
        return blockers[0] if blockers and all(blockers) else None

    def twins(self, entry: RuleEntry, keyword: Keyword) -> Iterator[RuleEntry]:
        """Other rules with the same keyword that are on at some same time, the one that is asked first first."""
        for other in islice(self._same[keyword.key], LOOKED_AT):
            if other.id != entry.id and _meet(entry, other):
                yield other

    def _blocker(self, entry: RuleEntry, keyword: Keyword) -> RuleEntry | None:
        before = self.before(entry, keyword)
        certain = next((one.entry for one in before if always_answers(one.entry)), None)
        return certain or (before[0].entry if len(before) >= ASKED else None)

    def _matching(self, keyword: Keyword) -> Sequence[Candidate]:
        kind, text = keyword.kind, keyword.text
        if kind == "exact":
            return self._index.candidates(Query(text, None, "text", None), self._now)
        if kind == "event_key":
            return self._index.candidates(Query(text, "click", "click", None), self._now)
        if kind == "scene":
            return self._index.candidates(Query("", "qr", "qr", keyword.key[1]), self._now)
        if kind == "contains":
            return self._contained.candidates(Query(text, None, "text", None), self._now)
        same = islice((entry for entry in self._same[keyword.key] if not entry.is_seasonal), ASKED + 1)
        return [Candidate(entry, keyword) for entry in same]


def order(entry: RuleEntry, kind: str) -> Order:
    """Where a rule stands when this kind of its keywords matched: the smaller comes first."""
    return kind == "takeover", -entry.priority, _RANK.get(kind, len(_RANK)), -entry.id


def always_answers(entry: RuleEntry) -> bool:
    """Whether this rule has an answer whatever happens: a program may decline, a lone placeholder may be empty."""
    return any(_is_certain(document) for document in entry.answers)


def _is_certain(document: Mapping[str, Any]) -> bool:
    kind = document.get("kind", "")
    if kind == "text":
        return bool(_PLACEHOLDER.sub("", str(document.get("content", ""))).strip())
    return bool(document.get(_NEEDED[kind])) if kind in _NEEDED else False


def _only(entry: RuleEntry, kind: str) -> RuleEntry:
    return replace(entry, keywords=tuple(keyword for keyword in entry.keywords if keyword.kind == kind))


def _meet(one: RuleEntry, other: RuleEntry) -> bool:
    """Whether there is a moment at which both are on."""
    days = _before(one.starts_on, other.ends_on) and _before(other.starts_on, one.ends_on)
    return days and (_is_on_at(one, other.from_time or time.min) or _is_on_at(other, one.from_time or time.min))


def _before(start: Any, end: Any) -> bool:
    return start is None or end is None or start <= end


def _is_on_at(entry: RuleEntry, moment: time) -> bool:
    begin, end = entry.from_time or time.min, entry.until_time
    if end is None or begin < end:
        return begin <= moment and (end is None or moment < end)
    return begin <= moment or moment < end  # over midnight
