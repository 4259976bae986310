"""Connecting an account in the admin: from nothing to a published menu, with every obstacle explained on the way."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from callback import signed
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wechat import conf, groups, sightings
from wechat.models import Account, ConfigRow, Membership, Menu, MenuVersion
from wechat.simulator.accounts import Account as Registration
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db
START = reverse("admin:wechat_account_connect_new")
NEW = {
    "name": "新号",
    "kind": "verified_service",
    "appid": "wxnewaccount00001",
    "appsecret": "a-new-secret-0123456789abcdef",
    "original_id": "gh_new",
    "slug": "new",
}


@pytest.fixture
def registered(simulator: SimulatorServer) -> Registration:
    """The account at the platform, whose console has no server configuration yet."""
    own = {"appid": NEW["appid"], "secret": NEW["appsecret"], "token": "none", "original_id": "gh_new"}
    return simulator.platform.add_account(Registration(**own))


def begin(client: Client, **changes: str) -> str:
    """Take the first step; the address of the second."""
    response = client.post(START, {**NEW, **changes})
    assert response.status_code == 302, response.context["form"].errors
    return str(response.headers["Location"])


def do(client: Client, page: str, deed: str, **fields: Any) -> HttpResponse:
    return client.post(page, {"do": deed, **fields}, follow=True)


def step(response: HttpResponse) -> str:
    return str(response.context["step"])  # type: ignore[attr-defined]


def text(response: HttpResponse) -> str:
    return unescape(response.content.decode())


def values(client: Client, page: str) -> tuple[str, str, str]:
    """Address, token and key as the second step shows them."""
    found = re.findall(r'<input id="copy\d" readonly value="([^"]*)"', text(client.get(page)))
    assert len(found) == 3
    return found[0], found[1], found[2]


def handshake(slug: str, token: str) -> HttpResponse:
    return Client().get(f"/wechat/{slug}/callback", signed(token=token, echostr="12345"))


def test_from_nothing_to_a_published_menu(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    address, token, key = values(staff, page)
    assert address.endswith("/wechat/new/callback")
    assert re.fullmatch(r"[A-Za-z0-9]{32}", token)
    assert re.fullmatch(r"[A-Za-z0-9]{43}", key)
    state = f"{page}state/".replace("connect/state/", "connect_state/")
    assert staff.get(state).json()["state"] == "waiting"
    assert handshake("new", token).content == b"12345"
    assert staff.get(state).json()["state"] == "seen"
    assert step(do(staff, page, "entered")) == "token"
    shown = do(staff, page, "fetch")
    assert step(shown) == "menu"
    assert [one["state"] for one in shown.context["abilities"]] == ["ok"] * 5  # type: ignore[attr-defined]
    suggested = {name: field.initial for name, field in shown.context["menu"].fields.items()}  # type: ignore[attr-defined]
    shown = do(staff, page, "publish", **suggested)
    assert step(shown) == "done"
    published = registered.menus.default
    assert published is not None
    assert Menu.objects.get().document["button"][0]["type"] == "view"
    assert MenuVersion.objects.get().agreed
    made = Account.objects.get(slug="new")
    assert (made.mode, made.kind, made.original_id) == ("safe", "verified_service", "gh_new")


def test_token_and_key_are_shown_on_their_step_only(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    _address, token, key = values(staff, page)
    assert "no-store" in staff.get(page).headers["Cache-Control"]
    do(staff, page, "entered")
    change = page.replace("connect/", "change/")
    for address in (page, change, START, reverse("admin:index")):
        shown = text(staff.get(address))
        assert token not in shown
        assert key not in shown
    stored = ConfigRow.objects.get(conf_name="public_wechat_token").conf_value
    assert token not in stored


def test_lost_values_are_made_anew_and_only_while_connecting(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    old = values(staff, page)
    do(staff, page, "entered")
    assert step(do(staff, page, "anew")) == "console"
    new = values(staff, page)
    assert not {old[1], old[2]} & {new[1], new[2]}
    ConfigRow.objects.filter(conf_name="wechat_setup_step").update(conf_value="")
    assert step(do(staff, page, "anew")) == "done"
    config = conf.account("new")
    assert config
    assert config.token == new[1]


def test_a_wrong_token_at_wechat_is_told_while_waiting(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    _address, token, _key = values(staff, page)
    state = page.replace("connect/", "connect_state/")
    assert handshake("new", "another-token").status_code == 403
    said = staff.get(state).json()
    assert said["state"] == "wrong"
    assert "127.0.0.1" in said["text"]
    handshake("new", token)
    assert staff.get(state).json()["state"] == "seen"


def test_a_handshake_before_the_values_were_made_does_not_count(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    handshake("new", values(staff, page)[1])
    ConfigRow.objects.filter(conf_name="wechat_setup_step").update(updated_at=timezone.now() + timedelta(minutes=1))
    assert staff.get(page.replace("connect/", "connect_state/")).json()["state"] == "waiting"


def test_handshakes_keep_one_row(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    token = values(staff, page)[1]
    account = Account.objects.get(slug="new")
    for _ in range(5):
        handshake("new", token)
    first = sightings.last(account.pk, sightings.HANDSHAKE)
    handshake("new", token)
    assert sightings.last(account.pk, sightings.HANDSHAKE) == first, "at most once a minute"


def test_an_address_that_is_not_allowed_is_named_and_tried_again(staff: Client, registered: Registration) -> None:
    registered.ip_allowlist = ["198.51.100.7"]
    page = begin(staff)
    do(staff, page, "entered")
    shown = do(staff, page, "fetch")
    assert step(shown) == "token"
    assert "40164" in text(shown)
    assert "127.0.0.1" in text(shown)
    assert 'name="appsecret"' not in text(shown)
    registered.ip_allowlist = []
    assert step(do(staff, page, "fetch")) == "menu"


def test_a_wrong_secret_is_explained_and_put_right_on_the_spot(staff: Client, registered: Registration) -> None:
    page = begin(staff, appsecret="a-mistyped-secret-0123456789")
    do(staff, page, "entered")
    shown = do(staff, page, "fetch")
    assert "40125" in text(shown)
    assert 'name="appsecret"' in text(shown)
    assert "a-mistyped-secret" not in text(shown)
    shown = do(staff, page, "fetch", appid=NEW["appid"], appsecret=NEW["appsecret"])
    assert step(shown) == "menu"


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("service", ["followers", "service", "templates", "codes"]), ("verified_subscription", ["templates", "codes"])],
)
def test_missing_permissions_say_what_they_mean(
    kind: str, missing: list[str], staff: Client, registered: Registration
) -> None:
    registered.kind = kind
    page = begin(staff, kind=kind)
    do(staff, page, "entered")
    shown = do(staff, page, "fetch")
    found = {one["ability"].name: one["state"] for one in shown.context["abilities"]}  # type: ignore[attr-defined]
    assert {name for name, state in found.items() if state != "ok"} == set(missing)
    for one in shown.context["abilities"]:  # type: ignore[attr-defined]
        assert (str(one["ability"].without) in text(shown)) == (one["ability"].name in missing)


def test_a_menu_that_is_refused_keeps_what_was_typed(
    staff: Client, registered: Registration, simulator: SimulatorServer
) -> None:
    page = begin(staff)
    do(staff, page, "entered")
    do(staff, page, "fetch")
    simulator.platform.faults.set(kind="errcode", errcode=48001, match="/cgi-bin/menu/create")
    boxes = {"name1": "我的按钮", "kind1": "click", "value1": "关键词"}
    boxes |= {f"kind{number}": "click" for number in (2, 3)}
    shown = do(staff, page, "publish", **boxes)
    assert step(shown) == "menu"
    assert "48001" in text(shown)
    assert "我的按钮" in text(shown)
    assert not MenuVersion.objects.exists()
    simulator.platform.faults.clear()
    assert step(do(staff, page, "publish", **boxes)) == "done"


def test_a_menu_with_a_hostile_address_is_refused(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    do(staff, page, "entered")
    do(staff, page, "fetch")
    boxes = {"name1": "x", "kind1": "view", "value1": "javascript:alert(1)", "kind2": "click", "kind3": "click"}
    shown = do(staff, page, "publish", **boxes)
    assert step(shown) == "menu"
    assert not Menu.objects.exists()
    assert registered.menus.default is None


def test_one_that_is_half_connected_is_in_the_list_and_gone_on_with(staff: Client, registered: Registration) -> None:
    page = begin(staff)
    assert page in text(staff.get(START))
    do(staff, page, "entered")
    assert step(staff.get(page)) == "token"  # type: ignore[arg-type]
    do(staff, page, "fetch")
    assert step(do(staff, page, "later")) == "done"
    assert page not in text(staff.get(START))


@pytest.mark.parametrize(
    "changes",
    [
        {"appid": "!"},
        {"appid": "wx0123456789abcdef"},
        {"appsecret": ""},
        {"appsecret": "with space"},
        {"name": ""},
        {"kind": "x"},
        {"slug": "demo"},
        {"slug": "Ü/../x"},
        {"original_id": "gh <x>"},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_at_its_field(changes: dict[str, str], staff: Client, account: Account) -> None:
    response = staff.post(START, {**NEW, **changes})
    assert response.status_code == 200
    assert set(response.context["form"].errors) == set(changes)
    assert Account.objects.count() == 1


def test_a_short_name_is_found_where_none_is_given(staff: Client, registered: Registration) -> None:
    begin(staff, slug="")
    begin(staff, slug="", appid="wxnewaccount00002")
    assert set(Account.objects.values_list("slug", flat=True)) == {"wechat", "wechat2"}


def test_a_manager_works_for_what_he_connects_and_others_see_nothing_of_it(registered: Registration) -> None:
    clients = {}
    for name, code in (("m1", "manager"), ("m2", "manager"), ("e1", "editor")):
        user = User.objects.create_user(name, is_staff=True)
        user.groups.set(Group.objects.filter(name=groups.NAMES[code]))
        clients[name] = Client()
        clients[name].force_login(user)
    page = begin(clients["m1"])
    assert clients["m1"].get(page).status_code == 200
    Membership.objects.create(user=User.objects.get(username="e1"), account=Account.objects.get())
    for name in ("m2", "e1"):
        for address in (page, page.replace("connect/", "connect_state/")):
            assert clients[name].get(address).status_code in (403, 404)
            assert clients[name].post(address, {"do": "anew"}).status_code in (403, 404)
    assert clients["e1"].get(START).status_code == 403
