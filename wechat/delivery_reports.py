"""What became of a template message or notice after the platform took it: the report of its delivery, put on its row.

A report may come before the worker has written the message's number: such a report is looked at again a little later
(`reconcile`, a chore), and a message that was repeated asks for the report that may be there already (`catch_up`).
Sources: TEMPLATESENDJOBFINISH (模板消息), subscribe_msg_sent_event (订阅通知)
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import takewhile
from typing import Any

from django.utils import timezone

from wechat import messages, pushes, statements
from wechat.messages import Message
from wechat.models import Cursor, OutgoingMessage, Push
from wechat.routing import Contact, Handled, on

FINISHED, NOTICE_SENT = "templatesendjobfinish", "subscribe_msg_sent_event"
CONSENTS = ("subscribe_msg_popup_event", "subscribe_msg_change_event")
NAME = "delivery reports"
BATCH = 500
# A worker writes the number within a call (5 s) and a lease (10 s), or the message is repeated.
SETTLED = timedelta(seconds=20)
LATEST_NOTICES = 20  # of one person, among which a report of a notice looks for its own

State, Route, Delivery = OutgoingMessage.State, OutgoingMessage.Route, OutgoingMessage.Delivery
_TABLE = OutgoingMessage._meta.db_table
_REPORTED = (
    f"UPDATE {_TABLE} SET delivery = %s, delivery_text = %s WHERE msgid = %s AND msgid <> '' AND account_id = %s "
    "AND openid = %s"
)


@on(FINISHED)
def finished(contact: Contact) -> Handled:
    """The platform says what became of a template message."""
    said = reported(contact.message)
    values = [delivery_of(said), said, contact.message.msgid[:24], contact.account.id, contact.message.sender]
    statements.run_later(_REPORTED, values)
    return Handled()


@on(NOTICE_SENT)
def notice_sent(contact: Contact) -> Handled:
    """The platform says what became of subscription notices; sending one brings no number, so its template tells which."""
    for report in _listed(contact.message):
        _put_on_notice(contact, report)
    return Handled()


@on(*CONSENTS)
def consent_changed(_contact: Contact) -> Handled:
    """Somebody accepted notices, or refused them: the push itself keeps it, and nobody waits for an answer."""
    return Handled()


def reported(message: Message) -> str:
    """The status of a report as the platform wrote it."""
    status = message.fields.get("data", {}).get("status", "")
    return status[:200] if isinstance(status, str) else ""


def delivery_of(status: str) -> str:
    """What a status means: `success`, `failed:user block` (blanks do not matter), everything else."""
    short = "".join(status.lower().split())
    if short == "success":
        return str(Delivery.DELIVERED.value)
    return str(Delivery.BLOCKED.value if short == "failed:userblock" else Delivery.FAILED.value)


def reconcile() -> int:
    """Put stored reports on messages that had no number yet when they came. Returns what may be left."""
    cursor, _created = Cursor.objects.get_or_create(name=NAME)
    kind = pushes.of_kind(Push.objects.filter(pk__gt=cursor.position), FINISHED)
    rows = list(kind.order_by("pk").only("raw", "received_at", "account_id")[:BATCH])
    now = timezone.now()
    settled = list(takewhile(lambda push: abs(now - push.received_at) >= SETTLED, rows))
    if not settled:
        return 0
    reports = {(push.account_id, report.msgid): report for push in settled if (report := _read(push)) and report.msgid}
    waiting = OutgoingMessage.objects.filter(msgid__in=[msgid for _account, msgid in reports], delivery="")
    for row in waiting.only("account_id", "msgid"):
        if report := reports.get((row.account_id, row.msgid)):
            _write(row.pk, reported(report))
    Cursor.objects.filter(pk=cursor.pk).update(position=settled[-1].pk)
    return len(settled) if len(settled) == BATCH else 0


def catch_up(message: OutgoingMessage, msgid: str) -> None:
    """The message was sent, and not at the first attempt: the report of an earlier one may be long here."""
    mine = Push.objects.filter(account_id=message.account_id, openid=message.openid, kind=FINISHED)
    for push in mine.filter(received_at__gte=message.created_at).only("raw")[:BATCH]:
        report = _read(push)
        if report and report.msgid == msgid:
            _write(message.pk, reported(report))


def _write(number: int, status: str) -> None:
    OutgoingMessage.objects.filter(pk=number).update(delivery=delivery_of(status), delivery_text=status)


def _read(push: Push) -> Message | None:
    try:
        return messages.parse(push.raw.encode())
    except (messages.Unreadable, messages.Hostile):
        return None


def _listed(message: Message) -> Iterator[Mapping[str, Any]]:
    inner = message.fields.get("data", {}).get("subscribemsgsentevent", {})
    reports = inner.get("list", []) if isinstance(inner, dict) else []
    yield from (report for report in reports if isinstance(report, dict))


def _put_on_notice(contact: Contact, report: Mapping[str, Any]) -> None:
    his = OutgoingMessage.objects.filter(
        account_id=contact.account.id, openid=contact.message.sender, route=Route.SUBSCRIPTION, delivery=""
    ).filter(state__in=[State.SENDING, State.SENT])
    for row in his.order_by("-pk")[:LATEST_NOTICES]:
        if row.content.get("template_id") == report.get("templateid"):
            code, text = str(report.get("errorcode", "")), str(report.get("errorstatus", ""))
            delivery = {"0": Delivery.DELIVERED, "43101": Delivery.BLOCKED}.get(code, Delivery.FAILED)
            said = f"{code} {text}".strip()[:200]
            OutgoingMessage.objects.filter(pk=row.pk).update(delivery=delivery, delivery_text=said)
            return
