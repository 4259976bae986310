"""Group commit: on SQLite, what many threads want to write at the same time is written in one transaction.

Comes in: work for a transaction of its own. Goes out: its result, when that is committed. SQLite lets one writer in at a
time, and a commit that waits for the disk costs more than the statements before it. Whoever would only wait for the lock
hands his work to the thread that has it, and is woken when it is on the disk. Other databases let writers work side by side
and gather their commits themselves: there each work has a transaction to itself.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

T = TypeVar("T")

MOST = 16  # works in one transaction: who comes meanwhile waits for all of it
PATIENCE = 4.0  # seconds to wait for a turn, as long as SQLite waits for its lock: the platform hangs up after five


class _Turn:
    """One work, and the thread that waits for it at the `gate`: until another one did it, or it `leads` itself."""

    __slots__ = ("error", "gate", "is_shared", "leads", "result", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.gate = threading.Lock()
        self.gate.acquire()
        self.leads = self.is_shared = False
        self.result: Any = None
        self.error: Exception | None = None


class _Queue:
    """Those who wait, in the order they came. One thread leads, the first of them, and nobody else takes from the queue."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Turn] = deque()
        self._is_led = False

    def enter(self, turn: _Turn) -> None:
        """Return when the work was done, or when this thread is to lead. Raises OperationalError after PATIENCE."""
        with self._lock:
            self._waiting.append(turn)
            turn.leads, self._is_led = not self._is_led, True
        if turn.leads or turn.gate.acquire(timeout=PATIENCE):
            return
        with self._lock:
            if turn in self._waiting and not turn.leads:
                self._waiting.remove(turn)
                raise OperationalError(f"it was not written within {PATIENCE:.0f} s: another one takes very long")
        if not turn.leads:
            turn.gate.acquire()  # it is being done: who gave up now would not know whether it was

    def lead(self, mine: _Turn) -> None:
        """Do the work of those who wait, commit it, wake them, and let the next one lead."""
        turns: list[_Turn] = []
        error: Exception | None = OperationalError("the thread that wrote it was interrupted")
        try:
            with transaction.atomic():
                # Not before the lock is ours: who came while this thread waited for it is among them.
                turns = self._take()
                for turn in turns:
                    turn.result = _do(turn.work)
            error = None
        except Exception as raised:  # whatever it is: the others wait, and must hear of it
            error = raised
        finally:
            self._wake(turns, error, mine)

    def _take(self) -> list[_Turn]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]

    def _wake(self, turns: list[_Turn], error: Exception | None, mine: _Turn) -> None:
        with self._lock:
            is_shared = len(turns) > 1
            if not turns:  # there was no lock to be had: who waits would only find out the same, one after the other
                turns = list(self._waiting)
                self._waiting.clear()
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].leads = True
                self._waiting[0].gate.release()
        for turn in turns:
            turn.error, turn.is_shared = error, is_shared
            if turn is not mine:
                turn.gate.release()


_queue = _Queue()


def commit(work: Callable[[], T], *, is_one_statement: bool = False) -> T:
    """Do the work in a transaction, and return its result when it is committed. What it raises is raised; then nothing is kept.

    Another thread may do it, and a second time when something else failed in the same transaction: it must have no effect but
    on the database, and that includes what it leaves to `transaction.on_commit`. Raises OperationalError when there is no lock
    to be had, and TransactionManagementError when the work caught a database error outside of an `atomic` of its own.
    `is_one_statement`: other databases need no transaction around it, and are spared two round trips.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "sqlite" or database.in_atomic_block:
        return work() if is_one_statement else _alone(work)
    turn = _Turn(work)
    _queue.enter(turn)
    if turn.leads:
        _queue.lead(turn)
    if turn.error is None:
        return turn.result  # type: ignore[no-any-return]
    if turn.is_shared:
        return _alone(work)  # something in it failed: each finds out whether that was he
    if turn.leads:
        raise turn.error
    raise type(turn.error)(*turn.error.args) from turn.error  # one exception cannot be raised by several threads


def _alone(work: Callable[[], T]) -> T:
    with transaction.atomic():
        return _do(work)


def _do(work: Callable[[], T]) -> T:
    result = work()
    if connections[DEFAULT_DB_ALIAS].needs_rollback:  # else Django takes everything back, and says nothing
        raise transaction.TransactionManagementError("a database error was caught outside of an atomic of its own")
    return result
