"""What a scanned code means here: its scene is an order's number, and whoever scans gets that order's card.

Who types a short code instead (orders.shortcodes) gets it in the same way.
"""

from decimal import Decimal

from orders.answers import PURPOSE
from orders.cards import card_for
from orders.models import ORDERID_MAX, Figures, Order, Scan, new_key, share_code
from wechat import outbox, routing, statements
from wechat.conf import AccountConfig
from wechat.replies import Text
from wechat.routing import Contact, Handled
from wechat.statements import Insert

_FIND = (
    f"SELECT id, customer, room_area, total_money, saved_money FROM {Order._meta.db_table} "
    "WHERE orderid = %s AND account_id = %s"
)


@routing.before_scan
def ask_for_quote(account: AccountConfig, scene: str) -> None:
    """Ask for the order's figures with the statement that records the push."""
    if (orderid := order_number(scene)) is not None:
        statements.ask_ahead(_FIND, [orderid, account.id])


@routing.on_scan
def quote_scanned(contact: Contact) -> Handled | None:
    """Keep who scanned, and give him the card. None when the scene is no order number."""
    orderid = order_number(contact.message.scene or "")
    if orderid is None:
        return None
    quote = find_quote(contact.account.id, orderid)
    scene = contact.message.scene or ""
    kind = Scan.Kind.FOLLOW if contact.message.handle == "subscribe" else Scan.Kind.SCAN
    if quote is None:
        if contact.message.scene in contact.account.channels:  # staff gave this number to a channel code
            return None
        statements.insert_later(_scan(contact, order_id=None, secret=new_key(), scene=scene, kind=kind))
        return Handled(Text(contact.account.get("wechat_unknown_order_text")))
    return give_card(contact, quote, scene=scene, kind=kind)


def give_card(contact: Contact, quote: Figures, *, scene: str, kind: Scan.Kind) -> Handled:
    """Give the person the card of this quote, with a link of its own, which the scan keeps."""
    secret = new_key()
    code = share_code(contact.push_id, secret)
    card = card_for(quote, contact.account, openid=contact.message.sender, code=code)
    scan = _scan(contact, order_id=quote.id, secret=secret, scene=scene, kind=kind)
    return Handled(outbox.deliver(contact, card, purpose=PURPOSE, about=str(quote.orderid), kept_by=scan))


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


def _scan(contact: Contact, *, order_id: int | None, secret: str, scene: str, kind: Scan.Kind) -> Insert:
    message = contact.message
    return Insert(
        Scan,
        {
            "push_id": contact.push_id,
            "order_id": order_id,
            "account_id": contact.account.id,
            "openid": message.sender,
            "scene": scene[:64],
            "ticket": message.fields.get("ticket", "")[:255],
            "kind": kind,
            "secret": secret,
            "revoked": False,
            "scanned_at": contact.now,
        },
        # Staff may run a push again: then the scan stays what it was, with its link.
        on_conflict="DO NOTHING",
        returning="push_id",
    )
