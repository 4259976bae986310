"""Step 5: sends what is due, sixteen at a time, and does the periodic work. `manage.py worker` runs it.

Comes in: rows of the outbox. Goes out: calls to the platform, and on each row what became of it. Any number of workers may
run; one that dies costs the messages it was sending one lease.
"""

import logging
import os
import secrets
import socket
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import Error as DatabaseTrouble
from django.db import close_old_connections
from django.utils import timezone

from wechat import circuit, client, conf, leases, outbox
from wechat.conf import AccountConfig
from wechat.errors import LEFT, TOKEN_REFUSED, CallFailed, Fate, PlatformError, Unreachable, fate_of, is_known
from wechat.models import Follower, OutgoingMessage
from wechat.redaction import redact
from wechat.replies import restore

AT_ONCE = 16
TICK = 0.1  # seconds between two looks at the outbox
AFTER_ERROR = 1.0  # seconds
BEAT_EVERY, BEAT_LASTS = 1.0, 4.0  # seconds; after the second a worker counts as dead and cards travel passively
# Seconds to wait after the first, second … failure: attempts at about 0, 1, 2, 4, 8, 15, 25, 35, 45, 52 s.
DELAYS = (1, 1, 2, 4, 7, 10, 10, 10, 7)
SHORT_PAUSE = 60.0  # seconds, after a refusal that somebody has to mend; the token's own quota does not stop sending
LATER = 600  # seconds between attempts in a long window, when the list is used up

SWEEP_EVERY = 600.0  # seconds

State = OutgoingMessage.State
logger = logging.getLogger(__name__)


class NotOurs(Exception):
    """The lease of a claimed message has gone to another worker, or its window has closed: it must not be sent."""


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        self.id = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
        self.stopping = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send")
        self._running: set[Future[None]] = set()
        self._next_beat = self._next_sweep = 0.0

    def run(self) -> None:
        """Work until `stopping` is set; then finish what is being sent (at most 5 s) and leave."""
        try:
            while not self.stopping.is_set():
                self.tick()
        finally:
            self._pool.shutdown(wait=True)
            leases.release(f"worker:{self.id}")

    def tick(self) -> None:
        """One look: beat, look after windows and circuits, and start sending what is due."""
        try:
            if time.monotonic() >= self._next_beat:
                self._beat()
            started = self._send_due()
        except DatabaseTrouble:  # a locked or absent database must not end the worker
            logger.exception("the worker could not look at the outbox")
            close_old_connections()
            self.stopping.wait(AFTER_ERROR)
            return
        if not started:
            self.stopping.wait(TICK)

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
        self._running = {future for future in self._running if not future.done()}
        free = max(0, AT_ONCE - len(self._running))  # a probe may run beside sixteen messages
        claimed = outbox.claim(f"{self.id}:{secrets.token_hex(4)}", free, but_not=on_hold()) if free else []
        for message in claimed:
            self._start(attempt, message)
        return len(claimed)

    def _start(self, work, *arguments: object) -> None:  # type: ignore[no-untyped-def]
        self._running.add(self._pool.submit(work, *arguments))


