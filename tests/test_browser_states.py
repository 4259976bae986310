"""Every state of the quote page, made to happen over real processes and looked at: phone and desktop, light and dark.

Each state is caused as it comes about: by a person, or by a fault of the simulated platform; a code's end alone is written
into the demo's database. SCREENSHOTS=folder keeps the pictures.
"""

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    BROWSER,
    DESKTOP,
    PHONE,
    Window,
    ask,
    card,
    card_arrives,
    fits,
    picture,
    scan_the_code,
    take_phone,
    writes,
)
from playwright.sync_api import Page, expect
from quotes import Demo, wait_until

pytestmark = BROWSER
CREATE, SEND = "/cgi-bin/qrcode/create", "/cgi-bin/message/custom/send"
NOT_GIVEN = ("status of 400",)


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """Its own: faults of the platform would meet the other files too."""
    return demo_alone


@pytest.fixture
def faulty(running: Demo) -> Iterator[Any]:
    """Injects faults: `faulty(match=SEND, kind="errcode", errcode=45015)`; none stays after the test."""
    yield lambda **order: ask(running, "/faults", order)
    ask(running, "/faults", method="DELETE")


def execute(running: Demo, statement: str, *values: Any) -> None:
    """Write into the demo's database."""
    with sqlite3.connect(running.folder / "demo.sqlite3", timeout=10) as database:
        database.execute(statement, values)
    database.close()


def new_quote(running: Demo, shown: Window) -> str:
    """A visitor makes his own quote in this window; the address of its page."""
    page = shown.page
    page.goto(f"{running.site}/quotes/new/")
    page.fill("[name=room_area]", "89")
    page.locator(".plan__label").nth(1).click()
    page.click("[type=submit]")
    page.wait_for_url(re.compile(r"/quotes/[\w-]{22}/$"))
    return page.url


def becomes(page: Page, state: str, *, within: float = 8) -> None:
    """The panel shows this state by itself, and says so to who cannot see it."""
    expect(page.locator(f'[data-code][data-state="{state}"]')).to_be_visible(timeout=within * 1000)
    announced = page.locator("[data-code]").get_attribute("data-announce")
    expect(page.locator("[data-code-live]")).to_have_text(announced or "")


def look(page: Page, name: str) -> None:
    """What is shown, as a phone and a desktop have it, by day and by night, and at twice the size of text."""
    for width, viewport in ((390, PHONE), (1440, DESKTOP)):
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            fits(page)
            picture(page, f"state-{name}-{width}-{scheme}")
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    fits(page)
    picture(page, f"state-{name}-390-double")
    page.evaluate("document.documentElement.style.fontSize = ''")


def scanned_by(running: Demo, shown: Window, name: str) -> str:
    """A follower scans the code of the page; his openid."""
    openid = f"oState_{name}_00000000000000"[:28]
    take_phone(running, openid, follows=True)
    scan_the_code(shown)
    return openid


def test_waiting_scanned_and_sent(running: Demo, window: Any, faulty: Any) -> None:
    shown = window(PHONE)
    new_quote(running, shown)
    expect(shown.page.locator('[data-code][data-state="waiting"] svg')).to_be_visible()
    look(shown.page, "waiting")
    faulty(match=SEND, kind="errcode", errcode=-1)
    began = time.monotonic()
    openid = scanned_by(running, shown, "sent")
    becomes(shown.page, "scanned")
    assert time.monotonic() - began < 3.5, "the scan is seen within 3 s"
    look(shown.page, "scanned")
    ask(running, "/faults", method="DELETE")
    becomes(shown.page, "sent", within=15)
    assert card(running, openid)
    look(shown.page, "sent")


def test_who_does_not_follow_yet_is_waited_for_until_he_does(running: Demo, window: Any) -> None:
    shown, openid = window(PHONE), "oState_new_00000000000000000"
    take_phone(running, openid, follows=False)
    new_quote(running, shown)
    scan_the_code(shown)
    shown.page.wait_for_timeout(2500)
    expect(shown.page.locator('[data-code][data-state="waiting"]')).to_be_visible()
    ask(running, "/actions/follow", {"openid": openid})
    card_arrives(running, openid, shown)


@pytest.mark.parametrize(
    ("errcode", "state", "reason"),
    [(43004, "follow", ""), (48002, "failed", "refused"), (45008, "failed", "ours"), (45015, "owed", "")],
)
def test_what_the_platform_refuses_is_told_in_words(
    running: Demo, window: Any, faulty: Any, errcode: int, state: str, reason: str
) -> None:
    shown = window(PHONE)
    new_quote(running, shown)
    faulty(match=SEND, kind="errcode", errcode=errcode)
    openid = scanned_by(running, shown, f"{state}{reason}")
    becomes(shown.page, state)
    expect(shown.page.locator("[data-code]")).to_have_attribute("data-reason", reason)
    look(shown.page, f"{state}{reason and '-' + reason}")
    ask(running, "/faults", method="DELETE")
    if state == "owed":
        writes(running, openid, "在吗")
    else:
        scan_the_code(shown)  # the code is still there
    becomes(shown.page, "sent", within=15)
    assert card(running, openid)


