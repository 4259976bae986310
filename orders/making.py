"""A quote is made: by the firm's website (orders.api) or by a visitor himself (orders.views.instant)."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from simple_history.utils import bulk_create_with_history

from orders.models import ASSIGNED, Order, OrderItem
from wechat.channel_codes import is_scene


def make_order(lines: Iterable[Mapping[str, Any]], **fields: Any) -> Order:
    """Store a quote with its lines, in their order. Without `orderid` it gets a free one.

    Raises IntegrityError when the number was taken meanwhile.
    """
    orderid = fields.pop("orderid", None) or free_orderid()
    with transaction.atomic():
        order = Order.objects.create(orderid=orderid, **fields)
        items = [OrderItem(order=order, position=number, **line) for number, line in enumerate(lines)]
        bulk_create_with_history(items, OrderItem)
    return order


def free_orderid() -> int:
    """An order number that nobody has: eight digits at random, so that it tells nothing of how many there are."""
    while True:
        number = ASSIGNED[secrets.randbelow(len(ASSIGNED))]
        if not (Order.objects.filter(orderid=number).exists() or is_scene(str(number))):
            return number
