"""A menu made in a real browser by clicking and typing, published to the simulator, tapped on its phone, and taken back."""

import json
import re
from typing import Any

import pytest
from browsing import BROWSER, DESKTOP, PHONE, ask, deed, fits, picture, save, say_yes, take_phone
from playwright.sync_api import Locator, Page, expect
from quotes import Demo

pytestmark = BROWSER
ANSWER = "本周活动：全屋水电八折。"


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """Its menus are published to the account."""
    return demo_alone


def tile(page: Page, path: str) -> Locator:
    """A button on the phone: "0" the first, "1.2" the third below the second."""
    return page.locator(f".menu-phone [data-path='{path}']")


def room(page: Page, path: str) -> Locator:
    """The place where a button can be added."""
    return page.locator(f".menu-phone [data-room='{path}']")


def field(page: Page, name: str) -> Locator:
    return page.locator(f".menu-fields [data-field={name}]")


def document(page: Page) -> Any:
    """What the box holds that is sent."""
    return json.loads(page.locator("textarea[name=document]").input_value())


def names(page: Page) -> list[str]:
    return [button["name"] for button in document(page)["button"]]


def make(page: Page, name: str, kind: str = "click", **fields: str) -> None:
    """Fill the fields of the button that was just added."""
    page.locator(".menu-fields select").select_option(kind)
    field(page, "name").fill(name)
    for label, value in fields.items():
        field(page, label).fill(value)


def add_page(page: Page, running: Demo, name: str, client: str = "") -> None:
    page.goto(f"{running.site}/admin/wechat/menu/add/")
    page.fill("[name=name]", name)
    if client:
        page.select_option("[name=client]", client)


def build(page: Page) -> None:
    """Three buttons, two of them with others below, by clicking and typing."""
    room(page, "0").click()
    make(page, "我的报价", "view", url="https://example.com/quotes")
    room(page, "1").click()
    make(page, "装修指南")
    field(page, "key").fill("GUIDE")
    room(page, "1.0").click()
    make(page, "最新活动", key="ACTIVITY")
    room(page, "1.2").click()
    make(page, "案例库😀", "miniprogram", appid="wx286b93c14bbf93aa", pagepath="pages/index/index")
    field(page, "url").fill("https://example.com/cases")
    room(page, "2").click()
    make(page, "联系客服", key="KF")


def add_rule(page: Page, site: str, key: str) -> None:
    """A rule that answers the key, made from the hint."""
    page.goto(f"{site}/admin/wechat/rule/add/?text={key}&source=click")
    page.locator(".rule-adds .rule-add", has=page.locator(".material-symbols-outlined", has_text="chat")).last.click()
    page.locator(".field-answers textarea.rule-input").first.fill(ANSWER)
    save(page, "_save")


