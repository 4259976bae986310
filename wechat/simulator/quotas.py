"""How often one account may call each endpoint: a day's quota and a minute's.

Source of the numbers: wechat-api.md, section 4; they stand at the endpoints themselves (`endpoints/`).
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from wechat.simulator.clock import beijing_day
from wechat.simulator.errors import ApiError

MINUTE = 60
CLEARS_PER_MONTH = 10


@dataclass(frozen=True)
class Limits:
    """Calls a day and calls a minute; None means no limit."""

    daily: int | None = None
    minute: int | None = None


@dataclass
class Quotas:
    """The counters of one account. `overrides` hold limits that were set by hand, by path."""

    overrides: dict[str, Limits] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)  # since the start, never reset by a new day
    _day: date | None = None
    _today: Counter[str] = field(default_factory=Counter)
    _minute: int = 0
    _this_minute: Counter[str] = field(default_factory=Counter)
    _clears: Counter[str] = field(default_factory=Counter)

    def limits(self, path: str, usual: Limits) -> Limits:
        """The limits in force for `path`."""
        return self.overrides.get(path, usual)

    def count(self, path: str, usual: Limits, now: float) -> None:
        """Count one call. Raises ApiError 45011 (minute) or 45009 (day) when a limit is reached."""
        self._turn(now)
        limits = self.limits(path, usual)
        if limits.minute is not None and self._this_minute[path] >= limits.minute:
            raise ApiError(45011)
        if limits.daily is not None and self._today[path] >= limits.daily:
            raise ApiError(45009)
        self.calls[path] += 1
        self._today[path] += 1
        self._this_minute[path] += 1

    def used_today(self, path: str, now: float) -> int:
        """Calls counted for `path` since midnight in Beijing."""
        self._turn(now)
        return self._today[path]

    def clear(self, now: float) -> None:
        """Reset the day's counters. Raises ApiError 48006 after ten times in a month."""
        if self.cleared(now) >= CLEARS_PER_MONTH:
            raise ApiError(48006)
        self._clears[_month(now)] += 1
        self._today.clear()

    def cleared(self, now: float) -> int:
        """How often the counters were reset this month."""
        return self._clears[_month(now)]

    def _turn(self, now: float) -> None:
        minute = int(now // MINUTE)
        if minute == self._minute:
            return
        self._minute = minute
        self._this_minute.clear()
        day = beijing_day(now)
        if day != self._day:
            self._day = day
            self._today.clear()


def _month(now: float) -> str:
    return f"{beijing_day(now):%Y-%m}"
