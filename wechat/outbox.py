"""Step 4: an outgoing message is a row, written in the transaction of what caused it.

Comes in: a reply for somebody. Goes out: a row that a worker sends (wechat.worker), or the reply itself as the answer to
the push when that is the account's way, or the only way that works at this moment.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, models
from django.utils import timezone

from wechat import circuit, conf, group_commit, statements
from wechat.conf import AccountConfig
from wechat.messages import Message
from wechat.models import Account, Follower, OutgoingMessage, SendJob
from wechat.replies import Reply, may_answer, restore
from wechat.routing import Contact
from wechat.statements import Insert

EVENT_WINDOW = timedelta(seconds=55)  # of 60: what is on its way at the end must still arrive inside
MESSAGE_WINDOW = timedelta(hours=48, seconds=-60)
LEASE = timedelta(seconds=10)  # what a dead worker costs
LOST = "the outcome stayed unknown after one repeat"
UNFOLLOWED = "the person unfollowed"
STUCK = 60.0  # seconds that a message may be late before monitoring and staff are told
MESSAGES_AFTER_EVENT = 3  # the platform takes no more in that minute

State, Route = OutgoingMessage.State, OutgoingMessage.Route
# Literally, not as parameters: only then does SQLite see that the indexes `outgoing_due` and `outgoing_owed` hold all of them.
_UNDER_WAY = OutgoingMessage.objects.extra(where=["state IN ('waiting', 'sending')"])
_OWED = OutgoingMessage.objects.extra(where=["state = 'owed'"])
# What needs no window of the person's: it may wait for what does.
PATIENT = (Route.TEMPLATE, Route.SUBSCRIPTION)
TEMPLATE_WINDOW = timedelta(days=1)
# A template message carries a number of ours, and the platform sends it once within ten minutes: to ask again is harmless.
REPEATS = 10
FRESH = timedelta(seconds=6)  # of a lease, that one call fits into
_MAY_REPEAT = models.Q(unknown_outcomes=0) | models.Q(route=Route.TEMPLATE, unknown_outcomes__lt=REPEATS)
_HELD = models.Exists(
    SendJob.objects.filter(pk=models.OuterRef("job_id"), state__in=[SendJob.State.PAUSED, SendJob.State.CANCELLED])
)


def deliver(
    contact: Contact, reply: Reply, *, purpose: str, about: str = "", kept_by: Insert | None = None
) -> Reply | None:
    """Send `reply` to the person by the account's way of delivery. To be called in the transaction of the push.

    Returns the reply if it has to travel as the answer to this push. `kept_by` is a row of the caller's that is inserted with
    the message; its `message_id` becomes the number of it.
    """
    by_api = contact.account.delivery == Account.Delivery.CUSTOMER_SERVICE
    state, route, answer = State.WAITING if by_api else State.OWED, Route.CUSTOMER_SERVICE, None
    if not (by_api and is_open(contact.account)) and _can_answer(contact):
        state, route, answer = State.SENT, Route.PASSIVE, reply
    row = _row(contact, reply, purpose, about, state=state, route=route)
    if kept_by:
        statements.insert_pair_later(row, kept_by, link="message_id")
    else:
        statements.insert_later(row)
    if state == State.OWED:
        _count_owed(contact.account.id, [contact.message.sender])
    return answer


def enqueue(contact: Contact, reply: Reply, *, purpose: str, about: str = "") -> None:
    """Send `reply` as a customer-service message, where the account may send any."""
    if contact.account.may_send:
        statements.insert_later(_row(contact, reply, purpose, about, state=State.WAITING, route=Route.CUSTOMER_SERVICE))


def _can_answer(contact: Contact) -> bool:
    """Whether a passive answer would reach the person: somebody waits for it, and it can name its sender."""
    named = contact.message.recipient or contact.account.original_id
    return bool(named) and contact.answerable and may_answer(contact.message)


def is_open(account: AccountConfig) -> bool:
    """Whether customer-service messages go out at this moment: allowed, a worker alive, nothing failing or paused."""
    now = conf.snapshot()
    blocked = now.holds(circuit.name(account.id)) or now.holds(pause_name(account.id))
    return account.may_send and now.holds("worker:") and not blocked


def pause_name(account_id: int, *, patient: bool = False) -> str:
    """The lease that runs while the account may not send: quota used up, permission or address missing.

    Messages that need a window and those that need none have quotas and permissions of their own.
    """
    return f"paused:{account_id}:patient" if patient else f"paused:{account_id}"


def window_end(message: Message, now: datetime) -> datetime:
    """Until when the platform takes messages because of this push."""
    return now + (EVENT_WINDOW if message.is_event else MESSAGE_WINDOW)


def hand_over_owed(contact: Contact, reply: Reply | None) -> Reply | None:
    """Give the person what he should have got before. Returns the answer to this push: `reply`, or an owed message.

    What is owed comes before any text, but not before a message that this very push has caused.
    """
    mine = _OWED.filter(account_id=contact.account.id, openid=contact.message.sender)
    caused = OutgoingMessage.objects.filter(openid=contact.message.sender, push_id=contact.push_id)
    just_sent = set(caused.values_list("purpose", "about"))
    debts, taken = _debts(mine, just_sent), 0
    if is_open(contact.account):
        taken = MESSAGES_AFTER_EVENT - len(just_sent)
        _reopen(debts[:taken], contact)
    elif not just_sent and _can_answer(contact) and (said := _first_passive(debts, contact.message)):
        reply, taken = restore(said.content), 1
        mine.filter(pk=said.pk).update(
            state=State.SENT, route=Route.PASSIVE, sent_at=contact.now, push_id=contact.push_id, error=""
        )
    left = max(0, len(debts) - taken)
    Follower.objects.filter(account_id=contact.account.id, openid=contact.message.sender).update(owed=left)
    return reply


def _first_passive(debts: list[OutgoingMessage], message: Message) -> OutgoingMessage | None:
    """The first of them that can be the answer to this push: choices and mini programs cannot, they wait."""
    return next((debt for debt in debts if restore(debt.content).nodes(message) is not None), None)


def _debts(mine: models.QuerySet[OutgoingMessage], just_sent: set[tuple[str, str]]) -> list[OutgoingMessage]:
    """What is owed, the newest first, and of each matter only the newest; what that makes outdated is given up."""
    newest: dict[tuple[str, str], OutgoingMessage] = {}
    outdated: list[int] = []
    for row in mine.order_by("-pk"):
        what = (row.purpose, row.about)
        if what in newest or what in just_sent:
            outdated.append(row.pk)
        else:
            newest[what] = row
    mine.filter(pk__in=outdated).update(state=State.GIVEN_UP, error="a newer message about the same took its place")
    return list(newest.values())


def give_up_for(account_id: int, openid: str, *, reason: str) -> None:
    """Nothing that waits, or is owed, goes to this person any more."""
    his = {"account_id": account_id, "openid": openid}
    ended = {"state": State.GIVEN_UP, "error": reason}
    if _UNDER_WAY.filter(state=State.WAITING, **his).update(**ended) + _OWED.filter(**his).update(**ended):
        Follower.objects.filter(account_id=account_id, openid=openid).update(owed=0)


def claim(holder: str, limit: int, *, but_not: Iterable[int] = (), patient: bool = False) -> list[OutgoingMessage]:
    """Take up to `limit` due messages for `LEASE`. `holder` names this claim alone; `but_not` are accounts on hold.

    `patient` takes those that need no window, else those that do. A row that another worker was sending when its lease ran
    out is taken once more, and marked: it may have arrived.
    """
    now = timezone.now()
    routed = models.Q(route__in=PATIENT)
    due = (
        _UNDER_WAY.filter(due_at__lte=now, expires_at__gt=now)
        .filter(models.Q(state=State.WAITING) | models.Q(state=State.SENDING) & _MAY_REPEAT)
        .filter(routed & ~_HELD if patient else ~routed)
        .exclude(account_id__in=list(but_not))
        .order_by("due_at")
    )
    if not due.exists():  # mostly; a worker that looks must not take SQLite's one write lock
        return []
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    # Not as a subquery: PostgreSQL may run one that skips locked rows again for every row, and takes more than `limit`.
    return group_commit.commit(lambda: _take(list(due.values_list("pk", flat=True)[:limit]), holder))


def _take(numbers: list[int], holder: str) -> list[OutgoingMessage]:
    # Nobody else can have them: PostgreSQL has locked these rows, SQLite the whole database (IMMEDIATE).
    messages = OutgoingMessage.objects.filter(pk__in=numbers)
    messages.update(
        unknown_outcomes=models.Case(
            models.When(state=State.SENDING, then=models.F("unknown_outcomes") + 1),
            default=models.F("unknown_outcomes"),
            output_field=models.IntegerField(),
        ),
        state=State.SENDING,
        holder=holder,
        attempts=models.F("attempts") + 1,
        due_at=timezone.now() + LEASE,  # from now: it may have waited for its turn to write
    )
    return list(messages.order_by("pk"))


def settle(message: OutgoingMessage, state: str, **values: object) -> bool:
    """Write what became of a claimed message; False when the lease had run out and somebody else took it."""
    mine = OutgoingMessage.objects.filter(pk=message.pk, holder=message.holder, state=message.state)

    def write() -> bool:
        if not mine.update(state=state, holder="", **values):
            return False
        if state == State.OWED:  # in the same transaction: a debt that is not counted would never be paid
            _count_owed(message.account_id, [message.openid])
        return True

    return group_commit.commit(write, is_one_statement=state != State.OWED)


def keep(message: OutgoingMessage) -> bool:
    """Lengthen the lease of a claimed message before it is sent; False when it is not ours, or its window is over.

    Where a repeat is harmless, a lease that is long enough stays as it is: a look takes no lock of the database.
    """
    mine = OutgoingMessage.objects.filter(pk=message.pk, holder=message.holder, state=State.SENDING)
    now = timezone.now()
    if message.route == Route.TEMPLATE and message.due_at - now >= FRESH:
        return mine.filter(expires_at__gt=now).exists()

    def lengthen() -> bool:
        now = timezone.now()  # it may have waited for its turn to write
        return bool(mine.filter(expires_at__gt=now).update(due_at=now + LEASE))

    return group_commit.commit(lengthen, is_one_statement=True)


def close_windows() -> int:
    """Turn what can no longer go out in its window into debts. Returns how many."""
    now = timezone.now()
    waiting = models.Q(state=State.WAITING)  # also when its next attempt would be later still
    lost_once = models.Q(state=State.SENDING, due_at__lte=now) & _MAY_REPEAT
    closed = 0
    for message in _UNDER_WAY.filter(waiting | lost_once, ~_HELD, expires_at__lte=now):
        lost = int(message.state == State.SENDING)  # its worker died with it: it may have arrived
        closed += settle(
            message,
            State.GIVEN_UP if message.route in PATIENT else State.OWED,  # a later contact is no reason to send it
            unknown_outcomes=message.unknown_outcomes + lost,
            error=message.error or "the window closed before it could be sent",
        )
    return closed


def give_up_lost() -> int:
    """Give up what was lost twice: it may have arrived twice already. Returns how many."""
    lost = _UNDER_WAY.filter(~_MAY_REPEAT, state=State.SENDING, due_at__lte=timezone.now())
    return lost.update(state=State.GIVEN_UP, holder="", error=LOST)


def overdue(now: datetime) -> float:
    """Seconds that the message which waits longest is late; 0 when none is. What a paused job holds waits on purpose."""
    due = _UNDER_WAY.filter(~_HELD, due_at__lt=now).order_by("due_at").values_list("due_at", flat=True).first()
    return (now - due).total_seconds() if due else 0.0


def _row(contact: Contact, reply: Reply, purpose: str, about: str, *, state: str, route: str) -> Insert:
    return Insert(
        OutgoingMessage,
        {
            "account_id": contact.account.id,
            "openid": contact.message.sender,
            "purpose": purpose,
            "about": about,
            "content": reply.stored(),
            "push_id": contact.push_id,
            "route": route,
            "state": state,
            "attempts": 0,
            "unknown_outcomes": 0,
            "created_at": contact.now,
            "due_at": contact.now,
            "expires_at": window_end(contact.message, contact.now),
            "holder": "",
            "sent_at": contact.now if state == State.SENT else None,
            "error": "",
        },
    )


def _reopen(rows: list[OutgoingMessage], contact: Contact) -> None:
    _OWED.filter(pk__in=[row.pk for row in rows]).update(
        state=State.WAITING,
        attempts=0,
        due_at=contact.now,
        expires_at=window_end(contact.message, contact.now),
        push_id=contact.push_id,
    )


def _count_owed(account_id: int, openids: list[str]) -> None:
    Follower.objects.filter(account_id=account_id, openid__in=openids).update(owed=models.F("owed") + 1)
