"""Removes what an account keeps no longer: days per kind of thing, each a row of its configuration (wechat.registry).

Comes in: the rows beyond their days. Goes out: nothing of them, in small batches with pauses, so that a push waits for one
batch at most. A walk along the primary key remembers where it is (Cursor): what it has passed is not read again. What is
counted of removed pushes (RuleDay, UnansweredText) and what other apps keep (scans) stays; their links then lead nowhere.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from wechat import conf, leases
from wechat.conf import AccountConfig
from wechat.models import Cursor, Follower, OutgoingMessage, Push, TokenRequest, UnansweredText
from wechat.normalise import MESSAGES
from wechat.pushes import first_since

BATCH = 500  # rows in one transaction: some ten milliseconds of SQLite's one write lock
PAUSE = 0.05  # seconds between two of them
TURN = 2.0  # seconds after which a turn ends, done or not
# A walk does not look back. Once a day it begins anew: a message may have been sent after it was passed.
ANEW = "retention:anew"
ANEW_EVERY = 24 * 3600.0  # seconds
LAST = 2**62  # beyond any primary key

MESSAGE_KINDS = (*MESSAGES, "file", "miniprogrampage")
POSITION_KIND = "trace"
FINISHED = (OutgoingMessage.State.SENT, OutgoingMessage.State.GIVEN_UP)

Rows = QuerySet[Model]


@dataclass(frozen=True)
class Task:
    """What one row of the configuration rules over: `rows` of the model, by their age in `field`."""

    name: str
    row: str
    rows: Callable[[], Rows]
    field: str
    remove: Callable[[Rows], object]
    grows: bool = True  # with the primary key: then the walk ends where `field` is young


def _delete(rows: Rows) -> None:
    # Without the collector: it would look for what points here, in tables that have no index for that.
    rows._raw_delete(rows.db)


def _forget_position(rows: Rows) -> None:
    rows.update(latitude=None, longitude=None, precision=None, located_at=None)


def _events() -> Rows:
    return Push.objects.exclude(kind__in=(*MESSAGE_KINDS, POSITION_KIND))


TASKS = [
    Task(
        "messages",
        "wechat_keep_messages_days",
        lambda: Push.objects.filter(kind__in=MESSAGE_KINDS),
        "received_at",
        _delete,
    ),
    Task("events", "wechat_keep_events_days", _events, "received_at", _delete),
    Task(
        "positions",
        "wechat_keep_positions_days",
        lambda: Push.objects.filter(kind=POSITION_KIND),
        "received_at",
        _delete,
    ),
    Task(
        "last-positions",
        "wechat_keep_positions_days",
        lambda: Follower.objects.all(),
        "located_at",
        _forget_position,
        grows=False,
    ),
    Task(
        "sent",
        "wechat_keep_sent_days",
        lambda: OutgoingMessage.objects.filter(state__in=FINISHED),
        "created_at",
        _delete,
    ),
    Task(
        "unanswered",
        "wechat_keep_unanswered_days",
        lambda: UnansweredText.objects.all(),
        "last_at",
        _delete,
        grows=False,
    ),
    Task("tokens", "wechat_keep_calls_days", lambda: TokenRequest.objects.all(), "last_at", _delete),
]


def add(task: Task) -> None:
    """Put a task of another room on the list, from apps.ready()."""
    if task not in TASKS:
        TASKS.append(task)


def run() -> int:
    """One turn. Returns how many rows it removed when there may be more, else 0."""
    if leases.claim(ANEW, secrets.token_hex(4), ANEW_EVERY):
        Cursor.objects.filter(name__startswith="retention:").update(position=0)
    ends, removed = time.monotonic() + TURN, 0
    for batch in _batches():
        removed += batch
        if time.monotonic() >= ends:
            return removed
        time.sleep(PAUSE)
    return 0


def days_kept(account: AccountConfig, row: str) -> int:
    """After how many days; 0 for never."""
    return int(account.get(row) or 0)


def _batches() -> Iterator[int]:
    """Remove batch after batch of everything; how many rows each had."""
    now = timezone.now()
    for account in conf.snapshot().accounts.values():
        for task in TASKS:
            if days := days_kept(account, task.row):
                yield from _walk(task, account.id, now - timedelta(days=days))


def _walk(task: Task, account_id: int, before: datetime) -> Iterator[int]:
    name = f"retention:{task.name}:{account_id}"
    position = Cursor.objects.filter(name=name).values_list("position", flat=True).first() or 0
    old = task.rows().filter(account_id=account_id, **{f"{task.field}__lt": before})
    end = first_since(old.model._default_manager.all(), task.field, before) if task.grows else LAST
    while position < end - 1:
        # Looked for outside of the transaction: few old rows may stand among many others.
        found = old.filter(pk__gt=position, pk__lt=end).order_by("pk")
        numbers = list(found.values_list("pk", flat=True)[:BATCH])
        position = numbers[-1] if numbers else end - 1
        with transaction.atomic():
            task.remove(old.filter(pk__in=numbers))
            Cursor.objects.update_or_create(name=name, defaults={"position": position})
        if numbers:
            yield len(numbers)
