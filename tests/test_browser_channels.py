"""A channel code in a real browser: made by clicking, scanned with the phone, seen in the list, printed as a poster."""

import io
from typing import Any

import pytest
import zxingcpp
from browsing import BROWSER, DESKTOP, PHONE, ask, fits, picture, take_phone
from PIL import Image
from playwright.sync_api import Page, expect
from quotes import Demo, wait_until

pytestmark = BROWSER


@pytest.fixture(scope="module")
def running(demo_alone: Demo) -> Demo:
    """It counts codes and scans."""
    return demo_alone


def save(page: Page) -> None:
    page.locator("[name=_continue]").first.click()
    page.wait_for_load_state()


def read(content: bytes) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(content)))]


def test_a_code_is_made_scanned_seen_and_printed(running: Demo, admin: Any) -> None:
    page = admin(DESKTOP)
    page.set_default_timeout(15_000)
    page.goto(f"{running.site}/admin/wechat/channelcode/add/")
    page.fill("[name=name]", "五一展会")
    page.fill("[name=campaign]", "五一大促")
    expect(page.locator("[name=confirm]")).to_be_hidden()
    page.select_option("[name=kind]", "permanent")
    expect(page.locator("[name=days]")).to_be_hidden()
    page.locator("[name=confirm]").check(force=True)
    save(page)
    code = page.locator("[data-code-url]")
    expect(code).to_be_visible()
    address = code.get_attribute("data-code-url")
    assert address is not None
    assert read(code.screenshot()) == [address]
    fits(page)
    picture(page, "channel-1440")
    number = page.url.split("/")[-3]

    take_phone(running, "oVisitor_of_the_fair_1", follows=False)
    scanning = page.context.new_page()
    scanning.goto(address)
    ask(running, "/actions/follow", {"openid": "oVisitor_of_the_fair_1"})
    listed = f"{running.site}/admin/wechat/channelscan/?code={number}"

    def is_there() -> bool:
        page.goto(listed)
        return page.locator("#result_list tbody tr").count() > 0

    wait_until(is_there, 30, "the scan")
    scanning.close()
    expect(page.locator("#result_list")).to_contain_text("五一展会")
    expect(page.locator("#result_list a", has_text="oVis")).to_be_visible()
    picture(page, "channel-scans-1440")

    page.goto(f"{running.site}/admin/wechat/channelcode/?q=五一")
    row = page.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator(f"a[href='/admin/wechat/channelscan/?code={number}']")).to_have_text("1")
    picture(page, "channels-1440")

    page.goto(f"{running.site}/admin/wechat/channelcode/posters/?codes={number}")
    page.fill("[name=headline]", "扫码领五一礼包")
    page.select_option("[name=size]", "a6")
    with page.expect_download() as download:
        page.locator("button[name=as][value=png]").click()
    with open(download.value.path(), "rb") as file:
        assert read(file.read()) == [address]
    with page.expect_download() as download:
        page.locator("button[name=as][value=pdf]").click()
    with open(download.value.path(), "rb") as file:
        assert file.read(5) == b"%PDF-"
    picture(page, "poster-1440")


def test_a_table_becomes_codes_while_one_watches_and_all_fits_a_phone(running: Demo, admin: Any) -> None:
    page = admin(PHONE)
    page.set_default_timeout(15_000)
    page.goto(f"{running.site}/admin/wechat/channelcode/batch/")
    page.fill("[name=table]", "名称\t销售\n小赵\t小赵\n小钱\t小钱\n小孙\t小孙\n")
    fits(page)
    page.locator("form button[type=submit]", has=page.locator("text=visibility")).last.click()
    expect(page.locator(".ch-table tbody tr")).to_have_count(3)
    picture(page, "batch-390")
    page.locator("form[action*='batch/make'] button[type=submit]").click()
    expect(page.locator("[data-batch] progress[value='3']")).to_be_visible(timeout=60_000)
    fits(page)
    picture(page, "batch-made-390")
    page.locator("[data-batch] a").click()
    expect(page.locator(".ch-preview img")).to_be_visible()
    wait_until(lambda: page.locator(".ch-preview img").evaluate("one => one.naturalWidth") == 480, 10, "the picture")
    fits(page)
    picture(page, "posters-390")
