"""A template message to a tag of 200 people, in a real browser: tag, synchronise, fill in, confirm, watch it arrive."""

from typing import Any

import pytest
from browsing import BROWSER, DESKTOP, ask, deed, fits, picture, save
from playwright.sync_api import Page, expect
from quotes import Demo, wait_until

pytestmark = BROWSER
MANY = 200


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """It counts followers and messages."""
    return demo_alone


def known_people(page: Page, running: Demo) -> str:
    """200 followers with a tag, one of whom wants no messages; both known here. Returns that one's openid."""
    page.goto(f"{running.site}/admin/wechat/tag/add/")
    page.fill("[name=name]", "老客户")
    save(page)
    number = 100  # the first that the simulator gives out
    blocker: str = ask(running, "/followers", {"count": MANY, "tags": [number]})["first"]
    ask(running, f"/persons/{blocker}", {"muted": True}, "PATCH")
    page.goto(f"{running.site}/admin/wechat/syncrun/")
    deed(page, "start_sync")
    expect(page.locator("body")).to_contain_text("已完成", timeout=30_000)
    return blocker


def test_a_template_goes_to_a_tag_of_200_and_one_refuses(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    page.set_default_timeout(15_000)
    known_people(page, running)

    page.goto(f"{running.site}/admin/wechat/messagetemplate/")
    deed(page, "synchronise")
    page.locator("#result_list a", has_text="报价生成通知").first.click()
    page.locator("a[href*=send_it]").first.click()
    for name, value in (
        ("thing1", "整装报价"),
        ("amount2", "86500.00元"),
        ("time3", "2026年1月5日 15:01"),
        ("number4", "89"),
    ):
        page.fill(f"[name=field_{name}]", value)
    expect(page.locator("[data-preview]")).to_contain_text("整装报价")
    page.select_option("[name=to]", "tag")
    tag = page.locator("[name=tag] option", has_text="老客户").get_attribute("value")
    page.select_option("[name=tag]", tag)
    fits(page)
    picture(page, "template-form-1440")
    page.locator("#template-form [type=submit]").click()
    expect(page.locator(".tp-ask")).to_contain_text(f"{MANY}")
    picture(page, "template-confirm-1440")
    page.locator(".tp-ask [type=submit]").click()

    expect(page.locator("body")).to_contain_text(f"{MANY} / {MANY}", timeout=30_000)
    wait_until(lambda: "用户拒收" in page.locator("main, #content").first.inner_text(), 20, "the refusal")
    fits(page)
    picture(page, "template-job-1440")
    account = ask(running, "/accounts", method="GET")["accounts"][0]["appid"]
    assert ask(running, f"/accounts/{account}/sent", method="GET")["total"] == MANY
