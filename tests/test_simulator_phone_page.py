"""The phone page in a real browser: scan, follow, read, write; what people typed stays text."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from wechat.simulator.accounts import Account, Code
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs a system Chromium")]


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    account = Account(
        appid="wx0123456789abcdef", secret="secret", token="token", callback_url="http://127.0.0.1:1/none"
    )
    platform = Platform(account)
    platform.settings.push_repeats = 0
    with SimulatorServer(platform) as running:
        yield running


@pytest.fixture
def page(server: SimulatorServer) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(server.url)
        yield page
        browser.close()


def test_a_newcomer_scans_follows_reads_and_writes(server: SimulatorServer, page: Page) -> None:
    platform = server.platform
    [account] = platform.accounts.values()
    code = Code("ticket", "key", f"{server.url}/q/key", "77", is_text=False, created=0, expires=None)
    account.codes["ticket"], platform.codes_by_key["key"] = code, (account, code)
    page.click(".welcome button")
    page.click(".home .nav button")
    page.click(".codes button")
    page.click(".profile .large")
    expect(page.locator(".conversation .notice")).to_be_visible()
    [person] = platform.persons.values()
    assert (person.follows, person.qr_scene) == (True, 77)
    article = {"title": HOSTILE, "description": HOSTILE, "picurl": HOSTILE, "url": "javascript:alert(1)"}
    platform.say(person, who="account", kind="news", articles=[article])
    expect(page.locator(".card strong")).to_have_text(HOSTILE)
    page.click(".card .top")
    expect(page.locator("#toast")).to_be_visible()
    page.fill(".write textarea", HOSTILE)
    page.press(".write textarea", "Enter")
    expect(page.locator(".mine .bubble")).to_have_text(HOSTILE)
    assert page.title() != "owned"
    assert page.locator(".lines img[src='x']").count() == 0
