"""The first page of the admin: health at a glance, what went wrong, and the funnel of one's own accounts."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from quotes import Api, quote

from orders import journeys
from orders.models import Order, PageEvent
from wechat import groups
from wechat.models import Account, ApiCall, ChannelCode, FollowerDay, Membership, OutgoingMessage

INDEX = "/admin/"


@pytest.fixture
def other(account: Account) -> Account:
    return Account.objects.create(slug="other", name="别家")


def work() -> None:
    while journeys.run():
        pass


def code(account: Account, name: str, **values: Any) -> ChannelCode:
    return ChannelCode.objects.create(account=account, name=name, scene=name, **values)


def shown(order: Order) -> None:
    PageEvent.objects.create(
        account_id=order.account_id, order=order, kind="shown", visitor="a" * 32, happened_at=timezone.now()
    )


def member(group: str, *accounts: Account) -> Client:
    user = User.objects.create_user(f"a-{group}", is_staff=True)
    user.groups.set(Group.objects.filter(name=groups.NAMES[group]))
    for account in accounts:
        Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


def counts(client: Client, **query: Any) -> dict[str, int]:
    return {bar.name: bar.count for bar in client.get(INDEX, query).context["bars"]}


def file(client: Client, **query: Any) -> list[list[str]]:
    response = client.get(reverse("admin:orders_order_funnel"), query)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


# The empty state.


def test_without_a_quote_the_page_says_what_to_do(staff: Client, account: Account) -> None:
    page = staff.get(INDEX)
    html = page.content.decode()
    assert 'id="funnel-empty"' in html
    assert reverse("admin:orders_order_add") in html
    assert reverse("api-docs") in html
    assert page.context["has_quotes"] is False
    assert "<canvas" not in html


def test_a_period_without_quotes_says_so(staff: Client, order: Order) -> None:
    Order.objects.update(created_at=timezone.now() - timedelta(days=50))
    work()
    page = staff.get(INDEX)
    assert page.context["has_quotes"] is True
    assert 'id="funnel-empty"' in page.content.decode()
    assert 'id="funnel-empty"' not in staff.get(INDEX, {"period": "90"}).content.decode()


def test_who_may_not_add_quotes_is_not_sent_there(account: Account) -> None:
    html = member("analyst", account).get(INDEX).content.decode()
    assert 'id="funnel-empty"' in html
    assert reverse("admin:orders_order_add") not in html


# Figures and filters.


def test_the_bars_are_those_of_the_filter(staff: Client, account: Account, other: Account) -> None:
    first = code(account, "地铁", campaign="春季", salesperson="小李")
    second = code(account, "展会", campaign="春季", salesperson="小张")
    for number, source in enumerate((first, first, second, None)):
        shown(quote(account, 100 + number, source=source))
    quote(other, 200)
    work()
    assert counts(staff)["made"] == 5
    assert counts(staff, account=account.pk) == {**counts(staff), "made": 4}
    assert counts(staff, code=first.pk)["shown"] == 2
    assert counts(staff, campaign="春季")["made"] == 3
    assert counts(staff, salesperson="小张")["made"] == 1
    assert counts(staff, campaign="夏季")["made"] == 5  # nobody has heard of it
    assert counts(staff, account="x", code="x", period="x")["made"] == 5


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({}, 30),
        ({"period": "today"}, 1),
        ({"period": "7"}, 7),
        ({"period": "90"}, 90),
        ({"period": "own", "from": "2026-01-01", "to": "2026-12-31"}, 365),
        ({"period": "own", "from": "2024-01-01", "to": "2024-12-31"}, 366),
        ({"period": "own", "from": "2024-01-01", "to": "2025-01-01"}, 30),
        ({"period": "own", "from": "2026-02-01", "to": "2026-01-01"}, 30),
        ({"period": "own", "from": "2026-02-30", "to": "2026-03-01"}, 30),
        ({"period": "own", "from": "0001-01-01", "to": "0001-01-02"}, 30),
        ({"period": "own", "from": "<x>"}, 30),
    ],
)
def test_a_period_has_a_year_at_most_and_is_possible(staff: Client, account: Account, query: Any, days: int) -> None:
    asked = staff.get(INDEX, query).context["asked"]
    assert asked.days == days
    assert asked.before.days == days


def test_the_month_begins_on_its_first_day(staff: Client, account: Account) -> None:
    asked = staff.get(INDEX, {"period": "month"}).context["asked"]
    assert (asked.first.day, asked.last) == (1, timezone.localdate())


def test_a_person_sees_the_funnel_of_his_accounts_only(account: Account, other: Account) -> None:
    mine, theirs = (
        code(account, "甲", campaign="我们的"),
        code(other, "机密", campaign="机密活动", salesperson="机密人"),
    )
    quote(account, 100, source=mine)
    quote(other, 200, source=theirs)
    FollowerDay.objects.create(account=other, day=timezone.localdate(), won=77)
    work()
    client = member("analyst", account)
    page = client.get(INDEX)
    assert page.context["bars"][0].count == 1
    assert page.context["followers"]["won"] == 0
    assert "机密" not in page.content.decode()
    for forged in ({"account": other.pk}, {"code": theirs.pk}, {"campaign": "机密活动"}):
        assert counts(client, **forged)["made"] == 1
    assert file(client, table="code", account=other.pk)[1][:2] == ["甲", "1"]
    assert len(file(client, table="code")) == 2


def test_who_may_not_view_quotes_sees_no_funnel(account: Account, order: Order) -> None:
    work()
    editor = member("editor", account)
    page = editor.get(INDEX)
    assert "bars" not in page.context
    assert 'id="funnel"' not in page.content.decode()
    assert editor.get(reverse("admin:orders_order_funnel")).status_code == 403
    assert Client().get(reverse("admin:orders_order_funnel")).status_code == 302


def test_the_page_shows_shares_and_the_period_before(staff: Client, account: Account) -> None:
    for number in range(4):
        order = quote(account, 100 + number)
        if number:
            shown(order)
    quote(account, 200)
    Order.objects.filter(orderid=200).update(created_at=timezone.now() - timedelta(days=40))
    work()
    made, seen, *_rest = staff.get(INDEX).context["bars"]
    assert (made.count, made.before, made.change) == (4, 1, 300)
    assert (seen.count, seen.of_previous, seen.of_first, seen.change) == (3, 75, 75, None)


# Files.


def test_every_table_is_a_file(staff: Client, account: Account) -> None:
    shown(quote(account, 100, source=code(account, "地铁", campaign="春季", salesperson="小李")))
    FollowerDay.objects.create(account=account, day=timezone.localdate(), won=3, lost=1)
    work()
    today = timezone.localdate().isoformat()
    for table, label in (("code", "地铁"), ("campaign", "春季"), ("salesperson", "小李")):
        _heading, row = file(staff, table=table)
        assert row == [label, "1", "1", *"000000"]
    days = file(staff, table="day")
    assert (len(days), days[-1][:3]) == (31, [today, "1", "1"])
    assert file(staff, table="followers", period="today")[1] == [today, "3", "1"]
    assert file(staff, table="times")[1][2] == "1"


def test_a_name_is_no_formula(staff: Client, account: Account) -> None:
    quote(account, 100, source=code(account, "=1+1", campaign="@x", salesperson="+y"))
    work()
    assert [file(staff, table=table)[1][0] for table in ("code", "campaign", "salesperson")] == ["'=1+1", "'@x", "'+y"]


def test_names_are_shown_letter_by_letter(staff: Client, account: Account) -> None:
    quote(account, 100, source=code(account, "<b>粗</b>", campaign="<i>", salesperson='"><script>'))
    work()
    html = staff.get(INDEX).content.decode()
    assert "<b>粗" not in html
    assert "<i>" not in html
    assert '"><script>' not in html


# Errors of the last hour.


def call(account: Account, errcode: int | None, error: str, **values: Any) -> ApiCall:
    given = {"endpoint": "/cgi-bin/message/custom/send", "started_at": timezone.now(), **values}
    return ApiCall.objects.create(
        account=account, method="POST", milliseconds=5, failed=True, errcode=errcode, error=error, **given
    )


def test_errors_are_grouped_and_explained(staff: Client, account: Account) -> None:
    for number in range(3):
        call(account, 45009, f"reach max api daily quota limit rid: {number}")
    call(account, None, "no connection")
    call(account, 40003, "invalid openid", started_at=timezone.now() - timedelta(hours=2))
    page = staff.get(INDEX)
    first, second = page.context["troubles"]
    assert (first.calls, first.count) == (3, 3)
    assert "接口" in first.title
    assert first.what_to_do
    assert first.what_to_do in page.content.decode().replace("&quot;", '"')
    assert second.calls == 1


def test_messages_that_ended_badly_are_counted_too(staff: Client, account: Account) -> None:
    now = timezone.now()
    usual = {"openid": "o", "purpose": "quote", "content": {}, "created_at": now, "due_at": now, "expires_at": now}
    for state, error in (("given_up", "the window closed"), ("sent", ""), ("set_aside", "Traceback")):
        OutgoingMessage.objects.create(account=account, state=state, error=error, **usual)
    (trouble,) = staff.get(INDEX).context["troubles"]
    assert (trouble.messages, trouble.calls) == (2, 0)


def test_errors_are_those_of_the_own_accounts_and_of_who_may_see_them(account: Account, other: Account) -> None:
    call(other, 45009, "x")
    assert member("analyst", account).get(INDEX).context["troubles"] == []
    editor = member("editor", other).get(INDEX)
    assert editor.context["troubles"] == []
    assert 'id="errors"' not in editor.content.decode()


# Where a quote comes from.


def test_the_website_names_the_channel_code_of_a_quote(account: Account, other: Account) -> None:
    api = Api("quotes:write", "quotes:read")
    source = code(account, "metro")
    code(other, "metro")
    created = api.create(account="demo", source="metro")
    assert created.status_code == 201
    assert created.json()["source"] == "metro"
    order = Order.objects.get(orderid=created.json()["orderid"])
    assert order.source == source
    assert api.read(order.orderid).json()["source"] == "metro"


def test_a_code_that_is_none_of_the_account_is_refused(account: Account, other: Account) -> None:
    api = Api("quotes:write", "quotes:read")
    code(other, "theirs")
    for scene in ("theirs", "nothing"):
        answer = api.create(account="demo", source=scene)
        assert answer.status_code == 400
        assert list(answer.json()) == ["source"]
    assert api.create(account="demo", source=7.5).status_code == 400
    assert api.create(account="demo", source=["metro"]).status_code == 400
    assert not Order.objects.exists()
    assert api.create(account="demo", source=None).json()["source"] is None


def test_staff_put_a_quote_down_to_a_code_of_its_account(
    staff: Client, order: Order, account: Account, other: Account
) -> None:
    mine, theirs = code(account, "甲"), code(other, "乙")
    form = {"customer": "王", "room_area": "80", "total_money": "1", "saved_money": "0"}
    form |= dict.fromkeys(("items-TOTAL_FORMS", "items-INITIAL_FORMS", "scans-TOTAL_FORMS", "scans-INITIAL_FORMS"), "0")
    page = reverse("admin:orders_order_change", args=[order.pk])
    refused = staff.post(page, {**form, "source": theirs.pk})
    assert "source" in refused.context["adminform"].form.errors
    assert staff.post(page, {**form, "source": mine.pk}).status_code == 302
    order.refresh_from_db()
    assert order.source == mine


def test_the_first_page_stays_with_few_questions(
    staff: Client, account: Account, django_assert_max_num_queries: Any
) -> None:
    shown(quote(account, 100, source=code(account, "甲")))
    work()
    with django_assert_max_num_queries(45):
        staff.get(INDEX)


def test_a_viewer_needs_only_the_right_to_view_quotes(account: Account, order: Order) -> None:
    work()
    user = User.objects.create_user("one", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_order"))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    assert counts(client)["made"] == 1
