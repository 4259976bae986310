"""Telling the people who scanned a quote that it has changed: an audience of send jobs, with the quote's own placeholders."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from orders.cards import placeholders
from orders.models import ORDERID_MAX, Order, OrderItem, Scan
from wechat import jobs
from wechat.models import Follower

AUDIENCE = "order"
PLACEHOLDERS = {
    "ORDERID": _("the number of the quote"),
    "CUSTOMER": _("the customer"),
    "TOTALBUDGET": _("the total in yuan"),
    "MARKETBUDGET": _("what the market asks for it, in yuan"),
    "SAVEMONEY": _("what is saved, in yuan"),
    "ROOMAREA": _("the built area in ㎡"),
    "LINK": _("the address of the person's own page of the quote"),
}


def _values(account_id: int, spec: jobs.Spec, openids: list[str]) -> Mapping[str, jobs.Values]:
    """The quote as it is now, and each person's own link: that of his last scan."""
    order = _order(account_id, spec)
    if order is None:
        return {}
    own, links = placeholders(order.figures), {}
    for scan in Scan.objects.filter(order=order, openid__in=openids, revoked=False).order_by("pk"):
        links[scan.openid] = f"{settings.PUBLIC_URL}{scan.get_absolute_url()}"
    return {openid: {**own, "LINK": links.get(openid, "")} for openid in openids}


@jobs.audience(
    AUDIENCE,
    _("The people who scanned a quote"),
    asks=_("order number"),
    placeholders=PLACEHOLDERS,
    values=_values,
)
def scanned(account_id: int, spec: jobs.Spec) -> QuerySet[Follower]:
    """The followers who scanned the code of the quote with that number, and whose link was not revoked."""
    order = _order(account_id, spec)
    if order is None:
        return Follower.objects.none()
    scans = Scan.objects.filter(order=order, revoked=False)
    return Follower.objects.filter(account_id=account_id, subscribed=True, openid__in=scans.values("openid"))


def _order(account_id: int, spec: jobs.Spec) -> Order | None:
    number = str(spec.get("about", "")).strip()
    known = number.isascii() and number.isdigit() and len(number) <= 10 and 0 < int(number) <= ORDERID_MAX
    return Order.objects.filter(account_id=account_id, orderid=int(number)).first() if known else None


def is_outdated(order: Order) -> bool:
    """Whether the quote was changed after somebody scanned it last: what he has in WeChat is not what it is now."""
    last = Scan.objects.filter(order=order, revoked=False).aggregate(Max("scanned_at"))["scanned_at__max"]
    return last is not None and _changed_at(order) > last


def _changed_at(order: Order) -> datetime:
    """When what the visitor sees changed last: the quote itself, or one of its lines."""
    lines = OrderItem.history.filter(order=order).aggregate(Max("history_date"))["history_date__max"]
    return max(order.updated_at, lines) if lines else order.updated_at
