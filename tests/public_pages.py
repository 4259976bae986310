"""Every public page of the running demo, for the tests that look at all of them: what a page weighs and who can read it."""

import re
from typing import Any
from urllib.request import urlopen

import pytest
from browsing import ask, card, take_phone
from django.template.loader import render_to_string
from playwright.sync_api import Page, Route
from quotes import Demo, wait_until

PAGES = [
    *(
        "home",
        "quote",
        "embedded quote",
        "new quote",
        "shared",
        "owner",
        "owner asked",
        "compare",
        "compared",
        "missing",
    ),
]
# What becomes of the code on the quote page; a failure has its reasons.
STATES = [
    *("waiting", "scanned", "follow", "sent", "owed", "expired", "unavailable"),
    *("failed", "failed unsure", "failed refused"),
]


def _links(running: Demo) -> list[str]:
    """The addresses of two shared quotes: of what somebody scanned."""
    openid = "oPages_000000000000000000000"
    take_phone(running, openid, follows=True)
    return [_scanned(running, openid, quote) for quote in running.quotes[:2]]


@pytest.fixture(scope="session")
def pages(running: Demo) -> dict[str, str]:
    """One address of every kind of page, by its name."""
    first, second = _links(running)
    compared = "/".join(link.rstrip("/").rpartition("/")[2] for link in (first, second))
    site, quote = running.site, running.quotes[0]
    found = {
        "home": f"{site}/",
        "quote": quote,
        "embedded quote": f"{quote}embed/?numbers",
        "new quote": f"{site}/quotes/new/",
        "shared": first,
        "owner": f"{first}owner/",
        "owner asked": f"{first}owner/refused/",
        "compare": f"{site}/compare/",
        "compared": f"{site}/compare/{compared}/",
        "missing": f"{site}/s/nothing/",
    }
    assert list(found) == PAGES
    return found


def put_in_state(page: Page, state: str) -> None:
    """From now on the site tells this page's script that the quote is in that state; the panel is the site's own."""
    name, _space, reason = state.partition(" ")
    panel = {
        "state": name,
        "reason": reason,
        "account_name": "示例装饰",
        "typed": "1234 5678",
        "qr_url": "https://x.test/q",
    }
    panel |= {"qr_expires_in": 600, "poll_seconds": 2, "status_url": "status", "fragment_url": "code"}

    def status(route: Route) -> None:
        route.fulfill(json={"state": name, "reason": reason, "expires_in": 600})

    def fragment(route: Route) -> None:
        route.fulfill(body=render_to_string("orders/_code.html", panel), content_type="text/html; charset=utf-8")

    page.route(re.compile(r"/quotes/[\w-]+/status"), status)
    page.route(re.compile(r"/quotes/[\w-]+/code"), fragment)


def _scanned(running: Demo, openid: str, quote: str) -> str:
    before = card(running, openid)
    with urlopen(quote, timeout=10) as answer:
        code = re.search(rf'href="({re.escape(running.simulator)}/q/[^"]+)"', answer.read().decode())
    assert code
    ask(running, "/actions/scan", {"openid": openid, "url": code[1], "wait": 10})

    def arrived() -> Any:
        return card(running, openid) != before

    wait_until(arrived, 10, "the card")
    found = card(running, openid)
    assert found
    return found["url"]
