"""Share cards inside WeChat: the ticket that is fetched once, the signature, and which addresses are signed at all."""

import json
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote as encoded

import pytest
import requests
import time_machine
from callback import APPID, OPENID, Callback
from django.db import connections
from django.test import Client
from django.utils.translation import gettext
from quotes import newest_scan

from orders.models import Order, Profile, Scan
from wechat import circuit, conf, credentials, jssdk, leases
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError
from wechat.models import Account, ConfigRow
from wechat.sealing import unseal
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.usefixtures("worker_alive")
NOW = 1_760_000_000
PATH = "/cgi-bin/ticket/getticket"
SITE = "http://127.0.0.1:8000"


def asked(simulator: SimulatorServer) -> int:
    """How often the ticket was asked for."""
    return sum(call["endpoint"] == PATH for call in simulator.platform.journal.find(kind="call", limit=1000))


def ticket_row() -> str:
    return ConfigRow.objects.get(conf_name=jssdk.TICKET_ROW).conf_value


# The signature.


@pytest.mark.parametrize(
    ("ticket", "nonce", "timestamp", "url", "expected"),
    [
        (
            "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
            "Wm3WZYTPz0wzccnW",
            1414587457,
            "http://mp.weixin.qq.com?params=value",
            "0f9de62fce790f9a083d5c99e95740ceb90c27ed",
        ),
        (
            "sim_jsapi_ticket_0000000000000000000000000000000000000000000000000000000000000000000001",
            "q1W2e3R4t5Y6u7I8",
            1764547200,
            "https://wxhub.example.test/q/7Hs9kQ2m?from=singlemessage&isappinstalled=0",
            "b580b9ae9411f95609d49005522b69dbd126c8c8",
        ),
    ],
    ids=["the platform's sample", "with what WeChat adds to a link"],
)
def test_the_signature_is_that_of_the_reference(
    ticket: str, nonce: str, timestamp: int, url: str, expected: str
) -> None:
    assert jssdk.signature(ticket=ticket, nonce=nonce, timestamp=timestamp, url=url) == expected


@pytest.mark.parametrize(
    "reported",
    [
        "https://quotes.example.com/s/1.x/",
        "http://quotes.example.com/s/1.x/",
        "https://quotes.example.com:443/s/1.x/",
        "http://quotes.example.com:80/s/1.x/",
        "https://quotes.example.com/s/1.x/?from=singlemessage&isappinstalled=0",
        "https://quotes.example.com/s/1.x/?a=%E6%8A%A5&b=中",
    ],
)
def test_our_own_page_is_signed_as_the_browser_shows_it(settings: Any, reported: str) -> None:
    settings.PUBLIC_URL = "https://quotes.example.com"
    assert jssdk.page_address(reported, path="/s/1.x/") == reported


@pytest.mark.parametrize(
    "reported",
    [
        "",
        "/s/1.x/",
        "//quotes.example.com/s/1.x/",
        "https://quotes.example.com/",
        "https://quotes.example.com/s/1.y/",
        "https://quotes.example.com/s/1.x/onward",
        "https://quotes.example.com/s/1.x",
        "https://quotes.example.com/s/1.x/../1.x/",
        "https://quotes.example.com/s/1.x/#top",
        "https://quotes.example.com.evil.test/s/1.x/",
        "https://evil.test/s/1.x/",
        "https://evil.test/https://quotes.example.com/s/1.x/",
        "https://quotes.example.com@evil.test/s/1.x/",
        "https://me@quotes.example.com/s/1.x/",
        "https://quotes.example.com:8443/s/1.x/",
        "https://quotes.example.com:x/s/1.x/",
        "https://[quotes.example.com/s/1.x/",
        "ftp://quotes.example.com/s/1.x/",
        "javascript://quotes.example.com/s/1.x/",
        "https:\\\\quotes.example.com/s/1.x/",
        "https://quotes.example.com/s/1.x/ ",
        "https://quotes.example.com/s/1.x/?a\nb",
        "https://quotes.example.com/s/1.x/?" + "a" * 2000,
    ],
)
def test_any_other_address_is_not(settings: Any, reported: str) -> None:
    settings.PUBLIC_URL = "https://quotes.example.com"
    assert jssdk.page_address(reported, path="/s/1.x/") is None


# The ticket.


def test_a_hundred_pages_fetch_the_ticket_once(config: AccountConfig, simulator: SimulatorServer) -> None:
    assert len({jssdk.ticket(config) for _ in range(100)}) == 1
    credentials.forget()
    jssdk.ticket(config)
    assert asked(simulator) == 1


