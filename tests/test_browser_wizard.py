"""An account is connected in a real browser, from nothing to a published menu, and nothing is typed twice."""

from typing import Any

import pytest
from browsing import BROWSER, DESKTOP, PHONE, ask, keep
from playwright.sync_api import Page, expect
from quotes import Demo, wait_until

pytestmark = BROWSER
APPIDS = {1440: "wxdesktop00000001", 390: "wxphone0000000001"}
SECRET = "0123456789abcdef0123456789abcdef"
SLOW = 30_000  # milliseconds: the check-up makes real calls


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """It connects accounts and publishes menus."""
    return demo_alone


def press(page: Page, deed: str) -> None:
    page.click(f"button[name=do][value={deed}]")
    page.wait_for_load_state()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_an_account_is_connected_from_nothing_to_a_published_menu(
    running: Demo, admin: Any, viewport: dict[str, int], scheme: str
) -> None:
    width, page = viewport["width"], admin(viewport, color_scheme=scheme)
    appid = APPIDS[width]
    ask(running, "/accounts", {"appid": appid, "secret": SECRET, "token": "none", "ip_allowlist": ["198.51.100.7"]})
    page.goto(f"{running.site}/admin/wechat/account/connect_new/")
    keep(page, f"wizard-1-{width}")
    page.fill("[name=name]", f"宽 {width}")
    page.fill("[name=appid]", appid)
    page.fill("[name=appsecret]", SECRET)
    page.click("main form button[type=submit], #content form button[type=submit]")
    page.wait_for_url("**/connect/")
    address, token, key = (page.locator(f"#copy{number}").input_value() for number in (1, 2, 3))
    expect(page.locator("#handshake")).to_have_attribute("data-state", "waiting")
    keep(page, f"wizard-2-{width}")
    # What a person does in the platform's console: three values copied, submit.
    console = {"callback_url": address, "token": token, "aes_key": key, "mode": "safe"}
    ask(running, f"/accounts/{appid}", console, "PATCH")
    # Another process of the site learns of the new account within a second or two.
    wait_until(lambda: ask(running, f"/accounts/{appid}/verify", {})["ok"], 5, "the handshake")
    expect(page.locator("#handshake")).to_have_attribute("data-state", "seen")
    keep(page, f"wizard-2-seen-{width}")
    press(page, "entered")
    expect(page.locator("body")).not_to_contain_text(token)
    press(page, "fetch")
    expect(page.locator("main, #content").first).to_contain_text("127.0.0.1")
    keep(page, f"wizard-3-refused-{width}")
    ask(running, f"/accounts/{appid}", {"ip_allowlist": []}, "PATCH")
    press(page, "fetch")
    expect(page.locator(".ap-finding.ap-ok")).to_have_count(5)
    keep(page, f"wizard-4-{width}")
    press(page, "publish")
    expect(page.locator(".ap-steps [aria-current]")).to_have_count(1)
    keep(page, f"wizard-5-{width}")
    accounts = ask(running, "/accounts", method="GET")["accounts"]
    [mine] = [one for one in accounts if one["appid"] == appid]
    assert len(mine["menu"]["button"]) == 3


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_the_check_up_shows_how_far_it_is_and_what_it_found(
    running: Demo, admin: Any, viewport: dict[str, int], scheme: str
) -> None:
    page = admin(viewport, color_scheme=scheme)
    page.goto(f"{running.site}/admin/wechat/account/doctor/")
    page.click("#parts button[type=submit]")
    expect(page.locator("#parts button[type=submit]")).to_be_enabled(timeout=SLOW)
    assert page.locator("[data-part] .ap-finding").count() > 10
    expect(page.locator("[data-part=installation] .ap-bad.ap-finding")).to_have_count(0)
    keep(page, f"doctor-{viewport['width']}")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_the_quotas_are_asked_for_at_a_press(running: Demo, admin: Any, viewport: dict[str, int], scheme: str) -> None:
    page = admin(viewport, color_scheme=scheme)
    page.goto(f"{running.site}/admin/wechat/account/quota/")
    press(page, "ask")
    expect(page.locator(".ap-quota meter").first).to_be_visible()
    keep(page, f"quota-{viewport['width']}")
