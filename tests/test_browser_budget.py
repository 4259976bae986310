"""What a visitor's page may cost: how much travels, how often, from where, and whether anything moves while he reads."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from browsing import BROWSER, DESKTOP, PHONE, Window, fits
from playwright.sync_api import Browser, Page
from public_pages import PAGES
from quotes import Demo

pytestmark = BROWSER
WEIGHT = 100_000  # bytes on the wire, head and body, of the page and everything it loads
REQUESTS = 16
SHIFT = 0.01  # cumulative layout shift; 0.1 is called good
SHIFTS = """
window.shifted = 0;
const add = (list) => list.getEntries().forEach((one) => { window.shifted += one.hadRecentInput ? 0 : one.value; });
new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
"""


class Meter:
    """What a window loads: bytes as they travel, requests, hosts."""

    def __init__(self, window: Window) -> None:
        self.bytes = 0
        self.addresses: list[str] = []
        session = window.context.new_cdp_session(window.page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.requestWillBeSent", lambda event: self.addresses.append(event["request"]["url"]))

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += event["encodedDataLength"]

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(address).netloc for address in self.addresses if not address.startswith("data:")}


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_stands_still_and_needs_nobody_else(
    running: Demo, window: Any, pages: dict[str, str], name: str, viewport: dict[str, int]
) -> None:
    shown = window(viewport, meant=("status of 404",) if name == "missing" else ())
    shown.page.add_init_script(SHIFTS)
    meter = Meter(shown)
    shown.page.goto(pages[name], wait_until="networkidle" if "quote" not in name else "load")
    shown.page.wait_for_timeout(300)
    assert meter.hosts == {urlsplit(running.site).netloc}
    assert meter.bytes < WEIGHT, f"{meter.bytes} bytes"
    assert len(meter.addresses) <= REQUESTS, meter.addresses
    assert shown.page.evaluate("window.shifted") <= SHIFT


@pytest.fixture(scope="module")
def phone(chromium: Browser) -> Iterator[Page]:
    """One phone for all pages at twice the size of text."""
    context = chromium.new_context(viewport=PHONE, locale="zh-CN")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_at_twice_the_size_of_text(phone: Page, pages: dict[str, str], name: str) -> None:
    phone.goto(pages[name])
    phone.evaluate("document.documentElement.style.fontSize = '200%'")
    fits(phone)
    cut = phone.evaluate(
        """() => [...document.querySelectorAll("main *, header *")].filter((one) => one.children.length === 0
             && one.textContent.trim() && getComputedStyle(one).overflowX === "hidden"
             && !one.classList.contains("visually-hidden") && one.scrollWidth > one.clientWidth + 1)
           .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert cut == []
