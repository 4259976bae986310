"""A rule made in a real browser, by clicking and typing, in light and dark, on a desktop and on a phone."""

import json
from typing import Any

import pytest
from browsing import BROWSER, DESKTOP, PHONE, fits, picture, save
from playwright.sync_api import Locator, Page, expect
from quotes import Demo

pytestmark = BROWSER
TITLE = "两分钟算出您家的装修预算"


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """Its rules answer what others write."""
    return demo_alone


def line(page: Page, number: int) -> Locator:
    """A keyword of the form."""
    return page.locator(".rule-line").nth(number)


def card(page: Page, number: int) -> Locator:
    """An answer of the form."""
    return page.locator(".field-answers .rule-editor > div > .rule-list > .rule-item").nth(number)


def phone(page: Page) -> Locator:
    return page.locator("[data-preview] .wx-lines")


def add_answer(page: Page, icon: str) -> None:
    page.locator(".rule-adds .rule-add", has=page.locator(".material-symbols-outlined", has_text=icon)).last.click()


def sent(page: Page, name: str) -> Any:
    """What the box holds that is sent."""
    return json.loads(page.locator(f"textarea[name={name}]").input_value())


def open_rule(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/admin/wechat/rule/")
    page.locator("#result_list a", has_text=name).first.click()
    expect(page.locator(".rule-editor").first).to_be_visible()


def make_rule(page: Page, site: str, name: str) -> None:
    """Two keywords and a news card, by clicking and typing."""
    page.goto(f"{site}/admin/wechat/rule/add/")
    page.fill("[name=name]", name)
    page.locator(".field-keywords .rule-add").click()
    page.keyboard.type("报价")
    page.keyboard.press("Enter")
    page.keyboard.type("多少钱")
    line(page, 1).locator("select").select_option("contains")
    expect(phone(page)).to_contain_text("报价")
    add_answer(page, "newspaper")
    boxes = card(page, 0).locator("textarea, input")
    boxes.nth(0).press_sequentially(TITLE)
    expect(phone(page).locator(".wx-card")).to_contain_text(TITLE)
    boxes.nth(1).fill("输入面积与城市")
    boxes.nth(2).fill(f"{site}/static/img/card.png")
    boxes.nth(3).fill("https://example.com/")
    expect(phone(page).locator(".wx-card")).to_contain_text("输入面积与城市")
    expect(phone(page).locator(".wx-card img")).to_be_visible()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_staff_make_a_rule_see_the_preview_change_and_find_the_rule(
    running: Demo, admin: Any, viewport: dict[str, int], scheme: str
) -> None:
    name = f"报价 {viewport['width']}"
    page = admin(viewport, color_scheme=scheme)
    make_rule(page, running.site, name)
    fits(page)
    picture(page, f"rule-form-{viewport['width']}-{scheme}")
    save(page)
    page.wait_for_url("**/admin/wechat/rule/")
    row = page.locator("#result_list tbody", has_text=name)
    for text in ("报价", "多少钱", TITLE):
        expect(row).to_contain_text(text)
    expect(row.locator("svg[role=img] path")).to_have_count(1)
    fits(page)
    picture(page, f"rule-list-{viewport['width']}-{scheme}")
    row.locator(".rule-switch").click()
    expect(page.locator("#result_list tbody", has_text=name).locator(".rule-switch")).to_have_attribute(
        "aria-checked", "false"
    )


def test_keywords_and_answers_are_moved_by_keyboard_and_by_mouse(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    page.goto(f"{running.site}/admin/wechat/rule/add/")
    for text in ("a", "b", "c"):
        page.locator(".field-keywords .rule-add").click()
        page.keyboard.type(text)
    line(page, 0).locator(".rule-tools button").nth(1).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert [each["text"] for each in sent(page, "keywords")] == ["b", "c", "a"]
    grip, first = line(page, 2).locator(".rule-grip"), line(page, 0)
    grip.hover()
    page.mouse.down()
    target = first.bounding_box()
    assert target
    for step in (60, 30, 2):
        page.mouse.move(target["x"] + 12, target["y"] + step)
    page.mouse.up()
    assert [each["text"] for each in sent(page, "keywords")] == ["a", "b", "c"]
    line(page, 1).locator(".rule-tools button").last.click()
    assert [each["text"] for each in sent(page, "keywords")] == ["a", "c"]
    expect(phone(page)).to_contain_text("a")


def test_a_card_takes_eight_articles_and_a_rule_five_answers(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    page.goto(f"{running.site}/admin/wechat/rule/add/")
    add_answer(page, "newspaper")
    more = card(page, 0).locator(".rule-add").last
    for _ in range(7):
        more.click()
    expect(more).to_be_disabled()
    assert len(sent(page, "answers")[0]["articles"]) == 8
    for _ in range(4):
        add_answer(page, "chat")
    assert page.locator(".rule-adds .rule-add:enabled").count() == 1, "only keywords may still be added"


def test_bytes_are_counted_and_placeholders_inserted_while_typing(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    page.goto(f"{running.site}/admin/wechat/rule/add/")
    add_answer(page, "chat")
    box = card(page, 0).locator("textarea")
    box.fill("您好")
    expect(card(page, 0).locator(".rule-count")).to_contain_text("6 / 2,048")
    card(page, 0).locator("summary").click()
    card(page, 0).locator(".rule-inserts button", has_text="##NICKNAME##").click()
    assert box.input_value() == "您好##NICKNAME##"
    assert sent(page, "answers")[0]["content"] == "您好##NICKNAME##"
    expect(phone(page)).not_to_contain_text("##")
    box.fill("字" * 700)
    expect(card(page, 0).locator(".rule-warning")).to_contain_text("字…")
    expect(card(page, 0).locator(".rule-beyond")).to_be_visible()
    expect(phone(page)).to_contain_text("字…")


def test_a_complaint_stands_beside_its_item_until_it_is_worked_on(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    make_rule(page, running.site, "报错")
    page.locator(".field-keywords .rule-add").click()
    line(page, 2).locator("select").select_option("regex")
    line(page, 2).locator("textarea").fill("(abc")
    add_answer(page, "image")
    save(page, "_continue")
    wrong = line(page, 2)
    expect(wrong.locator(".rule-error")).to_be_visible()
    expect(line(page, 0).locator(".rule-error")).to_have_count(0)
    expect(card(page, 1).locator(".rule-body > .rule-error")).to_be_visible()
    expect(page.locator(".field-keywords .errorlist")).to_be_hidden()
    assert wrong.locator("textarea").input_value() == "(abc"
    expect(card(page, 0).locator("textarea").first).to_have_value(TITLE)
    wrong.locator("textarea").fill("(abc)")
    expect(wrong.locator(".rule-error")).to_have_count(0)
    card(page, 1).locator("input, textarea").first.fill("MEDIA_1")
    save(page, "_continue")
    expect(page.locator(".rule-wrong")).to_have_count(0)
    assert [each["text"] for each in sent(page, "keywords")] == ["报价", "多少钱", "(abc)"]


def test_foreign_text_is_text_in_the_form_and_on_the_phone(running: Demo, admin: Any) -> None:
    hostile = '</script><img src=x onerror="window.hurt=1">]]> =1+1\n\u202e😀'
    page = admin(DESKTOP)
    page.goto(f"{running.site}/admin/wechat/rule/add/")
    page.fill("[name=name]", "<b>外来</b>")
    page.locator(".field-keywords .rule-add").click()
    line(page, 0).locator("textarea").fill(hostile)
    add_answer(page, "chat")
    card(page, 0).locator("textarea").fill(hostile)
    expect(phone(page).locator(".wx-bubble")).to_have_count(2)
    assert phone(page).locator(".wx-bubble").last.inner_text() == hostile
    save(page)
    open_rule(page, running.site, "<b>外来</b>")
    assert line(page, 0).locator("textarea").input_value() == hostile
    assert card(page, 0).locator("textarea").input_value() == hostile
    assert sent(page, "answers")[0]["content"] == hostile
    assert page.evaluate("window.hurt") is None
    assert page.locator("img[src=x]").count() == 0


def test_without_its_script_the_boxes_hold_json_that_can_be_edited(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    make_rule(page, running.site, "无脚本")
    save(page)
    page.route("**/js/rule_form.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(f"{running.site}/admin/wechat/rule/")
    page.locator("#result_list a", has_text="无脚本").first.click()
    assert [each["text"] for each in sent(page, "keywords")] == ["报价", "多少钱"]
    expect(phone(page)).to_contain_text(TITLE)
    page.fill("textarea[name=keywords]", '[{"kind": "exact", "text": "预算"}]')
    save(page, "_continue")
    assert sent(page, "keywords") == [{"kind": "exact", "text": "预算"}]
