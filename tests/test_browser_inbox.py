"""The whole way of a rule in a browser: made, tried, answered on the phone, found in the inbox, run again without effects."""

from typing import Any

import pytest
from browsing import BROWSER, DESKTOP, PHONE, ask, card, fits, picture, save, take_phone
from playwright.sync_api import expect
from quotes import Demo, wait_until
from test_browser_rules import TITLE, make_rule

pytestmark = BROWSER


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """Its rules answer what others write."""
    return demo_alone


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_a_rule_is_made_tried_answered_and_found_again(
    running: Demo,
    admin: Any,
    viewport: dict[str, int],
    scheme: str,
) -> None:
    width, openid = viewport["width"], f"oInbox_{viewport['width']:021d}"
    page = admin(viewport, color_scheme=scheme)
    make_rule(page, running.site, f"报价 {width}")
    save(page)
    page.wait_for_url("**/admin/wechat/rule/")

    page.goto(f"{running.site}/admin/wechat/rule/try/")
    page.fill("[name=content]", "请问多少钱一平米")
    page.locator("#trial [type=submit]").click()
    expect(page.locator("#result")).to_contain_text(TITLE)
    fits(page)
    picture(page, f"try-{width}")

    take_phone(running, openid, follows=True)
    ask(running, "/actions/text", {"openid": openid, "text": "请问多少钱一平米"})
    wait_until(lambda: card(running, openid), 3, "the answer of the rule")
    found = card(running, openid)
    assert found is not None
    assert found["title"] == TITLE

    page.goto(f"{running.site}/admin/wechat/push/?q={openid}")
    expect(page.locator("#result_list tbody").first).to_contain_text("请问多少钱一平米")
    fits(page)
    picture(page, f"inbox-{width}")
    page.locator("#result_list tbody a").first.click()
    expect(page.locator("#content, main").first).to_contain_text(f"报价 {width}")
    fits(page)
    picture(page, f"push-{width}")
    again = page.locator("a[href*=rehearse]").first.get_attribute("href")
    page.goto(f"{running.site}{again}")
    expect(page.locator("#content, main").first).to_contain_text(TITLE)
    fits(page)
    picture(page, f"rehearsal-{width}")
    assert len(ask(running, f"/persons/{openid}/chat", method="GET")["chat"]) == 2, "nothing more was sent"