def on_hold() -> list[int]:
    """The accounts whose messages wait: the API fails, or the platform said not now."""
    now = conf.snapshot()
    return [
        account.id
        for account in now.accounts.values()
        if now.holds(circuit.name(account.id)) or now.holds(outbox.pause_name(account.id))
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


def attempt(message: OutgoingMessage) -> None:
    """Send one claimed message and write down what became of it."""
    close_old_connections()
    try:
        _attempt(message)
    except DatabaseTrouble:  # nothing was sent: what was is written until it is stored, see _settle
        logger.exception("message %s waits: the database failed before it was sent", message.pk)
        _settle(message, State.WAITING, due_at=timezone.now() + timedelta(seconds=1))


def _attempt(message: OutgoingMessage) -> None:
    try:
        _send(message)
    except NotOurs:
        _settle(message, State.WAITING, due_at=timezone.now())
    except CallFailed as error:
        _after_failure(message, error)
    except DatabaseTrouble:
        raise
    except Exception:  # one poisoned message must not stop the others; staff see why
        logger.exception("message %s cannot be sent", message.pk)
        _settle(message, State.SET_ASIDE, error=redact(traceback.format_exc()))


def _send(message: OutgoingMessage) -> None:
    account = conf.account_by_id(message.account_id)
    if message.unknown_outcomes:
        _make_sure_it_answers(account)

    def still_ours() -> None:
        if not outbox.keep(message):
            raise NotOurs

    client.send_custom_message(account, message.openid, restore(message.content), before=still_ours)
    _settle(message, State.SENT, sent_at=timezone.now(), errcode=0, error="")
    circuit.worked(message.account_id)


def _settle(message: OutgoingMessage, state: str, **values: object) -> None:
    """Write what became of a message, again and again while the database is locked, as long as its lease may run."""
    deadline = time.monotonic() + outbox.LEASE.total_seconds()
    while True:
        try:
            outbox.settle(message, state, **values)
        except DatabaseTrouble:
            logger.exception("message %s: %s could not be written", message.pk, state)
            close_old_connections()
            if time.monotonic() > deadline:
                return  # the lease has run out: another attempt will find it, and mark it
            time.sleep(0.2)
        else:
            return


def _make_sure_it_answers(account: AccountConfig) -> None:
    """Raise Unreachable while the API is down: the one repeat after an unknown outcome is too precious to be lost in that."""
    try:
        client.callback_addresses(account)
    except PlatformError:
        pass
    except Unreachable as error:
        raise Unreachable(error.endpoint, "no answer yet; the repeat waits") from None


def _after_failure(message: OutgoingMessage, error: CallFailed) -> None:
    if isinstance(error, PlatformError):
        circuit.worked(message.account_id)
        _after_refusal(message, error)
        return
    circuit.failed(message.account_id)
    unknown = message.unknown_outcomes + int(isinstance(error, Unreachable) and error.outcome_unknown)
    if unknown > 1:
        _settle(message, State.GIVEN_UP, unknown_outcomes=unknown, error=f"{outbox.LOST}: {error}")
    else:
        _repeat(message, error, unknown_outcomes=unknown)


def _after_refusal(message: OutgoingMessage, error: PlatformError) -> None:
    fate = fate_of(error.code)
    why = {"errcode": error.code, "error": str(error)}
    if fate is Fate.REPEAT or (not is_known(error.code) and message.attempts < 2):
        _repeat(message, error, errcode=error.code)
    elif fate is Fate.PAUSE:
        _pause(message.account_id, error)
        _settle(message, State.WAITING, due_at=timezone.now(), **why)
    elif fate is Fate.OWE:
        _settle(message, State.OWED, **why)
    elif fate is Fate.GIVE_UP:
        _settle(message, State.GIVEN_UP, **why)
        if error.code in LEFT:
            Follower.objects.filter(account_id=message.account_id, openid=message.openid).update(subscribed=False)
    else:
        _settle(message, State.SET_ASIDE, **why)


def _repeat(message: OutgoingMessage, error: CallFailed, **values: object) -> None:
    number = message.attempts - 1
    delay = DELAYS[number] if number < len(DELAYS) else LATER
    jitter = delay * 0.1 * (secrets.randbelow(100) / 100)
    due_at = timezone.now() + timedelta(seconds=delay + jitter)
    _settle(message, State.WAITING, due_at=due_at, error=str(error), **values)


def _pause(account_id: int, error: PlatformError) -> None:
    logger.error("account %s may not send: %s", account_id, error)
    seconds = SHORT_PAUSE if error.of_token else pause_seconds(error.code, timezone.now())
    leases.extend(outbox.pause_name(account_id), seconds, note=str(error))
    conf.forget()


def pause_seconds(code: int, now: datetime) -> float:
    """How long nothing is sent after this return code: until the quota's day or minute turns, else a minute."""
    if code == 45009:  # the day turns at midnight in Beijing
        local = now.astimezone(ZoneInfo("Asia/Shanghai"))
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - local).total_seconds()
    if code == 45011:
        return 60 - now.second
    return 30 if code in TOKEN_REFUSED else SHORT_PAUSE
