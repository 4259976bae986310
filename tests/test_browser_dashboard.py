"""The funnel in a real browser: what happens on a phone shows up on the admin's first page within seconds."""

from typing import Any

import pytest
from browsing import BROWSER, DESKTOP, PHONE, card_arrives, fits, keep, scan_the_code, take_phone
from playwright.sync_api import Page
from quotes import Demo, wait_until

pytestmark = BROWSER
SECONDS = 12  # from what happens to its bar
OPENID = "oDashboard_00000000000000000"


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """What others do would be counted too."""
    return demo_alone


def bars(page: Page, running: Demo) -> dict[str, int]:
    """The counts of the first page, loaded anew; none while it is empty."""
    page.goto(f"{running.site}/admin/")
    rows = page.locator("#funnel [data-step]").all()
    return {str(row.get_attribute("data-step")): int(row.locator(".db-count").inner_text()) for row in rows}


def reaches(page: Page, running: Demo, **counts: int) -> None:
    wait_until(lambda: counts.items() <= bars(page, running).items(), SECONDS, f"the bars {counts}")


def test_a_scan_and_what_follows_show_up_within_seconds(running: Demo, window: Any, admin: Any) -> None:
    overview = admin(DESKTOP)
    reaches(overview, running, made=3, shown=0, scanned=0)
    take_phone(running, OPENID, follows=True)
    shown = window(DESKTOP)
    shown.page.goto(running.quotes[0])
    reaches(overview, running, shown=1, scanned=0)

    scan_the_code(shown)
    link = card_arrives(running, OPENID, shown)
    reaches(overview, running, shown=1, scanned=1, followed=0, accepted=1, opened=0)

    owner, stranger = window(PHONE), window(PHONE)
    owner.page.goto(link)
    reaches(overview, running, opened=1, others=0)
    stranger.page.goto(link)
    reaches(overview, running, opened=1, others=1, shared=0)
    owner.page.evaluate("document.dispatchEvent(new CustomEvent('wxhub:shared'))")
    reaches(overview, running, shared=1)
    for page in (owner.page, stranger.page):
        page.reload()
    reaches(overview, running, shown=1, opened=1, shared=1, others=1)


def test_a_page_in_the_background_is_not_shown_yet(running: Demo, window: Any) -> None:
    hidden = window(DESKTOP)
    hidden.page.add_init_script(
        "Object.defineProperty(document, 'visibilityState', {get: () => window.state || 'hidden'})"
    )
    reports: list[str] = []
    hidden.page.on("request", lambda request: reports.append(request.url) if request.url.endswith("/seen/") else None)
    hidden.page.goto(running.quotes[1])
    hidden.page.wait_for_timeout(1500)
    assert reports == []
    hidden.page.evaluate("window.state = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: hidden.page.wait_for_timeout(50) or reports, 3, "the report")
    hidden.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    hidden.page.wait_for_timeout(300)
    assert len(reports) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_first_page_fits_and_draws_its_chart(running: Demo, admin: Any, viewport: Any, scheme: str) -> None:
    page = admin(viewport, color_scheme=scheme)
    wait_until(lambda: bars(page, running), SECONDS, "the funnel")
    drawn = "Chart.getChart('chart-days')?.data.datasets.length"
    assert page.evaluate(drawn) == 4
    fits(page)
    keep(page, f"dashboard-{viewport['width']}-{scheme}")
    page.select_option("[name=period]", "own")
    page.fill("[name=from]", "2020-01-01")
    page.fill("[name=to]", "2020-01-31")
    page.locator(".db-filter button").click()
    page.locator("#funnel-empty").wait_for()
    fits(page)
    keep(page, f"dashboard-empty-{viewport['width']}-{scheme}")
