"""Step 3: a push is recorded once, handled in the same transaction, and its answer is kept for every repeat.

Comes in: a verified Message with its body. Goes out: the answer as passive XML, or None for `success`.
"""

import logging
import time
import traceback
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from wechat import followers, group_commit, messages, outbox, routing, statements
from wechat.conf import AccountConfig, account_by_id
from wechat.followers import Seen
from wechat.messages import Message
from wechat.models import OutgoingMessage, Push
from wechat.redaction import redact
from wechat.replies import passive_xml
from wechat.routing import Contact, Handled
from wechat.rules import Query, Verdict, index_of
from wechat.statements import Insert

QUICK = 20  # milliseconds: a push that took less is not written again for that alone
EFFECTIVE = frozenset(["qr", "subscribe", "unsubscribe"])  # pushes that do something whatever the rules say
REHEARSAL_ID = 0  # of a push that is no row; numbers of rows begin at 1

logger = logging.getLogger(__name__)


class NonceReused(Exception):
    """A plain push whose timestamp and nonce already came with another body: somebody replays a signature."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One push as it came in: `body` is decrypted; with a `nonce_key`, only one body may come under it.

    `began` is the time.perf_counter() of its arrival. `came_at` is set when it waited in the spool (wechat.spool): nobody
    waits for its answer any more, and what it causes is as of then.
    """

    account: AccountConfig
    message: Message
    body: bytes
    nonce_key: str | None
    encrypted: bool
    began: float
    came_at: datetime | None = None

    def key(self) -> str:
        return self.message.dedupe_key(self.body)


def receive(delivery: Delivery) -> str | None:
    """Record and handle a push, or find the answer it had. Raises NonceReused, and DatabaseError when storing fails."""
    index_of(delivery.account)  # built, when rules changed, before the transaction takes SQLite's one write lock
    try:
        return group_commit.commit(partial(_take, delivery))
    except (NonceReused, OperationalError, InterfaceError):
        raise  # replayed, or not stored: the caller must not say success
    except Exception:
        # The handler's effects are rolled back with the record; the record comes back with what went wrong.
        logger.exception("the handler of %s failed", delivery.message.handle)
        _record_failure(delivery, traceback.format_exc())
        return None


