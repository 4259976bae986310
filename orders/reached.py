"""Writes down how far quotes came: a Journey each, and the FunnelDays these add up to, in one transaction.

Comes in: which quote reached which step when, in any order and as often as anybody likes; the first time counts. Goes out:
rows. A day of the funnel is counted anew from its journeys whenever one of them changes, so that it cannot go astray.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from orders.models import FunnelDay, Journey, Order, Scan
from orders.steps import LATER, NAMES
from wechat.models import Cursor

DAYS = "journeys:days"  # the cursor row whose lock lets one transaction at a time count days
MILLISECOND = timedelta(milliseconds=1)
COLUMNS = [f"{step.name}_{kind}" for step in LATER for kind in ("at", "wait")]
Moments = dict[str, datetime]


@dataclass(frozen=True)
class Found:
    """A row of a table that tells of a quote; `position` is its place in the table, `steps` what was reached when."""

    position: int
    order_id: int | None
    steps: Mapping[str, datetime] = field(default_factory=dict)


def merge(found: Iterable[Found]) -> None:
    """Write down what is new in it. To be called in a transaction."""
    first = _first_times(found)
    orders = {order.pk: order for order in _orders(first)}
    _add_scans(first, orders)
    known = Journey.objects.in_bulk(list(orders))
    changed = [
        journey for pk, order in orders.items() if (journey := _advanced(known.get(pk), order, first[pk])) is not None
    ]
    Journey.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["order"], update_fields=["source", *COLUMNS]
    )
    _count_days((journey.account_id, journey.day) for journey in changed)


def _first_times(found: Iterable[Found]) -> dict[int, Moments]:
    first: dict[int, Moments] = defaultdict(dict)
    for one in found:
        if one.order_id is not None:
            _earlier(first[one.order_id], one.steps)
    return first


def _earlier(moments: Moments, others: Mapping[str, datetime]) -> None:
    for name, moment in others.items():
        moments[name] = min(moment, moments.get(name, moment))


def _orders(numbers: Iterable[int]) -> Iterable[Order]:
    return Order.objects.filter(pk__in=list(numbers)).only("account_id", "source_id", "created_at").order_by("pk")


def _add_scans(first: dict[int, Moments], orders: Mapping[int, Order]) -> None:
    """All scans of these quotes: staff may have run a failed push again, whose number was passed long ago."""
    scans = Scan.objects.filter(order_id__in=list(orders)).order_by().values_list("order_id")
    follows = Q(kind=Scan.Kind.FOLLOW)
    for pk, scanned, followed in scans.annotate(first=Min("scanned_at"), follow=Min("scanned_at", filter=follows)):
        if pk is not None:
            _earlier(first[pk], {"scanned": scanned, **({"followed": followed} if followed else {})})


def _advanced(journey: Journey | None, order: Order, moments: Moments) -> Journey | None:
    """The journey with what is new in it; None when nothing is."""
    new = journey is None
    if journey is None:
        day = timezone.localtime(order.created_at).date()
        journey = Journey(order_id=order.pk, account_id=order.account_id, day=day, made_at=order.created_at)
    earlier = {
        name: moment
        for name, moment in moments.items()
        if (before := getattr(journey, f"{name}_at")) is None or moment < before
    }
    if not (new or earlier or journey.source_id != order.source_id):
        return None
    journey.source_id = order.source_id
    for name, moment in earlier.items():
        setattr(journey, f"{name}_at", moment)
    for step in LATER:
        wait = _wait(getattr(journey, f"{step.after}_at"), getattr(journey, f"{step.name}_at"))
        setattr(journey, f"{step.name}_wait", wait)
    return journey


def _wait(before: datetime | None, after: datetime | None) -> int | None:
    """Whole milliseconds between the two; None where there is no such time."""
    return (after - before) // MILLISECOND if before and after and after >= before else None


def _count_days(days: Iterable[tuple[int, date]]) -> None:
    """Count these days of these accounts anew."""
    of_account: dict[int, set[date]] = defaultdict(set)
    for account_id, day in days:
        of_account[account_id].add(day)
    if not of_account:
        return
    Cursor.objects.get_or_create(name=DAYS)
    Cursor.objects.select_for_update().get(name=DAYS)
    counts: dict[str, Any] = {step.name: Count(f"{step.name}_at") for step in LATER}
    for account_id, some in of_account.items():
        here = {"account_id": account_id, "day__in": some}
        groups = Journey.objects.filter(**here).order_by().values("account_id", "day", "source_id")
        counted = groups.annotate(made=Count("pk"), **counts)
        rows = [FunnelDay(**group) for group in counted.values("account_id", "day", "source_id", *NAMES)]
        FunnelDay.objects.filter(**here).delete()
        FunnelDay.objects.bulk_create(rows)


@receiver(post_save, sender=Order)
def _source_changed(instance: Order, *, created: bool, raw: bool, **_signal: Any) -> None:
    """Staff put a quote down to another channel code."""
    if created or raw:
        return
    with transaction.atomic():
        journey = Journey.objects.filter(pk=instance.pk).first()
        if journey and journey.source_id != instance.source_id:
            Journey.objects.filter(pk=instance.pk).update(source_id=instance.source_id)
            _count_days([(journey.account_id, journey.day)])


@receiver(post_delete, sender=Journey)
def _deleted(instance: Journey, **_signal: Any) -> None:
    """The quote was deleted, and its journey with it: in the transaction of that."""
    _count_days([(instance.account_id, instance.day)])
