"""How far a quote is on its way to the visitor's WeChat, in one query: his page asks every two seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast
from django.utils import timezone

from orders.models import Order, Scan
from wechat.models import OutgoingMessage, QRCode

_OF_MESSAGE: Mapping[str, str] = {
    OutgoingMessage.State.WAITING: "scanned",
    OutgoingMessage.State.SENDING: "scanned",
    OutgoingMessage.State.SENT: "sent",
    OutgoingMessage.State.OWED: "owed",
    OutgoingMessage.State.GIVEN_UP: "failed",
    OutgoingMessage.State.SET_ASIDE: "failed",
}


@dataclass(frozen=True)
class Progress:
    """`state` is waiting, scanned, sent, owed, failed or expired; `expires_in` are the seconds the code is still valid."""

    state: str
    expires_in: int


def progress_of(key: str) -> Progress | None:
    """The progress of the quote with that page key, None when there is no such quote."""
    row = _rows(Order.objects.filter(key=key)).first()
    return None if row is None else _judge(*row)


def _rows(orders: QuerySet[Order]) -> QuerySet[Order, tuple[int | None, str | None, datetime | None]]:
    last_scan = Scan.objects.filter(order=OuterRef("pk")).order_by("-pk")
    codes = QRCode.objects.filter(account=OuterRef("account"), scene=Cast(OuterRef("orderid"), CharField()))
    annotated = orders.annotate(
        scan=Subquery(last_scan.values("pk")[:1]),
        card=Subquery(last_scan.values("message__state")[:1]),
        code_end=Subquery(codes.order_by("-expires_at").values("expires_at")[:1]),
    )
    return annotated.values_list("scan", "card", "code_end")


def _judge(scan: int | None, card: str | None, code_end: datetime | None) -> Progress:
    left = max(0, int((code_end - timezone.now()).total_seconds())) if code_end else 0
    if scan is not None:
        # A card without a row was finished long ago: wechat.retention removed it.
        return Progress(_OF_MESSAGE[card] if card else "sent", left)
    # No code yet is no code that ran out: the page, or whoever shows the picture, has still to be opened.
    return Progress("expired" if code_end and not left else "waiting", left)
