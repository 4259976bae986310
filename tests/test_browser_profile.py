"""Avatar and name on a shared quote, in a real browser over real processes: consent, strangers, withdrawal, and odd ways back.

SCREENSHOTS=folder keeps pictures of the pages.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from browsing import BROWSER, DESKTOP, IN_WECHAT, PHONE, Opener, Window, ask, card, keep, picture, take_phone
from owners import agree
from playwright.sync_api import Page, expect
from quotes import Demo, wait_until

from orders.samples import QUOTES

pytestmark = BROWSER
OFFER, NAME = "owner/show", "小王"
STATUS = ("status of 400", "status of 404")


def card_of(running: Demo, openid: str) -> str:
    """The address of the card of somebody who scanned the third quote's code."""
    take_phone(running, openid, follows=True)
    with urlopen(running.quotes[2], timeout=10):
        scene = str(QUOTES[2]["orderid"])  # there is a code for it now, if there was none
    codes = ask(running, "/codes?limit=100", method="GET")["codes"]
    ticket = next(code["ticket"] for code in codes if code["scene"] == scene)
    ask(running, "/actions/scan", {"openid": openid, "ticket": ticket})
    wait_until(lambda: card(running, openid), 3, "the card")
    found = card(running, openid)
    assert found
    return found["url"]


def in_wechat(window: Opener, **options: Any) -> Window:
    opened: Window = window(PHONE, user_agent=IN_WECHAT, **options)
    return opened


def offer(page: Any) -> Any:
    """The button that offers to show who he is."""
    return page.locator(f"form[action*='{OFFER}'] button")


def to_consent(page: Page, link: str) -> None:
    """From the card to WeChat's question."""
    page.goto(link)
    offer(page).click()
    expect(page.locator("button[value='1'][name=allow]")).to_be_visible()


def allow(page: Page) -> None:
    page.locator("button[value='1'][name=allow]").click()


def way_back(page: Page, link: str) -> str:
    """Agree, and the address that WeChat sends the browser back to, where it has not been yet."""
    to_consent(page, link)
    return agree(page.url)


def shows_him(page: Any) -> None:
    expect(page.locator(".who h1")).to_contain_text(NAME)
    avatar = page.locator(".who__avatar")
    expect(avatar).to_have_attribute("src", re.compile("/static/simulator/avatars/"))
    wait_until(lambda: avatar.evaluate("image => image.complete && image.naturalWidth > 0"), 3, "the avatar")


def shows_nobody(page: Page) -> None:
    expect(page.locator(".who h1")).not_to_contain_text(NAME)
    expect(page.locator(".who__avatar")).to_have_attribute("src", "/static/img/avatar.svg")


def stranger_sees(window: Opener, link: str) -> Page:
    """The same link on a desktop, without a single cookie."""
    opened = window(DESKTOP, meant=STATUS)
    opened.page.goto(link)
    assert opened.context.cookies() == []
    page: Page = opened.page
    return page


def test_the_owner_shows_himself_takes_it_back_and_ends_the_link(running: Demo, window: Opener) -> None:
    link = card_of(running, "oProfile_owner_000000000000")
    owner = in_wechat(window, meant=STATUS)
    page = owner.page
    page.goto(link)
    assert owner.context.cookies() == []
    shows_nobody(page)
    keep(page, "profile-offer-390")
    to_consent(page, link)
    keep(page, "profile-consent-390")
    allow(page)
    page.wait_for_url(link)
    shows_him(page)
    keep(page, "profile-shown-390")

    stranger = stranger_sees(window, link)
    shows_him(stranger)
    expect(offer(stranger)).to_have_count(0)
    keep(stranger, "profile-stranger-1440")

    page.reload()
    shows_him(page)
    page.locator("a[href$='/owner/']").click()
    keep(page, "profile-owner-390")
    page.locator("a[href$='/owner/withdraw']").click()
    keep(page, "profile-withdraw-390")
    shows_him(stranger_sees(window, link))
    page.locator("main form button").click()
    page.wait_for_url("**/owner/withdrawn/")
    keep(page, "profile-withdrawn-390")
    shows_nobody(stranger_sees(window, link))

    page.locator("main a.weui-btn").click()
    shows_nobody(page)
    page.locator("a[href$='/owner/']").click()
    page.locator("a[href$='/owner/revoke']").click()
    keep(page, "profile-revoke-390")
    page.locator("main form button").click()
    expect(page.locator(".weui-icon-success")).to_be_visible()
    keep(page, "profile-revoked-390")
    expect(stranger_sees(window, link).locator(".oops__number")).to_have_text("404")
    page.go_back()
    page.goto(link)
    expect(page.locator(".oops__number")).to_have_text("404")


def test_a_stranger_is_told_politely_that_it_is_not_his(running: Demo, window: Opener) -> None:
    link = card_of(running, "oProfile_quiet_000000000000")
    take_phone(running, "oProfile_stranger_0000000000", follows=False)
    page = in_wechat(window).page
    to_consent(page, link)
    allow(page)
    page.wait_for_url("**/owner/stranger/")
    keep(page, "profile-not-his-390")
    page.locator("main a.weui-btn").click()
    page.wait_for_url(link)
    shows_nobody(page)
    page.locator("a[href$='/owner/']").click()
    keep(page, "profile-prove-390")
    page.locator("form[action$='/owner/prove'] button").click()
    page.wait_for_url("**/owner/stranger/")


