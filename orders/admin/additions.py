"""What this room adds to the pages of the account: a sample of the card, what a scan was, what a number stands for."""

from collections.abc import Collection
from decimal import Decimal

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from orders.cards import card_for
from orders.models import Figures, Order, Scan
from orders.scans import order_number
from orders.views.quotes import absolute
from wechat.admin import additions, looks
from wechat.conf import AccountConfig
from wechat.models import ChannelCode, Push
from wechat.replies import News

FOUND = 1000  # scans of one quote that the inbox's search brings


@additions.card_sample
def sample_card(account: AccountConfig) -> News:
    """The card of an invented quote."""
    name, area = gettext("Ms Wang"), Decimal(89)
    quote = Figures(0, 20260101, name, room_area=area, total=Decimal(86500), saved=Decimal(12800))
    return card_for(quote, account, openid="OPENID", code="…")


@additions.consequence
def scan_of(push: Push) -> str | None:
    """The scan that this push was."""
    scan = Scan.objects.filter(pk=push.pk).select_related("order").first()
    return (
        looks.link(reverse("admin:orders_scan_change", args=[scan.pk]), f"{gettext('scan')} {scan}") if scan else None
    )


@additions.push_search
def pushes_about(number: str) -> list[int]:
    """The last scans of the quote with that number, or of codes for it while there was none."""
    of_order = Scan.objects.filter(order__orderid=int(number))
    of_none = Scan.objects.filter(order=None, scene=number)
    return [pk for scans in (of_order, of_none) for pk in scans.order_by("-pk").values_list("pk", flat=True)[:FOUND]]


@additions.scene_owner
def orders_of(account_id: int, scenes: Collection[str]) -> dict[str, str]:
    """The scenes that are numbers of quotes: their codes bring the quote's card."""
    numbers = {number: scene for scene in scenes if (number := order_number(scene)) is not None}
    taken = Order.objects.filter(account_id=account_id, orderid__in=numbers).values_list("orderid", flat=True)
    return {numbers[number]: gettext("the quote %(number)s") % {"number": number} for number in taken}


@additions.code_link
def form_of(channel: ChannelCode) -> tuple[str, str]:
    """Where a visitor who came by this code gets a quote at once."""
    address = f"{absolute(reverse('instant'))}?{urlencode({'c': channel.scene})}"
    return gettext("Address of the quote form for this code"), address
