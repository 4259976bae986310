"""Which rules a push calls for: one index per account in memory, asked for each push, built anew when a rule changes.

Comes in: a Query. Goes out: at most three Candidates, the best first, or a Verdict on every rule for staff.
Nothing is sorted or scanned for a push: an exact keyword is found in a dictionary, contained ones by one automaton,
expressions by wechat.expressions. The order: priority, then the kind of keyword, then the newest rule; take-overs last.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import ahocorasick  # type: ignore[import-not-found]
from django.core.exceptions import ValidationError
from django.utils import timezone

from wechat import conf
from wechat.conf import AccountConfig
from wechat.entries import Candidate, Outcome, Query, RuleEntry, Verdict, entry_of
from wechat.expressions import LIMIT, Expressions
from wechat.keywords import KINDS, Key, Keyword, check_keyword, normalise
from wechat.models import Rule
from wechat.normalise import EVENTS

__all__ = [
    "KINDS",
    "Candidate",
    "Keyword",
    "Outcome",
    "Query",
    "RuleEntry",
    "RuleIndex",
    "Verdict",
    "check_keyword",
    "entry_of",
    "index_of",
    "normalise",
]

MOST = 3  # candidates: section B of the requirements
TAKEOVER: Key = ("takeover", "")

# Sources whose text is a key, and those where a person waits for an answer to what he said or pressed.
_PICTURES = ("pic_sysphoto", "pic_photo_or_album", "pic_weixin", "picture")
_OF_KEYS = frozenset(
    ["click", "view", "view_miniprogram", "scancode_push", "scancode_waitmsg", "location_select", *_PICTURES]
)
_SPOKEN = frozenset(["voice", "click", "scancode_waitmsg"])

_ORDER = {"exact": 0, "event_key": 0, "scene": 0, "contains": 1, "regex": 2, "message_type": 3, "takeover": 4}

logger = logging.getLogger(__name__)


class _Hit(NamedTuple):
    """A rule, by its number, and one of its keywords. Each has a rank of its own; the lowest is asked first."""

    rank: int
    rule: int
    candidate: Candidate

    def is_in_season(self, local: datetime) -> bool:
        return self.candidate.entry.out_of_season(local) is None


class RuleIndex:
    """The rules of one account, ready to be asked by any number of threads.

    `entries` are all of them, the highest priority and the newest first. `unusable` are keywords of rules that are on and
    that check_keyword refuses, with its reason: they match nothing.
    """

    def __init__(self, entries: Iterable[RuleEntry]) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: (-entry.priority, -entry.id)))
        self._by_id = {entry.id: entry for entry in self.entries}
        self.unusable: dict[Keyword, ValidationError] = {}
        self._hits = self._best_hits()
        self._seasonal = {
            key for key, hits in self._hits.items() if any(hit.candidate.entry.is_seasonal for hit in hits)
        }
        self._contained = _automaton(key for key in self._hits if key[0] == "contains")
        self._patterns = [key for key in self._hits if key[0] == "regex"]
        self._expressions = Expressions([pattern for _kind, pattern in self._patterns])

    def candidates(self, query: Query, now: datetime) -> list[Candidate]:
        """The rules to be asked for an answer, at most three, in this order."""
        return self._chosen(query, self._matching(query), _local(now))

    def entry(self, number: int, now: datetime) -> RuleEntry | None:
        """The rule with that primary key, if it is on and in season."""
        entry = self._by_id.get(number)
        return entry if entry and entry.out_of_season(_local(now)) is None else None

    def explain(self, query: Query, now: datetime) -> list[Verdict]:
        """What becomes of each rule: the candidates, then those that match too, then the others."""
        local, matching = _local(now), set(self._matching(query, limit=float("inf")))
        chosen = self._chosen(query, matching, local)
        if chosen and chosen[0].keyword.kind == "takeover":
            matching.add(TAKEOVER)
        place = {candidate.entry.id: number for number, candidate in enumerate(chosen)}
        verdicts = []
        for entry in self.entries:
            outcome, keyword = entry.out_of_season(local), None
            if outcome is None and (keyword := self._best_keyword(entry, matching)):
                outcome = Outcome.CHOSEN if entry.id in place else Outcome.BEATEN
            verdicts.append(Verdict(entry, keyword, outcome or self._why_not(entry, taken=bool(chosen))))
        return sorted(verdicts, key=lambda each: (place.get(each.entry.id, MOST), each.keyword is None))

    def _best_keyword(self, entry: RuleEntry, matching: Container[Key]) -> Keyword | None:
        found = (each for each in entry.keywords if each.key in matching and each not in self.unusable)
        return min(found, key=lambda keyword: _ORDER[keyword.kind], default=None)

    def _why_not(self, entry: RuleEntry, *, taken: bool) -> Outcome:
        if TAKEOVER in {keyword.key for keyword in entry.keywords}:
            return Outcome.OTHERS if taken else Outcome.UNSPOKEN
        unusable = entry.keywords and all(keyword in self.unusable for keyword in entry.keywords)
        return Outcome.UNUSABLE if unusable else Outcome.NO_MATCH

    def _matching(self, query: Query, *, limit: float = LIMIT) -> Iterator[Key]:
        """The keys of all keywords that match, take-over aside; among them some that no rule has."""
        if text := normalise(query.text):
            yield "exact", text
            if query.source in _OF_KEYS:
                yield "event_key", text
            if self._contained:
                yield from {key for _end, key in self._contained.iter(_letters(text))}
            found = self._expressions.search(query.text.strip(), limit=limit)
            yield from (self._patterns[number] for number in found)
        if query.scene is not None:
            yield "scene", query.scene.strip()
        yield "message_type", query.handle

    def _chosen(self, query: Query, matching: Iterable[Key], local: datetime) -> list[Candidate]:
        chosen = self._first(matching, local)
        return chosen or (self._first([TAKEOVER], local) if _may_be_taken_over(query) else [])

    def _first(self, keys: Iterable[Key], local: datetime) -> list[Candidate]:
        """The best rules of these keys that are in season, each of them once."""
        hits: list[_Hit] = []
        for key in keys:
            if listed := self._hits.get(key):
                seasonal = key in self._seasonal
                hits += islice((hit for hit in listed if hit.is_in_season(local)), MOST) if seasonal else listed
        hits.sort()
        rules: dict[int, Candidate] = {}
        for hit in hits:
            rules.setdefault(hit.rule, hit.candidate)
        return list(rules.values())[:MOST]

    def _best_hits(self) -> dict[Key, list[_Hit]]:
        """The hits of each keyword in their order, down to the third rule that is always in season: it beats the rest."""
        best: dict[Key, list[_Hit]] = defaultdict(list)
        steady: dict[Key, int] = defaultdict(int)
        for rank, (_place, key, candidate) in enumerate(sorted(self._all_keywords(), key=itemgetter(0))):
            if steady[key] < MOST:
                best[key].append(_Hit(rank, candidate.entry.id, candidate))
                steady[key] += not candidate.entry.is_seasonal
        return dict(best)

    def _all_keywords(self) -> Iterator[tuple[tuple[int, ...], Key, Candidate]]:
        for entry in self.entries:
            if entry.enabled:
                for position, (key, keyword) in enumerate(self._usable(entry.keywords).items()):
                    place = (-entry.priority, _ORDER[keyword.kind], -entry.id, position)
                    yield place, key, Candidate(entry, keyword)

    def _usable(self, keywords: Iterable[Keyword]) -> dict[Key, Keyword]:
        usable: dict[Key, Keyword] = {}
        for keyword in keywords:
            try:
                check_keyword(keyword)
            except ValidationError as error:
                self.unusable[keyword] = error
            else:
                usable.setdefault(keyword.key, keyword)
        return usable


def _automaton(keys: Iterable[Key]) -> ahocorasick.Automaton | None:
    automaton = ahocorasick.Automaton()
    for key in keys:
        automaton.add_word(_letters(key[1]), key)
    if not len(automaton):
        return None  # an empty one cannot be asked
    automaton.make_automaton()
    return automaton


def _letters(text: str) -> str:
    """The bytes of a text as letters: a step of the automaton costs as much as there are letters to go on with, and the
    first characters of Chinese keywords are thousands."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _may_be_taken_over(query: Query) -> bool:
    """Whether a person said something, or waits for an answer to what he pressed. Spaces alone say nothing."""
    if query.source is not None:
        return query.source in _SPOKEN
    return bool(query.text.strip()) if query.handle == "text" else query.handle not in EVENTS


