"""Where a push goes while the database does not take it: a file of its own, on the disk before the answer, until it can be
stored. The worker brings it in afterwards, as of when it came.

Comes in: a Delivery. Goes out: its answer, as wechat.inbox gives it; a push that lies here has none yet, and what it causes
travels as messages. One file per push, named by its unique key: copies that come in parallel make one file.
"""

import base64
import fcntl
import hashlib
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from wechat import conf, inbox, leases, messages, notices
from wechat.inbox import Delivery

PAUSE = 1.0  # seconds between two tries of the database while it fails: each may cost a thread four
MOST = 100_000  # pushes that one process keeps in one outage: who replays a captured plain push must not fill the disk
AT_ONCE = 200  # files of one turn
TRIES = 20  # of a push that the database refuses while it takes others
SUFFIX, ASIDE = ".push", ".aside"

FAILED = (DatabaseError, InterfaceError)

logger = logging.getLogger(__name__)


class NotKept(Exception):
    """Neither the database nor the disk took the push: whoever pushed must not be told that all is well."""


class _Outage:
    """Whether the database fails, as this process sees it. One thread at a time finds out whether it still does."""

    def __init__(self) -> None:
        self._probing = threading.Lock()
        self.since: datetime | None = None
        self._until = 0.0
        self.kept = self.lost = 0

    @contextmanager
    def attempt(self) -> Iterator[bool]:
        """Whether this thread may try the database."""
        if self.since is None:
            yield True
            return
        mine = time.monotonic() >= self._until and self._probing.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._probing.release()

    def begin(self) -> None:
        self.since = self.since or timezone.now()
        self._until = time.monotonic() + PAUSE

    def end(self) -> tuple[datetime, int, int] | None:
        """It is over: since when it lasted, how many pushes were kept here and how many were not. None if there was none."""
        since, kept, lost = self.since, self.kept, self.lost
        self.since, self.kept, self.lost = None, 0, 0
        return (since, kept, lost) if since else None


_outage = _Outage()
_failures: dict[str, int] = {}  # how often the database refused a file, by its name


def receive(delivery: Delivery) -> str | None:
    """Record and handle a push (wechat.inbox.receive); where the database fails, keep it here, and answer nothing for now.

    Returns the answer, None for `success`, "" for a push that is kept. Raises NonceReused, and NotKept when the disk fails too.
    """
    with _outage.attempt() as may_try:
        if may_try:
            try:
                answer = inbox.receive(delivery)
            except FAILED as error:
                logger.error("callback %s: the database does not take a push: %s", delivery.account.slug, error)
                _outage.begin()
            else:
                _report(delivery)
                return answer
    return _kept(delivery)


def drain() -> int:
    """Bring in what lies here, the oldest first. Returns how many files are left that may go at once.

    Any number of processes may call it: a lock on the folder lets one in.
    """
    folder = Path(settings.SPOOL_DIR)
    files = _waiting(folder)
    if not files:
        return 0
    with _alone(folder) as alone:
        stored = sum(_bring_in(path) for path in files[:AT_ONCE]) if alone else 0
    return len(files) - stored if stored else 0


def waiting() -> int:
    """How many pushes lie here."""
    return len(_waiting(Path(settings.SPOOL_DIR)))


def _waiting(folder: Path) -> list[Path]:
    """The files of the folder, the oldest first."""
    found = []
    with suppress(FileNotFoundError):  # no folder, or another process has just brought one in
        for entry in os.scandir(folder):
            if entry.name.endswith(SUFFIX):
                found.append((entry.stat().st_mtime_ns, entry.path))
    return [Path(path) for _moment, path in sorted(found)]


def _kept(delivery: Delivery) -> str:
    try:
        if _outage.kept >= MOST:
            raise OSError("the spool is full")
        _write(delivery, Path(settings.SPOOL_DIR))
    except OSError as error:
        _outage.lost += 1
        logger.critical("callback %s: a push is neither stored nor kept: %s", delivery.account.slug, error)
        raise NotKept(str(error)) from None
    _outage.kept += 1
    logger.error("callback %s: a push is kept in the spool until the database takes it", delivery.account.slug)
    return ""


def _write(delivery: Delivery, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = f"{delivery.account.id}:{delivery.key()}"
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}{SUFFIX}"
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    record = {
        "account": delivery.account.id,
        "body": base64.b64encode(delivery.body).decode(),
        "nonce_key": delivery.nonce_key,
        "encrypted": delivery.encrypted,
        "came_at": timezone.now().isoformat(),
    }
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json.dumps(record).encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # a copy of it is here already
            path.hardlink_to(draft)
        _sync(folder)
    finally:
        draft.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Put the folder's own entries on the disk: a file without its name would be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process brings in what lies in this folder; the lock ends with the process."""
    with os.fdopen(os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600), "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _bring_in(path: Path) -> bool:
    """Store and handle one push, and remove its file. False when it has to wait; then nothing of it is stored."""
    try:
        inbox.receive(_read(path))
    except FAILED as error:
        _failures[path.name] = _failures.get(path.name, 0) + 1
        logger.warning("the spool's %s has to wait: %s", path.name, error)
        close_old_connections()
        if _failures[path.name] < TRIES or not _takes_others():
            return False
        logger.critical("the spool's %s is put aside: %s", path.name, error)
        path.rename(path.with_suffix(ASIDE))
    except inbox.NonceReused:
        logger.warning("the spool's %s came with another body under the same timestamp and nonce", path.name)
        path.unlink()
    except (ValueError, KeyError) as error:  # not written by us, or its account is gone
        logger.critical("the spool's %s cannot be read, it is put aside: %r", path.name, error)
        path.rename(path.with_suffix(ASIDE))
    else:
        path.unlink()
    _failures.pop(path.name, None)
    return True


def _read(path: Path) -> Delivery:
    record = json.loads(path.read_bytes())
    body = base64.b64decode(record["body"])
    return Delivery(
        conf.account_by_id(record["account"]),
        messages.parse(body),
        body,
        record["nonce_key"],
        encrypted=record["encrypted"],
        began=time.perf_counter(),
        came_at=datetime.fromisoformat(record["came_at"]),
    )


def _takes_others() -> bool:
    """Whether the database takes anything at all: then it is this push that it refuses."""
    try:
        return leases.claim("spool", "spool", 1.0) or True
    except FAILED:
        return False


def _report(delivery: Delivery) -> None:
    """The database takes pushes again: bring in what was kept, and tell staff what happened."""
    over = _outage.end()
    if over is None:
        return
    since, kept, lost = over
    try:
        notices.storing_failed(delivery.account.id, since=since, kept=kept, lost=lost)
    except FAILED as error:
        logger.warning("that the database failed since %s is in the log only: %s", since, error)
    if kept:  # a worker does it too, where one runs on this machine
        threading.Thread(target=_drain_all, name="spool", daemon=True).start()


def _drain_all() -> None:
    try:
        while drain():
            pass
    finally:
        connection.close()
