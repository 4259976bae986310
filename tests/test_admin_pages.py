"""Every page of the admin: who may open it, what it costs, and that what strangers wrote stays text."""

from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID, Callback
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Scan
from wechat.models import Account, ApiKey, Follower, Lease, OutgoingMessage, Push, QRCode

HOSTILE = "<script>alert(1)</script>"
OURS = [model for model in admin.site._registry if getattr(admin.site._registry[model], "menu", None)]


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def nobody(db: None) -> Client:
    """Staff without any right."""
    client = Client()
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    return client


@pytest.fixture
def filled(account: Account, order: Order, push: Callback, worker_alive: Lease) -> list[Any]:
    """One row of everything, with hostile texts wherever a stranger writes."""
    push.text(HOSTILE)
    push.scan("77")
    push.text("boom")
    Push.objects.filter(raw__contains="boom").update(state="failed", error=f"Traceback {HOSTILE}", kind=HOSTILE)
    Follower.objects.update(nickname=HOSTILE, avatar="https://wx.qlogo.cn/a", owed=1)
    OutgoingMessage.objects.update(error=HOSTILE, errcode=45015, unknown_outcomes=1, state="owed", about=HOSTILE)
    Order.objects.update(customer=HOSTILE)
    now = timezone.now()
    code = QRCode.objects.create(account=account, scene=HOSTILE, ticket=f'"{HOSTILE}', url=HOSTILE, created_at=now)
    key, _secret = ApiKey.objects.create_key(name=HOSTILE, scopes=["quotes:read"])
    rows = [Push.objects.first(), Push.objects.get(state="failed"), OutgoingMessage.objects.first()]
    return [*rows, Follower.objects.first(), Scan.objects.first(), order, account, code, key]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_superuser_opens_every_list(model: Any, staff: Client, filled: list[Any]) -> None:
    assert staff.get(address(model, "changelist")).status_code == 200


def test_a_superuser_opens_every_row(staff: Client, filled: list[Any]) -> None:
    for row in filled:
        assert staff.get(address(row, "change", row.pk)).status_code == 200, row


@pytest.mark.parametrize("model", [Account, Order, ApiKey, User])
def test_a_superuser_opens_the_forms_of_what_people_make(model: Any, staff: Client, account: Account) -> None:
    assert staff.get(address(model, "add")).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_staff_without_rights_see_no_list(model: Any, nobody: Client) -> None:
    assert nobody.get(address(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_strangers_are_asked_to_sign_in(model: Any, client: Client, db: None) -> None:
    assert client.get(address(model, "changelist")).status_code == 302


def test_staff_without_rights_see_no_row(nobody: Client, filled: list[Any]) -> None:
    for row in filled:
        assert nobody.get(address(row, "change", row.pk)).status_code == 403, row


def test_staff_without_rights_learn_nothing_on_the_first_page(nobody: Client, filled: list[Any]) -> None:
    response = nobody.get(reverse("admin:index"))
    assert response.status_code == 200
    assert response.context["facts"] == []
    assert "changelist" not in response.content.decode()


def test_hostile_texts_stay_text_in_lists_and_rows(staff: Client, filled: list[Any]) -> None:
    pages = [address(type(row), "changelist") for row in filled]
    pages += [address(row, "change", row.pk) for row in filled]
    for page in {*pages, reverse("admin:index")}:
        assert HOSTILE not in staff.get(page).content.decode(), page


def test_a_hostile_address_becomes_no_link(staff: Client, filled: list[Any]) -> None:
    message = OutgoingMessage.objects.get()
    message.content = {
        "kind": "news",
        "articles": [{"title": "t", "url": "javascript:alert(1)", "picurl": '" onerror="x'}],
    }
    message.save()
    page = staff.get(address(message, "change", message.pk)).content.decode()
    assert 'href="javascript' not in page
    assert 'onerror="x' not in page


def test_what_cannot_be_read_is_shown_all_the_same(staff: Client, filled: list[Any]) -> None:
    Push.objects.update(raw="<!DOCTYPE x><xml/>")
    OutgoingMessage.objects.update(content=["odd"])
    for row in (Push.objects.first(), OutgoingMessage.objects.first()):
        assert row is not None
        assert staff.get(address(row, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", [Push, OutgoingMessage, Follower, Scan, QRCode, Order])
def test_a_list_costs_the_same_with_one_row_and_with_many(
    model: Any, staff: Client, account: Account, push: Callback, worker_alive: Lease
) -> None:
    def cost(orderid: int) -> int:
        order = Order.objects.create(account=account, orderid=orderid, total_money=1)
        push.scan(str(order.orderid), openid=f"o{orderid:027d}")
        QRCode.objects.create(account=account, scene=str(orderid), ticket="t", url="u", created_at=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            staff.get(address(model, "changelist"))
        return len(queries)

    cost(1)
    first = cost(2)
    assert max(cost(number) for number in range(3, 9)) == first


def test_no_list_of_records_counts_its_table(staff: Client, filled: list[Any]) -> None:
    for model in (Push, OutgoingMessage, Follower, Scan, QRCode):
        with CaptureQueriesContext(connection) as queries:
            staff.get(address(model, "changelist"))
        assert not [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]


@pytest.mark.parametrize("model", [Push, OutgoingMessage, Follower, Scan])
def test_an_openid_is_found_only_as_a_whole(model: Any, staff: Client, filled: list[Any]) -> None:
    whole = staff.get(address(model, "changelist"), {"q": OPENID}).context["cl"].queryset
    assert whole.exists()
    assert not staff.get(address(model, "changelist"), {"q": OPENID[:-1]}).context["cl"].queryset.exists()


def test_lists_mask_openids(staff: Client, filled: list[Any]) -> None:
    Follower.objects.update(nickname="")
    for model in (Push, OutgoingMessage, Follower, Scan):
        page = staff.get(address(model, "changelist")).content.decode()
        assert OPENID not in page
        assert "oWXH…0001" in page


def test_the_first_page_says_how_things_stand(staff: Client, filled: list[Any], account: Account) -> None:
    until = timezone.now() + timedelta(hours=1)
    Lease.objects.create(name=f"paused:{account.pk}", until=until, note="send: 45009 reach max api daily quota limit")
    facts = {fact.title: fact for fact in staff.get(reverse("admin:index")).context["facts"]}
    levels = [fact.level for fact in facts.values()]
    assert levels.count("bad") == 2  # the failed push and the pause
    assert "接口日调用超限" in facts[str(account)].text
    Lease.objects.all().delete()
    assert staff.get(reverse("admin:index")).context["facts"][0].level == "bad"


def test_the_first_page_asks_few_questions(staff: Client, filled: list[Any]) -> None:
    with CaptureQueriesContext(connection) as queries:
        staff.get(reverse("admin:index"))
    assert len(queries) <= 26


def test_a_user_manager_cannot_make_himself_a_superuser(db: None) -> None:
    manager = User.objects.create_user("manager", is_staff=True)
    boss = User.objects.create_superuser("boss")
    manager.user_permissions.set(Permission.objects.filter(codename__in=("change_user", "view_user")))
    client = Client()
    client.force_login(manager)
    form = {"username": "manager", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client.post(address(User, "change", manager.pk), form)
    manager.refresh_from_db()
    assert not manager.is_superuser
    assert client.post(address(User, "change", boss.pk), form).status_code == 403


def test_the_pages_are_within_the_policy_of_the_site(staff: Client) -> None:
    policy = staff.get(reverse("admin:index")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
