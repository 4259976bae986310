"""Follows every quote from its making to the people who open its shared page: a chore of the worker.

Comes in: new quotes, page events, scans and sent cards, each read along an index behind a Cursor. Goes out: what they tell, to
orders.reached, in the transaction that moves the cursor: a worker that is killed leaves no gap. Whatever is read twice changes
nothing, so every table is read twice: at once, and again when the transactions that were open then must have ended. What
these wrote behind the first reader's back, the second one finds.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from orders.answers import PURPOSE
from orders.models import Order, PageEvent, Scan
from orders.reached import Found, merge
from wechat import chores, retention
from wechat.models import Cursor, OutgoingMessage

EVERY = 2.0  # seconds
BATCH = 500  # rows in one transaction: some ten milliseconds of SQLite's one write lock
SETTLED = (
    30.0  # seconds; no transaction of ours stays open as long, and a sent message is written down within its lease
)
MICROSECOND = timedelta(microseconds=1)
START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Source:
    """A table that tells of quotes. `read` gives up to BATCH rows, and all of the last one's position, after a position."""

    name: str
    read: Callable[[int], Sequence[Found]]


def run() -> int:
    """One turn. Returns how many rows it read when there may be more, else 0."""
    positions = dict(Cursor.objects.filter(name__startswith="journeys:").values_list("name", "position"))
    left = 0
    for source in SOURCES:
        first, second = _names(source)
        left += _read_on(source, first, positions.get(first, 0))
        end = _complete(source, positions.get(first, 0))
        if positions.get(second, 0) < end:
            left += _read_on(source, second, positions.get(second, 0), end=end)
    return left


def _names(source: Source) -> tuple[str, str]:
    """The cursors of its two readers."""
    return f"journeys:{source.name}", f"journeys:{source.name}:again"


def _read_on(source: Source, name: str, position: int, *, end: int | None = None) -> int:
    """Let one reader go on from `position`, to `end` at most. It looks before the transaction: mostly there is nothing new."""
    rows = [row for row in source.read(position) if end is None or row.position <= end]
    if not rows:
        return 0
    with transaction.atomic():
        Cursor.objects.get_or_create(name=name)
        cursor = Cursor.objects.select_for_update().get(name=name)
        if cursor.position != position:  # another worker was here
            return 0
        merge(rows)
        cursor.position = rows[-1].position
        cursor.save(update_fields=["position"])
    return len(rows) if len(rows) >= BATCH else 0


@dataclass
class _Reading:
    """Where the first reader stood: at `since` (time.monotonic()), and before that."""

    since: float
    noted: int
    complete: int = 0


_readings: dict[str, _Reading] = {}  # of this process: one that begins waits before it reads again


def _complete(source: Source, position: int) -> int:
    """Up to where the table cannot change any more: the first reader was there SETTLED seconds ago."""
    reading = _readings.setdefault(source.name, _Reading(time.monotonic(), position))
    if time.monotonic() - reading.since >= SETTLED:
        _readings[source.name] = reading = _Reading(time.monotonic(), position, complete=reading.noted)
    return min(reading.complete, position)


def _made(position: int) -> list[Found]:
    numbers = Order.objects.filter(pk__gt=position).order_by("pk").values_list("pk", flat=True)[:BATCH]
    return [Found(pk, pk) for pk in numbers]


def _scanned(position: int) -> list[Found]:
    """The scans themselves are read with their quotes (orders.reached)."""
    scans = Scan.objects.filter(pk__gt=position).order_by("pk").values_list("pk", "order_id")[:BATCH]
    return [Found(pk, order_id) for pk, order_id in scans]


def _seen(position: int) -> list[Found]:
    opened = PageEvent.objects.filter(order=OuterRef("order"), link=OuterRef("link"), kind=PageEvent.Kind.OPENED)
    owner = Subquery(opened.order_by("pk").values("visitor")[:1])
    following = PageEvent.objects.filter(pk__gt=position).order_by("pk").annotate(owner=owner)
    columns = following.values_list("pk", "order_id", "kind", "visitor", "owner", "happened_at")[:BATCH]
    return [
        Found(pk, order_id, dict.fromkeys(_steps_of(kind, visitor, owner), moment))
        for pk, order_id, kind, visitor, owner, moment in columns
    ]


def _steps_of(kind: str, visitor: str, owner: str | None) -> tuple[str, ...]:
    """What a page event proves. The first browser that opened the link of a scan is taken for that of its owner."""
    if kind == PageEvent.Kind.SHOWN:
        return ("shown",)
    if kind == PageEvent.Kind.SHARED:
        return ("shared",)
    if kind == PageEvent.Kind.FORWARDED:
        return ("shared", "others")
    if visitor == owner:
        return ("opened",)
    return ("others",) if visitor and owner else ()  # a browser that keeps no number may be anybody's


def _accepted(position: int) -> list[Found]:
    """The cards that were sent, in the order of sending: its microseconds are the position."""
    since = START + position * MICROSECOND
    cards = OutgoingMessage.objects.filter(purpose=PURPOSE).order_by("sent_at", "pk")
    rows = list(_card_columns(cards.filter(sent_at__gt=since))[:BATCH])
    if len(rows) == BATCH:
        *_rest, last_pk, last_moment = rows[-1]
        rows += _card_columns(cards.filter(sent_at=last_moment, pk__gt=last_pk))
    return list(_cards(rows))


def _card_columns(cards: QuerySet[OutgoingMessage]) -> QuerySet[OutgoingMessage, Any]:
    return cards.values_list("state", "account_id", "about", "pk", "sent_at")


def _cards(rows: Sequence[tuple[Any, ...]]) -> Iterator[Found]:
    numbers = {int(about) for _state, _account, about, *_rest in rows if about.isascii() and about.isdigit()}
    orders = Order.objects.filter(orderid__in=numbers).values_list("account_id", "orderid", "pk")
    known = {(account_id, str(orderid)): pk for account_id, orderid, pk in orders}
    for state, account_id, about, _pk, moment in rows:
        sent = state == OutgoingMessage.State.SENT
        order_id = known.get((account_id, about)) if sent else None
        yield Found((moment - START) // MICROSECOND, order_id, {"accepted": moment})


def _counted_events() -> QuerySet[Any]:
    """The page events that both readers have passed."""
    passed = Cursor.objects.filter(name=_names(SEEN)[1]).values_list("position", flat=True).first()
    return PageEvent.objects.filter(pk__lte=passed or 0)


SEEN = Source("events", _seen)
SOURCES = (Source("orders", _made), Source("scans", _scanned), SEEN, Source("cards", _accepted))

chores.add(chores.Chore("journeys", EVERY, run))
retention.add(
    retention.Task("visits", "wechat_keep_visits_days", _counted_events, "happened_at", lambda rows: rows.delete())
)
