"""The instant quote: what a visitor may ask, what it comes to, what is refused, and what it must not cost."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from quotes import quote

from orders.models import Order, PlanItem, PricePlan
from orders.plans import reckon
from wechat.models import Account, ChannelCode

pytestmark = pytest.mark.django_db
FORM = "/quotes/new/demo/"


@pytest.fixture
def plan(account: Account) -> PricePlan:
    """599 yuan per m² where the market asks 690, with one item of its own and one for each m²."""
    made = PricePlan.objects.create(
        account=account, name="半包", summary="包工包辅料", price=599, market_price=690, smallest=20, largest=300
    )
    PlanItem.objects.create(plan=made, position=1, name="拆旧", note="含搬运", amount=3200, market_amount=4200)
    PlanItem.objects.create(plan=made, position=2, name="保护", amount=12, market_amount=15, per_area=True)
    return made


def send(area: str = "89.5", plan: PricePlan | None = None, path: str = FORM, **more: Any) -> HttpResponse:
    """Post the form as a browser without any cookie does."""
    client, headers = Client(enforce_csrf_checks=True), more.pop("headers", {})
    chosen = plan or PricePlan.objects.first()
    data = {"room_area": area, "plan": chosen.pk if chosen else 1, "website": "", "c": "", **more}
    return client.post(path, data, headers=headers)


def errors(response: HttpResponse) -> str:
    """What the page says above the form."""
    found = re.search(r'role="alert".*?</div>', response.content.decode(), re.DOTALL)
    assert found
    return found[0]


def test_a_visitor_gets_a_quote_of_his_own(plan: PricePlan) -> None:
    response = send("89.5", plan)
    order = Order.objects.get()
    assert (response.status_code, response["Location"]) == (303, order.get_absolute_url())
    assert not response.cookies
    assert (order.room_area, order.total_money, order.market_money) == (
        Decimal("89.50"),
        Decimal("57884.50"),  # 599 × 89.5 + 3200 + 12 × 89.5
        Decimal("67297.50"),
    )
    assert order.valid_until == timezone.localdate() + timedelta(days=30)
    assert order.customer == ""
    lines = [(item.name, item.quantity, item.unit, item.amount) for item in order.items.all()]
    assert lines == [
        ("半包", Decimal("89.50"), "㎡", Decimal("53610.50")),
        ("拆旧", Decimal(1), "项", Decimal(3200)),
        ("保护", Decimal("89.50"), "㎡", Decimal(1074)),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.decimals(0, 99_999_999, places=2),
    st.decimals(0, 99_999_999, places=2),
    st.decimals("0.01", 9999, places=2),
    st.lists(st.tuples(st.decimals(0, 999_999, places=2), st.booleans()), max_size=4),
)
def test_the_lines_always_add_up_and_nothing_is_lost(
    price: Decimal, market: Decimal, area: Decimal, items: list[tuple[Decimal, bool]]
) -> None:
    class Plan:
        name, summary = "p", ""

    plan: Any = Plan()
    plan.price, plan.market_price, plan.items = price, market, Plan()
    plan.items.all = lambda: [
        PlanItem(name="i", amount=amount, market_amount=amount, per_area=per_area) for amount, per_area in items
    ]
    found = reckon(plan, area)
    exact = price * area + sum(amount * (area if per_area else 1) for amount, per_area in items)
    assert found.total == sum(line["amount"] for line in found.lines)
    assert abs(found.total - exact) <= Decimal("0.005") * len(found.lines)
    assert found.saved == max(Decimal(0), found.market - found.total)


@pytest.mark.parametrize("area", ["89.5", " 89.5 ", "８９.５", "89.5㎡", "89.5 平", "89.50 平方米", "89.5m2"])
def test_an_area_may_be_written_as_people_do(plan: PricePlan, area: str) -> None:
    assert send(area, plan).status_code == 303
    assert Order.objects.get().room_area == Decimal("89.5")


@pytest.mark.parametrize(
    ("area", "says"),
    [
        ("", "room area in"),
        ("big", "as a number"),
        ("-5", "more than 0"),
        ("0", "more than 0"),
        ("NaN", "as a number"),
        ("Infinity", "as a number"),
        ("1e9", "larger"),
        ("89.123", "Two decimal"),
        ("19.99", "20 to 300"),
        ("300.01", "20 to 300"),
        ("9" * 5000, "larger"),
        ("八十九", "as a number"),
    ],
)
def test_a_wrong_area_is_refused_in_words_and_kept(plan: PricePlan, area: str, says: str) -> None:
    response = Client(headers={"accept-language": "en"}).post(FORM, {"room_area": area, "plan": plan.pk})
    assert response.status_code == 400
    html = response.content.decode()
    assert f'value="{area}"' in html
    assert re.search(rf'value="{plan.pk}"[^>]*checked', html)
    assert says in errors(response) or re.search("[一-龥]", errors(response))
    assert not Order.objects.exists()


@pytest.mark.parametrize("chosen", ["", "0", "99999999", "x", "1 OR 1=1", "-1"])
def test_a_plan_that_is_not_on_offer_is_refused(plan: PricePlan, chosen: str) -> None:
    response = Client().post(FORM, {"room_area": "89.5", "plan": chosen})
    assert response.status_code == 400
    assert errors(response)
    assert not Order.objects.exists()


def test_plans_of_another_account_or_another_season_are_not_on_offer(plan: PricePlan, account: Account) -> None:
    other = PricePlan.objects.create(
        account=Account.objects.create(slug="other"), name="x", price=1, market_price=2, smallest=1, largest=999
    )
    today = timezone.localdate()
    base = {"account": account, "price": 1, "market_price": 2}
    gone = PricePlan.objects.create(**base, name="gone", ends_on=today - timedelta(days=1))
    coming = PricePlan.objects.create(**base, name="coming", starts_on=today + timedelta(days=1))
    off = PricePlan.objects.create(**base, name="off", enabled=False)
    last_day = PricePlan.objects.create(**base, name="last", starts_on=today, ends_on=today)
    html = Client().get(FORM).content.decode()
    for missing in (other, gone, coming, off):
        assert f'id="plan-{missing.pk}"' not in html
        assert send(plan=missing).status_code == 400
    assert f'id="plan-{last_day.pk}"' in html
    assert send(plan=last_day).status_code == 303


def test_a_quote_without_an_end_names_none(plan: PricePlan) -> None:
    PricePlan.objects.update(quote_days=0)
    send(plan=plan)
    assert Order.objects.get().valid_until is None


def test_a_quote_that_is_too_large_for_a_row_is_refused(plan: PricePlan) -> None:
    PricePlan.objects.update(price=Decimal("99999999.99"), market_price=Decimal("99999999.99"), largest=99999)
    assert send("99999", plan).status_code == 400


def test_a_trapped_machine_makes_no_quote(plan: PricePlan) -> None:
    assert send(plan=plan, website="https://spam.example").status_code == 400
    assert not Order.objects.exists()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", ""])
def test_a_form_of_another_website_makes_no_quote(plan: PricePlan, origin: str) -> None:
    assert send(plan=plan, headers={"origin": origin}).status_code == 403
    assert not Order.objects.exists()


@pytest.mark.parametrize("origin", ["http://testserver", "http://127.0.0.1:8000"])
def test_our_own_pages_may_send_the_form(plan: PricePlan, origin: str) -> None:
    assert send(plan=plan, headers={"origin": origin}).status_code == 303


def test_the_page_lets_the_browser_name_itself(plan: PricePlan) -> None:
    response = Client().get(FORM)
    assert response["Referrer-Policy"] == "same-origin"
    assert '<meta name="referrer" content="same-origin">' in response.content.decode()
    assert not response.cookies


def test_one_client_makes_so_many_quotes_in_an_hour_and_no_more(plan: PricePlan, settings: Any) -> None:
    settings.INSTANT_QUOTES_PER_ADDRESS = 3
    assert [send(plan=plan).status_code for _ in range(5)] == [303, 303, 303, 429, 429]
    refused = send("77.7", plan)
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert 'value="77.7"' in refused.content.decode()
    assert Order.objects.count() == 3


def test_all_clients_together_have_a_limit_too(plan: PricePlan, settings: Any) -> None:
    settings.INSTANT_QUOTES_PER_HOUR, settings.TRUSTED_PROXIES = 2, 1
    sent = [send(plan=plan, headers={"x-forwarded-for": f"10.0.0.{n}"}).status_code for n in range(4)]
    assert sent == [303, 303, 429, 429]


def test_clients_are_told_apart_by_the_address_that_our_proxy_saw(plan: PricePlan, settings: Any) -> None:
    settings.INSTANT_QUOTES_PER_ADDRESS, settings.TRUSTED_PROXIES = 1, 1
    sent = [send(plan=plan, headers={"x-forwarded-for": f"9.9.9.{n}, 10.0.0.1"}).status_code for n in range(2)]
    assert sent == [303, 429]
    assert send(plan=plan, headers={"x-forwarded-for": "10.0.0.2"}).status_code == 303
    line = [send(plan=plan, headers={"x-forwarded-for": f"2001:db8:1:2::{n}"}).status_code for n in range(1, 3)]
    assert line == [303, 429]


def test_what_is_refused_is_not_counted(plan: PricePlan, settings: Any) -> None:
    settings.INSTANT_QUOTES_PER_ADDRESS = 1
    for _ in range(5):
        assert send("0", plan).status_code == 400
    assert send(plan=plan).status_code == 303
    cache.clear()
    assert send(plan=plan).status_code == 303


def test_the_channel_code_that_brought_him_is_kept(plan: PricePlan, account: Account) -> None:
    code = ChannelCode.objects.create(account=account, name="展会", scene="expo")
    assert 'name="c" value="expo"' in Client().get(f"{FORM}?c=expo").content.decode()
    send(plan=plan, c="expo")
    assert Order.objects.get().source == code


@pytest.mark.parametrize("scene", ["nothing", "off", "foreign", "x" * 64, "' OR 1=1"])
def test_an_unknown_channel_code_changes_nothing(plan: PricePlan, account: Account, scene: str) -> None:
    ChannelCode.objects.create(account=account, name="a", scene="off", enabled=False)
    ChannelCode.objects.create(account=Account.objects.create(slug="other"), name="b", scene="foreign")
    assert send(plan=plan, c=scene).status_code == 303
    assert Order.objects.get().source is None


def test_without_plans_there_is_no_form_and_no_way_to_it(account: Account) -> None:
    for path in (FORM, "/quotes/new/", "/quotes/new/nobody/"):
        assert Client().get(path).status_code == 404
    assert "/quotes/new/" not in Client().get("/").content.decode()


def test_the_ways_to_the_form(plan: PricePlan, order: Order) -> None:
    assert Client().get("/quotes/new/?c=expo")["Location"] == f"{FORM}?c=expo"
    assert f'href="{FORM}"' in Client().get("/").content.decode()
    second = Account.objects.create(slug="second", name="第二家")
    PricePlan.objects.create(account=second, name="x", price=1, market_price=2)
    page = Client().get("/quotes/new/").content.decode()
    assert f'href="{FORM}"' in page
    assert 'href="/quotes/new/second/"' in page


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_form_knows_get_and_post_only(plan: PricePlan, method: str) -> None:
    assert Client().generic(method, FORM).status_code == 405


def test_what_staff_write_is_no_markup(plan: PricePlan) -> None:
    PricePlan.objects.update(name="<b>x</b>", summary='"><script>')
    html = Client().get(FORM).content.decode()
    assert "<b>x" not in html
    assert '"><script>' not in html


def test_a_quote_past_its_last_day_says_so(account: Account, plan: PricePlan) -> None:
    today = timezone.localdate()
    valid, over = quote(account, 5, valid_until=today), quote(account, 6, valid_until=today - timedelta(days=1))
    assert "numbers__over" not in Client().get(valid.get_absolute_url()).content.decode()
    html = Client().get(over.get_absolute_url()).content.decode()
    assert "numbers__over" in html
    assert f'<a href="{FORM}">' in html


def test_the_total_is_not_asked_of_the_visitor(plan: PricePlan) -> None:
    send(plan=plan, total_money="1", saved_money="999999", orderid="5", customer="x", valid_until="2099-01-01")
    order = Order.objects.get()
    assert (order.total_money, order.customer) == (Decimal("57884.50"), "")
    assert order.orderid != 5
