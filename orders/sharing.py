"""A quote is passed on: the code that the next person gets, the row that this one was opened, and the card that shows it.

Comes in: a Link that is open in somebody's browser. Goes out: a Link's onward address, and the words and picture of its card.

A code that is handed out has no row. It gets one when a page that shows it asks for a code of its own to pass on, which only
a script in a browser does: a preview, a robot or a flood of page views writes nothing, and a link is one row at most.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from orders.cards import placeholders, shared_link
from orders.links import Link, onward_code
from orders.models import Onward, Order, Profile, Scan
from wechat import conf
from wechat.placeholders import substitute

DEEPEST = 20  # steps from the owner; who comes after passes on the link that he has
MOST = 2000  # forwards of one scan that are kept, which is more than anybody has friends
_HIDDEN = ("CUSTOMER", "ORDERID")  # of the placeholders of a quote: they say who, and which


@dataclass(frozen=True)
class Card:
    """A share card: title, text and picture as everybody sees them who gets the link."""

    title: str
    desc: str
    picture: str


def kept(link: Link) -> Onward | None:
    """The row of a forward, made now if this is its first opening. None for the scan's own link, and beyond MOST."""
    if link.is_own or link.onward:
        return link.onward
    if Onward.objects.filter(scan=link.scan).count() >= MOST:
        return None
    fields = {"scan": link.scan, "parent": link.parent, "depth": link.depth}
    onward, _made = Onward.objects.get_or_create(nonce=link.nonce, defaults=fields)
    return onward


def passed_on(link: Link) -> str:
    """The address for the next person: a new code each time, that descends from `link`."""
    parent = kept(link)
    if not link.is_own and (parent is None or parent.depth >= DEEPEST):
        return shared_link(link.code)
    return shared_link(onward_code(link.scan, parent))


def card(order: Order, nickname: str = "") -> Card:
    """The card of a quote. `nickname` is that of the owner, if he agreed to show it."""
    account = conf.account_by_id(order.account_id)
    values = {name: value for name, value in placeholders(order.figures).items() if name not in _HIDDEN}
    values |= {"NICKNAME": nickname or _("A WeChat user"), "ACCOUNT": account.name}
    return Card(
        title=substitute(account.get("wechat_share_title"), values),
        desc=substitute(account.get("wechat_share_brief"), values),
        picture=account.get("wechat_share_picurl"),
    )


def to_share(link: Link) -> dict[str, Any]:
    """Card and address as the page's script takes them."""
    profile = Profile.objects.filter(scan=link.scan).first()
    return {"link": passed_on(link), **asdict(card(link.order, profile.nickname if profile else ""))}


def chain(scan: Scan, most: int = 50) -> list[Onward]:
    """The forwards that were opened, each below the one it descends from, in the order of their opening; at most `most`."""
    below: defaultdict[int | None, list[Onward]] = defaultdict(list)
    for forward in Onward.objects.filter(scan=scan).order_by("pk"):
        below[forward.parent_id].append(forward)
    told: list[Onward] = []
    waiting = below[None][::-1]
    while waiting and len(told) < most:
        forward = waiting.pop()
        told.append(forward)
        waiting += below[forward.pk][::-1]
    return told


def extent(scan: Scan) -> dict[str, int]:
    """How many forwards of a scan were opened, and how many steps the farthest is from the owner."""
    return Onward.objects.filter(scan=scan).aggregate(count=Count("pk"), depth=Max("depth"))


def preview(link: Link) -> Card:
    """What another messenger shows of a link: the card of an owner without a name."""
    return card(link.order)


def mark_of(link: Link) -> str:
    """A mark that all links of one quote share, so that a browser offers it once; it opens nothing and tells no number."""
    return salted_hmac("orders.sharing.mark", str(link.order.pk), algorithm="sha256").hexdigest()[:16]


def name_of(link: Link, profile: Profile | None) -> str:
    """What a quote is called among others: by its owner, if he agreed to be shown, else by its date."""
    if profile:
        return _("Quote of %(nickname)s") % {"nickname": profile.nickname}
    made = timezone.localtime(link.order.created_at)
    return _("Quote of %(date)s") % {"date": date_format(made, "MONTH_DAY_FORMAT")}
