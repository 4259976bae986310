"""The whole way in a real browser, over real processes: the quote, the scan, the card, the shared page."""

from typing import Any

import pytest
from browsing import (
    BROWSER,
    DESKTOP,
    IN_WECHAT,
    PHONE,
    ask,
    card,
    card_arrives,
    fits,
    picture,
    scan_the_code,
    take_phone,
)
from playwright.sync_api import Page, expect
from quotes import Demo

pytestmark = BROWSER
# Out of orders/samples.py: total, market price, saved, built area of the three quotes.
NUMBERS = [
    ("86,500", "99,300", "12,800", "111 ㎡"),
    ("158,000", "181,600", "23,600", "158 ㎡"),
    ("43,860.50", "49,060.50", "5,200", "65 ㎡"),
]


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """One whose three quotes nobody has scanned yet."""
    return demo_alone


def shows(page: Page, numbers: tuple[str, ...]) -> None:
    text = page.locator("main").inner_text()
    for number in numbers:
        assert number in text


@pytest.mark.parametrize(
    ("number", "follows", "viewport"),
    [(0, False, PHONE), (1, True, DESKTOP)],
    ids=["a stranger on a phone", "a follower on a desktop"],
)
def test_a_visitor_scans_gets_his_card_and_shares_it(
    running: Demo, window: Any, number: int, follows: bool, viewport: dict[str, int]
) -> None:
    openid, name = f"oBrowser_{number}_0000000000000", f"{viewport['width']}"
    take_phone(running, openid, follows=follows)
    shown = window(viewport)
    shown.page.goto(running.quotes[number])
    shows(shown.page, NUMBERS[number])
    expect(shown.page.locator('[data-code][data-state="waiting"] svg')).to_be_visible()
    fits(shown.page)
    picture(shown.page, f"quote-waiting-{name}")

    scan_the_code(shown)
    if not follows:
        assert card(running, openid) is None, "who does not follow sees the follow page first"
        ask(running, "/actions/follow", {"openid": openid})
    link = card_arrives(running, openid, shown)
    picture(shown.page, f"quote-sent-{name}")

    shown.page.goto(link)
    shows(shown.page, NUMBERS[number])
    fits(shown.page)
    picture(shown.page, f"shared-{name}")
    shared = shown.page.locator("main").inner_html()

    stranger = window(DESKTOP if viewport is PHONE else PHONE)
    stranger.page.goto(link)
    assert stranger.context.cookies() == []
    assert stranger.page.locator("main").inner_html() == shared
    fits(stranger.page)


def test_in_wechat_the_code_is_a_picture_to_press_on(running: Demo, window: Any) -> None:
    shown = window(PHONE, user_agent=IN_WECHAT)
    shown.page.goto(running.quotes[2])
    shows(shown.page, NUMBERS[2])
    code = shown.page.locator("[data-code] img")
    expect(code).to_be_visible()
    assert code.evaluate("image => image.naturalWidth") > 200
    expect(shown.page.locator("[data-code] .hint--wechat")).to_be_visible()
    fits(shown.page)
    picture(shown.page, "quote-in-wechat-390")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_without_a_quote_are_pages_too(running: Demo, window: Any, scheme: str) -> None:
    shown = window(PHONE, color_scheme=scheme, meant=("status of 404",))
    shown.page.goto(f"{running.site}/")
    expect(shown.page.locator("h1")).to_be_visible()
    fits(shown.page)
    picture(shown.page, f"home-390-{scheme}")
    shown.page.goto(running.quotes[2])
    picture(shown.page, f"quote-390-{scheme}")
    shown.page.goto(f"{running.site}/s/nothing/")
    expect(shown.page.locator("h1")).to_be_visible()
    fits(shown.page)
    picture(shown.page, f"missing-390-{scheme}")


def test_without_javascript_the_quote_and_its_code_are_there(running: Demo, window: Any) -> None:
    shown = window(PHONE, java_script_enabled=False)
    shown.page.goto(running.quotes[2])
    shows(shown.page, NUMBERS[2])
    assert shown.page.locator("[data-code] svg").count() >= 1