def test_the_ticket_is_fetched_again_200_seconds_before_its_end(
    config: AccountConfig, simulator: SimulatorServer
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        jssdk.ticket(config)
        assert ConfigRow.objects.get(conf_name=jssdk.EXPIRES_ROW).conf_value == str(NOW + 7000)
        clock.shift(6999)
        jssdk.ticket(config)
        assert asked(simulator) == 1
        clock.shift(1)
        jssdk.ticket(config)
        assert asked(simulator) == 2


@pytest.mark.django_db(transaction=True)
def test_many_pages_at_once_fetch_the_ticket_once(config: AccountConfig, simulator: SimulatorServer) -> None:
    start, got = threading.Barrier(12), []

    def page() -> None:
        start.wait()
        try:
            got.append(jssdk.ticket(config))
        except CallFailed:
            got.append("")  # waited long enough: the page asks once more
        finally:
            connections.close_all()

    threads = [threading.Thread(target=page) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 12
    assert len(set(got) - {""}) == 1
    assert asked(simulator) == 1


def test_the_ticket_is_sealed_and_belongs_to_its_appid(
    account: Account, config: AccountConfig, simulator: SimulatorServer
) -> None:
    ticket = jssdk.ticket(config)
    assert ticket not in ticket_row()
    assert unseal(ticket_row()) == ticket
    assert ticket not in repr(credentials._cache)
    assert jssdk.TICKET_ROW not in conf.account_by_id(account.pk).values
    conf.save(account, {"public_wechat_appsecret": "0" * 32})
    assert not ConfigRow.objects.filter(conf_name=jssdk.TICKET_ROW).exists()


def test_a_refused_fetch_is_remembered(config: AccountConfig, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="errcode", match=PATH, errcode=48001)
    for _ in range(10):
        with pytest.raises(PlatformError) as caught:
            jssdk.ticket(config)
        assert caught.value.code == 48001
    assert simulator.platform.counters["calls"] <= 2  # the token, and the ticket


def test_a_refused_token_is_renewed_for_the_ticket(config: AccountConfig, simulator: SimulatorServer) -> None:
    jssdk.ticket(config)
    simulator.platform.accounts[APPID].tokens.revoke(simulator.platform.clock.now())
    ConfigRow.objects.filter(conf_name=jssdk.EXPIRES_ROW).update(conf_value="0")
    credentials.forget()
    assert jssdk.ticket(config)


def test_while_the_api_is_failing_no_page_waits_for_it(config: AccountConfig, simulator: SimulatorServer) -> None:
    leases.claim(circuit.name(config.id), "test", 60)
    with pytest.raises(CallFailed):
        jssdk.ticket(config)
    assert simulator.platform.counters["calls"] == 0


# What a page gets.


@pytest.fixture
def scan(order: Order, push: Callback) -> Scan:
    """Somebody scanned quote 77."""
    push.scan("77")
    return newest_scan()


def wanted(scan: Scan, *, query: str = "") -> Any:
    """What the page's script gets."""
    url = encoded(f"{SITE}{scan.get_absolute_url()}{query}", safe="")
    return Client().get(f"/s/{scan.code}/wechat?url={url}")


def bridge(simulator: SimulatorServer, **query: Any) -> dict[str, Any]:
    """What the phone says to a call of a page's script."""
    line = requests.get(f"{simulator.url}/open/js/bridge", params={"number": "1", **query}, timeout=5).text
    match = re.fullmatch(r"window\.wxSimulatorAnswers\?\.\((.*)\);", line)
    assert match
    return dict(json.loads(match[1]))


def configured(simulator: SimulatorServer, answer: dict[str, Any], url: str) -> dict[str, Any]:
    values = {name: answer[name] for name in ("timestamp", "nonceStr", "signature")}
    return bridge(simulator, call="config", appid=answer["appId"], url=url, **values)


@pytest.mark.parametrize("query", ["", "?from=singlemessage&isappinstalled=0", "?a=%E6%8A%A5"])
def test_wechat_accepts_the_signature_of_the_page(scan: Scan, simulator: SimulatorServer, query: str) -> None:
    answer = wanted(scan, query=query).json()
    url = f"{SITE}{scan.get_absolute_url()}{query}"
    assert configured(simulator, answer, url)["errMsg"] == "config:ok"
    assert configured(simulator, answer, f"{url}x")["errMsg"] == "config:invalid signature"
    assert configured(simulator, {**answer, "nonceStr": "x"}, url)["errMsg"] == "config:invalid signature"


def test_wechat_checks_the_domains(scan: Scan, simulator: SimulatorServer) -> None:
    answer, url = wanted(scan).json(), f"{SITE}{scan.get_absolute_url()}"
    key = configured(simulator, answer, url)["key"]
    card = {"call": "updateAppMessageShareData", "key": key, "title": "x"}
    assert bridge(simulator, **card, link=answer["link"])["errMsg"].endswith(":ok")
    assert "must be in js secure domain list" in bridge(simulator, **card, link="https://evil.test/")["errMsg"]
    assert "not configured" in bridge(simulator, **{**card, "key": "x"}, link=answer["link"])["errMsg"]
    simulator.platform.settings.js_domains = "quotes.example.com"
    assert configured(simulator, answer, url)["errMsg"] == "config:fail,40048:invalid url domain"


def test_the_answer_has_card_and_configuration_and_no_secret(scan: Scan, simulator: SimulatorServer) -> None:
    answer = wanted(scan).json()
    assert sorted(answer) == ["appId", "desc", "link", "nonceStr", "picture", "signature", "timestamp", "title"]
    assert answer["appId"] == APPID
    assert answer["link"].startswith(f"{SITE}/s/s{scan.pk}.")
    assert re.fullmatch("[0-9a-f]{40}", answer["signature"])
    assert unseal(ticket_row()) not in json.dumps(answer)
    assert OPENID not in json.dumps(answer)


@pytest.mark.parametrize("url", ["", "https://evil.test/", f"{SITE}/", f"{SITE}/s/1.x/", f"{SITE}/admin/"])
def test_no_other_address_is_signed(scan: Scan, simulator: SimulatorServer, url: str) -> None:
    response = Client().get(f"/s/{scan.code}/wechat", {"url": url})
    assert response.status_code == 400
    assert "signature" not in response.json()
    assert simulator.platform.counters["calls"] == 0


def test_without_a_ticket_the_page_is_told_so_and_works(scan: Scan, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="errcode", match=PATH, errcode=48001)
    response = wanted(scan)
    assert response.status_code == 503
    assert "48001" not in response.content.decode()
    assert Client().get(scan.get_absolute_url()).status_code == 200


def test_the_card_has_the_texts_of_the_account_and_no_name_unless_agreed(
    account: Account, scan: Scan, simulator: SimulatorServer
) -> None:
    text = "##NICKNAME##|##CUSTOMER##|##ORDERID##|##TOTALBUDGET##|##ACCOUNT##|##ROOMAREA##"
    conf.save(account, {"wechat_share_title": text})
    onward = f"/s/{scan.code}/onward"
    assert Client().get(onward).json()["title"] == f"{gettext('A WeChat user')}|##CUSTOMER##|##ORDERID##|56000|示例|110"
    Profile.objects.create(scan=scan, nickname="小王 ##ORDERID##")
    title = Client().get(onward).json()["title"]
    assert title == "小王 ##ORDERID##|##CUSTOMER##|##ORDERID##|56000|示例|110"


def test_only_the_page_of_a_quote_may_load_wechats_script(scan: Scan, order: Order, settings: Any) -> None:
    policies = {path: Client().get(path)["Content-Security-Policy"] for path in (scan.get_absolute_url(), "/")}
    policies["quote"] = Client().get(order.get_absolute_url())["Content-Security-Policy"]
    parts = dict(part.split(" ", 1) for part in policies[scan.get_absolute_url()].split("; "))
    assert parts["script-src"].split() == ["'self'", "https://res.wx.qq.com"]
    assert "qq.com" not in parts["connect-src"]
    assert all("res.wx.qq.com" not in policies[path] for path in ("/", "quote"))
    html = Client().get(scan.get_absolute_url()).content.decode()
    assert not re.search(r"<script[^>]*res\.wx\.qq\.com", html)


# The self-check of the admin.


def self_check(staff: Client, account: Account, url: str, **headers: str) -> tuple[int, dict[str, Any]]:
    address = "/admin/wechat/account/webpages_sign/"
    response = staff.get(address, {"account": account.pk, "url": url}, headers=headers)
    return response.status_code, response.json()


def test_the_self_check_signs_its_own_address(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    page = f"{SITE}/admin/wechat/account/webpages/?account={account.pk}"
    html = staff.get("/admin/wechat/account/webpages/", {"account": account.pk})
    assert simulator.url in html["Content-Security-Policy"]
    status, answer = self_check(staff, account, page)
    assert status == 200
    assert [note["level"] for note in answer["notes"]] == ["ok", "ok"]
    assert configured(simulator, answer["config"], page)["errMsg"] == "config:ok"


def test_the_self_check_says_what_a_proxy_changes(
    staff: Client, account: Account, simulator: SimulatorServer, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://quotes.example.com"
    settings.SECURE_SSL_REDIRECT = False
    page = "https://quotes.example.com/admin/wechat/account/webpages/"
    status, answer = self_check(staff, account, page)
    assert status == 200
    assert answer["url"] == page
    assert "TRUSTED_PROXIES" in answer["notes"][0]["remedy"]
    status, answer = self_check(staff, account, page.replace("https", "http"))
    assert answer["notes"][0]["level"] == "warn"
    assert "PUBLIC_URL" in answer["notes"][0]["text"]


def test_the_self_check_signs_nothing_else(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    status, answer = self_check(staff, account, "https://evil.test/admin/wechat/account/webpages/")
    assert status == 400
    assert answer["notes"][0]["level"] == "bad"
    assert "config" not in answer


def test_the_self_check_explains_why_there_is_no_ticket(
    staff: Client, account: Account, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", match=PATH, errcode=48001)
    status, answer = self_check(staff, account, f"{SITE}/admin/wechat/account/webpages/")
    assert status == 503
    assert "48001" in json.dumps(answer)


def test_the_simulator_serves_its_stand_in(simulator: SimulatorServer) -> None:
    script = requests.get(f"{simulator.url}/open/js/jweixin-1.6.0.js", timeout=5)
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert script.content == (Path(__file__).parent.parent / "static/simulator/jweixin.js").read_bytes()
    assert "</" not in requests.get(f"{simulator.url}/open/js/bridge?call=</script>", timeout=5).text
