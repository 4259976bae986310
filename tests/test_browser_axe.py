"""axe finds nothing on any public page, in any state of the quote, in light and dark, on a phone and on a desktop."""

from typing import Any

import pytest
from accessibility import findings
from browsing import BROWSER, DESKTOP, IN_WECHAT, PHONE, Window, keep
from playwright.sync_api import Page, expect
from public_pages import PAGES, STATES, put_in_state
from quotes import Demo

pytestmark = BROWSER


def nothing_to_find(page: Page, name: str) -> None:
    """In both widths, light and dark."""
    found = {}
    for viewport in (PHONE, DESKTOP):
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            keep(page, f"{name}-{viewport['width']}-{scheme}".replace(" ", "-"))
            if here := findings(page):
                found[f"{viewport['width']} {scheme}"] = here
    assert not found, found


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_the_page(window: Any, pages: dict[str, str], name: str) -> None:
    shown: Window = window(PHONE, meant=("status of 404",) if name == "missing" else ())
    shown.page.goto(pages[name])
    nothing_to_find(shown.page, name)


@pytest.mark.parametrize("state", STATES)
def test_everybody_can_read_what_becomes_of_the_code(running: Demo, window: Any, state: str) -> None:
    shown: Window = window(PHONE)
    put_in_state(shown.page, state)
    shown.page.goto(running.quotes[2])
    expect(shown.page.locator(f'[data-code][data-state="{state.split()[0]}"]')).to_be_visible()
    nothing_to_find(shown.page, f"state {state}")


def test_everybody_can_read_it_inside_wechat(window: Any, pages: dict[str, str]) -> None:
    shown: Window = window(PHONE, user_agent=IN_WECHAT)
    for name in ("quote", "shared"):
        shown.page.goto(pages[name])
        nothing_to_find(shown.page, f"{name} in wechat")
