"""The page behind a card: whose quote it is, that anybody can open it who has the link, and that nobody else can."""

import base64
import re
import time
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from callback import APPID, OPENID, SECRET, TOKEN, Callback
from django.test import Client
from django.utils import timezone
from quotes import newest_scan, quote

from orders.links import link_of
from orders.models import Order, OrderItem, Profile, Scan
from wechat.models import Account

pytestmark = pytest.mark.usefixtures("worker_alive")
HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7|add:7 }}{% load i18n %}",
    "\U0001f468‍\U0001f469‍\U0001f467 家",
    "‮gnp.exe",
    "a" + "́" * 120,
    "##ORDERID## %(x)s",
]


@pytest.fixture
def scan(order: Order, push: Callback) -> Scan:
    """Somebody scanned quote 77."""
    push.scan("77")
    return newest_scan()


def html_of(scan: Scan) -> str:
    """The page as a stranger's browser gets it, without a single cookie."""
    response = Client().get(scan.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def known_as(nickname: str = "", avatar: str = "", openid: str = OPENID) -> None:
    """He agreed to be shown so on the page of his scan; how that comes to be, test_profile.py tells."""
    Profile.objects.create(scan=Scan.objects.get(openid=openid), nickname=nickname, avatar=avatar)


def test_it_shows_the_numbers_and_a_placeholder_for_who_is_unknown(order: Order, scan: Scan) -> None:
    OrderItem.objects.create(order=order, name="瓷砖铺贴", quantity=72, unit="㎡", amount=15800)
    html = html_of(scan)
    for text in ("56,000", "64,000", "8,000", "110 ㎡", "瓷砖铺贴", "15,800", "示例", "/static/img/avatar.svg"):
        assert text in html


def test_it_shows_nickname_and_avatar_where_known(scan: Scan) -> None:
    avatar = "https://thirdwx.qlogo.cn/mmopen/abc/132"
    known_as("小王", avatar)
    html = html_of(scan)
    assert "小王" in html
    assert f'src="{avatar}"' in html


def test_d210_the_avatar_comes_from_wechat_only(scan: Scan) -> None:
    known_as("x", "https://thirdwx.qlogo.cn/x")
    policy = Client().get(scan.get_absolute_url())["Content-Security-Policy"]
    (images,) = [part for part in policy.split("; ") if part.startswith("img-src")]
    assert images.split()[1:] == ["'self'", "data:", "https://thirdwx.qlogo.cn", "https://wx.qlogo.cn"]


def attributes(html: str) -> set[str]:
    """The names of all attributes, as a browser reads them."""
    found: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update(name for name, _value in attrs)

    Reader().feed(html)
    return found


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_d209_a_hostile_nickname_is_text(scan: Scan, name: str) -> None:
    known_as(name)
    html = html_of(scan)
    assert not re.search(r"<script(?! src=\"/static/)", html)
    assert "<img src=x" not in html
    assert "onmouseover" not in attributes(html)
    assert name.translate(str.maketrans({"<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})) in html


def test_d209_a_hostile_avatar_address_stays_in_its_attribute(scan: Scan) -> None:
    known_as("x", 'javascript:alert(1)"onerror="alert(2)')
    assert 'onerror="' not in html_of(scan)


def test_everybody_who_scanned_has_a_page_of_his_own(scan: Scan, push: Callback) -> None:
    push.scan("77", openid="oOther_person")
    known_as("阿明", openid="oOther_person")
    known_as("小王")
    assert "阿明" in html_of(newest_scan())
    assert "小王" in html_of(scan)


def test_it_keeps_who_shared_it_when_others_open_it(scan: Scan) -> None:
    known_as("小王")
    elsewhere, in_wechat = Client(), Client(headers={"user-agent": "MicroMessenger/8.0", "cookie": "sessionid=x"})
    pages = [one.get(scan.get_absolute_url()).content.decode() for one in (elsewhere, in_wechat)]
    shown = [
        re.findall(r'<div class="who">.*?</h1>|<section class="card numbers".*?</section>', page, re.S)
        for page in pages
    ]
    assert len(shown[0]) == 2
    assert shown[0] == shown[1]


def test_it_asks_machines_not_to_list_it(scan: Scan) -> None:
    response = Client().get(scan.get_absolute_url())
    assert '<meta name="robots" content="noindex,nofollow">' in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert not response.cookies


def test_it_tells_neither_openid_nor_order_number_nor_key(account: Account, push: Callback) -> None:
    order = quote(account, orderid=3_141_592_653)
    push.scan(str(order.orderid))
    scan = newest_scan()
    html = html_of(scan)
    for value in (OPENID, str(order.orderid), "3,141,592,653", order.key, scan.ticket, SECRET, TOKEN, APPID):
        assert value not in html
    for value in (OPENID, str(order.orderid)):
        assert base64.b64encode(value.encode()).decode().rstrip("=") not in html


def wrong_codes(scan: Scan, other: Scan) -> list[str]:
    number, secret = str(scan.push_id), scan.secret
    return [
        "x",
        number,
        f"{number}.",
        f".{secret}",
        secret,
        f"{number}{secret}",
        f"{number}.{secret[:-1]}",
        f"{number}.{secret}x",
        f"{number}.{secret}.",
        f"{number}.{other.secret}",
        f"{other.push_id}.{secret}",
        f"{int(number) + 1000}.{secret}",
        f"-{number}.{secret}",
        f"+{number}.{secret}",
        f"%20{number}.{secret}",
        f"{'9' * 18}.{secret}",
        f"{'9' * 30}.{secret}",
        f"{'9' * 5000}.{secret}",
        f"１.{secret}",
        f"{number}%00.{secret}",
        f"{number}.{secret}%00",
        f"{number}.%ff%fe",
        f"{number}.é",
        f"{scan.openid}",
        "77",
        "77.77",
        f"{number}%2f{secret}",
        f"{number}.{secret}%2f",
    ]


def test_every_wrong_code_gets_the_same_404(scan: Scan, push: Callback) -> None:
    push.scan("77")
    revoked = newest_scan()
    Scan.objects.filter(pk=revoked.pk).update(revoked=True)
    push.scan("404")  # an order that does not exist
    without_order = newest_scan()
    client = Client()
    codes = [*wrong_codes(scan, revoked), revoked.code, without_order.code]
    answers = {code: client.get(f"/s/{code}/") for code in codes}
    assert [code for code, answer in answers.items() if answer.status_code != 404] == []
    assert len({answer.content for answer in answers.values()}) == 1


def test_no_neighbour_of_a_code_opens_anything(scan: Scan) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    guesses = {
        f"{scan.push_id}.{scan.secret[:place]}{letter}{scan.secret[place + 1 :]}"
        for place in range(len(scan.secret))
        for letter in alphabet
    } - {scan.code}
    assert len(guesses) > 1000
    assert not [guess for guess in guesses if link_of(guess)]
    link = link_of(scan.code)
    assert link
    assert link.scan == scan


def test_secrets_of_links_and_pages_have_128_bits(scan: Scan, order: Order) -> None:
    assert len(scan.secret) >= 22
    assert len(order.key) >= 22


def test_a_revoked_link_is_gone_at_once(scan: Scan) -> None:
    html_of(scan)
    Scan.objects.update(revoked=True)
    assert Client().get(scan.get_absolute_url()).status_code == 404


def test_a_deleted_quote_takes_its_links_along(order: Order, scan: Scan) -> None:
    order.delete()
    assert Client().get(scan.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("parameter", ["orderid", "ORDERID", "order", "id", "key", "openid", "code", "scene"])
def test_no_parameter_leads_to_another_quote(account: Account, scan: Scan, parameter: str) -> None:
    quote(account, orderid=78, total_money=123456)
    expected = html_of(scan)
    html = Client().get(scan.get_absolute_url(), {parameter: "78"}).content.decode()
    assert html == expected


def test_the_page_of_an_old_scan_still_opens(scan: Scan) -> None:
    Scan.objects.update(scanned_at=timezone.now() - timedelta(days=400))
    assert "56,000" in html_of(scan)


def test_right_and_wrong_codes_take_the_same_way(
    scan: Scan, django_assert_max_num_queries: Callable[..., object]
) -> None:
    html_of(scan)
    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]  # four of them look at the configuration
        Client().get(scan.get_absolute_url())
    with django_assert_max_num_queries(1):  # type: ignore[attr-defined]
        Client().get(f"/s/{scan.push_id}.wrong/")


def test_the_page_comes_quickly(scan: Scan) -> None:
    html_of(scan)
    started = time.monotonic()
    html_of(scan)
    assert time.monotonic() - started < 0.3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_page_is_for_reading_only(scan: Scan, method: str) -> None:
    assert Client().generic(method, scan.get_absolute_url()).status_code == 405
