"""Step 5: sends what is due, some thirty at a time, and does the periodic work. `manage.py worker` runs it.

Comes in: rows of the outbox. Goes out: calls to the platform, and on each row what became of it. Any number of workers may
run; one that dies costs the messages it was sending one lease.
"""

import logging
import os
import secrets
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import Error as DatabaseTrouble
from django.db import close_old_connections
from django.utils import timezone

from wechat import attempts, chores, circuit, client, conf, leases, outbox
from wechat.errors import PlatformError, Unreachable
from wechat.models import OutgoingMessage

AT_ONCE = 32  # cards and whatever else needs a window; each costs a connection to the database
# Template messages have threads of their own: a card always finds somebody free. As many again are claimed ahead, so that
# nobody waits for the next look.
PATIENT_AT_ONCE, PATIENT_CLAIMED = 16, 32
ROOM = 5  # free threads for which the outbox is looked at before its time: one claim costs a transaction
TICK = 0.1  # seconds between two looks at the outbox
AFTER_ERROR = 1.0  # seconds
BEAT_EVERY, BEAT_LASTS = 1.0, 4.0  # seconds; after the second a worker counts as dead and cards travel passively
SWEEP_EVERY = 600.0  # seconds

logger = logging.getLogger(__name__)


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        self.id = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
        self.stopping = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send")
        self._rota = chores.Rota(self.id)
        self._patient_pool = ThreadPoolExecutor(PATIENT_AT_ONCE, thread_name_prefix="template")
        self._running: set[Future[None]] = set()
        self._patient: set[Future[None]] = set()
        self._room = threading.Event()
        self._next_beat = self._next_sweep = self._next_claim = 0.0

    def run(self) -> None:
        """Work until `stopping` is set; then finish what is being sent (at most 5 s) and leave."""
        try:
            while not self.stopping.is_set():
                self.tick()
        finally:
            self._pool.shutdown(wait=True)
            self._patient_pool.shutdown(wait=True)
            self._rota.close()
            leases.release(f"worker:{self.id}")

    def tick(self) -> None:
        """One look: beat, look after windows and circuits, start what is due of the chores and of the messages."""
        try:
            if time.monotonic() >= self._next_beat:
                self._beat()
            self._rota.look()
            started = self._send_due()
        except DatabaseTrouble:  # a locked or absent database must not end the worker
            logger.exception("the worker could not look at the outbox")
            close_old_connections()
            self.stopping.wait(AFTER_ERROR)
            return
        if not started and not self.stopping.is_set():
            self._room.wait(TICK)

    def _beat(self) -> None:
        close_old_connections()
        leases.claim(f"worker:{self.id}", self.id, BEAT_LASTS)
        self._next_beat = time.monotonic() + BEAT_EVERY
        outbox.give_up_lost()
        outbox.close_windows()
        if time.monotonic() >= self._next_sweep:
            leases.sweep()
            self._next_sweep = time.monotonic() + SWEEP_EVERY
        for account in conf.snapshot().accounts.values():
            if conf.snapshot().holds(circuit.name(account.id)) and circuit.may_probe(account.id, self.id):
                self._start(probe, account.id)

    def _send_due(self) -> int:
        self._room.clear()
        claimed: list[OutgoingMessage] = []
        free = max(0, AT_ONCE - len(self._running))  # a probe may run beside the messages
        if free >= ROOM or (free and time.monotonic() >= self._next_claim):
            claimed = outbox.claim(f"{self.id}:{secrets.token_hex(4)}", free, but_not=on_hold())
            self._next_claim = time.monotonic() + TICK
        for message in claimed:
            self._start(attempts.attempt, message)
        self._send_patient()
        return len(claimed)

    def _send_patient(self) -> None:
        self._patient = {future for future in self._patient if not future.done()}
        spare = PATIENT_CLAIMED - len(self._patient)
        if spare < PATIENT_AT_ONCE // 2:  # few at a time would cost a transaction each
            return
        holder = f"{self.id}:{secrets.token_hex(4)}"
        for message in outbox.claim(holder, spare, but_not=on_hold(patient=True), patient=True):
            self._patient.add(self._patient_pool.submit(self._attempt_patient, message))

    def _attempt_patient(self, message: OutgoingMessage) -> None:
        if self.stopping.is_set():
            attempts.put_back(message)
        elif message.due_at > timezone.now():
            attempts.attempt(message)  # else its lease ran out in the queue: it is another claim's by now

    def _start(self, work, *arguments: object) -> None:  # type: ignore[no-untyped-def]
        future = self._pool.submit(work, *arguments)
        self._running.add(future)
        future.add_done_callback(self._ended)

    def _ended(self, future: Future[None]) -> None:
        """Called by the thread that did the work: full hands must not wait for the next look."""
        self._running.discard(future)
        if AT_ONCE - len(self._running) >= ROOM:
            self._room.set()


def on_hold(*, patient: bool = False) -> list[int]:
    """The accounts whose messages, or those that need no window, wait: the API fails, or the platform said not now."""
    now = conf.snapshot()
    return [
        account.id
        for account in now.accounts.values()
        if now.holds(circuit.name(account.id)) or now.holds(outbox.pause_name(account.id, patient=patient))
    ]


def probe(account_id: int) -> None:
    """Find out whether the API answers again, by a call without an effect."""
    try:
        client.callback_addresses(conf.account_by_id(account_id))
    except Unreachable:
        circuit.still_failing(account_id)
        return
    except PlatformError:
        pass  # it answers
    except (DatabaseTrouble, KeyError):
        logger.exception("account %s could not be probed", account_id)
        return
    circuit.worked(account_id)
