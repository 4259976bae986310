"""The log of our calls to the platform: one ApiCall row each, written a moment later by a thread of its own.

Comes in: a call that wechat.transport makes. Goes out: rows, in batches, outside of every transaction of the caller. A call
neither waits for the log nor fails with it: while the database is locked or absent its row stays in memory. A process that
is killed loses what it has not written yet, about a second's calls; one that ends in good order writes them first.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing.util import Finalize

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connections
from django.utils import timezone

from wechat import conf
from wechat.errors import CallFailed, PlatformError, Unreachable
from wechat.models import ApiCall
from wechat.redaction import redact

WRITE_EVERY = 1.0  # seconds
BATCH = 500  # rows in one transaction: some ten milliseconds of SQLite's one write lock
MOST_WAITING = 10_000  # rows in memory; what comes after that, with the database gone, is not logged
IDLE = 30.0  # seconds without a call after which the thread ends, and its connection with it
KEPT_DAYS = 30  # of calls that belong to no account
IN_BACKGROUND = True  # tests write when they look, see flush()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """For whom a call is made."""

    account_id: int | None = None
    message_id: int | None = None
    attempt: int = 1


_caller: ContextVar[Caller] = ContextVar("caller", default=Caller())  # noqa: B039  # it is frozen


@contextmanager
def made_for(account_id: int, *, attempt: int = 1) -> Iterator[None]:
    """The calls inside are made for this account; `attempt` is 2 when it is the repeat with a new token."""
    token = _caller.set(replace(_caller.get(), account_id=account_id, attempt=attempt))
    try:
        yield
    finally:
        _caller.reset(token)


@contextmanager
def sending(message_id: int) -> Iterator[None]:
    """The calls inside send this message of the outbox."""
    token = _caller.set(replace(_caller.get(), message_id=message_id))
    try:
        yield
    finally:
        _caller.reset(token)


@contextmanager
def noted(method: str, endpoint: str, account_id: int | None = None) -> Iterator[None]:
    """Log the call inside: how long it took, and what it raised."""
    started_at, started = timezone.now(), time.monotonic()
    failure: CallFailed | None = None
    try:
        yield
    except CallFailed as error:
        failure = error
        raise
    finally:
        caller = _caller.get()
        _log.add(
            ApiCall(
                account_id=caller.account_id if account_id is None else account_id,
                message_id=caller.message_id,
                attempt=caller.attempt,
                method=method[:8],
                endpoint=endpoint[:100],
                started_at=started_at,
                milliseconds=round((time.monotonic() - started) * 1000),
                **_outcome(failure),
            )
        )


def flush() -> int:
    """Write what waits, now and here. Returns how many rows were written."""
    return _log.write()


def forget() -> None:
    """Drop what waits."""
    _log.clear()


def prune() -> int:
    """Remove what is older than its account keeps it. Returns how many rows it removed when there may be more, else 0."""
    now, removed = timezone.now(), 0
    kept = {
        account.id: int(account.get("wechat_keep_calls_days") or 0) for account in conf.snapshot().accounts.values()
    }
    for account_id, days in [*kept.items(), (None, KEPT_DAYS)]:
        if days:
            removed += _remove_before(now - timedelta(days=days), account_id)
    return removed


def _remove_before(moment: datetime, account_id: int | None) -> int:
    # Looked for outside of the statement that deletes: it holds the lock for what is really there.
    old = ApiCall.objects.filter(started_at__lt=moment)
    mine = old.filter(account__isnull=True) if account_id is None else old.filter(account_id=account_id)
    numbers = list(mine.order_by("started_at").values_list("pk", flat=True)[:BATCH])
    ApiCall.objects.filter(pk__in=numbers).delete()
    return len(numbers) if len(numbers) == BATCH else 0


def _outcome(failure: CallFailed | None) -> dict[str, object]:
    if failure is None:
        return {"errcode": 0}
    if isinstance(failure, PlatformError):
        said = {"errcode": failure.code, "rid": failure.rid or None, "error": failure.errmsg}
    else:
        said = {"error": failure.reason if isinstance(failure, Unreachable) else str(failure)}
    return {"failed": True, **said, "error": redact(str(said["error"]))[:500]}


class _Log:
    """What waits to be written, and the thread that writes it."""

    def __init__(self) -> None:
        self._waiting: deque[ApiCall] = deque()
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._writer: threading.Thread | None = None
        self._complained = False

    def add(self, row: ApiCall) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(row)
        if IN_BACKGROUND and self._writer is None:
            self._start()

    def write(self) -> int:
        written = 0
        with self._writing:
            while batch := self._take():
                if not self._store(batch):
                    break
                written += len(batch)
        return written

    def clear(self) -> None:
        self._waiting.clear()

    def _take(self) -> list[ApiCall]:
        return [self._waiting.popleft() for _number in range(min(BATCH, len(self._waiting)))]

    def _store(self, batch: list[ApiCall]) -> bool:
        """False when it has to be tried again later."""
        try:
            ApiCall.objects.bulk_create(batch)
        except (OperationalError, InterfaceError) as error:  # locked, or gone
            self._waiting.extendleft(reversed(batch))
            if not self._complained:
                logger.warning("calls wait to be logged: %s", error)
            self._complained = True
            return False
        except DatabaseError:  # these rows will never go in, others must
            logger.exception("%d calls cannot be logged", len(batch))
        self._complained = False
        return True

    def _start(self) -> None:
        with self._starting:
            if self._writer is None:
                self._writer = threading.Thread(target=self._run, name="call-log", daemon=True)
                self._writer.start()

    def _run(self) -> None:
        busy = time.monotonic()
        try:
            while time.monotonic() - busy < IDLE:
                time.sleep(WRITE_EVERY)
                close_old_connections()
                if self.write() or self._waiting:
                    busy = time.monotonic()
        finally:
            self._writer = None  # before the last look: a call that comes now starts another thread
            self.write()
            connections.close_all()

    def close(self) -> None:
        """The process ends."""
        if IN_BACKGROUND:
            self.write()


_log = _Log()


def _start_anew() -> None:
    """In a forked child: what waits is written by the parent, whose thread and locks do not live here."""
    global _log
    _log = _Log()


os.register_at_fork(after_in_child=_start_anew)
# Unlike atexit this also runs at the end of a process of multiprocessing, such as those of granian.
Finalize(None, lambda: _log.close(), exitpriority=10)
