"""The whole way in a real browser, over real processes: the quote, the scan, the card, the shared page.

SCREENSHOTS=folder keeps pictures of the pages, as a phone and as a desktop show them.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from quotes import Demo, demo, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (apt-get install chromium)"),
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
# Out of orders/samples.py: total, market price, saved, built area of the three quotes.
NUMBERS = [
    ("86,500", "99,300", "12,800", "111 ㎡"),
    ("158,000", "181,600", "23,600", "158 ㎡"),
    ("43,860.50", "49,060.50", "5,200", "65 ㎡"),
]
WATCH = (
    "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Site, worker and simulator, each a process of its own."""
    with demo(tmp_path_factory.mktemp("browser") / "demo") as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Window:
    """A browser window without a past, which keeps everything that its console complained about."""

    def __init__(self, browser: Browser, viewport: dict[str, int], **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(viewport=viewport, locale="zh-CN", **options)
        self.context.add_init_script(WATCH)
        self.complaints: list[str] = []
        self.context.on("page", self._watch)
        self.context.set_default_timeout(5000)
        self.page = self.context.new_page()

    def _watch(self, page: Page) -> None:
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def window(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Opens windows; at the end none of them may have complained."""
    opened: list[Window] = []

    def open_one(viewport: dict[str, int], **options: Any) -> Window:
        opened.append(Window(chromium, viewport, **options))
        return opened[-1]

    yield open_one
    complaints = [complaint for one in opened for complaint in one.complaints]
    for one in opened:
        one.context.close()
    assert complaints == []


def ask(running: Demo, path: str, body: Any = None, method: str = "POST") -> Any:
    """A request to the simulator's control API."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{running.simulator}/sim/api{path}", data, {"Content-Type": "application/json"}, method=method)
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def take_phone(running: Demo, openid: str, *, follows: bool) -> None:
    """A person with that openid, whose phone is in hand now."""
    ask(running, "/persons", {"openid": openid, "nickname": "小王", "follows": follows})
    ask(running, "/chosen", {"openid": openid}, "PUT")


def card(running: Demo, openid: str) -> dict[str, str] | None:
    """The last card on that person's phone."""
    lines = ask(running, f"/persons/{openid}/chat", method="GET")["chat"]
    articles = [line["articles"][0] for line in lines if line.get("articles")]
    return articles[-1] if articles else None


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def fits(page: Page) -> None:
    """Nothing sticks out at the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def scan_the_code(shown: Window) -> None:
    """Open the code's address from the page: the simulator takes it for a scan by the person in hand."""
    with shown.context.expect_page() as opened:
        shown.page.locator("[data-qr]").click()
    opened.value.close()


def card_arrives(running: Demo, openid: str, shown: Window) -> str:
    """The card is there within 2 s, and the page says so by itself. Returns the card's address."""
    wait_until(lambda: card(running, openid), 2, "the card")
    expect(shown.page.locator('[data-code][data-state="sent"]')).to_be_visible(timeout=5000)
    found = card(running, openid)
    assert found is not None
    return found["url"]


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
    shown = window(PHONE, user_agent="Mozilla/5.0 (iPhone) MicroMessenger/8.0.50")
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
    shown = window(PHONE, color_scheme=scheme)
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
    shown.complaints[:] = [line for line in shown.complaints if "404" not in line]  # the browser notes the status


def test_without_javascript_the_quote_and_its_code_are_there(running: Demo, window: Any) -> None:
    shown = window(PHONE, java_script_enabled=False)
    shown.page.goto(running.quotes[2])
    shows(shown.page, NUMBERS[2])
    assert shown.page.locator("[data-code] svg").count() >= 1
