"""Step 3: a push is recorded once, handled in the same transaction, and its answer is kept for every repeat.

Comes in: a verified Message with its body. Goes out: the answer as passive XML, or None for `success`.
"""

import logging
import traceback
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from wechat import followers, messages, outbox, routing, statements
from wechat.conf import AccountConfig, account_by_id
from wechat.messages import Message
from wechat.models import Push
from wechat.redaction import redact
from wechat.replies import passive_xml
from wechat.routing import Contact

logger = logging.getLogger(__name__)


class NonceReused(Exception):
    """A plain push whose timestamp and nonce already came with another body: somebody replays a signature."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One push as it came in: `body` is decrypted; with a `nonce_key`, only one body may come under it."""

    account: AccountConfig
    message: Message
    body: bytes
    nonce_key: str | None
    encrypted: bool

    def key(self) -> str:
        return self.message.dedupe_key(self.body)


def receive(delivery: Delivery) -> str | None:
    """Record and handle a push, or find the answer it had. Raises NonceReused, and DatabaseError when storing fails."""
    try:
        with transaction.atomic():
            now = timezone.now()
            push_id = _record(delivery, now)
            if push_id is None:
                return _repeat(delivery)
            return _handle(delivery, push_id, now)
    except (NonceReused, OperationalError, InterfaceError):
        raise  # replayed, or not stored: the caller must not say success
    except Exception:
        # The handler's effects are rolled back with the record; the record comes back with what went wrong.
        logger.exception("the handler of %s failed", delivery.message.handle)
        _record_failure(delivery, traceback.format_exc())
        return None


def run_again(push: Push) -> str:
    """Handle a stored push once more, for staff. Its answer cannot reach anybody now; what it sends goes by the outbox.

    Returns "" when it was handled, else what went wrong; then nothing of it stays but the new traceback on the record.
    """
    try:
        message, account = messages.parse(push.raw.encode()), account_by_id(push.account_id)
        with transaction.atomic():
            mine = Push.objects.filter(pk=push.pk, state=push.state, error=push.error)
            if not mine.update(state=Push.State.DONE, error=""):
                return "somebody else has just run it again"
            # As of then, not of now: the window that this push opened may be over, and what it causes is owed.
            routing.route(Contact(account, message, push.pk, push.received_at, answerable=False))
    except Exception as error:
        Push.objects.filter(pk=push.pk).update(state=Push.State.FAILED, error=redact(traceback.format_exc()))
        return redact(f"{type(error).__name__}: {error}")[:300]
    return ""


def _record(delivery: Delivery, now: datetime, *, failed: str = "") -> int | None:
    message = delivery.message
    state = Push.State.FAILED if failed else _expected(message)
    row = statements.insert(
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
            "state": state,
            "answer": "",
            "error": failed,
            "repeats": 0,
        },
        on_conflict="DO NOTHING",
    )
    return row[0] if row else None


def _repeat(delivery: Delivery) -> str | None:
    table = Push._meta.db_table
    row = statements.run(
        f"UPDATE {table} SET repeats = repeats + 1 WHERE key = %s AND account_id = %s RETURNING answer",
        [delivery.key(), delivery.account.id],
    )
    if row is None:
        raise NonceReused
    return row[0] or None


def _handle(delivery: Delivery, push_id: int, now: datetime) -> str | None:
    account, message = delivery.account, delivery.message
    owed = followers.touch(account, message, now).owed
    contact = Contact(account, message, push_id, now, owed=owed)
    handled = routing.route(contact)
    reply = handled.reply if handled else None
    if owed and followers.opens_window(message):
        reply = outbox.hand_over_owed(contact, reply)
    answer = passive_xml(reply, message, original_id=account.original_id) if reply else None
    state = Push.State.DONE if handled or answer else Push.State.NOTHING
    if answer or state != _expected(message):
        _finish(push_id, state, answer or "")
    return answer


def _expected(message: Message) -> Push.State:
    """The state a push begins with, so that most need no second statement: it is what mostly becomes of its kind."""
    return Push.State.DONE if routing.has_own_handler(message) else Push.State.NOTHING


def _finish(push_id: int, state: Push.State, answer: str) -> None:
    statements.run(
        f"UPDATE {Push._meta.db_table} SET state = %s, answer = %s WHERE id = %s", [state.value, answer, push_id]
    )


def _record_failure(delivery: Delivery, error: str) -> None:
    with transaction.atomic():
        if _record(delivery, timezone.now(), failed=redact(error)) is None:
            _repeat(delivery)
