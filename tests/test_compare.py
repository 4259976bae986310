"""Quotes side by side: how rows and lines are matched and marked, who sees them, and that the page tells nothing more."""

import re
from decimal import Decimal
from typing import Any

import pytest
from callback import OPENID, Callback
from django.test import Client
from django.urls import reverse
from quotes import newest_scan, quote

from orders import compare
from orders.models import Order, OrderItem, Profile, Scan
from orders.views.compare import code_in
from wechat.models import Account

pytestmark = pytest.mark.usefixtures("worker_alive")


def scanned(push: Callback, account: Account, orderid: int, *items: tuple[str, int], **fields: Any) -> Scan:
    """A quote with these lines, and somebody who scanned it."""
    order = quote(account, orderid=orderid, **fields)
    for place, (name, amount) in enumerate(items):
        OrderItem.objects.create(order=order, position=place, name=name, amount=amount)
    push.scan(str(orderid), openid=f"{OPENID[:-3]}{orderid % 1000}")
    return newest_scan()


@pytest.fixture
def scans(account: Account, push: Callback) -> list[Scan]:
    """Three quotes of three people."""
    return [
        scanned(push, account, 901, ("水电改造", 9000), ("瓷砖铺贴", 15800), total_money=56000, saved_money=8000),
        scanned(push, account, 902, ("瓷砖铺贴", 14000), ("全屋定制", 20000), total_money=53000, saved_money=8000),
        scanned(push, account, 903, ("水电 改造", 9000), total_money=61000, saved_money=0),
    ]


def address(*scans: Scan) -> str:
    return reverse("compared", args=["/".join(scan.code for scan in scans)])


def page(*scans: Scan) -> str:
    response = Client().get(address(*scans))
    assert response.status_code == 200
    return response.content.decode()


def orders(scans: list[Scan]) -> list[Order]:
    return [scan.order for scan in scans if scan.order]


# The rows.


def test_the_lowest_total_is_marked_and_the_others_say_how_much_more(scans: list[Scan]) -> None:
    row = compare.totals(orders(scans))
    assert [cell.lowest for cell in row.cells] == [False, True, False]
    assert [cell.above for cell in row.cells] == [3000, 0, 8000]
    assert row.differs


def test_equal_totals_are_neither_lowest_nor_different(account: Account) -> None:
    row = compare.totals([quote(account, orderid=number, total_money=56000) for number in (911, 912)])
    assert not row.differs
    assert not any(cell.lowest or cell.above for cell in row.cells)


def test_two_equal_lowest_are_both_marked(account: Account) -> None:
    totals = (56000, 50000, 50000)
    row = compare.totals([quote(account, orderid=921 + n, total_money=total) for n, total in enumerate(totals)])
    assert [cell.lowest for cell in row.cells] == [False, True, True]


def test_lines_are_matched_by_name_whatever_their_place_and_spaces(scans: list[Scan]) -> None:
    rows = {str(row.label): row for row in compare.lines(orders(scans))}
    assert list(rows) == ["水电改造", "瓷砖铺贴", "全屋定制"]  # what most name comes first
    assert [cell.value for cell in rows["水电改造"].cells] == [9000, None, 9000]
    assert [cell.value for cell in rows["瓷砖铺贴"].cells] == [15800, 14000, None]
    assert [cell.lowest for cell in rows["瓷砖铺贴"].cells] == [False, True, False]
    assert not any(cell.lowest for cell in rows["全屋定制"].cells)  # nobody else names it
    assert not any(cell.lowest for cell in rows["水电改造"].cells)


def test_two_lines_of_one_name_stay_two(account: Account, push: Callback) -> None:
    first = scanned(push, account, 931, ("门", 1000), ("门", 2000))
    second = scanned(push, account, 932, ("门", 1500), ("ＤＯＯＲ", 1), ("door", 2))
    rows = compare.lines(orders([first, second]))
    assert [(str(row.label), [cell.value for cell in row.cells]) for row in rows] == [
        ("门", [1000, 1500]),
        ("门", [2000, None]),
        ("ＤＯＯＲ", [None, 1]),
        ("door", [None, 2]),
    ]


def test_figures_that_no_quote_has_are_left_out(account: Account) -> None:
    bare = [quote(account, orderid=941 + n, room_area=None, saved_money=0, total_money=n + 1) for n in range(2)]
    assert compare.figures(bare) == []
    full = [quote(account, orderid=951, room_area=Decimal(80), total_money=Decimal(50000)), bare[0]]
    per_area = compare.figures(full)[0]
    assert [cell.value for cell in per_area.cells] == [Decimal(500), None]


# The page.


