"""Staff and a person talk to each other in a real browser: he on his phone, they on the conversation page."""

from typing import Any

import pytest
from browsing import BROWSER, DESKTOP, PHONE, ask, fits, picture, take_phone, writes
from playwright.sync_api import Browser, Page, expect
from quotes import Demo, wait_until

pytestmark = BROWSER
HOSTILE = "<script>alert(1)</script> &amp; =1+1 😀"  # `]]>` would tear the platform's own XML apart


def on_phone(running: Demo, openid: str) -> list[dict[str, Any]]:
    """What the account said, as the phone shows it."""
    chat = ask(running, f"/persons/{openid}/chat", method="GET")["chat"]
    return [line for line in chat if line["who"] == "account" and line.get("via") == "customer_service"]


def open_conversation(page: Page, site: str, openid: str) -> None:
    page.goto(f"{site}/admin/wechat/follower/?q={openid}")
    page.locator("#result_list tbody a").first.click()
    page.locator("a[href$='/conversation/']:visible").first.click()
    expect(page.locator("#conversation")).to_be_visible()


def type_and_send(page: Page, text: str) -> None:
    page.fill("[name=content]", text)
    page.press("[name=content]", "Enter")
    expect(page.locator("[name=content]")).to_have_value("")


def spend(page: Page, running: Demo, openid: str) -> None:
    """Use up what is left of his window, and see each message arrive."""
    left = int(page.locator(".cv-left b").inner_text())
    for number in range(left):
        text = f"第 {number + 1} 条答复 <b>]]>"
        type_and_send(page, text)
        wait_until(lambda text=text: text in [line.get("text") for line in on_phone(running, openid)], 5, text)


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "light")], ids=["desktop", "phone"])
def test_staff_answer_until_the_window_is_used_up(
    running: Demo, admin: Any, viewport: dict[str, int], scheme: str
) -> None:
    width = viewport["width"]
    openid = f"oTalk_{width:0>20}"
    take_phone(running, openid, follows=True)
    writes(running, openid, "你们家三居室大概多少钱？")
    page = admin(viewport, color_scheme=scheme)
    open_conversation(page, running.site, openid)
    expect(page.locator(".cv-lines")).to_contain_text("三居室")
    fits(page)
    picture(page, f"conversation-open-{width}")
    writes(running, openid, HOSTILE)
    expect(page.locator(".cv-lines")).to_contain_text(HOSTILE)  # by itself
    spend(page, running, openid)
    expect(page.locator(".cv-box")).to_have_attribute("data-open", "0")
    expect(page.locator(".cv-notice")).to_be_visible()
    expect(page.locator(".cv-send")).to_be_hidden()
    fits(page)
    picture(page, f"conversation-closed-{width}")
    page.locator("[for=cv-wait]").click()
    type_and_send(page, "明天给您详细报价")
    expect(page.locator(".cv-state.cv-warning")).to_be_visible()
    picture(page, f"conversation-owed-{width}")
    writes(running, openid, "我在")
    wait_until(
        lambda: "明天给您详细报价" in [line.get("text") for line in on_phone(running, openid)], 5, "the owed one"
    )
    expect(page.locator(".cv-box")).to_have_attribute("data-open", "1")
    expect(page.locator(".cv-state.cv-warning")).to_have_count(0)


def test_choices_a_card_and_an_agent_reach_the_phone_and_mistakes_cost_nothing(running: Demo, admin: Any) -> None:
    openid = "oTalk_choices_00000000000000"
    take_phone(running, openid, follows=True)
    writes(running, openid, "您好")
    page = admin(DESKTOP, color_scheme="dark", meant=("status of 400",))
    open_conversation(page, running.site, openid)
    page.locator(".cv-kinds label", has=page.locator("[value=msgmenu]")).click()
    page.fill("[name=head]", "本次服务是否满意？")
    page.click(".cv-send")
    expect(page.locator("[data-field=items] .cv-error")).not_to_be_empty()
    expect(page.locator("[name=head]")).to_have_value("本次服务是否满意？")
    page.fill("[name=items]", "满意\n不满意")
    expect(page.locator("[name=agent] option")).to_have_count(3)
    page.select_option("[name=agent]", "anna@wxhub")
    picture(page, "conversation-choices-dark")
    page.click(".cv-send")
    wait_until(lambda: [line for line in on_phone(running, openid) if line["kind"] == "msgmenu"], 5, "the choices")
    assert next(line for line in on_phone(running, openid) if line["kind"] == "msgmenu")["agent"] == "客服小安"
    page.locator(".cv-kinds label", has=page.locator("[value=news]")).click()
    page.fill("[name=title]", "三居室案例")
    page.fill("[name=url]", f"{running.site}/")
    page.click(".cv-send")
    wait_until(lambda: [line for line in on_phone(running, openid) if line["kind"] == "news"], 5, "the card")
    expect(page.locator(".cv-lines")).to_contain_text("三居室案例")
    picture(page, "conversation-sent-dark")


def test_what_was_typed_survives_a_reload_and_a_lost_connection(running: Demo, admin: Any) -> None:
    openid = "oTalk_draft_0000000000000000"
    take_phone(running, openid, follows=True)
    writes(running, openid, "您好")
    page = admin(DESKTOP, meant=("net::ERR_FAILED",))
    open_conversation(page, running.site, openid)
    page.fill("[name=content]", "写了很久的话")
    page.reload()
    expect(page.locator("[name=content]")).to_have_value("写了很久的话")
    page.route("**/conversation/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.click(".cv-send")
    expect(page.locator(".cv-errors")).not_to_be_empty()
    expect(page.locator("[name=content]")).to_have_value("写了很久的话")
    page.unroute("**/conversation/")
    page.click(".cv-send")
    expect(page.locator("[name=content]")).to_have_value("")
    wait_until(lambda: [line for line in on_phone(running, openid) if line.get("text") == "写了很久的话"], 5, "it")


def test_older_lines_come_on_demand_and_the_page_works_without_its_script(
    running: Demo, admin: Any, chromium: Browser
) -> None:
    openid = "oTalk_older_0000000000000000"
    take_phone(running, openid, follows=True)
    for number in range(40):
        writes(running, openid, f"第{number}句话")
    page = admin(DESKTOP)
    open_conversation(page, running.site, openid)
    address = page.url
    expect(page.locator(".cv-lines")).not_to_contain_text("第0句话")
    while page.locator(".cv-older a").count():
        before = page.locator(".cv-turn").count()
        page.locator(".cv-older a").click()
        expect(page.locator(".cv-turn")).not_to_have_count(before)
    expect(page.locator(".cv-lines")).to_contain_text("第0句话")
    expect(page.locator(".cv-day")).to_have_count(1)
    without = chromium.new_context(storage_state=page.context.storage_state())
    plain = without.new_page()
    plain.route("**/conversation*.js", lambda route: route.abort())  # the theme itself shows nothing without its own
    plain.goto(address)
    plain.fill("[name=content]", "没有脚本也行")
    plain.click(".cv-send")
    expect(plain.locator(".cv-lines")).to_contain_text("没有脚本也行")
    without.close()
