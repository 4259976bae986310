"""How far quotes are on their way to the visitors' WeChat, one or many in one query: their pages ask every two seconds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast
from django.utils import timezone

from orders.models import Order, Scan
from wechat import errors, outbox, qr
from wechat.models import OutgoingMessage, QRCode

_OF_MESSAGE: Mapping[str, str] = {
    OutgoingMessage.State.WAITING: "scanned",
    OutgoingMessage.State.SENDING: "scanned",
    OutgoingMessage.State.SENT: "sent",
    OutgoingMessage.State.OWED: "owed",
    OutgoingMessage.State.GIVEN_UP: "failed",
    OutgoingMessage.State.SET_ASIDE: "failed",
}
# 40003 is also what the platform answers for somebody who does not follow (errcodes.json).
_NOT_FOLLOWING = errors.LEFT | {40003}
_WILL_NOT_HAVE_IT = frozenset({43019, 46004, 48002, 49003, 50002, 70000})


@dataclass(frozen=True)
class Progress:
    """`state` is waiting, scanned, follow, sent, owed, failed or expired; `expires_in` are the seconds the code is still valid.

    `follow`: he scanned, and does not follow any more. `reason` says why it failed: `refused` by the person's own settings
    or by WeChat for this person, `unsure` whether it arrived, `ours` for the account's own trouble; else it is empty.
    """

    state: str
    expires_in: int
    reason: str
    account_id: int

    def as_json(self) -> dict[str, Any]:
        """What pages and REST tell of it; a reason where there is one."""
        told = {"state": self.state, "expires_in": self.expires_in}
        return {**told, "reason": self.reason} if self.reason else told


def progress_of(key: str) -> Progress | None:
    """The progress of the quote with that page key, None when there is no such quote."""
    return progress_of_all([key]).get(key)


def progress_of_all(keys: Collection[str]) -> dict[str, Progress]:
    """The progress of the quotes with these page keys, in one query; those that do not exist are left out."""
    return {key: _judge(*row) for key, *row in _rows(Order.objects.filter(key__in=keys))}


def _rows(orders: QuerySet[Order]) -> QuerySet[Order, Any]:
    last_scan = Scan.objects.filter(order=OuterRef("pk")).order_by("-pk")
    codes = QRCode.objects.filter(account=OuterRef("account"), scene=Cast(OuterRef("orderid"), CharField()))
    annotated = orders.annotate(
        code_end=Subquery(codes.order_by(F("expires_at").desc(nulls_first=True)).values("expires_at")[:1]),
        scan=Subquery(last_scan.values("pk")[:1]),
        card=Subquery(last_scan.values("message__state")[:1]),
        errcode=Subquery(last_scan.values("message__errcode")[:1]),
        error=Subquery(last_scan.values("message__error")[:1]),
    )
    return annotated.values_list("key", "account", "code_end", "scan", "card", "errcode", "error")


def _judge(
    account_id: int, code_end: datetime | None, scan: int | None, card: str | None, errcode: int | None, error: str
) -> Progress:
    left = max(0, int((code_end - qr.SPARE - timezone.now()).total_seconds())) if code_end else 0
    if scan is None:
        # No code yet is no code that ran out: the page, or whoever shows the picture, has still to be opened.
        return Progress("expired" if code_end and not left else "waiting", left, "", account_id)
    # A card without a row was finished long ago: wechat.retention removed it.
    state = _OF_MESSAGE[card] if card else "sent"
    if state != "failed":
        return Progress(state, left, "", account_id)
    reason = _reason(errcode, error)
    return Progress("failed" if reason else "follow", left, reason, account_id)


def _reason(errcode: int | None, error: str) -> str:
    """Why a card was given up; empty when the person does not follow. The last error decides, older codes stay on the row."""
    if error.startswith(outbox.LOST):
        return "unsure"
    if error == outbox.UNFOLLOWED or errcode in _NOT_FOLLOWING:
        return ""
    return "refused" if errcode in _WILL_NOT_HAVE_IT else "ours"