def test_an_outcome_that_nobody_knows_is_told_as_such(running: Demo, window: Any, faulty: Any) -> None:
    shown = window(PHONE)
    new_quote(running, shown)
    faulty(match=SEND, kind="lost", remaining=2)
    scanned_by(running, shown, "unsure")
    becomes(shown.page, "failed", within=20)
    expect(shown.page.locator("[data-code]")).to_have_attribute("data-reason", "unsure")
    look(shown.page, "failed-unsure")


def test_a_code_that_ran_out_is_renewed_at_one_tap(running: Demo, window: Any) -> None:
    shown = window(PHONE)
    new_quote(running, shown)
    first = shown.page.locator("[data-qr]").get_attribute("href")
    execute(running, "UPDATE wechat_qrcode SET expires_at = datetime('now', '-1 second')")
    becomes(shown.page, "expired")
    look(shown.page, "expired")
    button = shown.page.locator("[data-renew] button")
    button.focus()
    shown.page.keyboard.press("Enter")
    becomes(shown.page, "waiting")
    assert shown.page.locator("[data-qr]").get_attribute("href") != first
    assert shown.page.evaluate("document.activeElement.id") == "code-title", "the reader's place is kept"


def test_while_wechat_gives_no_code_the_digits_do_instead(running: Demo, window: Any, faulty: Any) -> None:
    faulty(match=CREATE, kind="errcode", errcode=45009)
    shown, openid = window(PHONE, permissions=["clipboard-read", "clipboard-write"]), "oState_typed_000000000000000"
    new_quote(running, shown)
    expect(shown.page.locator('[data-code][data-state="unavailable"]')).to_be_visible()
    look(shown.page, "unavailable")
    shown.page.click("[data-copy]")
    copied = shown.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"报价 \d{4} \d{4}", copied)
    take_phone(running, openid, follows=True)
    writes(running, openid, copied)
    becomes(shown.page, "sent", within=8)
    assert card(running, openid)


def test_the_code_comes_by_itself_when_wechat_gives_codes_again(running: Demo, window: Any, faulty: Any) -> None:
    faulty(match=CREATE, kind="errcode", errcode=-1)
    shown = window(PHONE)
    new_quote(running, shown)
    expect(shown.page.locator('[data-code][data-state="unavailable"]')).to_be_visible()
    ask(running, "/faults", method="DELETE")
    becomes(shown.page, "waiting", within=20)


def test_without_javascript_each_state_is_a_page(running: Demo, window: Any, faulty: Any) -> None:
    shown = window(PHONE, java_script_enabled=False)
    address = new_quote(running, shown)
    expect(shown.page.locator('[data-state="waiting"] svg')).to_be_visible()
    assert "http-equiv" in shown.page.content()
    scanned_by(running, shown, "plain")
    wait_until(lambda: 'data-state="sent"' in shown.context.request.get(address).text(), 5, "the card is sent")
    shown.page.reload()
    expect(shown.page.locator('[data-state="sent"]')).to_be_visible()


# The form, and a website around it.


def test_the_total_shows_while_typing_and_is_what_the_server_reckons(running: Demo, window: Any) -> None:
    shown = window(PHONE)
    page: Page = shown.page
    page.goto(f"{running.site}/quotes/new/")
    look(page, "new-empty")
    for area, number in (("89", 0), ("53.35", 1), ("126.55", 2), ("１００㎡", 0)):
        page.fill("[name=room_area]", area)
        page.locator(".plan__label").nth(number).click()
        live = page.locator("[data-total]").inner_text()
        if area == "126.55":
            look(page, "new-filled")
        page.click("[type=submit]")
        page.wait_for_url(re.compile(r"/quotes/[\w-]{22}/$"))
        assert page.locator(".numbers__total").inner_text().replace("\n", "") == live
        page.go_back()
        expect(page.locator("[type=submit]")).to_be_enabled()


def test_a_slip_in_the_form_is_told_in_words_and_nothing_is_lost(running: Demo, window: Any) -> None:
    shown = window(PHONE, meant=NOT_GIVEN)
    page: Page = shown.page
    page.goto(f"{running.site}/quotes/new/")
    page.fill("[name=room_area]", "12")
    page.locator(".plan__label").nth(2).click()
    expect(page.locator("[data-range]")).to_be_visible()
    page.click("[type=submit]")
    expect(page.locator("[data-problem]")).to_be_focused()
    assert page.input_value("[name=room_area]") == "12"
    assert page.locator(".plan__input").nth(2).is_checked()
    look(page, "new-error")


