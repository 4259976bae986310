"""What open quote pages cost. Runs inside the project, see bench.polling; True when they were cheap and quick enough."""

import heapq
import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import segno
from django.db import connection
from django.test import Client
from django.utils import timezone

from orders.models import Order, Scan
from wechat.models import Account, ApiCall, QRCode

EVERY = 2.0  # seconds between two looks of a page
MOST = 100  # queries a second
SCANS = 20
SOON = 3.0  # seconds after a scan
PAGE, VIEWS = 10.0, 20  # ms that a page may take once its code is drawn, and how often each is opened


class Counter:
    """Counts the statements of a database connection."""

    def __init__(self) -> None:
        self.queries = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.queries += 1
        return execute(*arguments)


def view(orders: list[Order]) -> bool:
    """Open the pages of these quotes, each several times; whether that was quick, and each code drawn once."""
    client, now = Client(), timezone.now()
    lasting = {"created_at": now, "expires_at": now + timedelta(days=1), "kind": QRCode.Kind.TEMPORARY}
    QRCode.objects.bulk_create(
        QRCode(
            account_id=order.account_id, scene=str(order.orderid), ticket="t", url=f"https://w.example/{n}", **lasting
        )
        for n, order in enumerate(orders)
    )
    with mock.patch.object(segno, "make", wraps=segno.make) as made:
        client.get(orders[0].get_absolute_url())  # templates are read, the connection is made
        rounds = [[_milliseconds(client, order) for order in orders] for _time in range(VIEWS)]
    first = statistics.median(rounds[0][1:])
    later = statistics.median(taken for each in rounds[1:] for taken in each)
    print(
        f"a quote page: {first:.1f} ms at first, then {later:.1f} ms; {made.call_count} codes drawn "
        f"for {len(orders)} pages opened {VIEWS} times"
    )
    return later <= PAGE and made.call_count == len(orders)


def _milliseconds(client: Client, order: Order) -> float:
    began = time.perf_counter()
    if client.get(order.get_absolute_url()).status_code != 200:
        raise SystemExit("a quote page is not there")
    return (time.perf_counter() - began) * 1000


def poll(keys: list[str], seconds: float, scan: Callable[[str], None]) -> tuple[int, float, list[float]]:
    """Let the pages of these quotes ask, and some of their codes be scanned. Returns how many requests that were, how
    long it took, and the seconds from each scan to the answer that told of it."""
    client, began = Client(), time.monotonic()
    waiting = [(began + random.uniform(0, EVERY), key) for key in keys]
    heapq.heapify(waiting)
    to_scan = {key: began + EVERY + random.uniform(0, seconds - 3 * EVERY) for key in random.sample(keys, SCANS)}
    scanned: dict[str, float] = {}
    seen: dict[str, float] = {}
    requests = 0
    while (now := time.monotonic()) < began + seconds:
        for key in [key for key, at in to_scan.items() if at <= now]:
            del to_scan[key]
            scan(key)
            scanned[key] = time.monotonic()
        due, key = waiting[0]
        if due > now:
            time.sleep(min(due - now, 0.005))
            continue
        requests += 1
        state = client.get(f"/quotes/{key}/status").json()["state"]
        if state != "waiting":
            seen.setdefault(key, time.monotonic())
        heapq.heapreplace(waiting, (max(due, now) + EVERY, key))
    delays = [seen.get(key, float("inf")) - at for key, at in scanned.items()]
    return requests, time.monotonic() - began, delays


def measure(pages: int, seconds: float) -> bool:
    """Run it and print what came out; whether it was cheap and quick enough."""
    account = Account.objects.create(slug="polling", name="Polling")
    Order.objects.bulk_create(
        Order(account=account, orderid=n, room_area=80, total_money=56000) for n in range(1, pages + 1)
    )
    orders, counter = {order.key: order for order in Order.objects.select_related("account")}, Counter()
    quick = view(list(orders.values())[:50])

    def scan(key: str) -> None:
        order, before = orders[key], counter.queries
        of = {"order": order, "account": account, "openid": "o", "scene": str(order.orderid), "kind": "scan"}
        Scan.objects.create(push_id=order.pk, **of, scanned_at=timezone.now())
        counter.queries = before

    with connection.execute_wrapper(counter):
        requests, took, delays = poll(list(orders), seconds, scan)
    rate, calls = counter.queries / took, ApiCall.objects.count()
    print(f"{pages} pages, {took:.0f} s: {requests / took:.0f} requests/s, {rate:.1f} queries/s, {calls} API calls")
    print(f"seen after a scan: median {statistics.median(delays):.2f} s, at most {max(delays):.2f} s, of {len(delays)}")
    return quick and rate < MOST and not calls and max(delays) < SOON
