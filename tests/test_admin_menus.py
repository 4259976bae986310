"""The menu's pages: what is refused and what is kept, who may publish, and what staff read when the platform says no."""

import json
from typing import Any

import pytest
from callback import APPID
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from test_menus import FULL, click, group, of, view

from wechat import conf
from wechat.admin.menu_form import in_json
from wechat.models import Account, ApiCall, Membership, Menu, MenuVersion, Rule, Tag
from wechat.simulator.server import SimulatorServer

ADD, LIST, CHECK = (reverse(f"admin:wechat_menu_{page}") for page in ("add", "changelist", "check"))
SENT = {"_form_submitted": "True"}  # what the theme's dialogs send


@pytest.fixture
def menu(account: Account) -> Menu:
    return Menu.objects.create(account=account, name="默认菜单", document=FULL)


def page(menu: Menu, name: str = "change") -> str:
    return reverse(f"admin:wechat_menu_{name}", args=[menu.pk])


def filled(account: Account, document: Any, **changes: Any) -> dict[str, Any]:
    """What the browser sends."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    usual = {"name": "默认菜单", "account": account.pk, "tag": "", "client": "", "document": text, "_continue": "1"}
    return {**usual, **changes}


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def deed(client: Client, menu: Menu, name: str, query: str = "") -> list[str]:
    """Ask for it, say yes, and read what is told afterwards."""
    asked = client.get(page(menu, name) + query)
    assert b'id="dialog"' in asked.content, "it asks first"
    response = client.post(page(menu, name) + query, SENT)
    assert response.status_code == 302
    shown = client.get(response.headers["Location"])
    return [str(message) for message in shown.context["messages"]]


def at(simulator: SimulatorServer) -> Any:
    return simulator.platform.accounts[APPID].menus


@pytest.fixture
def editor(account: Account) -> Client:
    """May change menus, and publish nothing."""
    user = User.objects.create_user("writer", is_staff=True)
    names = ("view_menu", "change_menu", "add_menu", "delete_menu")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


def test_a_menu_is_saved_and_shown_with_chinese_and_emoji_as_they_are(staff: Client, account: Account) -> None:
    response = staff.post(ADD, filled(account, FULL))
    menu = Menu.objects.get()
    assert response.headers["Location"] == page(menu)
    assert (menu.document, menu.is_default) == (FULL, True)
    shown = staff.get(page(menu)).context["adminform"].form["document"].value()
    assert "活动😀" in shown
    assert json.loads(shown) == FULL
    assert staff.get(LIST).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"button": [], "button": []}',
        '{"button": [{"type": "click", "name": "x", "key": 1e999}]}',
        '{"button": NaN}',
        '{"a":' * 50 + "1" + "}" * 50,
        "[" * 60_000,
        '{"button": ' + " " * 150_000 + "[]}",
        in_json(of(view(url="javascript:alert(1)"))),
        in_json(of(view(url="file:///etc/passwd"))),
        in_json(of(*[click()] * 4)),
        in_json(of({**click(), "extra": "1"})),
        '"x"',
    ],
)
def test_bad_input_is_refused_stores_nothing_and_comes_back_as_it_was(
    staff: Client, account: Account, menu: Menu, text: str
) -> None:
    response = staff.post(page(menu), filled(account, text, name="anders"))
    assert response.status_code == 200
    assert errors(response)["document"]
    assert response.context["adminform"].form["document"].value() == text
    menu.refresh_from_db()
    assert (menu.name, menu.document) == ("默认菜单", FULL)
    Menu.objects.all().delete()
    assert staff.post(ADD, filled(account, text)).status_code == 200
    assert not Menu.objects.exists()


def test_ten_megabytes_are_refused(staff: Client, account: Account, menu: Menu) -> None:
    assert staff.post(page(menu), filled(account, "x" * 10_000_000)).status_code == 400
    assert staff.post(CHECK, {"account": account.pk, "document": "x" * 10_000_000}).status_code == 400
    assert Menu.objects.get().document == FULL


def test_an_account_has_one_default_menu_and_others_for_some_people(
    staff: Client, account: Account, menu: Menu
) -> None:
    tag = Tag.objects.create(account=account, name="老客户")
    other = Account.objects.create(slug="other", name="另一家")
    foreign = Tag.objects.create(account=other, name="别家")
    for wrong in ({"name": "第二个"}, {"name": "默认菜单", "client": "1"}, {"name": "别家", "tag": foreign.pk}):
        assert errors(staff.post(ADD, filled(account, FULL, **wrong)))
    staff.post(ADD, filled(account, FULL, name="老客户", tag=tag.pk, client="2"))
    some = Menu.objects.get(name="老客户")
    assert (some.is_default, some.tag, some.client) == (False, tag, "2")
    assert "tag" in errors(staff.post(page(some), filled(account, FULL, name="老客户")))
    form = staff.get(page(menu)).content.decode()
    assert 'name="tag"' not in form


def test_the_editor_is_told_what_is_wrong_and_what_to_look_at(staff: Client, account: Account, menu: Menu) -> None:
    def ask(text: str) -> dict[str, Any]:
        return dict(staff.post(CHECK, {"menu": menu.pk, "document": text}).json())

    fine = ask(in_json(of(click())))
    assert (fine["broken"], fine["problems"]) == ("", [])
    (hint,) = fine["hints"]
    assert hint["path"] == [0]
    assert "text=PRICE" in hint["make"]
    assert "3" in ask('{\n"button": [\n x]}')["broken"]
    assert ask('{"button": [], "button": []}')["broken"]
    (problem,) = ask(in_json(of(group(click("字" * 21)))))["problems"]
    assert (problem["path"], problem["field"]) == ([0, 0], "name")
    assert Menu.objects.get().document == FULL


def test_the_editor_asks_about_own_accounts_only(editor: Client, account: Account) -> None:
    other = Account.objects.create(slug="other", name="另一家")
    foreign = Menu.objects.create(account=other, name="别家", document=FULL)
    Rule.objects.create(
        account=other,
        name="别",
        keywords=[{"kind": "event_key", "text": "PRICE"}],
        answers=[{"kind": "text", "content": "x"}],
    )
    for asked in ({"menu": foreign.pk}, {"account": other.pk}, {"menu": "x" * 30, "account": "-1"}):
        answer = editor.post(CHECK, {**asked, "document": in_json(of(click()))}).json()
        assert answer["hints"] == []


def test_publishing_asks_sends_reads_back_and_keeps_a_version(
    staff: Client, simulator: SimulatorServer, menu: Menu
) -> None:
    (told,) = deed(staff, menu, "publish")
    assert "读回" in told or "Read back" in told
    version = MenuVersion.objects.get()
    assert (version.agreed, version.published_by) == (True, User.objects.get(username="boss"))
    assert at(simulator).default["button"][0]["name"] == "报价"
    assert not ApiCall.objects.filter(failed=True).exists()


def test_comparing_shows_both_sides(staff: Client, simulator: SimulatorServer, menu: Menu) -> None:
    deed(staff, menu, "publish")
    assert staff.get(page(menu, "compare")).context["same"] is True
    Menu.objects.update(document=of(click(key="OTHER"), group(view()), view("关于")))
    shown = staff.get(page(menu, "compare"))
    assert [row.state for row in shown.context["rows"]] == ["changed", "same", "same", "gone", "changed"]
    text = shown.content.decode()
    for part in ("menu-gone", "menu-changed", "OTHER", "PRICE", "联系客服", "关于"):
        assert part in text


def test_what_a_stranger_named_a_button_stays_text(staff: Client, simulator: SimulatorServer, menu: Menu) -> None:
    hostile = "<b>x</b>"
    Menu.objects.update(document=of(click(hostile, "</script><img src=x onerror=alert(1)>")))
    deed(staff, menu, "publish")
    for name in ("change", "compare", "history"):
        text = staff.get(page(menu, name)).content.decode()
        assert hostile not in text
        assert "<img src=x" not in text


def test_a_refusal_is_explained_and_loses_nothing(staff: Client, simulator: SimulatorServer, menu: Menu) -> None:
    Menu.objects.update(document=of({"type": "media_id", "name": "图", "media_id": "NOBODY_KNOWS"}))
    (told,) = deed(staff, menu, "publish")
    assert "40007" in told
    assert "rid" in told
    assert not MenuVersion.objects.exists()
    assert Menu.objects.get().document["button"][0]["media_id"] == "NOBODY_KNOWS"


def test_silence_is_explained_too(staff: Client, simulator: SimulatorServer, menu: Menu, settings: Any) -> None:
    settings.WECHAT_API_BASE = "http://127.0.0.1:1"
    for name in ("publish", "fetch", "delete_live"):
        (told,) = deed(staff, menu, name)
        assert "<dl" in told
    assert b"menu-failure" in staff.get(page(menu, "compare")).content
    assert b"menu-failure" in staff.post(page(menu, "try_person"), {"person": "oSomebody"}).content
    assert Menu.objects.get().document == FULL


def test_a_menu_without_buttons_is_a_draft_and_is_not_published(
    staff: Client, simulator: SimulatorServer, menu: Menu
) -> None:
    staff.post(page(menu), filled(menu.account, {}))
    assert Menu.objects.get().document == {"button": []}
    deed(staff, menu, "publish")
    assert at(simulator).default is None
    assert not MenuVersion.objects.exists()


def test_any_version_goes_back_into_the_draft(staff: Client, simulator: SimulatorServer, menu: Menu) -> None:
    deed(staff, menu, "publish")
    first = MenuVersion.objects.get()
    staff.post(page(menu), filled(menu.account, of(click("新的"))))
    deed(staff, menu, "publish")
    deed(staff, menu, "put_back", f"?version={first.pk}")
    menu.refresh_from_db()
    assert menu.document == FULL
    assert at(simulator).default["button"][0]["name"] == "新的"
    assert menu.history.count() == 3
    for wrong in ("", "?version=x", "?version=999999", f"?version={'9' * 30}"):
        deed(staff, menu, "put_back", wrong)
    assert menu.history.count() == 3


def test_fetching_takes_the_live_menu_into_the_draft(staff: Client, simulator: SimulatorServer, menu: Menu) -> None:
    deed(staff, menu, "fetch")
    assert Menu.objects.get().document == FULL, "no menu there: the draft stays"
    at(simulator).website = {
        "is_menu_open": 1,
        "selfmenu_info": {"button": [view(), {"type": "text", "name": "好", "value": "您好"}]},
    }
    told = deed(staff, menu, "fetch")
    assert Menu.objects.get().document == of(view(), {"type": "click", "name": "好", "key": "您好"})
    assert "好" in told[1]
    at(simulator).publish([click("现在")])
    deed(staff, menu, "fetch")
    assert Menu.objects.get().document == of(click("现在"))


def test_what_the_platform_has_and_we_refuse_stays_there(staff: Client, simulator: SimulatorServer, menu: Menu) -> None:
    at(simulator).publish([view(url="weixin://old")])
    told = deed(staff, menu, "fetch")
    assert len(told) == 2
    assert Menu.objects.get().document == FULL


def test_deleting_at_the_platform_asks_and_says_what_goes_with_it(
    staff: Client, simulator: SimulatorServer, menu: Menu
) -> None:
    deed(staff, menu, "publish")
    menu.refresh_from_db()
    assert staff.get(page(menu, "delete")).status_code == 403, "it is still at the platform"
    deed(staff, menu, "delete_live")
    assert at(simulator).default is None
    assert Menu.objects.get().document == FULL
    assert MenuVersion.objects.count() == 1
    assert staff.post(page(menu, "delete"), {"post": "yes"}).status_code == 302
    assert not Menu.objects.exists()


def test_a_person_can_be_tried(staff: Client, simulator: SimulatorServer, menu: Menu) -> None:
    registered = simulator.platform.accounts[APPID]
    simulator.platform.add_person(registered, openid="oSomebody", follows=True)
    assert staff.post(page(menu, "try_person"), {"person": "oSomebody"}).context["seen"] == {"button": []}
    deed(staff, menu, "publish")
    shown = staff.post(page(menu, "try_person"), {"person": "oSomebody"})
    assert shown.context["seen"] == FULL
    assert shown.context["which"] == "默认菜单"
    assert "65302" in staff.post(page(menu, "try_person"), {"person": "oNobody"}).content.decode()
    assert errors_of(staff.post(page(menu, "try_person"), {"person": "../x"}))


def errors_of(response: Any) -> Any:
    return response.context["form"].errors


def test_an_editor_without_the_right_saves_and_publishes_nothing(
    editor: Client, simulator: SimulatorServer, menu: Menu
) -> None:
    assert editor.post(page(menu), filled(menu.account, of(click()))).status_code == 302
    assert Menu.objects.get().document == of(click())
    for name in ("publish", "delete_live"):
        assert editor.get(page(menu, name)).status_code == 403
        assert editor.post(page(menu, name), SENT).status_code == 403
    assert at(simulator).default is None
    assert b"menu-publish" not in editor.get(page(menu, "compare")).content


def test_who_may_only_look_reads_the_menu_in_words(viewer: Client, menu: Menu) -> None:
    text = viewer.get(page(menu)).content.decode()
    assert "活动😀" in text
    assert "<textarea" not in text
    for name in ("publish", "fetch", "put_back", "delete_live"):
        assert viewer.post(page(menu, name), SENT).status_code == 403
    assert viewer.post(CHECK, {"document": "{}"}).status_code == 403
    assert Menu.objects.get().document == FULL


def test_the_history_is_readable_and_leads_back(staff: Client, menu: Menu) -> None:
    staff.post(page(menu), filled(menu.account, of(click("新的", "NEW"))))
    shown = staff.get(page(menu, "history")).content.decode()
    assert "活动😀" in shown
    assert "&quot;button&quot;" not in shown


def test_the_linter_page_names_the_keys_of_menus(staff: Client, menu: Menu) -> None:
    conf.forget()
    text = staff.get(reverse("admin:wechat_rule_lint")).content.decode()
    assert "PRICE" in text


def test_saving_can_lead_to_the_comparison(staff: Client, account: Account) -> None:
    sent = filled(account, FULL, _compare="1")
    del sent["_continue"]
    response = staff.post(ADD, sent)
    assert response.headers["Location"] == page(Menu.objects.get(), "compare")
    assert get_messages(response.wsgi_request)