def _local(now: datetime) -> datetime:
    return timezone.localtime(now, timezone.get_default_timezone())


@dataclass(frozen=True, slots=True)
class _Built:
    """An index, and the stamp of the rules it was built of, or of older ones."""

    stamp: int
    index: RuleIndex


_built: dict[int, _Built] = {}
_building: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


def index_of(account: AccountConfig) -> RuleIndex:
    """The index of this account's rules, as new as the configuration. One query when they changed, none otherwise."""
    built = _built.get(account.id)
    if built and built.stamp == account.rules_stamp:
        return built.index
    account = conf.account(account.slug) or account  # a caller may hold one from before the last change
    if built and built.stamp == account.rules_stamp:
        return built.index
    # One thread builds, the others go on with the old index, if there is one.
    if _building[account.id].acquire(blocking=built is None):
        try:
            return _build(account)
        finally:
            _building[account.id].release()
    return built.index if built else index_of(account)


def forget() -> None:
    """Let every index be built anew when it is asked for."""
    _built.clear()


def _build(account: AccountConfig) -> RuleIndex:
    built = _built.get(account.id)
    if built and built.stamp == account.rules_stamp:  # somebody built it while we waited
        return built.index
    index = RuleIndex(entry_of(rule) for rule in Rule.objects.filter(account_id=account.id))
    for keyword, error in index.unusable.items():
        logger.warning("account %s: the keyword %r is not used: %s", account.slug, keyword.text, error.messages[0])
    _built[account.id] = _Built(account.rules_stamp, index)
    return index
