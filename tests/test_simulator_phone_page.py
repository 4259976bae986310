"""The phone page in a real browser: scan, follow, read, write, tap the menu; what people typed stays text."""

import shutil
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from wechat.simulator.accounts import Account, Code, Person
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(server: SimulatorServer, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(server.url)
    yield page
    page.close()


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


@pytest.fixture
def person(server: SimulatorServer) -> Person:
    """Somebody who follows an account with a menu."""
    [account] = server.platform.accounts.values()
    tool = {"type": "scancode_waitmsg", "name": "扫一扫报价单二维码查询", "key": "S"}
    photos = {"type": "pic_weixin", "name": HOSTILE[:12], "key": "P"}
    place = {"type": "location_select", "name": "位置", "key": "L"}
    account.menus.publish(
        [{"name": "五个汉字呀", "sub_button": [tool, photos, place]}, {"type": "view", "name": "官网"}]
    )
    return server.platform.add_person(account, openid="oPerson", follows=True)


def pushed(server: SimulatorServer, event: str) -> str:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for entry in server.platform.journal.find(kind="push", event=event):
            return str(entry["xml"])
        time.sleep(0.01)
    raise AssertionError(f"no push of {event}")


def test_the_menu_opens_upwards_and_asks_for_what_its_buttons_need(
    server: SimulatorServer, person: Person, page: Page
) -> None:
    opener, sub = page.locator(".menu-bar button").first, page.locator(".sub-menu")
    expect(opener).to_have_text("五个汉字…")
    expect(sub).to_be_hidden()
    opener.click()
    expect(sub.locator("button").first).to_have_text("扫一扫报价单二维…")
    above, bar = sub.bounding_box(), page.locator(".menu-bar").bounding_box()
    assert above is not None
    assert bar is not None
    assert above["x"] >= 0
    assert above["y"] + above["height"] <= bar["y"]
    sub.locator("button").first.click()
    expect(sub).to_be_hidden()
    page.fill(".drawer input", HOSTILE)
    page.click(".drawer .paste button")
    assert f"<ScanResult><![CDATA[{HOSTILE}]]></ScanResult>" in pushed(server, "scancode_waitmsg")
    opener.click()
    sub.locator("button").nth(1).click()
    page.click(".photos button >> nth=0")
    page.click(".photos button >> nth=2")
    page.click(".drawer > .large")
    expect(page.locator(".mine .picture img")).to_have_count(2)
    assert "<Count>2</Count>" in pushed(server, "pic_weixin")
    opener.click()
    sub.locator("button").nth(2).click()
    page.click(".drawer .rows button >> nth=1")
    assert "30.572816" in pushed(server, "location_select")
    assert page.title() != "owned"


def test_a_drawer_can_be_left_without_doing_anything(server: SimulatorServer, person: Person, page: Page) -> None:
    page.locator(".menu-bar button").first.click()
    page.keyboard.press("Escape")
    expect(page.locator(".sub-menu")).to_be_hidden()
    page.locator(".menu-bar button").first.click()
    page.click(".sub-menu button >> nth=2")
    expect(page.locator(".drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)
    assert server.platform.journal.find(kind="push") == []


def test_cards_and_message_menus_are_shown_as_text_and_can_be_tapped(
    server: SimulatorServer, person: Person, page: Page
) -> None:
    say = server.platform.say
    say(person, who="account", kind="template", title=HOSTILE, rows=[(HOSTILE, HOSTILE)], url="javascript:alert(1)")
    say(person, who="account", kind="text", text="您好", agent="客服小安", by_machine=True)
    for kind in ("video", "music", "wxcard", "material", "miniprogrampage"):
        say(person, who="account", kind=kind, title=HOSTILE, description=HOSTILE, picture="")
    items = [{"id": "101", "content": "满意"}]
    say(person, who="account", kind="msgmenu", head_content="满意吗？", tail_content="", list=items)
    expect(page.locator(".template strong")).to_have_text(HOSTILE)
    expect(page.locator(".template dd")).to_have_text(HOSTILE)
    page.click(".template .top")
    expect(page.locator("#toast")).to_be_visible()
    expect(page.locator(".said small").first).to_have_text("客服小安")
    page.click(".bubble.choices .link")
    assert "<bizmsgmenuid><![CDATA[101]]></bizmsgmenuid>" in pushed(server, "text")
    assert page.title() != "owned"
    assert page.locator(".lines img[src='x']").count() == 0


def test_notices_are_allowed_and_switched_off_in_the_profile(
    server: SimulatorServer, person: Person, page: Page
) -> None:
    page.click(".conversation .nav button >> nth=1")
    wish = page.locator(".notices .words span")
    before = wish.inner_text()
    page.click(".notices button >> nth=0")
    expect(wish).not_to_have_text(before)
    pushed(server, "subscribe_msg_popup_event")
    assert list(person.opt_ins.values()) == [1]
    page.click(".notices button >> nth=1")
    pushed(server, "subscribe_msg_change_event")
    assert person.opt_ins == {}
