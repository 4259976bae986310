"""axe finds nothing serious on the admin: the first page, lists, forms and rows, in light on a desktop, dark on a phone."""

from typing import Any

import pytest
from accessibility import SERIOUS, findings
from admin_pages import FORMS, LISTS, PAGES, first_row, path
from browsing import BROWSER, DESKTOP, PHONE, keep
from playwright.sync_api import Page
from quotes import Demo

pytestmark = BROWSER


def look(page: Page, name: str) -> list[str]:
    """What is serious on the page that is open, in dark on a phone and in light on a desktop: the theme asks at the start."""
    found = []
    for viewport, scheme in ((PHONE, "dark"), (DESKTOP, "light")):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.reload()
        keep(page, f"admin-{name.strip('/').replace('/', '-') or 'first'}-{viewport['width']}-{scheme}")
        found += [f"{name} {scheme}: {each}" for each in findings(page, levels=SERIOUS)]
    return found


@pytest.mark.parametrize("address", PAGES)
def test_everybody_can_use_the_page(running: Demo, admin: Any, address: str) -> None:
    page = admin(DESKTOP)
    page.goto(f"{running.site}/admin/{address}")
    assert look(page, address) == []


@pytest.mark.parametrize("model", LISTS)
def test_everybody_can_use_the_list_its_form_and_a_row(running: Demo, admin: Any, model: str) -> None:
    page, list_ = admin(DESKTOP), f"{running.site}/admin/{path(model)}"
    page.goto(list_)
    found, row = look(page, model), first_row(page)
    if model in FORMS:
        page.goto(f"{list_}add/")
        found += look(page, f"{model} add")
    if row:
        page.goto(f"{running.site}{row}" if row.startswith("/") else f"{list_}{row}")
        found += look(page, f"{model} row")
    assert found == []