def test_the_owner_proves_himself_without_being_asked(running: Demo, window: Opener) -> None:
    link = card_of(running, "oProfile_prove_000000000000")
    page = in_wechat(window).page
    page.goto(f"{link}owner/")
    page.locator("form[action$='/owner/prove'] button").click()
    page.wait_for_url(f"{link}owner/")
    expect(page.locator("a[href$='/owner/revoke']")).to_be_visible()
    expect(offer(page)).to_be_visible()
    keep(page, "profile-proved-390")


def test_a_snapshot_visitor_is_not_kept(running: Demo, window: Opener) -> None:
    link = card_of(running, "oProfile_snapshot_0000000000")
    page = in_wechat(window).page
    to_consent(page, link)
    page.locator("button[value=snapshot]").click()
    page.wait_for_url("**/owner/snapshot/")
    expect(page.locator("main")).to_contain_text("使用完整服务")
    keep(page, "profile-snapshot-390")
    shows_nobody(stranger_sees(window, link))


def test_back_reload_and_a_second_use_end_at_the_clean_page(running: Demo, window: Opener) -> None:
    link = card_of(running, "oProfile_again_000000000000")
    page = in_wechat(window).page
    back = way_back(page, link)
    for _time in range(3):
        page.goto(back)
        page.wait_for_url(link)
        shows_him(page)
    page.go_back()
    page.go_forward()
    page.reload()
    shows_him(page)


def test_a_code_that_was_used_elsewhere_ends_politely(running: Demo, window: Opener) -> None:
    link = card_of(running, "oProfile_used_0000000000000")
    page = in_wechat(window).page
    back = way_back(page, link)
    account = json.loads((running.folder / "secrets.json").read_text())["account"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    used = {
        "appid": account["appid"],
        "secret": account["appsecret"],
        "code": code,
        "grant_type": "authorization_code",
    }
    with urlopen(f"{running.simulator}/sns/oauth2/access_token?{urlencode(used)}", timeout=5) as answer:
        assert "openid" in json.load(answer)
    page.goto(back)
    page.wait_for_url("**/owner/failed/")
    keep(page, "profile-used-code-390")
    shows_nobody(stranger_sees(window, link))


def test_a_wrong_a_missing_and_a_foreign_state_end_politely(running: Demo, window: Opener) -> None:
    link = card_of(running, "oProfile_state_000000000000")
    opened = in_wechat(window, meant=STATUS)
    back = way_back(opened.page, link)
    address, _mark, query = back.partition("?")
    code = parse_qs(query)["code"][0]
    for odd in (f"{address}?code={code}&state={'A' * 32}", f"{address}?code={code}", address):
        opened.page.goto(odd)
        expect(opened.page.locator(".oops__text")).to_be_visible()
    keep(opened.page, "profile-way-ended-390")
    other = in_wechat(window, meant=STATUS)
    other.page.goto(back)
    expect(other.page.locator(".oops__text")).to_be_visible()
    shows_nobody(stranger_sees(window, link))
    opened.page.goto(back)
    shows_him(opened.page)


@pytest.mark.parametrize("place", ["//evil.example", "/\\evil.example", "javascript:alert(1)", "https:evil.example"])
def test_no_next_leads_away(running: Demo, window: Opener, place: str) -> None:
    link = card_of(running, f"oProfile_next_{place.encode().hex():0<20}"[:28])
    page = in_wechat(window).page
    back = way_back(page, link)
    page.goto(f"{back}&{urlencode({'next': place, 'redirect_uri': place})}")
    page.wait_for_url(link)
    shows_him(page)


def test_by_clicking_in_the_phone(running: Demo, window: Opener) -> None:
    """The phone shows the page in a frame: cookies, forms and WeChat's own page must work there too."""
    openid = "oProfile_phone_000000000000"
    card_of(running, openid)
    page = window(DESKTOP).page
    page.goto(f"{running.simulator}/")
    page.locator("article.card button.top").last.click()
    frame = page.frame_locator("iframe")
    expect(offer(frame)).to_be_visible()
    offer(frame).click()
    frame.locator("button[value='1'][name=allow]").click()
    shows_him(frame)
    picture(page, "profile-phone-1440")
    frame.locator("a[href$='/owner/']").click()
    frame.locator("a[href$='/owner/withdraw']").click()
    frame.locator("main form button").click()
    frame.locator("main a.weui-btn").click()
    offer(frame).click()
    frame.locator("button[name=deny]").click()
    expect(page.locator(".view")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_in_light_and_dark(running: Demo, window: Opener, scheme: str) -> None:
    link = card_of(running, f"oProfile_looks_{scheme:0>14}"[:28])
    page = in_wechat(window, color_scheme=scheme).page
    for part in ("", "owner/", "owner/stranger/", "owner/snapshot/", "owner/failed/"):
        page.goto(f"{link}{part}")
        keep(page, f"profile-{part.strip('/').replace('/', '-') or 'page'}-390-{scheme}")
    to_consent(page, link)
    allow(page)
    shows_him(page)
    for part in ("", "owner/", "owner/withdraw", "owner/revoke"):
        page.goto(f"{link}{part}")
        keep(page, f"profile-{part.strip('/').replace('/', '-') or 'page'}-his-390-{scheme}")
    wide = window(DESKTOP, color_scheme=scheme, user_agent=IN_WECHAT).page
    for part in ("", "owner/", "owner/stranger/"):
        wide.goto(f"{link}{part}")
        keep(wide, f"profile-{part.strip('/').replace('/', '-') or 'page'}-1440-{scheme}")
