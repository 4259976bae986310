"""The figures of the funnel: how many quotes reached each step, by what, how fast, and who began and ended to follow.

Comes in: an Asked. Goes out: rows, all counted by the database. The counts are sums over FunnelDay, which has a row per day and
channel code; the times are read from the journeys themselves, the newest first where there are a great many.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Count, F, QuerySet, Sum
from django.utils.translation import gettext

from orders.models import FunnelDay, Journey
from orders.periods import Asked
from orders.steps import BY_NAME, LATER, NAMES, STEPS
from wechat.models import FollowerDay

MOST_JOURNEYS = 10_000  # whose times are sorted for one page
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Bar:
    """A step of the funnel: its count, and its share (in %) of the step that leads to it, of the first, and of before."""

    name: str
    label: str
    after: str
    count: int
    before: int
    of_previous: float | None
    of_first: float | None
    change: float | None

    @property
    def width(self) -> int:
        """Of its bar, in % of the page's: a step that more quotes reached than were made is as wide as the first."""
        return min(100, round(self.of_first or 0))


@dataclass(frozen=True)
class Row:
    """A line of one of the tables."""

    label: Any
    counts: Sequence[int]


@dataclass(frozen=True)
class Wait:
    """How long a step takes after the one before it, over `count` quotes: seconds."""

    label: str
    after: str
    count: int
    median: float
    p95: float

    @property
    def median_in_words(self) -> str:
        """Such as `3.2 s`."""
        return in_words(self.median)

    @property
    def p95_in_words(self) -> str:
        """Such as `2.5 h`."""
        return in_words(self.p95)


@dataclass(frozen=True)
class Waits:
    """The times, of the quotes made since `since`; that is later than asked for where there are too many."""

    rows: Sequence[Wait]
    since: date


def totals(asked: Asked) -> Counts:
    """How many quotes of these days reached each step until now."""
    sums = FunnelDay.objects.filter(asked.condition()).aggregate(**_sums())
    return {name: sums[f"{name}_sum"] or 0 for name in NAMES}


def bars(asked: Asked) -> list[Bar]:
    """The funnel, with the period before."""
    now, then = totals(asked), totals(asked.before)
    return [
        Bar(
            step.name,
            str(step.label),
            after=str(BY_NAME[step.after].label) if step.after else "",
            count=now[step.name],
            before=then[step.name],
            of_previous=_percent(now[step.name], now[step.after]) if step.after else None,
            of_first=_percent(now[step.name], now["made"]),
            change=_percent(now[step.name] - then[step.name], then[step.name]),
        )
        for step in STEPS
    ]


def by_day(asked: Asked) -> list[Row]:
    """One row for every day, the oldest first, also where nothing happened."""
    known = {row.label: row for row in _by(asked, "day")}
    days = (asked.first + timedelta(days=number) for number in range(asked.days))
    return [known.get(day, Row(day, (0,) * len(NAMES))) for day in days]


def by_code(asked: Asked) -> list[Row]:
    """One row for every channel code by which quotes came, and one for those without."""
    return _named(_by(asked, "source_id", "source__name"))


def by_campaign(asked: Asked) -> list[Row]:
    """The same by the campaigns of the codes."""
    return _named(_by(asked, "source__campaign"))


def by_salesperson(asked: Asked) -> list[Row]:
    """The same by the salespeople of the codes."""
    return _named(_by(asked, "source__salesperson"))


def followers(asked: Asked) -> list[tuple[date, int, int]]:
    """Day, won, lost: of the whole accounts, for a follow knows no quote's channel code."""
    days = FollowerDay.objects.filter(asked.of_accounts()).values("day").order_by("day")
    rows = days.annotate(Sum("won"), Sum("lost")).values_list("day", "won__sum", "lost__sum")
    known = {day: (day, won, lost) for day, won, lost in rows}
    every = (asked.first + timedelta(days=number) for number in range(asked.days))
    return [known.get(day, (day, 0, 0)) for day in every]


def waits(asked: Asked) -> Waits:
    """Median and 95th percentile of each time between a step and the one that leads to it; exact, interpolated."""
    since = _since(asked)
    # One range of days, not two: of two beginnings SQLite takes the first, and reads all that lies between.
    journeys = Journey.objects.filter(replace(asked, first=since).condition())
    found = _percentiles(journeys)
    rows = [
        Wait(str(step.label), str(BY_NAME[step.after].label), *found[step.name]) for step in LATER if step.name in found
    ]
    return Waits(rows, since)


