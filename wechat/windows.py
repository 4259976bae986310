"""Until when, and how many messages, the platform still takes for one person: the ledger of his windows.

Comes in: a follower. Goes out: his Ledger, out of the pushes that opened windows and the messages that used them up. The
platform does not tell how many are left; the counts are those of wechat-api.md, section 6.1. Its refusals have the last word.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from wechat import messages, outbox
from wechat.followers import opens_window
from wechat.messages import Message
from wechat.models import Follower, OutgoingMessage, Push

MESSAGE, MENU, SCAN, FOLLOW = "message", "menu", "scan", "follow"
ALLOWED = {MESSAGE: 5, MENU: 3, SCAN: 3, FOLLOW: 3}  # messages; since June 2021, older texts say 20
SPENT = frozenset({45015, 45047})  # refusals: no window is open, or the open ones are used up
NEWEST = 50  # pushes of one person that are looked at: the one that counts is mostly the first
_TRIGGERS = {"scan": SCAN, "subscribe": FOLLOW}

State, Route = OutgoingMessage.State, OutgoingMessage.Route


@dataclass(frozen=True, slots=True)
class Window:
    """One window: what opened it, until when it is safe to send, how many messages are left of how many."""

    trigger: str
    since: datetime
    until: datetime
    left: int

    @property
    def most(self) -> int:
        """How many there were at first."""
        return ALLOWED[self.trigger]

    @property
    def dots(self) -> list[bool]:
        """One for each message that there was at first; True is one that is left."""
        return [number < self.left for number in range(self.most)]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The windows that have not run out, the one that ends first in front. `refused` is the platform's own word on them.

    `may_send` is False where the account has no customer-service messages at all.
    """

    windows: tuple[Window, ...]
    follows: bool
    may_send: bool
    refused: int | None = None

    @property
    def open(self) -> tuple[Window, ...]:
        """Those through which a message still goes."""
        return tuple(window for window in self.windows if window.left) if self.follows and self.may_send else ()

    @property
    def left(self) -> int:
        """How many messages the platform still takes."""
        return sum(window.left for window in self.open)

    @property
    def until(self) -> datetime | None:
        """Until when it takes the last of them; None when nothing is open."""
        return max((window.until for window in self.open), default=None)

    @property
    def closed_because(self) -> str:
        """Why nothing goes out now: account, unfollowed, refused, used_up or silent; empty while something does."""
        if not self.may_send:
            return "account"
        if not self.follows:
            return "unfollowed"
        if self.open:
            return ""
        if self.windows:
            return "refused" if self.refused else "used_up"
        return "silent"


def of(follower: Follower, now: datetime | None = None) -> Ledger:
    """The ledger of this person. At most two queries, both by his openid."""
    now = now or timezone.now()
    follows = (
        follower.subscribed or follower.state_time < 0
    )  # below zero: no push has said so yet, but he taps our menu
    windows = {window.trigger: window for window in _opened(follower, now)} if follows else {}
    refused = _use_up(windows, follower, now) if windows else None
    ordered = sorted(windows.values(), key=lambda window: window.until)
    return Ledger(tuple(ordered), follows, follower.account.may_send_customer_service, refused)


def trigger_of(message: Message) -> str:
    """Which window this push opens; empty for none. A tap on one of our choices is a tap, though it looks like a text."""
    if not opens_window(message):
        return ""
    if not message.is_event:
        return MENU if message.fields.get("menuid") else MESSAGE
    return _TRIGGERS.get(message.event, MENU)


def _opened(follower: Follower, now: datetime) -> Iterator[Window]:
    """The windows that run now, each as its newest trigger opened it."""
    if not _may_have_one(follower, now):
        return
    pushes = Push.objects.filter(
        openid=follower.openid, account_id=follower.account_id, received_at__gt=now - outbox.MESSAGE_WINDOW
    )
    seen: set[str] = set()
    for raw, received_at in pushes.order_by("-pk").values_list("raw", "received_at")[:NEWEST]:
        message = _read(raw)
        if message and message.event == "unsubscribe":
            return  # it closed everything before it
        trigger = trigger_of(message) if message else ""
        if trigger and trigger not in seen:
            seen.add(trigger)
            until = received_at + (outbox.MESSAGE_WINDOW if trigger == MESSAGE else outbox.EVENT_WINDOW)
            if until > now:
                yield Window(trigger, received_at, until, ALLOWED[trigger])
        if MESSAGE in seen and received_at <= now - outbox.EVENT_WINDOW:
            return  # what is older opened nothing that still runs


def _may_have_one(follower: Follower, now: datetime) -> bool:
    """What the follower's own row knows, without a query: whether he wrote or tapped lately."""
    wrote = follower.message_at is not None and follower.message_at > now - outbox.MESSAGE_WINDOW
    tapped = follower.event_at is not None and follower.event_at > now - outbox.EVENT_WINDOW
    return wrote or tapped


def _read(raw: str) -> Message | None:
    try:
        return messages.parse(raw.encode())
    except (messages.Unreadable, messages.Hostile):
        return None


def _use_up(windows: dict[str, Window], follower: Follower, now: datetime) -> int | None:
    """Take what was sent, and what is on its way, out of the windows. Returns the platform's last refusal in them."""
    since = min(window.since for window in windows.values())
    refused: int | None = None
    for at, code in sorted(_spendings(follower, since, now), key=lambda spending: spending[0]):
        running = [window for window in windows.values() if window.since <= at < window.until]
        if code and running:
            refused = code
            _close(windows, running)
        elif not code and (usable := [window for window in running if window.left]):
            first = min(usable, key=lambda window: window.until)
            windows[first.trigger] = replace(first, left=first.left - 1)
    return refused


def _close(windows: dict[str, Window], running: Iterable[Window]) -> None:
    for window in running:
        windows[window.trigger] = replace(window, left=0)


def _spendings(follower: Follower, since: datetime, now: datetime) -> Iterator[tuple[datetime, int]]:
    """When something used up a message, and with which refusal, if it was one. Answers to a push itself cost nothing."""
    mine = OutgoingMessage.objects.filter(
        openid=follower.openid, account_id=follower.account_id, route=Route.CUSTOMER_SERVICE
    )
    under_way = Q(state__in=(State.WAITING, State.SENDING))
    doubtful = Q(state__in=(State.GIVEN_UP, State.OWED), unknown_outcomes__gt=0, due_at__gte=since)
    refusals = Q(state__in=(State.OWED, State.GIVEN_UP), errcode__in=SPENT, due_at__gte=since)
    for state, sent_at, due_at, code in mine.filter(
        under_way | doubtful | refusals | Q(state=State.SENT, sent_at__gte=since)
    ).values_list("state", "sent_at", "due_at", "errcode"):
        if state in (State.WAITING, State.SENDING):
            yield now, 0
        elif state == State.SENT:
            yield sent_at or due_at, 0
        else:  # the lease began when it was asked for
            yield due_at - outbox.LEASE, code if code in SPENT else 0