def run_again(push: Push) -> str:
    """Handle a stored push once more, for staff. Its answer travels as a message: nobody waits for it any more.

    Returns "" when it was handled, else what went wrong; then nothing of it stays but the new traceback on the record.
    """
    if not push.raw:
        return "what it said was erased"
    try:
        message, account = messages.parse(push.raw.encode()), account_by_id(push.account_id)
        with transaction.atomic():
            mine = Push.objects.filter(pk=push.pk, state=push.state, error=push.error)
            if not mine.update(state=Push.State.DONE, error=""):
                return "somebody else has just run it again"
            # As of then, not of now: the window that this push opened may be over, and what it causes is owed.
            contact = Contact(account, message, push.pk, push.received_at, answerable=False)
            handled = _answered(contact)
            if handled and handled.reply:
                outbox.enqueue(contact, handled.reply, purpose="answer")
            outcome: dict[str, Any] = {"state": Push.State.NOTHING}
            if handled:
                outcome = {"answered_by": handled.answered_by, "rule_id": handled.rule_id}
            Push.objects.filter(pk=push.pk).update(**outcome)
    except Exception as error:
        Push.objects.filter(pk=push.pk).update(state=Push.State.FAILED, error=redact(traceback.format_exc()))
        return redact(f"{type(error).__name__}: {error}")[:300]
    return ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a push would do: nothing of it was kept, and nothing sent.

    `effects` are the messages that would go out beside the answer; `error` is the traceback when a handler failed.
    """

    contact: Contact
    handled: Handled | None
    answer: str
    effects: tuple[OutgoingMessage, ...]
    milliseconds: int
    error: str = ""

    @property
    def query(self) -> Query | None:
        """What the rules were asked: of several questions the first that found one. None when they were not asked."""
        index, asked = index_of(self.contact.account), self.contact.asked
        found = (query for query in asked if index.candidates(query, self.contact.now))
        return next(found, asked[0] if asked else None)

    def verdicts(self) -> list[Verdict]:
        """Each rule of the account with whether it matched that question, and why."""
        query = self.query
        return index_of(self.contact.account).explain(query, self.contact.now) if query else []


def rehearse(account: AccountConfig, message: Message, *, now: datetime | None = None) -> Rehearsal:
    """Handle a push as if it came at `now`, and take everything back."""
    began = time.perf_counter()
    contact = Contact(account, message, REHEARSAL_ID, now or timezone.now(), rehearsal=True)
    handled, answer, error = None, "", ""
    effects: tuple[OutgoingMessage, ...] = ()
    try:
        with transaction.atomic():
            trace = followers.trace(account, message, contact.now)
            seen = followers.seen(statements.insert(trace) if trace else None, contact.now)
            contact = replace(contact, held_by=seen.held_by)
            handled = _answered(contact)
            reply = handled.reply if handled else None
            answer = (passive_xml(reply, message, original_id=account.original_id) if reply else None) or ""
            effects = tuple(OutgoingMessage.objects.filter(openid=message.sender, push_id=REHEARSAL_ID).order_by("pk"))
            transaction.set_rollback(True)
    except Exception:
        error = redact(traceback.format_exc())
    milliseconds = round((time.perf_counter() - began) * 1000)
    return Rehearsal(contact, handled, answer, effects, milliseconds, error)


def _take(delivery: Delivery) -> str | None:
    now = delivery.came_at or timezone.now()
    routing.ask_ahead(delivery.account, delivery.message)
    record, trace = _record(delivery, now), followers.trace(delivery.account, delivery.message, now)
    recorded, traced = statements.insert_pair(record, trace) if trace else (statements.insert(record), None)
    if recorded is None:
        return _repeat(delivery)
    return _handle(delivery, recorded[0], followers.seen(traced, now), now)


def _record(delivery: Delivery, now: datetime, *, failed: str = "") -> Insert:
    message = delivery.message
    return Insert(
        Push,
        {
            "account_id": delivery.account.id,
            "key": delivery.key(),
            "nonce_key": delivery.nonce_key,
            "received_at": now,
            "openid": message.sender,
            "kind": message.handle[:64],
            "raw": delivery.body.decode(errors="replace").replace("\0", ""),
            "encrypted": delivery.encrypted,
            "state": Push.State.FAILED if failed else _expected(message),
            "answer": "",
            "error": failed,
            "repeats": 0,
        },
        on_conflict="DO NOTHING",
    )


def _expected(message: Message) -> str:
    """The state that such a push mostly ends in: what needs no second statement costs none, and no index is written twice."""
    return Push.State.DONE if message.handle in EFFECTIVE else Push.State.NOTHING


def _repeat(delivery: Delivery) -> str | None:
    table = Push._meta.db_table
    row = statements.run(
        f"UPDATE {table} SET repeats = repeats + 1 WHERE key = %s AND account_id = %s RETURNING answer",
        [delivery.key(), delivery.account.id],
    )
    if row is None:
        raise NonceReused
    return row[0] or None


def _handle(delivery: Delivery, push_id: int, seen: Seen, now: datetime) -> str | None:
    account, message = delivery.account, delivery.message
    waited_for = delivery.came_at is None
    contact = Contact(account, message, push_id, now, owed=seen.owed, held_by=seen.held_by, answerable=waited_for)
    handled = _answered(contact)
    reply = handled.reply if handled else None
    if seen.owed and followers.opens_window(message):
        handed = outbox.hand_over_owed(contact, reply)
        if handed is not reply:
            reply, handled = handed, replace(handled or Handled(), answered_by="owed", rule_id=None)
    if reply and not waited_for:
        outbox.enqueue(contact, reply, purpose="answer")
    answer = passive_xml(reply, message, original_id=account.original_id) if reply and waited_for else None
    state = Push.State.DONE if handled or answer else Push.State.NOTHING
    milliseconds = round((time.perf_counter() - delivery.began) * 1000)
    if answer or (handled and handled.rule_id) or state != _expected(message) or milliseconds >= QUICK:
        _finish(push_id, state, handled, answer or "", milliseconds)
    return answer


def _answered(contact: Contact) -> Handled | None:
    """Ask for the answer, and keep what comes with it: further messages, and who holds the conversation now."""
    handled = routing.route(contact)
    if handled is None:
        return None
    for reply in handled.more:
        outbox.enqueue(contact, reply, purpose="rule", about=str(handled.rule_id or ""))
    followers.hold(contact, handled.holder if handled.hold else "", handled.hold)
    return handled


def _finish(push_id: int, state: str, handled: Handled | None, answer: str, milliseconds: int) -> None:
    answered_by = handled.answered_by if handled and answer else ""
    statements.run_later(
        f"UPDATE {Push._meta.db_table} SET state = %s, answer = %s, answered_by = %s, rule_id = %s, milliseconds = %s "
        "WHERE id = %s",
        [str(state), answer, answered_by, handled.rule_id if handled else None, milliseconds, push_id],
    )


def _record_failure(delivery: Delivery, error: str) -> None:
    with transaction.atomic():
        record = _record(delivery, delivery.came_at or timezone.now(), failed=redact(error))
        if statements.insert(record) is None:
            _repeat(delivery)
