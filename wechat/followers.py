"""What a push says of the person behind it: one statement keeps follow state, windows and last contact, and some pushes
have one more: by which code he came, where he is, which picture button he tapped.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from wechat import statements
from wechat.conf import AccountConfig
from wechat.messages import Message
from wechat.models import Follower
from wechat.routing import Contact
from wechat.statements import Insert

# A click, a scan or a follow opens a window of one minute, a message one of 48 hours (客服消息, 下发条数).
_EVENTS_WITH_WINDOW = frozenset({"subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"})

# Events of the account, its jobs, shops, cards and mini programs: their sender is the platform, or nobody of this account.
# Reports of a template message, a card or a customer-service session name the person.
_OF_THE_ACCOUNT = frozenset(
    [
        "qualification_verify_success",
        "qualification_verify_fail",
        "naming_verify_success",
        "naming_verify_fail",
        "annual_renew",
        "verify_expired",
        "user_info_modified",
        "user_authorization_revoke",
        "user_authorization_cancellation",
        "masssendjobfinish",
        "publishjobfinish",
        "freepublishjobfinish",
        "poi_check_notify",
        "apply_merchant_audit_info",
        "create_map_poi_audit_info",
        "add_store_audit_info",
        "modify_store_audit_info",
        "card_pass_check",
        "card_not_pass_check",
        "card_merchant_check_result",
        "card_sku_remind",
        "card_pay_order",
        "debug_demo",
    ]
)
_OF_MINI_PROGRAMS = ("weapp_", "wxa_", "wx_verify_", "xpay_", "trade_manage_")

AHEAD = 300  # seconds a push's clock may run ahead: it must not outdo for ever what comes later
PICTURES_WITHIN = timedelta(seconds=120)  # of the tap on a picture button, its pictures arrive

_TABLE = Follower._meta.db_table
_MINE = "WHERE account_id = %s AND openid = %s"
_FOLLOWED = f"UPDATE {_TABLE} SET followed_at = %s, source = %s {_MINE} AND (followed_at IS NULL OR followed_at <= %s)"
_LOCATED = (
    f'UPDATE {_TABLE} SET latitude = %s, longitude = %s, "precision" = %s, located_at = %s {_MINE} '
    "AND (located_at IS NULL OR located_at <= %s)"
)
_TAPPED = f"UPDATE {_TABLE} SET picture_key = %s, picture_at = %s {_MINE}"
_TAPPED_LAST = f"SELECT picture_key FROM {_TABLE} {_MINE} AND picture_at >= %s AND picture_at <= %s"

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
    """A follower as the push at hand left him.

    `owed` counts messages he should have got and did not; `held_by` names the handler that holds the conversation.
    """

    id: int
    owed: int
    held_by: str = ""


def opens_window(message: Message) -> bool:
    """Whether this push allows customer-service messages for a while."""
    return not message.is_event or message.event in _EVENTS_WITH_WINDOW


def is_person(message: Message) -> bool:
    """Whether a person stands behind this push, and not the platform itself."""
    return message.event not in _OF_THE_ACCOUNT and not message.event.startswith(_OF_MINI_PROGRAMS)


def trace(account: AccountConfig, message: Message, now: datetime) -> Insert | None:
    """The row that says that this person was here, and whether he follows now. None for a push without a person."""
    if not is_person(message):
        return None
    # The platform also reports on people who left, and in names of its own: such a push says nothing of following.
    tells = not message.is_event or message.event in ("subscribe", "unsubscribe", "scan")
    return Insert(
        Follower,
        {
            "account_id": account.id,
            "openid": message.sender,
            "subscribed": tells and message.event != "unsubscribe",
            "state_time": min(message.time, int(now.timestamp()) + AHEAD) if tells else -1,
            "first_seen": now,
            "last_seen": now,
            "message_at": None if message.is_event else now,
            "event_at": now if message.event in _EVENTS_WITH_WINDOW else None,
            "owed": 0,
            "nickname": "",
            "avatar": "",
        },
        on_conflict=_UPDATE,
        returning="id, owed, CASE WHEN held_by = '' THEN NULL ELSE held_until END, held_by",
    )


def seen(traced: statements.Row | None, now: datetime) -> Seen:
    """The follower out of what his trace returned."""
    if traced is None:
        return Seen(0, 0)
    number, owed, held_until, holder = traced
    return Seen(number, owed, holder if held_until and _moment(held_until) > now else "")


def _moment(stored: object) -> datetime:
    """A stored moment; SQLite keeps it as a text in UTC."""
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)


def hold(contact: Contact, holder: str, lasts: timedelta | None) -> None:
    """Let the named handler `holder` have this person's next messages first; without one the conversation is free."""
    if holder or contact.held_by:
        until = contact.now + lasts if holder and lasts else None
        mine = Follower.objects.filter(account_id=contact.account.id, openid=contact.message.sender)
        mine.update(held_by=holder, held_until=until)


def followed(contact: Contact) -> None:
    """Keep when this person followed and by which code: of several follows the youngest, whichever arrived last."""
    at = _stored(_said_at(contact))
    statements.run_later(_FOLLOWED, [at, (contact.message.scene or "")[:64], *_whom(contact), at])


def known_as(account_id: int, openid: str, *, nickname: str, avatar: str) -> None:
    """Keep what this person agreed to show of himself; empty when he took it back."""
    mine = Follower.objects.filter(account_id=account_id, openid=openid)
    mine.update(nickname=nickname[:128], avatar=avatar)


def located(contact: Contact) -> None:
    """Keep where this person is, if the push says so and nothing younger did."""
    fields = contact.message.fields
    latitude, longitude = fields["location_x"], fields["location_y"]
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return
    at = _stored(_said_at(contact))
    statements.run_later(_LOCATED, [latitude, longitude, fields["precision"], at, *_whom(contact), at])


def picture_tapped(contact: Contact) -> None:
    """A picture button: the pictures that follow, each a message of its own, belong to its key."""
    key = contact.message.fields["eventkey"][:128]
    statements.run_later(_TAPPED, [key, _stored(contact.now), *_whom(contact)])


def picture_key_of(account_id: int, openid: str, now: datetime) -> str:
    """The key of the picture button that this person tapped in the last two minutes before `now`; empty for none."""
    window = [_stored(now - PICTURES_WITHIN), _stored(now)]
    row = statements.run(_TAPPED_LAST, [account_id, openid, *window])
    return row[0] if row else ""


def _said_at(contact: Contact) -> datetime:
    """When it happened by the platform's clock; where the push does not say, when it came."""
    now = int(contact.now.timestamp())
    return datetime.fromtimestamp(min(contact.message.time or now, now + AHEAD), UTC)


def _whom(contact: Contact) -> tuple[int, str]:
    return contact.account.id, contact.message.sender


def _stored(moment: datetime) -> Any:
    """The moment as the database keeps it; see _moment."""
    return connection.ops.adapt_datetimefield_value(moment)
