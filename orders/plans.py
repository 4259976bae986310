"""A visitor's own quote is reckoned: room area × the prices of a plan, and its items. static/js/reckon.js does the same live.

Comes in: a price plan and a room area. Goes out: the lines of the quote with total and market price, in yuan. Every amount is
rounded to the cent by itself, half up, so that the lines add up to the total.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from orders.models import PlanItem, PricePlan
from wechat.models import Account

AREA_UNIT, ITEM_UNIT = "㎡", "项"
MOST = Decimal("99999999999.99")  # yuan; an order takes a little more
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Reckoned:
    """What a plan comes to for one room area. `saved` is what the market asks beyond it, never less than nothing."""

    lines: list[dict[str, Any]]
    total: Decimal
    market: Decimal

    @property
    def saved(self) -> Decimal:
        return max(Decimal(0), self.market - self.total)


def reckon(plan: PricePlan, area: Decimal) -> Reckoned:
    """The quote of this plan for `area` m²; its lines have the fields of an OrderItem."""
    items: Iterable[PlanItem] = plan.items.all()
    lines = [_line(plan.name, plan.summary, area, amount=_cents(plan.price * area))]
    market = _cents(plan.market_price * area)
    for item in items:
        times = area if item.per_area else Decimal(1)
        lines.append(_line(item.name, item.note, times, amount=_cents(item.amount * times), per_area=item.per_area))
        market += _cents(item.market_amount * times)
    return Reckoned(lines, sum((line["amount"] for line in lines), Decimal(0)), market)


def _line(name: str, note: str, quantity: Decimal, *, amount: Decimal, per_area: bool = True) -> dict[str, Any]:
    unit = AREA_UNIT if per_area else ITEM_UNIT
    return {"name": name, "note": note, "quantity": quantity, "unit": unit, "amount": amount}


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def on_offer(account_id: int | None = None) -> QuerySet[PricePlan]:
    """The plans that a visitor may choose today, of one account or of all, in the order of staff."""
    today = timezone.localdate()
    begun = Q(starts_on=None) | Q(starts_on__lte=today)
    going_on = Q(ends_on=None) | Q(ends_on__gte=today)
    plans = PricePlan.objects.filter(begun, going_on, enabled=True)
    return plans if account_id is None else plans.filter(account_id=account_id)


def offering_accounts() -> QuerySet[Account]:
    """The accounts where a visitor can get a quote of his own today."""
    return Account.objects.filter(pk__in=on_offer().values("account")).order_by("pk")


def form_address(account: Account) -> str:
    """Where a visitor gets a quote of his own from this account; empty where staff offer none today."""
    return reverse("instant-of", args=[account.slug]) if on_offer(account.pk).exists() else ""


def valid_until(plan: PricePlan) -> date | None:
    """The last day of a quote that is made today."""
    return timezone.localdate() + timedelta(days=plan.quote_days) if plan.quote_days else None
