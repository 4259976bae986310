"""A quote is passed on in a real browser: by the card inside WeChat, by the button elsewhere, and compared with others."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from browsing import BROWSER, DESKTOP, IN_WECHAT, PHONE, Opener, Window, ask, card, fits, keep, take_phone
from playwright.sync_api import Page, expect
from quotes import Demo, wait_until

from orders import samples

pytestmark = BROWSER
PAPER = {"width": 717, "height": 1046}  # A4 without its margins, in CSS pixels
FOREIGN = "to a host that is neither the site nor the simulator"


def shared_link(running: Demo, number: int, openid: str) -> str:
    """The address on the card of that sample quote, which this person has scanned."""
    with urlopen(running.quotes[number], timeout=10):
        scene = str(sorted(quote["orderid"] for quote in samples.QUOTES)[number])
    codes = ask(running, "/codes?limit=100", method="GET")["codes"]
    ticket = next(code["ticket"] for code in codes if code["scene"] == scene)
    take_phone(running, openid, follows=True)
    ask(running, "/actions/scan", {"openid": openid, "ticket": ticket, "wait": 10})
    wait_until(lambda: card(running, openid), 10, "the card")
    found = card(running, openid)
    assert found is not None
    return found["url"]


def cards_set(running: Demo) -> list[dict[str, Any]]:
    return [entry["card"] for entry in ask(running, "/journal?kind=card&limit=100", method="GET")["entries"]]


def hosts(shown: Window) -> set[str]:
    """Collects the hosts that the window's pages ask, from now on."""
    found: set[str] = set()
    shown.context.on("request", lambda request: found.add(urlsplit(request.url).netloc))
    return found


def place(address: str) -> str:
    return urlsplit(address).netloc


def test_in_the_phone_a_card_goes_to_a_friend_and_from_him_to_the_next(running: Demo, window: Any) -> None:
    ask(running, "/persons", {"openid": "oShare_friend", "nickname": "阿杰", "follows": False})
    link = shared_link(running, 0, "oShare_owner")
    shown = window(DESKTOP)
    shown.page.goto(running.simulator)
    shown.page.locator(".card .top").last.click()
    frame = shown.page.frame_locator("iframe")
    expect(frame.locator("h1")).to_be_visible()
    wait_until(lambda: cards_set(running), 10, "the share card")
    expect(frame.locator(".hint--wechat")).to_be_visible()
    expect(frame.locator("[data-share]")).to_be_hidden()
    fits(shown.page)
    wait_until(lambda: len(cards_set(running)) >= 2, 5, "both cards")
    first = cards_set(running)[0]
    assert "86500" in first["title"]
    assert first["link"] != link

    send(shown.page, "阿杰")
    keep(shown.page, "phone-shared")
    ask(running, "/chosen", {"openid": "oShare_friend"}, "PUT")
    shown.page.get_by_role("button", name=re.compile("86500")).click()
    expect(frame.locator("h1")).to_be_visible()
    wait_until(lambda: len(cards_set(running)) >= 4, 10, "a card for the next")
    assert cards_set(running)[-1]["link"] != first["link"]
    assert re.search(r"/s/o\d+\.", cards_set(running)[-1]["link"]), "it descends from the forward that was opened"
    received = ask(running, "/persons/oShare_friend/chat", method="GET")["person"]["received"]
    assert received[0]["link"].endswith("?from=singlemessage&isappinstalled=0")


def send(page: Page, name: str) -> None:
    page.locator(".view.browser .nav button").last.click()
    page.locator(".drawer").get_by_role("button", name=re.compile(name)).first.click()


def test_where_wechat_gives_no_ticket_the_page_works_without_a_card(running: Demo, window: Any) -> None:
    link = shared_link(running, 2, "oShare_no_ticket")
    before = len(cards_set(running))
    ask(running, "/settings", {"js_domains": "elsewhere.test"}, "PATCH")
    shown = window(PHONE, user_agent=IN_WECHAT)
    with shown.page.expect_response(re.compile("/wechat")):
        shown.page.goto(link)
    wait_until(lambda: refused(running), 5, "the refusal")
    ask(running, "/settings", {"js_domains": ""}, "PATCH")
    expect(shown.page.locator("h1")).to_be_visible()
    assert len(cards_set(running)) == before


def refused(running: Demo) -> bool:
    entries = ask(running, "/journal?kind=page&limit=100", method="GET")["entries"]
    return any("invalid url domain" in entry["errmsg"] for entry in entries)


def test_elsewhere_a_button_copies_a_new_link_each_time(running: Demo, window: Any) -> None:
    link = shared_link(running, 0, "oShare_copies")
    shown = window(PHONE, permissions=["clipboard-read", "clipboard-write"])
    asked = hosts(shown)
    with shown.page.expect_response(re.compile("/onward")):
        shown.page.goto(link)
    button = shown.page.locator("[data-share] button")
    expect(button).to_be_visible()
    copied = []
    for _ in range(2):
        shown.page.evaluate("navigator.clipboard.writeText('')")
        with shown.page.expect_response(re.compile("/onward")):
            button.click()
        expect(shown.page.locator("[data-share] [role=status]")).not_to_be_empty()
        copied.append(shown.page.evaluate("navigator.clipboard.readText()"))
    assert len({link, *copied}) == 3
    keep(shown.page, "shared-copied")
    assert asked == {place(running.site)}, FOREIGN
    other = window(DESKTOP)
    for address in copied:
        other.page.goto(address)
        expect(other.page.locator("h1")).to_be_visible()


