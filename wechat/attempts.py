"""One attempt to send one message of the outbox, and what becomes of the message after it.

Comes in: a claimed row. Goes out: a call to the platform, and on the row its outcome: sent, to be repeated, owed, given up,
or set aside for staff. Nothing here raises for what the platform, the network or the message itself did.
"""

import logging
import secrets
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import Error as DatabaseTrouble
from django.db import close_old_connections
from django.utils import timezone

from wechat import calls, circuit, client, conf, delivery_reports, leases, outbox
from wechat.conf import AccountConfig
from wechat.errors import LEFT, SHUT_OUT, TOKEN_REFUSED, CallFailed, Fate, PlatformError, Unreachable, fate_of, is_known
from wechat.explanations import explain_error
from wechat.models import Follower, OutgoingMessage
from wechat.notifications import Subscription, Template
from wechat.redaction import redact
from wechat.replies import restore

# Seconds to wait after the first, second … failure: attempts at about 0, 1, 2, 4, 8, 15, 25, 35, 45, 52 s.
DELAYS = (1, 1, 2, 4, 7, 10, 10, 10, 7)
SHORT_PAUSE = 60.0  # seconds, after a refusal that somebody has to mend; the token's own quota does not stop sending
LATER = (
    300  # seconds between attempts in a long window, when the list is used up; a template's repeat is harmless for 600
)

State, Route = OutgoingMessage.State, OutgoingMessage.Route
logger = logging.getLogger(__name__)


class NotOurs(Exception):
    """The lease of a claimed message has gone to another worker, or its window has closed: it must not be sent."""


def attempt(message: OutgoingMessage) -> None:
    """Send one claimed message and write down what became of it."""
    close_old_connections()
    try:
        _attempt(message)
    except DatabaseTrouble:  # nothing was sent: what was is written until it is stored, see _settle
        logger.exception("message %s waits: the database failed before it was sent", message.pk)
        _settle(message, State.WAITING, due_at=timezone.now() + timedelta(seconds=1))


def put_back(message: OutgoingMessage) -> None:
    """Leave a claimed message to another worker: this one ends, and has not begun with it."""
    close_old_connections()
    _settle(message, State.WAITING, due_at=timezone.now(), attempts=max(0, message.attempts - 1))


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
    if message.unknown_outcomes and message.route not in outbox.PATIENT:
        _make_sure_it_answers(account)

    def still_ours() -> None:
        if not outbox.keep(message):
            raise NotOurs

    with calls.sending(message.pk):
        msgid = _call(account, message, still_ours)
    _settle(message, State.SENT, sent_at=timezone.now(), errcode=0, error="", msgid=msgid)
    circuit.worked(message.account_id)
    if msgid and message.attempts > 1:
        delivery_reports.catch_up(message, msgid)


def _call(account: AccountConfig, message: OutgoingMessage, still_ours: Callable[[], None]) -> str:
    """Send it by its route; the platform's number for it, if it gives one."""
    reply = restore(message.content)
    if isinstance(reply, Template):
        still_ours()
        return client.send_template(account, message.openid, reply, client_msg_id=f"wxhub-{message.pk}")
    if isinstance(reply, Subscription):
        still_ours()
        return client.send_subscription(account, message.openid, reply)
    client.send_custom_message(account, message.openid, reply, agent=message.agent, before=still_ours)
    return ""


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
    # A template message carries a number of ours: the platform sends it once, however often we ask.
    doubtful = isinstance(error, Unreachable) and error.outcome_unknown and message.route != Route.TEMPLATE
    unknown = message.unknown_outcomes + int(doubtful)
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
        _pause(message, error)
        _settle(message, State.WAITING, due_at=timezone.now(), **why)
    elif fate is Fate.OWE and message.route not in outbox.PATIENT:
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


def _pause(message: OutgoingMessage, error: PlatformError) -> None:
    logger.error("account %s may not send: %s (%s)", message.account_id, error, explain_error(error).text())
    seconds = pause_seconds(error.code, timezone.now())
    if error.of_token:
        seconds = SHUT_OUT.get(error.code, SHORT_PAUSE)
    name = outbox.pause_name(message.account_id, patient=message.route in outbox.PATIENT)
    leases.extend(name, seconds, note=str(error))
    conf.forget()


def pause_seconds(code: int, now: datetime) -> float:
    """How long nothing is sent after this return code: until the quota's day or minute turns, else a minute."""
    if code == 45009:  # the day turns at midnight in Beijing
        local = now.astimezone(ZoneInfo("Asia/Shanghai"))
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - local).total_seconds()
    if code == 45011:
        return 60 - now.second
    return 30 if code in TOKEN_REFUSED else SHUT_OUT.get(code, SHORT_PAUSE)
