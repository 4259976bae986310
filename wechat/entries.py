"""One reply rule as the index holds it, the question that a push asks, and what the answer may be for one rule.

Comes in: a row that staff wrote, or imported. Goes out: frozen values; what is no keyword or no answer is left out here.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat.keywords import KINDS, Keyword
from wechat.models import Rule


@dataclass(frozen=True, slots=True)
class Query:
    """What the rules are asked about one push.

    `text` is what the person said, or the key of what he pressed. `source` is None for what he sent himself, else `voice`, or
    what his key or code came from: the event, `picture` for a picture after a picture button. `handle` is the message's own,
    `scene` that of a scanned code.
    """

    text: str
    source: str | None
    handle: str
    scene: str | None


class Outcome(enum.Enum):
    """What became of one rule, and how staff read it."""

    CHOSEN = "chosen"
    BEATEN = "beaten"
    OTHERS = "others"
    UNSPOKEN = "unspoken"
    NO_MATCH = "no_match"
    UNUSABLE = "unusable"
    EARLY = "early"
    OVER = "over"
    HOUR = "hour"
    OFF = "off"


_REASONS: Mapping[Outcome, str | Promise] = {
    Outcome.CHOSEN: _("matched: %(keyword)s"),
    Outcome.BEATEN: _("matched: %(keyword)s, but three others come first"),
    Outcome.OTHERS: _("take-over: another rule matches"),
    Outcome.UNSPOKEN: _("take-over: this is nothing that a person said"),
    Outcome.NO_MATCH: _("no keyword matches"),
    Outcome.UNUSABLE: _("none of its keywords can be used"),
    Outcome.EARLY: _("not yet (dates)"),
    Outcome.OVER: _("no more (dates)"),
    Outcome.HOUR: _("not at this hour"),
    Outcome.OFF: _("off"),
}


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """One rule. Dates and hours are those of TIME_ZONE; `ends_on` is the last day, at `until_time` it is over.

    Hours may go over midnight; a day is then judged by its own date: the morning after `ends_on` is too late.
    """

    id: int
    name: str
    enabled: bool
    priority: int
    keywords: tuple[Keyword, ...]
    answers: tuple[dict[str, Any], ...] = field(hash=False)
    choice: str
    starts_on: date | None
    ends_on: date | None
    from_time: time | None
    until_time: time | None

    @property
    def is_seasonal(self) -> bool:
        """Whether it depends on the day or the hour."""
        return any(limit is not None for limit in (self.starts_on, self.ends_on, self.from_time, self.until_time))

    def out_of_season(self, local: datetime) -> Outcome | None:
        """Why it is no candidate at this local time; None when it may be one."""
        if not self.enabled:
            return Outcome.OFF
        if self.starts_on and local.date() < self.starts_on:
            return Outcome.EARLY
        if self.ends_on and local.date() > self.ends_on:
            return Outcome.OVER
        return None if self._has_hour(local.time()) else Outcome.HOUR

    def _has_hour(self, now: time) -> bool:
        begin, end = self.from_time or time.min, self.until_time
        if end is None or begin < end:
            return begin <= now and (end is None or now < end)
        return begin <= now or now < end  # over midnight; the whole day when both are the same


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule to be asked for its answer, and the keyword by which it matched."""

    entry: RuleEntry
    keyword: Keyword


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule. `keyword` is the best one that matched, None when the rule was not for this push."""

    entry: RuleEntry
    keyword: Keyword | None
    outcome: Outcome

    @property
    def reason(self) -> str:
        """The outcome in words, in the language of whoever reads."""
        keyword = self.keyword
        shown = f"{KINDS[keyword.kind]} {keyword.text}".rstrip() if keyword else ""
        return str(_REASONS[self.outcome]) % {"keyword": shown}


def entry_of(rule: Rule) -> RuleEntry:
    """The rule of a row. Parts of it that are no keywords or no answers, by an import or a hand, are left out."""
    return RuleEntry(
        id=rule.pk or 0,
        name=rule.name,
        enabled=rule.enabled,
        priority=rule.priority,
        keywords=tuple(Keyword(part["kind"], part["text"]) for part in _documents(rule.keywords, "kind", "text")),
        answers=tuple(_documents(rule.answers, "kind")),
        choice=rule.choice,
        starts_on=rule.starts_on,
        ends_on=rule.ends_on,
        from_time=rule.from_time,
        until_time=rule.until_time,
    )


def _documents(stored: object, *texts: str) -> Iterator[dict[str, Any]]:
    for part in stored if isinstance(stored, list) else []:
        if isinstance(part, dict) and all(isinstance(part.get(name), str) for name in texts):
            yield part