def test_a_browser_that_can_share_is_given_the_card(running: Demo, window: Any) -> None:
    link = shared_link(running, 1, "oShare_natively")
    shown = window(PHONE)
    shown.context.add_init_script("navigator.share = async (given) => { window.given = given; };")
    with shown.page.expect_response(re.compile("/onward")):
        shown.page.goto(link)
    with shown.page.expect_request(lambda sent: "shared" in (sent.post_data or "")) as told:
        shown.page.locator("[data-share] button").click()
    given = shown.page.evaluate("window.given")
    assert sorted(given) == ["text", "title", "url"]
    assert given["url"] != link
    assert "158000" in given["title"]
    assert urlsplit(told.value.url).path == "/seen/"


def test_inside_wechat_only_its_script_is_loaded(running: Demo, window: Any) -> None:
    link = shared_link(running, 0, "oShare_wechat")
    before = len(cards_set(running))
    shown = window(PHONE, user_agent=IN_WECHAT)
    asked = hosts(shown)
    shown.page.goto(f"{link}?from=singlemessage&isappinstalled=0#top")
    wait_until(lambda: len(cards_set(running)) >= before + 2, 10, "the share card")
    keep(shown.page, "shared-in-wechat")
    assert asked == {place(running.site), place(running.simulator)}


def test_opened_quotes_are_offered_and_stand_side_by_side(running: Demo, window: Any) -> None:
    links = [shared_link(running, number, f"oShare_compare_{number}") for number in range(3)]
    for viewport, scheme in ((PHONE, "light"), (DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark")):
        shown = window(viewport, color_scheme=scheme)
        for link in links[:2]:
            shown.page.goto(link)
        choice = shown.page.locator("[data-opened] input")
        expect(choice).to_have_count(1)
        expect(choice).to_be_checked()
        name = f"{viewport['width']}-{scheme}"
        keep(shown.page, f"shared-compare-{name}")
        shown.page.locator("[data-compare] button").click()
        shown.page.wait_for_url("**/compare/*/*/")
        text = shown.page.locator("main").inner_text()
        assert "158,000" in text
        assert "86,500" in text
        keep(shown.page, f"compare-2-{name}")
        assert not urlsplit(shown.page.url).query
        three(shown, running, links)
        keep(shown.page, f"compare-3-{name}")


def test_on_paper_there_is_the_quote_and_nothing_to_press(running: Demo, window: Any, tmp_path: Any) -> None:
    links = [shared_link(running, number, f"oShare_paper_{number}") for number in range(3)]
    shown = window(PAPER)
    shown.page.emulate_media(media="print")
    shown.page.goto(links[0])
    expect(shown.page.locator("h1")).to_be_visible()
    for gone in ("[data-share]", ".pick", ".invite", ".hint--wechat"):
        expect(shown.page.locator(gone)).to_be_hidden()
    keep(shown.page, "paper-shared")
    assert pages_of(shown.page, tmp_path / "shared.pdf") == 1
    codes = [urlsplit(link).path.split("/")[2] for link in links]
    shown.page.goto(f"{running.site}/compare/{'/'.join(codes)}/")
    keep(shown.page, "paper-compare")
    assert pages_of(shown.page, tmp_path / "compare.pdf") <= 2  # three long quotes


def three(shown: Window, running: Demo, links: list[str]) -> None:
    """Three columns, by pasting links where the form asks for them."""
    shown.page.goto(f"{running.site}/compare/")
    boxes = shown.page.locator("[name=with]")
    for number, link in enumerate(links):
        boxes.nth(number).fill(link)
    shown.page.locator("main form button").click()
    shown.page.wait_for_url("**/compare/*/*/*/")
    expect(shown.page.locator("thead th")).to_have_count(3)


def pages_of(page: Page, paper: Path) -> int:
    """How many sheets of A4 the page is printed on."""
    page.pdf(path=str(paper), format="A4")
    return len(re.findall(rb"/Type\s*/Page[^s]", paper.read_bytes()))


def test_without_script_the_page_and_its_comparison_work(running: Demo, window: Opener) -> None:
    links = [shared_link(running, number, f"oShare_plain_{number}") for number in range(2)]
    shown = window(PHONE, java_script_enabled=False)
    shown.page.goto(links[0])
    expect(shown.page.locator("[data-share]")).to_be_hidden()
    shown.page.locator("[data-compare] input[type=text]").fill(links[1])
    shown.page.locator("[data-compare] button").click()
    shown.page.wait_for_url("**/compare/*/*/")
    assert "158,000" in shown.page.locator("main").inner_text()


def test_staff_see_which_address_is_signed(running: Demo, admin: Any) -> None:
    for viewport in (PHONE, DESKTOP):
        page = admin(viewport)
        page.goto(f"{running.site}/admin/wechat/account/webpages/")
        expect(page.locator("#check [data-signed]")).to_have_text(page.url)
        expect(page.locator("#check .ap-finding.ap-ok")).to_have_count(2)
        keep(page, f"webpages-{viewport['width']}")


def test_inside_wechat_staff_see_what_wechat_says(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP, user_agent=IN_WECHAT)
    page.goto(f"{running.site}/admin/wechat/account/webpages/")
    expect(page.locator("#check")).to_contain_text("config:ok")
    ask(running, "/settings", {"js_domains": "elsewhere.test"}, "PATCH")
    try:
        page.reload()
        expect(page.locator("#check .ap-bad")).to_contain_text("JS接口安全域名")
        keep(page, "webpages-refused")
    finally:
        ask(running, "/settings", {"js_domains": ""}, "PATCH")
