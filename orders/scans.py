"""What a scanned code means here: its scene is an order's number, and whoever scans gets that order's card."""

from decimal import Decimal

from orders.answers import PURPOSE
from orders.cards import card_for
from orders.models import ORDERID_MAX, Figures, Order, Scan, new_key, share_code
from wechat import outbox, routing, statements
from wechat.replies import Text
from wechat.routing import Contact, Handled

_FIND = (
    f"SELECT id, customer, room_area, total_money, saved_money FROM {Order._meta.db_table} "
    "WHERE orderid = %s AND account_id = %s"
)


@routing.on_scan
def quote_scanned(contact: Contact) -> Handled | None:
    """Keep who scanned, and give him the card. None when the scene is no order number."""
    orderid = order_number(contact.message.scene or "")
    if orderid is None:
        return None
    quote = find_quote(contact.account.id, orderid)
    if quote is None:
        _record(contact, order_id=None, message_id=None, secret=new_key())
        return Handled(Text(contact.account.get("wechat_unknown_order_text")))
    secret = new_key()
    code = share_code(contact.push_id, secret)
    card = card_for(quote, contact.account, openid=contact.message.sender, code=code)
    message_id, answer = outbox.deliver(contact, card, purpose=PURPOSE, about=str(orderid))
    _record(contact, order_id=quote.id, message_id=message_id, secret=secret)
    return Handled(answer)


def order_number(scene: str) -> int | None:
    """The order number in a scene: 1 … 4294967295 in ASCII digits. The scene comes from whoever scans: believe nothing."""
    if not (scene.isascii() and scene.isdigit() and len(scene) <= 10):
        return None
    return number if 1 <= (number := int(scene)) <= ORDERID_MAX else None


def find_quote(account_id: int, orderid: int) -> Figures | None:
    """The figures of the order of that number, if there is one."""
    row = statements.run(_FIND, [orderid, account_id])
    if row is None:
        return None
    pk, customer, room_area, total, saved = row
    area = None if room_area is None else _amount(room_area)
    return Figures(pk, orderid, customer, room_area=area, total=_amount(total), saved=_amount(saved))


def _amount(value: object) -> Decimal:
    """A stored amount; SQLite keeps it as a float or an integer."""
    return Decimal(str(value))


def _record(contact: Contact, *, order_id: int | None, message_id: int | None, secret: str) -> None:
    message = contact.message
    follow = message.handle == "subscribe"
    statements.insert(
        Scan,
        {
            "push_id": contact.push_id,
            "order_id": order_id,
            "account_id": contact.account.id,
            "openid": message.sender,
            "scene": (message.scene or "")[:64],
            "ticket": message.fields.get("ticket", "")[:255],
            "kind": Scan.Kind.FOLLOW if follow else Scan.Kind.SCAN,
            "secret": secret,
            "revoked": False,
            "message_id": message_id,
            "scanned_at": contact.now,
        },
        # Staff may run a push again: then the scan stays what it was, with its link.
        on_conflict="DO NOTHING",
        returning="push_id",
    )