def test_a_menu_is_built_compared_published_tapped_and_taken_back(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    add_rule(page, running.site, "ACTIVITY")
    add_page(page, running, "默认菜单")
    build(page)
    sent = document(page)
    assert [one["name"] for one in sent["button"]] == ["我的报价", "装修指南", "联系客服"]
    below = sent["button"][1]["sub_button"]
    assert [one["name"] for one in below] == ["装修指南", "最新活动", "案例库😀"]
    assert below[0]["key"] == "GUIDE", "the first one below takes over what the button did"
    assert set(below[2]) == {"type", "name", "appid", "pagepath", "url"}
    look = page.locator(".menu-check p.menu-look")
    expect(look).to_have_count(2)  # GUIDE and KF have no rule, ACTIVITY has one
    expect(page.locator(".menu-check p.menu-good")).to_be_visible()
    tile(page, "1.1").click()
    fits(page)
    picture(page, "menu-editor-1440")
    save(page, "_continue")
    page.locator("a[href$='/compare/']").first.click()
    page.wait_for_url("**/compare/")
    expect(page.locator("tr.menu-new")).to_have_count(6)
    page.locator("a.menu-publish").click()
    say_yes(page)
    page.wait_for_url(re.compile(r"/change/$"))
    expect(page.locator(".menu-versions li").first.locator(".menu-words")).to_contain_text("案例库😀")
    expect(page.locator(".menu-versions")).to_contain_text(re.compile("读回一致|read back the same"))
    picture(page, "menu-published-1440")
    tapped(running, admin)
    taken_back(page)


def tapped(running: Demo, admin: Any) -> None:
    """Somebody taps the button below the second one, and reads the rule's answer."""
    take_phone(running, "oMenuTapper00000000000000001", follows=True)
    phone = admin(PHONE)
    phone.goto(f"{running.simulator}/")
    phone.locator(".with-sub > button", has_text="装修指南").click()
    phone.locator(".sub-menu button", has_text="最新活动").click()
    expect(phone.locator(".lines")).to_contain_text(ANSWER)
    picture(phone, "menu-tapped-390")


def taken_back(page: Page) -> None:
    """Another version is published, compared, and the earlier one comes back."""
    tile(page, "2").click()
    field(page, "key").fill("OTHER")
    tile(page, "1.0").click()
    page.locator(".menu-heading .rule-tools button").last.click()
    expect(page.locator(".menu-dirty")).to_be_visible()
    save(page, "_compare")
    expect(page.locator("tr.menu-changed")).to_have_count(1)
    expect(page.locator("tr.menu-gone")).to_have_count(1)
    expect(page.locator("tr.menu-changed .menu-draft .menu-differs")).to_have_text("OTHER")
    fits(page)
    picture(page, "menu-compare-1440")
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    picture(page, "menu-compare-390")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("a.menu-publish").click()
    say_yes(page)
    page.wait_for_url(re.compile(r"/change/$"))
    rows = page.locator(".menu-versions li")
    expect(rows).to_have_count(2)
    rows.nth(1).locator("a.rule-add").click()
    say_yes(page)
    expect(page.locator(".menu-phone")).to_be_visible()
    expect(tile(page, "1.2")).to_be_visible()
    assert document(page)["button"][2]["key"] == "KF"
    deed(page, "publish")
    page.wait_for_url(re.compile(r"/admin/wechat/menu/\d+/change/"))
    expect(page.locator(".menu-versions li")).to_have_count(3)


def test_a_broken_limit_is_told_while_typing_and_by_the_platforms_rules(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    add_page(page, running, "超限", client="1")
    room(page, "0").click()
    field(page, "name").fill("装修报价咨询")
    count = page.locator(".menu-fields .rule-count").first
    expect(count).to_have_text("18 / 16 字节")
    expect(count).to_have_class(re.compile("rule-beyond"))
    field(page, "key").fill("K")
    page.locator(".menu-fields select").select_option("view")
    field(page, "url").fill("javascript:alert(1)")
    wrong = page.locator(".menu-check p.menu-wrong")
    expect(wrong).to_have_count(2)
    expect(wrong.first).to_contain_text("18")
    expect(tile(page, "0")).to_have_class(re.compile("menu-wrong"))
    save(page, "_continue")
    expect(page.locator(".errorlist, .errornote").first).to_be_visible()
    assert document(page)["button"][0]["url"] == "javascript:alert(1)", "nothing that was typed is lost"
    picture(page, "menu-limits-1440")
    page.locator(".menu-fields select").select_option("click")
    expect(field(page, "key")).to_have_value("")
    field(page, "key").fill("K")
    field(page, "name").fill("装修报价")
    expect(wrong).to_have_count(0)
    save(page, "_continue")
    expect(page).to_have_url(re.compile(r"/change/"))


def test_the_json_and_the_phone_agree_and_broken_json_loses_nothing(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    add_page(page, running, "手写", client="2")
    box = page.locator("textarea[name=document]")
    menu = {"button": [{"name": "更多", "sub_button": [{"type": "click", "name": "一", "key": "A", "extra": "kept"}]}]}
    box.fill(json.dumps(menu, ensure_ascii=False))
    expect(tile(page, "0.0")).to_have_text("一")
    tile(page, "0.0").click()
    field(page, "name").fill("改了")
    assert document(page)["button"][0]["sub_button"][0] == {
        "type": "click",
        "name": "改了",
        "key": "A",
        "extra": "kept",
    }
    expect(page.locator(".menu-check p.menu-wrong")).to_contain_text("extra")
    broken = '{\n  "button": [\n    {"type": "click" "name": "二"}\n  ]\n}'
    box.fill(broken)
    expect(page.locator(".menu-locked")).to_be_visible()
    expect(page.locator(".menu-check p.menu-wrong")).to_contain_text("3")
    page.locator(".menu-json-pane > .menu-where").click()
    assert page.evaluate("document.activeElement.name") == "document"
    assert broken[page.evaluate("document.activeElement.selectionStart")] == '"'
    assert page.locator(".menu-phone").evaluate("phone => phone.inert") is True
    expect(tile(page, "0.0")).to_have_text("改了")
    picture(page, "menu-broken-1440")
    save(page, "_continue")
    assert box.input_value() == broken
    twice = '{"button": [{"type": "click", "name": "一", "name": "二", "key": "A"}]}'
    box.fill(twice)
    expect(page.locator(".menu-locked")).to_be_visible()
    assert box.input_value() == twice
    box.fill(twice.replace('"name": "一", ', ""))
    expect(page.locator(".menu-locked")).to_be_hidden()
    expect(tile(page, "0")).to_have_text("二")
    assert page.locator(".menu-phone").evaluate("phone => phone.inert") is False


def test_buttons_are_moved_by_mouse_and_by_keyboard(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    add_page(page, running, "移动", client="3")
    tops = [{"type": "click", "name": name, "key": name} for name in "甲乙"]
    subs = [{"type": "click", "name": name, "key": name} for name in "一二三"]
    page.locator("textarea[name=document]").fill(json.dumps({"button": [*tops, {"name": "丙", "sub_button": subs}]}))
    tile(page, "0").drag_to(tile(page, "2"))
    assert names(page) == ["乙", "丙", "甲"]
    tile(page, "1.2").drag_to(tile(page, "1.0"))
    assert [one["name"] for one in document(page)["button"][1]["sub_button"]] == ["三", "一", "二"]
    tile(page, "1.0").focus()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    assert [one["name"] for one in document(page)["button"][1]["sub_button"]] == ["一", "二", "三"]
    expect(tile(page, "1.2")).to_be_focused()
    tile(page, "2").focus()
    page.keyboard.press("Alt+ArrowLeft")
    assert names(page) == ["乙", "甲", "丙"]
    page.keyboard.press("ArrowLeft")
    expect(tile(page, "0")).to_be_focused()
    tile(page, "2.0").click()
    remove = page.locator(".menu-heading .rule-tools button").last
    for _ in range(3):
        remove.click()
    assert document(page)["button"][2] == {"type": "click", "name": "丙", "key": ""}
    expect(room(page, "2.0")).to_be_visible()


def test_the_editor_fits_a_phone_in_the_dark(running: Demo, admin: Any) -> None:
    page = admin(PHONE, color_scheme="dark", has_touch=True)
    add_page(page, running, "手机", client="1")
    build(page)
    fits(page)
    picture(page, "menu-editor-390-dark")
    hostile = "<img src=x onerror=window.hurt=1>"
    tile(page, "1.0").tap()
    field(page, "name").fill(hostile)
    expect(tile(page, "1.0")).to_have_attribute("title", hostile)
    assert page.evaluate("window.hurt") is None
    field(page, "name").fill("指南")
    save(page, "_continue")
    fits(page)
    page.goto(f"{running.site}/admin/wechat/menu/")
    fits(page)
    picture(page, "menu-list-390-dark")


def test_which_menu_a_person_sees_and_why_not(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    ask(running, "/persons", {"openid": "oMenuSeer", "nickname": "小李", "follows": True})
    page.goto(f"{running.site}/admin/wechat/menu/")
    page.locator("#result_list tbody a").first.click()
    page.goto(page.url.replace("/change/", "/try_person/"))
    page.fill("[name=person]", "oMenuSeer")
    page.locator(".menu-try [type=submit]").click()
    expect(page.locator(".menu-seen .menu-tile", has_text="我的报价")).to_be_visible()
    picture(page, "menu-try-1440")
    page.fill("[name=person]", "oNobodyKnows")
    page.locator(".menu-try [type=submit]").click()
    expect(page.locator(".menu-failure")).to_contain_text("65302")
