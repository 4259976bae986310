"""What a push says of the person behind it: one statement keeps follow state, windows and last contact."""

from dataclasses import dataclass
from datetime import datetime

from wechat import statements
from wechat.conf import AccountConfig
from wechat.messages import Message
from wechat.models import Follower

# A click, a scan or a follow opens a window of one minute, a message one of 48 hours (客服消息, 下发条数).
_EVENTS_WITH_WINDOW = frozenset({"subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"})

# An older push must not undo what a younger one said; the order of arrival means nothing.
_STATE = "CASE WHEN excluded.state_time >= {t}.state_time THEN excluded.{c} ELSE {t}.{c} END"
_UPDATE = (
    "(account_id, openid) DO UPDATE SET "
    f"subscribed = {_STATE.format(t='{t}', c='subscribed')}, state_time = {_STATE.format(t='{t}', c='state_time')}, "
    "last_seen = excluded.last_seen, message_at = COALESCE(excluded.message_at, {t}.message_at), "
    "event_at = COALESCE(excluded.event_at, {t}.event_at)"
).format(t=Follower._meta.db_table)


@dataclass(frozen=True, slots=True)
class Seen:
    """A follower as the push at hand left him. `owed` counts messages he should have got and did not."""

    id: int
    owed: int


def opens_window(message: Message) -> bool:
    """Whether this push allows customer-service messages for a while."""
    return not message.is_event or message.event in _EVENTS_WITH_WINDOW


def touch(account: AccountConfig, message: Message, now: datetime) -> Seen:
    """Record that this person was here, and whether he follows now."""
    # The platform also reports on people who left, and in names of its own: such a push says nothing of following.
    tells = not message.is_event or message.event in ("subscribe", "unsubscribe", "scan")
    row = statements.insert(
        Follower,
        {
            "account_id": account.id,
            "openid": message.sender,
            "subscribed": tells and message.event != "unsubscribe",
            # A clock running ahead must not freeze the state for ever.
            "state_time": min(message.time, int(now.timestamp()) + 300) if tells else -1,
            "first_seen": now,
            "last_seen": now,
            "message_at": None if message.is_event else now,
            "event_at": now if message.event in _EVENTS_WITH_WINDOW else None,
            "owed": 0,
            "nickname": "",
            "avatar": "",
        },
        on_conflict=_UPDATE,
        returning="id, owed",
    )
    return Seen(*row) if row else Seen(0, 0)
