"""The beacon: what a page of ours reports is counted once, and nobody else gets anything into the database by it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from callback import Callback
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from quotes import newest_scan, quote

from orders.links import onward_code
from orders.models import Order, PageEvent, Scan
from orders.views import seen
from wechat import privacy
from wechat.models import Account

A, B = "a" * 32, "b" * 32
OURS = {"sec-fetch-site": "same-origin", "origin": "null"}
Tell = Callable[..., HttpResponse]


@pytest.fixture
def tell(db: None) -> Tell:
    """`tell(page, …)`: what static/js/seen.js sends from that address."""

    def send(page: str, event: str = "shown", visitor: str = A, headers: dict[str, str] = OURS) -> HttpResponse:
        body = json.dumps({"page": page, "event": event, "visitor": visitor})
        return Client(enforce_csrf_checks=True, raise_request_exception=False).post(
            "/seen/", body, content_type="application/json", headers=headers
        )

    return send


@pytest.fixture
def scan(order: Order, push: Callback) -> Scan:
    push.scan("77")
    return newest_scan()


def stored() -> list[tuple[Any, ...]]:
    return list(PageEvent.objects.order_by("pk").values_list("kind", "link", "visitor"))


def test_a_quote_page_that_is_shown_is_noted(tell: Tell, order: Order) -> None:
    assert tell(order.get_absolute_url()).status_code == 204
    event = PageEvent.objects.get()
    assert (event.kind, event.order, event.account, event.link) == ("shown", order, order.account, "")


def test_the_links_of_a_scan_and_those_passed_on_are_told_apart(tell: Tell, scan: Scan) -> None:
    assert tell(scan.get_absolute_url()).status_code == 204
    assert tell(f"/s/{onward_code(scan, None)}/", visitor=B).status_code == 204
    assert tell(scan.get_absolute_url(), "shared").status_code == 204
    (own, forwarded, shared) = stored()
    assert own == ("opened", f"s{scan.pk}", A)
    assert (forwarded[0], forwarded[1][0], forwarded[2]) == ("forwarded", "o", B)
    assert shared == ("shared", f"s{scan.pk}", A)


def test_no_row_holds_what_opens_a_page(tell: Tell, scan: Scan) -> None:
    code = onward_code(scan, None)
    tell(scan.get_absolute_url())
    tell(f"/s/{code}/")
    for _kind, link, _visitor in stored():
        assert scan.secret not in link
        assert Client().get(f"/s/{link}/").status_code == 404


def test_a_reload_within_half_an_hour_is_no_second_visit(tell: Tell, order: Order) -> None:
    for _time in range(3):
        assert tell(order.get_absolute_url()).status_code == 204
    tell(order.get_absolute_url(), visitor=B)
    assert len(stored()) == 2
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        tell(order.get_absolute_url())
    assert len(stored()) == 3


def test_a_link_cannot_fill_the_database(tell: Tell, scan: Scan, account: Account) -> None:
    for number in range(40):
        page = f"/s/{onward_code(scan, None)}/" if number % 2 else scan.get_absolute_url()
        assert tell(page, visitor=f"{number:032x}").status_code == 204
    assert len(stored()) == seen.PER_MINUTE
    assert tell(quote(account, 78).get_absolute_url()).status_code == 204
    assert len(stored()) == seen.PER_MINUTE + 1
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        tell(scan.get_absolute_url(), visitor=B)
    assert len(stored()) == seen.PER_MINUTE + 2


@pytest.mark.parametrize(
    "page",
    [
        "/quotes/nothing/",
        "/s/1.nothing/",
        "/s/nothing/",
        "/quotes/",
        "/",
        "",
        "/admin/",
        "/api/quotes/77/",
        "//evil.example/quotes/x/",
        "/quotes/\ud800/",
        "/s/\0/",
        "/s/" + "9" * 600 + "/",
    ],
)
def test_what_opens_nothing_leaves_no_row(tell: Tell, order: Order, page: str) -> None:
    assert tell(page).status_code == 404
    assert stored() == []


def test_a_revoked_link_is_none(tell: Tell, scan: Scan) -> None:
    code = onward_code(scan, None)
    Scan.objects.update(revoked=True)
    assert tell(scan.get_absolute_url()).status_code == 404
    assert tell(f"/s/{code}/").status_code == 404
    assert stored() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
        ({"origin": "http://testserver"}, 204),
        ({"origin": "http://127.0.0.1:8000"}, 204),
    ],
)
def test_only_pages_of_this_site_report(tell: Tell, order: Order, headers: dict[str, str], status: int) -> None:
    assert tell(order.get_absolute_url(), headers=headers).status_code == status
    assert len(stored()) == (status == 204)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"null",
        b"[" * 1000,
        b'{"page": 1, "event": "shown", "visitor": ""}',
        b'{"page": "/", "event": "shown"}',
        b'{"page": "/", "event": "opened", "visitor": ""}',
        b'{"page": "/", "event": "shown", "visitor": "A"}',
        b'{"page": "/", "event": "shown", "visitor": "<script>"}',
        b'{"page": "/", "event": "shown", "visitor": "", "x": "' + b"x" * 1024 + b'"}',
    ],
)
def test_what_no_page_sends_is_refused(db: None, body: bytes) -> None:
    answer = Client(raise_request_exception=False).post("/seen/", body, "application/json", headers=OURS)
    assert answer.status_code == 400
    assert stored() == []


def test_it_is_asked_by_post_only(db: None) -> None:
    assert Client().get("/seen/").status_code == 405


def test_it_asks_little_of_the_database(tell: Tell, order: Order, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(4):
        tell(order.get_absolute_url())


def test_the_pages_of_a_quote_bring_the_beacon_and_others_do_not(scan: Scan, order: Order) -> None:
    for page, count in ((order.get_absolute_url(), 1), (scan.get_absolute_url(), 1), ("/", 0), ("/s/nothing/", 0)):
        assert Client().get(page).content.decode().count("js/seen.js") == count, page


def test_who_is_erased_leaves_no_browser_behind(tell: Tell, scan: Scan, account: Account) -> None:
    tell(scan.get_absolute_url())
    tell(scan.order.get_absolute_url(), visitor=B)  # type: ignore[union-attr]
    privacy.erase(account.pk, scan.openid)
    assert [visitor for _kind, _link, visitor in stored()] == ["", B]
