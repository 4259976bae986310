"""Price plans in the admin: what is checked, what staff see of them, and that the try-out reckons like the page."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from orders.models import PlanItem, PricePlan
from wechat.models import Account

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/priceplan/"


def form(account: Account, *items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What staff send for a plan with these items."""
    plan = {"name": "全包", "account": account.pk, "price": "899", "market_price": "1099", "smallest": "40"}
    rest = {"largest": "260", "quote_days": "30", "enabled": "on", "position": "0", "summary": ""}
    data = {**plan, **rest, "items-TOTAL_FORMS": len(items), "items-INITIAL_FORMS": 0, **changes}
    for number, item in enumerate(items):
        whole = {"name": "设计", "note": "", "amount": "0", "market_amount": "0", "position": number, **item}
        data.update({f"items-{number}-{name}": value for name, value in whole.items()})
    return data


def test_a_manager_makes_a_plan_with_items_and_it_is_on_offer(staff: Client, account: Account) -> None:
    sent = form(account, {"amount": "4800", "market_amount": "6800"}, {"amount": "8", "per_area": "on"})
    assert staff.post(f"{LIST}add/", sent).status_code == 302
    plan = PricePlan.objects.get()
    assert [(item.amount, item.per_area) for item in plan.items.all()] == [(4800, False), (8, True)]
    assert f'id="plan-{plan.pk}"' in Client().get("/quotes/new/demo/").content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"largest": "39"}, "largest"),
        ({"market_price": "898.99"}, "market_price"),
        ({"price": "-1"}, "price"),
        ({"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "ends_on"),
        ({"quote_days": "-1"}, "quote_days"),
        ({"name": ""}, "name"),
    ],
)
def test_a_slip_is_told_at_its_field(staff: Client, account: Account, changes: dict[str, str], field: str) -> None:
    response = staff.post(f"{LIST}add/", form(account, **changes))
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not PricePlan.objects.exists()


def test_a_plan_that_no_quote_could_hold_is_refused(staff: Client, account: Account) -> None:
    huge = {"amount": "9999999999", "market_amount": "9999999999", "per_area": "on"}
    response = staff.post(f"{LIST}add/", form(account, huge))
    assert response.status_code == 200
    assert not PricePlan.objects.exists()


def test_two_plans_of_an_account_have_two_names(staff: Client, account: Account) -> None:
    staff.post(f"{LIST}add/", form(account))
    assert staff.post(f"{LIST}add/", form(account)).status_code == 200
    assert PricePlan.objects.count() == 1


def test_the_list_says_what_89_square_metres_cost_and_what_is_on_offer(staff: Client, account: Account) -> None:
    today = timezone.localdate()
    base = {"account": account, "price": 899, "market_price": 1099}
    plan = PricePlan.objects.create(**base, name="a")
    PlanItem.objects.create(plan=plan, name="设计", amount=4800, market_amount=6800)
    PricePlan.objects.create(**base, name="b", ends_on=today - timedelta(days=1))
    PricePlan.objects.create(**base, name="c", starts_on=today + timedelta(days=1))
    PricePlan.objects.create(**base, name="d", enabled=False)
    html = staff.get(LIST).content.decode()
    assert "¥84,811" in html  # 899 × 89 + 4800
    page = admin.site._registry[PricePlan]
    states = [str(page.shown(plan)) for plan in PricePlan.objects.order_by("name")]  # type: ignore[attr-defined]
    assert len(set(states)) == 4, "each is told apart"


def test_the_page_shows_what_is_saved_comes_to(staff: Client, account: Account) -> None:
    plan = PricePlan.objects.create(account=account, name="a", price=899, market_price=1099, smallest=40, largest=260)
    html = staff.get(f"{LIST}{plan.pk}/change/").content.decode()
    for amount in ("¥35,960", "¥80,011", "¥233,740"):
        assert amount in html
    assert "js/plan_form.js" in html
    assert "data-plan-try" in staff.get(f"{LIST}add/").content.decode()


def test_who_may_only_look_sees_prices_and_no_fields(viewer: Client, account: Account) -> None:
    plan = PricePlan.objects.create(account=account, name="a", price=899, market_price=1099)
    html = viewer.get(f"{LIST}{plan.pk}/change/").content.decode()
    assert "¥80,011" in html
    assert 'name="price"' not in html


def test_a_change_can_be_taken_back(staff: Client, account: Account) -> None:
    staff.post(f"{LIST}add/", form(account))
    plan = PricePlan.objects.get()
    staff.post(f"{LIST}{plan.pk}/change/", form(account, price="999", market_price="1199"))
    plan.refresh_from_db()
    assert plan.price == 999
    assert [entry.price for entry in plan.history.all()] == [999, 899]
    assert "999" in staff.get(f"{LIST}{plan.pk}/history/").content.decode()
