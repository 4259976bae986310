"""What the browser tests share: the running demo, windows that remember complaints, the hands of a visitor and of staff.

The fixtures `running`, `demo_alone`, `chromium`, `window` and `admin` stand in conftest.py for every test file; the rest is
imported from here. SCREENSHOTS=folder keeps pictures of the pages, as a phone and as a desktop show them.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from quotes import Demo, demo, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER = [  # pytestmark of every file that drives one
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (apt-get install chromium)"),
    pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="its demo has a SQLite database of its own"),
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
IN_WECHAT = "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"
WATCH = (
    "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))"
)
Opener = Callable[..., Any]


class Window:
    """A browser window without a past, which keeps everything that its console complained about.

    `meant` are words of complaints that the test causes on purpose, such as "status of 404".
    """

    def __init__(
        self, browser: Browser, viewport: dict[str, int], *, meant: tuple[str, ...] = (), **options: Any
    ) -> None:
        self.context: BrowserContext = browser.new_context(viewport=viewport, locale="zh-CN", **options)
        self.context.add_init_script(WATCH)
        self.meant = meant
        self.complaints: list[str] = []
        self.context.on("page", self._watch)
        self.context.set_default_timeout(5000)
        self.page = self.context.new_page()

    def _watch(self, page: Page) -> None:
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._keep(f"{page.url}: {error}"))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._keep(f"{message.location.get('url')}: {message.text}")

    def _keep(self, complaint: str) -> None:
        if not any(words in complaint for words in self.meant):
            self.complaints.append(complaint)


# The fixtures.


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Site, worker and simulator, each a process of its own, shared by the test files: they take persons of their own."""
    with demo(tmp_path_factory.mktemp("shared") / "demo") as started:
        yield started


@pytest.fixture(scope="module")
def demo_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The same for one test file alone: a file that changes what all see says `running` is this one."""
    with demo(tmp_path_factory.mktemp("alone") / "demo") as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one test file: while it is open, no test of this process may use the database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser) -> Iterator[Opener]:
    """Opens windows: `window(PHONE, color_scheme="dark")`; at the end none of them may have complained."""
    opened: list[Window] = []

    def open_one(viewport: dict[str, int], **options: Any) -> Window:
        opened.append(Window(chromium, viewport, **options))
        return opened[-1]

    yield open_one
    complaints = [complaint for one in opened for complaint in one.complaints]
    for one in opened:
        one.context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def admin(window: Opener, running: Demo, signed_in: Any) -> Opener:
    """Opens pages of windows that are signed in as the demo's administrator: `admin(DESKTOP)`."""

    def open_one(viewport: dict[str, int], **options: Any) -> Page:
        page: Page = window(viewport, timezone_id="Asia/Shanghai", storage_state=signed_in, **options).page
        return page

    return open_one


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, running: Demo) -> Any:
    """The cookies of the demo's administrator."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{running.site}/admin/login/?next=/admin/wechat/account/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", json.loads((running.folder / "secrets.json").read_text())["password"])
    page.click("[type=submit]")
    page.wait_for_url("**/admin/wechat/account/")
    state = context.storage_state()
    context.close()
    return state


# Looking.


def picture(page: Page, name: str) -> None:
    """A picture of the whole page, where the runner asks for pictures."""
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def fits(page: Page) -> None:
    """Nothing sticks out at the side of the page that has arrived."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def keep(page: Page, name: str) -> None:
    """Nothing sticks out; and a picture."""
    fits(page)
    picture(page, name)


# The simulator and its phone.


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


def writes(running: Demo, openid: str, text: str) -> None:
    """The person writes on his phone, and the push has arrived."""
    ask(running, "/actions/text", {"openid": openid, "text": text, "wait": 10})


def card(running: Demo, openid: str) -> dict[str, str] | None:
    """The last card on that person's phone."""
    lines = ask(running, f"/persons/{openid}/chat", method="GET")["chat"]
    articles = [line["articles"][0] for line in lines if line.get("articles")]
    return articles[-1] if articles else None


# The visitor.


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


# Staff.


def save(page: Page, button: str = "_save") -> None:
    """Send the form with one of the buttons below it."""
    page.click(f"[name={button}]")
    page.wait_for_load_state()


def say_yes(page: Page) -> None:
    """Agree to what the dialog asks."""
    page.locator("#dialog [type=submit]").click()
    page.wait_for_load_state()


def deed(page: Page, name: str) -> None:
    """One of the buttons above a list or a form, wherever the width puts it, and yes to its question."""
    link = page.locator(f"a[hx-get*='/{name}/'], a[hx-get$='/{name}']").first
    if not link.is_visible():
        page.locator("span.material-symbols-outlined", has_text="more_horiz").locator("visible=true").first.click()
    link.click()
    say_yes(page)
