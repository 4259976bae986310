"""Keeps the database in shape, a little at a time: signs of people who are long gone, statistics, the room of deleted rows.

A chore of the worker (wechat.chores). What an account keeps for how long is retention's; here goes what no account owns. On
SQLite it also gives room back and keeps the write-ahead log short; PostgreSQL does both by itself (autovacuum).
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.db.models import Model, QuerySet
from django.utils import timezone

BATCH = 500  # rows in one transaction
PAUSE = 0.05  # seconds between two of them
TURN = 2.0  # seconds after which a turn ends, done or not
SIGN_INS_KEPT = timedelta(days=180)
PAGES = 250  # pages of 4 kB in one transaction of the vacuum: some milliseconds of the one write lock
SLACK = 4 * 1024  # free pages that stay in the file: the next pushes take them
LOG_BYTES = 64 * 1024 * 1024  # a write-ahead log that is longer is cut

logger = logging.getLogger(__name__)


def run() -> int:
    """One turn. Returns how much it did when there may be more, else 0."""
    ends, done = time.monotonic() + TURN, 0
    for step in _steps():
        done += step
        if time.monotonic() >= ends:
            return done
        time.sleep(PAUSE)
    return 0


def _steps() -> Iterator[int]:
    for rows in _outdated():
        yield from _removed(rows)
    if connection.vendor == "sqlite":
        yield from _vacuumed()
        _optimize()
        _cut_log()


def _outdated() -> list[QuerySet[Model]]:
    """Sessions that have ended; who signed in, or tried to, half a year ago."""
    before = timezone.now() - SIGN_INS_KEPT
    sign_ins = [model.objects.filter(attempt_time__lt=before) for model in (AccessAttempt, AccessFailureLog, AccessLog)]
    return [Session.objects.filter(expire_date__lt=timezone.now()), *sign_ins]  # type: ignore[list-item]


def _removed(rows: "QuerySet[Model]") -> Iterator[int]:
    while numbers := list(rows.values_list("pk", flat=True)[:BATCH]):
        yield rows.model._default_manager.filter(pk__in=numbers).delete()[0]


def _vacuumed() -> Iterator[int]:
    """Give back what many deleted rows left behind. A file from before this was a setting keeps its room, and uses it again."""
    if _pragma("auto_vacuum") != 2:
        return
    while (free := _pragma("freelist_count")) > SLACK:
        with connection.cursor() as cursor:
            # A script runs to its end; `execute` would stop after the first page.
            cursor.executescript(f"PRAGMA incremental_vacuum({min(PAGES, free - SLACK)})")
        yield 1


def _optimize() -> None:
    """Let SQLite count anew what its plans rest on, where tables have changed much; it looks at some thousand rows at most."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA analysis_limit=1000")
        cursor.execute("PRAGMA optimize")


def _cut_log() -> None:
    """A write-ahead log that grew under a long reader (a backup) stays that long by itself. Whoever writes is not held up."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("PRAGMA busy_timeout=100")
            _busy, pages, _moved = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages * _pragma("page_size") > LOG_BYTES:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except OperationalError as error:
            logger.info("the write-ahead log stays as it is for now: %s", error)
        finally:
            milliseconds = int(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000)
            cursor.execute(f"PRAGMA busy_timeout={milliseconds}")


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return int(cursor.fetchone()[0])