def test_the_form_can_be_filled_in_by_keyboard_alone(running: Demo, window: Any) -> None:
    page: Page = window(DESKTOP).page
    page.goto(f"{running.site}/quotes/new/")
    page.focus("[name=room_area]")
    page.keyboard.type("89")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.focus("[name=room_area]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/quotes/[\w-]{22}/$"))


@pytest.fixture
def website(running: Demo, tmp_path: Path) -> Iterator[str]:
    """The firm's own website, on another origin, with a page that holds both snippets; it may show quotes."""
    handler = partial(Quiet, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://localhost:{server.server_address[1]}"
    account = "SELECT id FROM wechat_account WHERE slug = 'demo'"
    name = "wechat_embed_origins"
    execute(running, f"DELETE FROM wechat_info WHERE conf_name = '{name}'")
    columns = "account_id, conf_name, conf_value, updated_at"
    execute(running, f"INSERT INTO wechat_info ({columns}) VALUES (({account}), '{name}', ?, datetime('now'))", address)
    execute(running, "UPDATE wechat_account SET stamp = stamp + 1")
    time.sleep(1.2)  # every process reads it within a second
    yield address
    server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_arguments: Any) -> None:
        pass


def snippet(running: Demo, **data: str) -> str:
    told = " ".join(f'data-{name}="{value}"' for name, value in data.items())
    script = f'<script src="{running.site}/embed.js" {told} async></script>'
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    return f'<!doctype html><html lang="zh">{head}<h1>我们</h1>{script}'


def test_the_firms_website_shows_the_code_and_its_live_state(
    running: Demo, window: Any, website: str, tmp_path: Path
) -> None:
    shown = window(DESKTOP)
    key = new_quote(running, shown).split("/")[-2]
    (tmp_path / "a.html").write_text(snippet(running, quote=key), "utf-8")
    shown.page.goto(f"{website}/a.html")
    frame = shown.page.frame_locator("iframe")
    expect(frame.locator('[data-state="waiting"] svg')).to_be_visible()
    height = shown.page.locator("iframe").evaluate("frame => frame.clientHeight")
    inside = frame.locator("main").evaluate("main => Math.ceil(main.getBoundingClientRect().height)")
    assert height == inside
    look(shown.page, "embedded")
    openid = "oState_framed_00000000000000"
    take_phone(running, openid, follows=True)
    with shown.context.expect_page() as opened:
        frame.locator("[data-qr]").click()
    opened.value.close()
    expect(frame.locator('[data-state="sent"]')).to_be_visible(timeout=8000)
    told = shown.page.evaluate(f"fetch('{running.site}/quotes/{key}/status').then(answer => answer.json())")
    assert told["state"] == "sent"


def test_the_firms_website_offers_the_form(running: Demo, window: Any, website: str, tmp_path: Path) -> None:
    shown = window(PHONE)
    (tmp_path / "b.html").write_text(snippet(running, account="demo"), "utf-8")
    shown.page.goto(f"{website}/b.html")
    frame = shown.page.frame_locator("iframe")
    frame.locator("[name=room_area]").fill("89")
    frame.locator(".plan__label").first.click()
    look(shown.page, "embedded-form")
    frame.locator("[type=submit]").click()
    expect(frame.locator('[data-state="waiting"] svg')).to_be_visible()
    assert "57,579" in frame.locator(".numbers__total").inner_text()  # 599 × 89 + 3200 + 12 × 89
    assert shown.context.cookies() == []
    top = "document.querySelector('iframe').getBoundingClientRect().top"
    wait_until(lambda: -1 <= shown.page.evaluate(top) < PHONE["height"] / 2, 5, "the top of the quote")
    look(shown.page, "embedded-quote")


def test_a_website_that_is_not_named_shows_nothing(running: Demo, window: Any, website: str, tmp_path: Path) -> None:
    execute(running, "DELETE FROM wechat_info WHERE conf_name = 'wechat_embed_origins'")
    execute(running, "UPDATE wechat_account SET stamp = stamp + 1")
    time.sleep(1.2)
    shown = window(DESKTOP, meant=("frame-ancestors", "CORS", "Failed to load", "ERR_BLOCKED", "frame"))
    key = new_quote(running, shown).split("/")[-2]
    (tmp_path / "c.html").write_text(snippet(running, quote=key), "utf-8")
    shown.page.goto(f"{website}/c.html")
    shown.page.wait_for_timeout(1000)
    assert shown.page.frame_locator("iframe").locator("[data-code]").count() == 0
    read = f"fetch('{running.site}/quotes/{key}/status').then(() => 'read', () => 'refused')"
    assert shown.page.evaluate(read) == "refused"