def test_two_to_four_quotes_stand_side_by_side(scans: list[Scan], account: Account, push: Callback) -> None:
    html = page(*scans)
    for text in ("56,000", "53,000", "61,000", "瓷砖铺贴", "全屋定制", "compare--3", "≠"):
        assert text in html
    assert html.count('class="compare__lowest"') >= 2
    four = [*scans, scanned(push, account, 904)]
    assert "compare--4" in page(*four)
    five = [*four, scanned(push, account, 905)]
    assert Client().get(address(*five)).status_code == 404
    assert Client().get(address(scans[0])).status_code == 404
    assert Client().get(address(scans[0], scans[0])).status_code == 404


def test_a_forward_can_be_compared_too(scans: list[Scan]) -> None:
    link = Client().get(f"/s/{scans[0].code}/onward").json()["link"]
    code = code_in(link)
    assert Client().get(reverse("compared", args=[f"{code}/{scans[1].code}"])).status_code == 200


@pytest.mark.parametrize("how", ["unknown", "revoked", "malformed"])
def test_a_link_that_does_not_open_is_named_and_nobody_is_told_why(scans: list[Scan], how: str) -> None:
    codes = {"unknown": "999999999." + "A" * 22, "revoked": scans[1].code, "malformed": "x"}
    Scan.objects.filter(pk=scans[1].pk).update(revoked=True)
    response = Client().get(reverse("compared", args=[f"{scans[0].code}/{codes[how]}/{scans[2].code}"]))
    assert response.status_code == 200
    html = response.content.decode()
    assert "compare__gone" in html
    assert "compare--2" in html
    assert re.findall(r'compare__letter">(\w)<', html) == ["A", "C"]
    assert "53,000" not in html
    notes = re.findall(r'<p class="compare__gone".*?</p>', html)
    assert notes == [note for note in notes if "B" in note and "revoked" not in note and codes[how] not in note]


def test_where_none_opens_there_is_the_same_404(scans: list[Scan]) -> None:
    Scan.objects.update(revoked=True)
    missing = Client().get("/s/x/")
    for codes in ("x/y", address(*scans).removeprefix("/compare/").rstrip("/")):
        answer = Client().get(f"/compare/{codes}/")
        assert answer.status_code == 404
        assert answer.content == missing.content


def test_names_are_shown_where_their_owners_agreed(scans: list[Scan]) -> None:
    Profile.objects.create(scan=scans[1], nickname="<b>小王</b>")
    html = page(*scans)
    assert "&lt;b&gt;小王&lt;/b&gt;" in html
    assert "<b>小王" not in html


def test_the_page_tells_neither_openid_nor_order_number(account: Account, push: Callback) -> None:
    two = [scanned(push, account, 3_141_592_000 + number, customer="王女士") for number in (653, 654)]
    html = page(*two)
    for scan in two:
        assert scan.openid not in html
        assert scan.scene not in html
        assert scan.order is None or scan.order.key not in html
    assert "王女士" not in html
    response = Client().get(address(*two))
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in html


# The way there.


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("12.abc-_D", "12.abc-_D"),
        (" https://quotes.example.com/s/12.abc/ ", "12.abc"),
        ("https://quotes.example.com/s/12.abc/?from=singlemessage&isappinstalled=0#x", "12.abc"),
        ("/s/s1.n.m", "s1.n.m"),
        ("quotes.example.com/s/12.abc/", "12.abc"),
        ("", ""),
        ("https://quotes.example.com/", ""),
        ("https://quotes.example.com/s//", ""),
        ("//evil.test/s/../../admin/", ""),
        ("<script>", ""),
        ("12.abc%2F..%2F", ""),
        ("https://[broken/s/1.x/", ""),
        ("a" * 201, ""),
    ],
)
def test_a_code_is_found_in_what_was_pasted(said: str, code: str) -> None:
    assert code_in(said) == code


def test_the_form_leads_to_the_comparison_without_script(scans: list[Scan]) -> None:
    said = [scans[0].code, f"http://127.0.0.1:8000{scans[1].get_absolute_url()}", "", scans[0].code]
    response = Client().get("/compare/", {"with": said})
    assert response.status_code == 302
    assert response["Location"] == address(scans[0], scans[1])


def test_with_too_few_or_too_many_it_asks_again(scans: list[Scan]) -> None:
    for said in ([], [scans[0].code], ["//evil.test/", "javascript:alert(1)"], [f"1.{letter}" for letter in "abcde"]):
        response = Client().get("/compare/", {"with": said})
        assert response.status_code == 200
        assert response.content.decode().count('name="with"') == compare.MOST


def test_the_shared_page_offers_a_comparison(scans: list[Scan]) -> None:
    html = Client().get(scans[0].get_absolute_url()).content.decode()
    assert f'<input type="hidden" name="with" value="{scans[0].code}">' in html
    assert f'action="{reverse("compare")}" method="get"' in html


def test_the_page_asks_a_handful_of_queries(scans: list[Scan], django_assert_max_num_queries: Any) -> None:
    Client().get(address(*scans))
    with django_assert_max_num_queries(5 * len(scans)):
        Client().get(address(*scans))
