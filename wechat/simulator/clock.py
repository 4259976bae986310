"""The simulator's clock: real time plus an offset that tests and the phone page may change."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


class Clock:
    """Unix seconds that can be moved. Waiting (slow answers, pauses between repeats) always happens in real time."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = 0.0

    def now(self) -> float:
        """Unix time in seconds, the offset included."""
        return self._source() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back, for a negative number) by `seconds`."""
        self.offset += seconds


def beijing_day(now: float) -> date:
    """The calendar day in Beijing: daily quotas are assumed to turn there at midnight (wechat-api.md, section 4)."""
    return datetime.fromtimestamp(now, BEIJING).date()