def in_words(seconds: float) -> str:
    """A time in the unit that suits it, such as `3.2 s`, `12 min`, `2.5 h`, `3 d`."""
    for unit, size in ((gettext("%s d"), 86_400), (gettext("%s h"), 3600), (gettext("%s min"), 60)):
        if seconds >= size:
            return unit % _short(seconds / size)
    return gettext("%s s") % _short(seconds)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0") if number < 10 else f"{number:.0f}"


def _sums() -> dict[str, Any]:
    return {f"{name}_sum": Sum(name) for name in NAMES}


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _by(asked: Asked, *fields: str) -> list[Row]:
    """Summed up by these columns; the last one is the label."""
    groups = FunnelDay.objects.filter(asked.condition()).order_by().values(*fields).annotate(**_sums())
    columns = groups.values_list(*fields, *_sums())
    return [Row(row[len(fields) - 1], row[len(fields) :]) for row in columns]


def _named(rows: Sequence[Row]) -> list[Row]:
    """Those with most quotes first. What has no name is one row."""
    without = [row.counts for row in rows if not row.label]
    named = sorted((row for row in rows if row.label), key=lambda row: (-row.counts[0], row.label))
    if not without:
        return named
    return [*named, Row(gettext("Without"), [sum(column) for column in zip(*without, strict=True)])]


def _since(asked: Asked) -> date:
    """The first day of the newest whole days with MOST_JOURNEYS quotes at most; the last day in any case."""
    days = FunnelDay.objects.filter(asked.condition()).values("day").annotate(Sum("made")).order_by("-day")
    rows = list(days.values_list("day", "made__sum"))
    sums = accumulate(made for _day, made in rows)
    beyond = [number for number, total in enumerate(sums) if total > MOST_JOURNEYS]
    if not beyond:
        return asked.first
    return rows[max(0, beyond[0] - 1)][0]  # type: ignore[no-any-return]


def _percentiles(journeys: QuerySet[Journey]) -> dict[str, tuple[int, float, float]]:
    """Count, median and p95 in seconds of each step that has any."""
    counts = journeys.aggregate(**{step.name: Count(f"{step.name}_wait") for step in LATER})
    some = [step.name for step in LATER if counts[step.name]]
    if not some:
        return {}
    read = _continuous if connection.vendor == "postgresql" else _by_rank
    return {name: (counts[name], median / 1000, p95 / 1000) for name, median, p95 in read(journeys, some, counts)}


def _continuous(
    journeys: QuerySet[Journey], names: Sequence[str], _counts: Counts
) -> Iterator[tuple[str, float, float]]:
    """PostgreSQL has the function, and goes through the rows once."""
    columns = [f"percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY {name}_wait)" for name in names]
    sql, parameters = journeys.order_by().values_list(*(f"{name}_wait" for name in names)).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM ({sql}) AS waits", parameters)
        found = cursor.fetchone()
    for name, (median, p95) in zip(names, found, strict=True):
        yield name, median, p95


def _by_rank(journeys: QuerySet[Journey], names: Sequence[str], counts: Counts) -> Iterator[tuple[str, float, float]]:
    """SQLite sorts, and the ranks on both sides of a percentile are interpolated."""
    for name in names:
        column, last = f"{name}_wait", counts[name] - 1
        some = journeys.filter(**{f"{column}__isnull": False}).values_list(column, flat=True)
        places = [share * last for share in (0.5, 0.95)]
        from_below = some.order_by(column)[int(places[0]) : int(places[0]) + 2]
        beyond = last - int(places[1])  # ranks above it: fewer of them are kept while sorting from the other end
        from_above = some.order_by(F(column).desc())[max(0, beyond - 1) : beyond + 1]
        yield name, _between(list(from_below), places[0]), _between(list(from_above)[::-1], places[1])


def _between(values: Sequence[int], place: float) -> float:
    """Between the value of that rank and the next one."""
    low, high = values[0], values[-1]
    return low + (high - low) * (place - int(place))
