"""What staff may use of quotes in reply rules: the person's last quote, as a card and as placeholders of a text."""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from orders.cards import card_for, placeholders
from orders.models import Figures, Order, Scan
from wechat.models import OutgoingMessage
from wechat.placeholders import provide
from wechat.routing import Contact, Handled, named

PURPOSE = "quote"  # of the messages that carry a card; `about` is the order's number


@named("orders.last_quote", _("The card of the person's last quote"))
def last_quote_again(contact: Contact) -> Handled | None:
    """The card that he got last, once more. None for who never scanned, or whose link was revoked."""
    quote = last_quote(contact)
    his = Scan.objects.filter(order_id=quote.id, openid=contact.message.sender, revoked=False) if quote else None
    scan = his.order_by("-pk").first() if his else None
    if quote is None or scan is None:
        return None
    return Handled(card_for(quote, contact.account, openid=contact.message.sender, code=scan.code))


def last_quote(contact: Contact) -> Figures | None:
    """The figures of the quote whose card he got last, as they are today."""
    cards = OutgoingMessage.objects.filter(openid=contact.message.sender, account_id=contact.account.id)
    about = cards.filter(purpose=PURPOSE).order_by("-pk").values_list("about", flat=True).first()
    order = Order.objects.filter(account_id=contact.account.id, orderid=int(about)).first() if about else None
    return order.figures if order else None


def _of_last_quote(name: str) -> Callable[[Contact], str]:
    def value(contact: Contact) -> str:
        quote = last_quote(contact)
        return placeholders(quote)[name] if quote else ""

    return value


for _name, _label, _sample in (
    ("ORDERID", _("the number of his last quote"), "20260101"),
    ("CUSTOMER", _("the customer of his last quote"), _("Ms Wang")),
    ("ROOMAREA", _("its built area in ㎡"), "111"),
    ("TOTALBUDGET", _("its total in yuan"), "86500"),
    ("MARKETBUDGET", _("what the market asks for it, in yuan"), "99300"),
    ("SAVEMONEY", _("what he saves, in yuan"), "12800"),
):
    provide(_name, _label, sample=_sample)(_of_last_quote(_name))
