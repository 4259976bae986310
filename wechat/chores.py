"""The worker's periodic work: what there is to do, how often, and who does it now.

Each chore does a little at a time and says how much it leaves, and has a thread of its own beside those that send: a slow one
delays nobody. One worker leads and does them all; when it dies, another goes on where it stopped.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.db import OperationalError, close_old_connections

from wechat import (
    alarms,
    calls,
    channel_codes,
    channel_tags,
    delivery_reports,
    digest,
    housekeeping,
    jobs,
    leases,
    materials,
    people_sync,
    retention,
    spool,
    web_authorization,
)

LEASE = 10.0  # seconds; more than any turn takes
LEADER, LEADS, CLAIM_EVERY = "leader", 6.0, 1.0  # seconds: one that dies is followed by another within seven
BREATH = 0.1  # seconds between two turns while there is more to do: others want the database too

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """`work` does one turn, of a second or so, and returns how much is left; while that is not 0 it goes on at once."""

    name: str
    every: float  # seconds
    work: Callable[[], int]
    lease: float = LEASE  # less where a turn is short, and waiting for a dead worker costs much
    of_each_machine: bool = False  # every worker does it, for what lies on its own disk


CHORES = [
    Chore("spool", 1, spool.drain, of_each_machine=True),
    Chore("digest", 5, digest.run),
    Chore("retention", 60, retention.run),
    Chore("alarms", 10, alarms.look),
    Chore("notices", 15, alarms.tell),
    Chore("calls", 60, calls.prune),
    Chore("housekeeping", 600, housekeeping.run),
    Chore("web authorizations", 600, web_authorization.prune),
    Chore("jobs", 1, jobs.feed, lease=5),
    Chore("delivery reports", 10, delivery_reports.reconcile),
    Chore("materials", 300, materials.renew_due),
    Chore("people", 2, people_sync.run),
    Chore("codes", 2, channel_codes.make_due),
    Chore("channel tags", 5, channel_tags.run),
]


def add(chore: Chore) -> None:
    """Put a chore of another room on the list, from apps.ready()."""
    if chore not in CHORES:
        CHORES.append(chore)


class Rota:
    """The chores of one worker process, which does them while it leads. `look` is called again and again, and never waits."""

    def __init__(self, holder: str, chores: Sequence[Chore] | None = None) -> None:
        self._turns = [_Turn(chore, holder) for chore in (CHORES if chores is None else chores)]
        self._pool = ThreadPoolExecutor(len(self._turns), thread_name_prefix="chore")
        self._holder, self._leads, self._next_claim = holder, False, 0.0

    def look(self) -> None:
        """Start what is due. Who does not lead lets it become due, and begins when he does."""
        leads = self._is_leader()
        for turn in self._turns:
            if (leads or turn.chore.of_each_machine) and turn.is_due():
                turn.running = self._pool.submit(turn.take)

    def close(self) -> None:
        """Wait for the turns that run, and let other workers go on."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for turn in self._turns:
            turn.give_back()
        leases.release(LEADER, self._holder)

    def _is_leader(self) -> bool:
        if time.monotonic() >= self._next_claim:
            self._leads = leases.claim(LEADER, self._holder, LEADS)
            self._next_claim = time.monotonic() + CLAIM_EVERY
        return self._leads


class _Turn:
    """One chore, and when its next turn is."""

    def __init__(self, chore: Chore, holder: str) -> None:
        self.chore, self.holder = chore, holder
        self.running: Future[int] | None = None
        self._next = 0.0

    @property
    def lease(self) -> str:
        return f"chore:{self.chore.name}"

    def is_due(self) -> bool:
        if self.running and not self.running.done():
            return False
        if self.running:
            self._next = time.monotonic() + self._pause(self.running)
            self.running = None
        return time.monotonic() >= self._next

    def take(self) -> int:
        """One turn, unless another worker has the chore. Runs in a thread of the pool, which keeps what it raises."""
        close_old_connections()
        if self.chore.of_each_machine:
            return self.chore.work()
        if not leases.claim(self.lease, self.holder, self.chore.lease):  # who led before may still be at it
            return 0
        return self.chore.work()

    def give_back(self) -> None:
        leases.release(self.lease, self.holder)

    def _pause(self, ended: "Future[int]") -> float:
        error = ended.exception()
        if isinstance(error, OperationalError):  # the database is busy with what matters more, or away
            logger.warning("the chore %s waits: %s", self.chore.name, error)
            return self.chore.every
        if error:
            logger.error("the chore %s failed", self.chore.name, exc_info=error)
            return self.chore.every
        return BREATH if ended.result() else self.chore.every
