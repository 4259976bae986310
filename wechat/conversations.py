"""What was said between an account and one person, in order; and what staff answer him.

Comes in: a follower. Goes out: a Page of his conversation, bounded, oldest line first; or the row of the outbox that a
member of staff's answer became. Pushes and messages are read by the openid, backwards by their numbers: both grow with time.
"""

import hashlib
import heapq
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from wechat import windows
from wechat.models import Follower, OutgoingMessage, Push
from wechat.replies import Reply

MOST = 30  # lines of one page
STAFF = "staff"  # the purpose of what staff write

State, Route = OutgoingMessage.State, OutgoingMessage.Route


class Closed(Exception):
    """The platform takes no message for this person now, and the writer did not say that it may wait."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One line: a push with the message that answered it, or a message that went out, or waits, by itself."""

    at: datetime
    push: Push | None = None
    row: OutgoingMessage | None = None

    @property
    def key(self) -> str:
        """What tells it from the other lines; it stays the same while the state changes."""
        return f"p{self.push.pk}" if self.push else f"m{self.row.pk if self.row else 0}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a conversation, the oldest first. `older` leads to those before them; None when there are none."""

    turns: tuple[Turn, ...]
    older: str | None
    stamp: str


def page(follower: Follower, before: str = "") -> Page:
    """The newest lines, or those `before` the place that another page named. Raises ValueError for no such place."""
    push_before, row_before = _place(before)
    pushes = list(_below(_pushes(follower), push_before)[: MOST + 1])
    rows = list(_below(_rows(follower), row_before)[: MOST + 1])
    # Each list is used from its head on, so the two numbers where it stops are a place to go on from.
    merged = heapq.merge(
        (Turn(row.created_at, row=row) for row in rows),  # first: what a push caused at its very time stands below it
        (Turn(push.received_at, push=push) for push in pushes),
        key=lambda turn: turn.at,
        reverse=True,
    )
    shown = list(islice(merged, MOST))
    more = len(pushes) + len(rows) > len(shown)
    last_push = min((turn.push.pk for turn in shown if turn.push), default=push_before)
    last_row = min((turn.row.pk for turn in shown if turn.row), default=row_before)
    turns = tuple(_with_answers(follower, shown[::-1]))
    return Page(turns, f"{last_push or ''}.{last_row or ''}" if more else None, _stamp(turns))


def answer(
    follower: Follower, reply: Reply, *, author_id: int, number: str, agent: str = "", may_wait: bool = False
) -> OutgoingMessage:
    """Write what a member of staff says into the outbox: it goes out now, or at the person's next contact.

    `number` names this very message: asked for twice, it is written once. Raises Closed; then nothing was written.
    """
    with transaction.atomic():
        # The lock makes two members of staff see each other's messages in the ledger.
        locked = Follower.objects.select_for_update(of=("self",)).select_related("account").get(pk=follower.pk)
        his = {"account_id": locked.account_id, "openid": locked.openid}
        if known := OutgoingMessage.objects.filter(**his, purpose=STAFF, about=number).first():
            return known
        now = timezone.now()
        ledger = windows.of(locked, now)
        until = ledger.until
        if until is None and not (may_wait and can_wait(ledger, reply)):
            raise Closed
        state = State.WAITING if until else State.OWED
        if state == State.OWED:
            Follower.objects.filter(pk=locked.pk).update(owed=F("owed") + 1)
        times = {"created_at": now, "due_at": now, "expires_at": until or now}
        how: dict[str, Any] = {"route": Route.CUSTOMER_SERVICE, "written_by_id": author_id, "agent": agent}
        content = reply.stored()
        return OutgoingMessage.objects.create(
            **his, **times, **how, content=content, state=state, purpose=STAFF, about=number
        )


def can_wait(ledger: windows.Ledger, reply: Reply | None = None) -> bool:
    """Whether a message may wait for the person's next contact: he must be able to make one.

    An account without customer-service messages gives it as the answer to a push; not every kind of reply can be one.
    """
    passive = reply is None or reply.kind not in ("msgmenu", "miniprogrampage")
    return ledger.follows and (ledger.may_send or passive)


def _place(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    push, row = text.split(".")
    if len(text) > 40 or not all(part == "" or (part.isascii() and part.isdigit()) for part in (push, row)):
        raise ValueError(text)
    return int(push) if push else None, int(row) if row else None


def _below(rows: QuerySet[Any], number: int | None) -> QuerySet[Any]:
    rows = rows.order_by("-pk")
    return rows if number is None else rows.filter(pk__lt=number)


def _pushes(follower: Follower) -> QuerySet[Push]:
    # The rules as a query of their own: in one with the pushes, those of a deleted rule would be lost.
    return Push.objects.filter(openid=follower.openid, account_id=follower.account_id).prefetch_related("rule")


def _rows(follower: Follower) -> QuerySet[OutgoingMessage]:
    """What went out by itself; what travelled as the answer to a push stands with that push."""
    mine = OutgoingMessage.objects.filter(openid=follower.openid, account_id=follower.account_id)
    return mine.exclude(Q(route=Route.PASSIVE, push__isnull=False)).select_related("written_by")


def _with_answers(follower: Follower, turns: list[Turn]) -> list[Turn]:
    """The turns, each push with the message that was its answer."""
    pushed = [turn.push.pk for turn in turns if turn.push and turn.push.answer]
    if not pushed:
        return turns
    rows = OutgoingMessage.objects.filter(
        openid=follower.openid, account_id=follower.account_id, route=Route.PASSIVE, push_id__in=pushed
    )
    answers = {row.push_id: row for row in rows.select_related("written_by")}
    return [Turn(turn.at, turn.push, answers.get(turn.push.pk)) if turn.push else turn for turn in turns]


def _stamp(turns: tuple[Turn, ...]) -> str:
    """Changes when a line is added, or looks different."""
    parts = [f"{turn.key}:{turn.push.state if turn.push else ''}:{_of_row(turn.row)}" for turn in turns]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _of_row(row: OutgoingMessage | None) -> str:
    return f"{row.state}{row.attempts}{row.errcode}{row.delivery}{row.unknown_outcomes}" if row else ""
