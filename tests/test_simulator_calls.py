"""The simulator's API: the order of its checks, the form of its answers, quotas, codes, people."""

import base64
import json
import re
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from wechat.simulator.accounts import Account
from wechat.simulator.quotas import Limits
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
SEND, QRCODE, MENU = "/cgi-bin/message/custom/send", "/cgi-bin/qrcode/create", "/cgi-bin/menu/create"
RID = re.compile(r" rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$")


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Platform(Account(appid=APPID, secret=SECRET, token="token"))) as running:
        yield running


@pytest.fixture
def account(server: SimulatorServer) -> Account:
    return server.platform.accounts[APPID]


@pytest.fixture
def token(server: SimulatorServer) -> str:
    query = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
    return str(requests.get(f"{server.url}/cgi-bin/token", params=query, timeout=5).json()["access_token"])


def post(server: SimulatorServer, path: str, body: Any, token: str | None) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    query = {} if token is None else {"access_token": token}
    response = requests.post(f"{server.url}{path}", params=query, data=raw, timeout=5)
    assert response.status_code == 200
    return dict(json.loads(response.content.decode()))


def code_of(scene: dict[str, Any], action: str = "QR_SCENE", **fields: Any) -> dict[str, Any]:
    return {"action_name": action, "action_info": {"scene": scene}, **fields}


def test_an_unknown_path_answers_40066_before_anything_else(server: SimulatorServer) -> None:
    assert post(server, "/cgi-bin/nothing", b"", None)["errcode"] == 40066


def test_the_method_is_checked_before_the_token(server: SimulatorServer) -> None:
    assert requests.get(f"{server.url}{SEND}", timeout=5).json()["errcode"] == 43002
    assert requests.post(f"{server.url}/cgi-bin/token", timeout=5).json()["errcode"] == 43001


def test_the_allowlist_is_checked_before_the_token_and_names_the_caller(
    server: SimulatorServer, account: Account, token: str
) -> None:
    account.ip_allowlist = ["10.0.0.0/8"]
    account.tokens.expire(time.time())
    answer = post(server, SEND, {}, token)
    assert answer["errcode"] == 40164
    assert answer["errmsg"].startswith("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ")


@pytest.mark.parametrize(("value", "errcode"), [(None, 41001), ("", 41001), ("unknown", 40014)])
def test_the_token_is_checked_before_the_body(server: SimulatorServer, value: str | None, errcode: int) -> None:
    assert post(server, SEND, b"", value)["errcode"] == errcode


@pytest.mark.parametrize(("spoil", "errcode"), [("expire", 42001), ("revoke", 40001)])
def test_a_spoiled_token_is_refused(
    server: SimulatorServer, account: Account, token: str, spoil: str, errcode: int
) -> None:
    getattr(account.tokens, spoil)(time.time())
    assert post(server, SEND, b"", token)["errcode"] == errcode


@pytest.mark.parametrize(("limits", "errcode"), [(Limits(daily=0), 45009), (Limits(minute=0), 45011)])
def test_the_quota_is_checked_before_permission_and_body(
    server: SimulatorServer, account: Account, token: str, limits: Limits, errcode: int
) -> None:
    account.kind = "subscription"
    account.quotas.overrides[SEND] = limits
    assert post(server, SEND, b"", token)["errcode"] == errcode


@pytest.mark.parametrize(
    ("kind", "path", "errcode"),
    [
        ("verified_subscription", QRCODE, 48001),
        ("verified_subscription", SEND, 44002),
        ("service", SEND, 48001),
        ("subscription", MENU, 48001),
        ("service", MENU, 44002),
        ("test", QRCODE, 44002),
    ],
)
def test_permission_is_checked_before_the_body(
    server: SimulatorServer, account: Account, token: str, kind: str, path: str, errcode: int
) -> None:
    account.kind = kind
    assert post(server, path, b"", token)["errcode"] == errcode


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        (SEND, b"", 44002),
        (SEND, b"{'touser': 1}", 47001),
        (SEND, b'{"touser":"\xff"}', 47001),
        (SEND, b"[]", 47001),
        (SEND, b'{"touser":"\\u4f60"}', 47002),
        (SEND, b'{"touser":"\\\\u4f60"}', 40003),
        (QRCODE, b"{'action_name': 1}", 40052),
        (MENU, b'{"button":"\\u4f60"}', 40033),
    ],
)
def test_the_body_is_checked_before_the_endpoints_own_rules(
    server: SimulatorServer, token: str, path: str, body: bytes, errcode: int
) -> None:
    assert post(server, path, body, token)["errcode"] == errcode


def test_every_error_ends_with_a_request_id_whose_first_group_is_the_time(server: SimulatorServer) -> None:
    answer = post(server, SEND, b"", "unknown")
    match = RID.search(answer["errmsg"])
    assert match
    assert abs(int(match[0][6:14], 16) - time.time()) < 5


def test_content_types_are_mixed_as_on_the_platform(server: SimulatorServer, token: str) -> None:
    ips = requests.get(f"{server.url}/cgi-bin/getcallbackip", params={"access_token": token}, timeout=5)
    sns = requests.get(f"{server.url}/sns/userinfo", params={"access_token": "x"}, timeout=5)
    assert ips.headers["Content-Type"] == "application/json; encoding=utf-8"
    assert "127.0.0.1" in ips.json()["ip_list"]
    assert sns.headers["Content-Type"] == "text/plain"
    assert ", rid: " in sns.json()["errmsg"]


def test_connections_are_kept_alive(server: SimulatorServer) -> None:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", SEND, b"{}")
        assert connection.getresponse().read()
    assert connection.sock is first
    connection.close()


def test_a_code_has_an_awkward_ticket_and_escaped_slashes(server: SimulatorServer, token: str) -> None:
    raw = requests.post(
        f"{server.url}{QRCODE}", params={"access_token": token}, data=json.dumps(code_of({"scene_id": 7})), timeout=5
    )
    answer = raw.json()
    assert b'"url":"http:\\/\\/127.0.0.1' in raw.content
    assert answer["url"].startswith(f"{server.url}/q/")
    assert "errcode" not in answer
    assert len(answer["ticket"]) == 96
    assert set("+/=") <= set(answer["ticket"])
    assert base64.b64decode(answer["ticket"]).startswith(b"\x81\x01")


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"action_name": "QR", "action_info": {}}, 40052),
        ({"action_name": "QR_SCENE"}, 40053),
        (code_of({"scene_id": 0}), 40053),
        (code_of({"scene_id": 4_294_967_296}), 40053),
        (code_of({"scene_id": "5"}), 40053),
        (code_of({"scene_id": True}), 40053),
        (code_of({"scene_id": 100_001}, "QR_LIMIT_SCENE"), 40053),
        (code_of({"scene_str": ""}, "QR_STR_SCENE"), 40053),
        (code_of({"scene_str": "x" * 65}, "QR_STR_SCENE"), 40053),
        (code_of({"scene_id": 5}, expire_seconds="60"), 40053),
    ],
)
def test_a_bad_scene_is_refused(server: SimulatorServer, token: str, body: dict[str, Any], errcode: int) -> None:
    assert post(server, QRCODE, body, token)["errcode"] == errcode


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (code_of({"scene_id": 4_294_967_295}), 60),
        (code_of({"scene_id": 5}, expire_seconds=1800), 1800),
        (code_of({"scene_id": 5}, expire_seconds=99_999_999), 2_592_000),
        (code_of({"scene_str": "报价_1"}, "QR_STR_SCENE", expire_seconds=1), 1),
        (code_of({"scene_id": 100_000}, "QR_LIMIT_SCENE"), None),
    ],
)
def test_a_good_scene_gets_a_code_for_the_time_asked(
    server: SimulatorServer, token: str, body: dict[str, Any], seconds: int | None
) -> None:
    assert post(server, QRCODE, body, token).get("expire_seconds") == seconds


def test_an_expiry_out_of_range_can_be_refused_instead_of_clamped(server: SimulatorServer, token: str) -> None:
    server.platform.settings.clamp_code_seconds = False
    assert post(server, QRCODE, code_of({"scene_id": 5}, expire_seconds=0), token)["errcode"] == 40053


def test_the_picture_needs_a_percent_encoded_ticket(server: SimulatorServer, token: str) -> None:
    ticket = post(server, QRCODE, code_of({"scene_id": 5}), token)["ticket"]
    address = f"{server.url}/cgi-bin/showqrcode?ticket="
    assert requests.get(address + quote(ticket, safe=""), timeout=5).content.startswith(b"\x89PNG")
    assert requests.get(address + ticket, timeout=5).status_code == 404


def test_user_info_never_tells_a_name(server: SimulatorServer, account: Account, token: str) -> None:
    server.platform.add_person(account, openid="oFollower", follows=True)
    server.platform.add_person(account, openid="oStranger")
    query = {"access_token": token, "lang": "zh_CN"}

    def info(openid: str) -> dict[str, Any]:
        return dict(
            requests.get(f"{server.url}/cgi-bin/user/info", params={**query, "openid": openid}, timeout=5).json()
        )

    assert info("oFollower")["subscribe"] == 1
    assert not {"nickname", "headimgurl"} & set(info("oFollower"))
    assert info("oStranger") == {"subscribe": 0, "openid": "oStranger", "tagid_list": []}
    assert info("oNobody")["errcode"] == 40003


def test_accounts_do_not_see_each_others_people_or_tokens(server: SimulatorServer, token: str) -> None:
    other = server.platform.add_account(Account(appid="wxother", secret="other", token="other"))
    server.platform.add_person(other, openid="oOther", follows=True)
    assert post(server, SEND, {"touser": "oOther"}, token)["errcode"] == 40003
    other.tokens.revoke(time.time())
    assert post(server, SEND, b"", token)["errcode"] == 44002


def test_the_days_quota_turns_at_midnight_in_beijing_and_can_be_cleared(
    server: SimulatorServer, account: Account, token: str
) -> None:
    account.quotas.overrides[QRCODE] = Limits(daily=1)
    body = code_of({"scene_id": 5})
    assert "ticket" in post(server, QRCODE, body, token)
    assert post(server, QRCODE, body, token)["errcode"] == 45009
    assert post(server, "/cgi-bin/openapi/quota/get", {"cgi_path": QRCODE}, token)["quota"] == {
        "daily_limit": 1,
        "used": 1,
        "remain": 0,
    }
    assert post(server, "/cgi-bin/clear_quota", {"appid": APPID}, token)["errcode"] == 0
    assert "ticket" in post(server, QRCODE, body, token)
    account.tokens.lifetime = 200_000
    fresh = account.tokens.classic(server.platform.clock.now()).value
    server.platform.token_owners[fresh] = account
    server.platform.clock.advance(86_400)
    assert "ticket" in post(server, QRCODE, body, fresh)


def test_quotas_can_be_cleared_ten_times_a_month(server: SimulatorServer, token: str) -> None:
    answers = [post(server, "/cgi-bin/clear_quota", {"appid": APPID}, token)["errcode"] for _ in range(11)]
    assert answers == [0] * 10 + [48006]


def test_the_js_ticket_is_one_per_lifetime(server: SimulatorServer, token: str) -> None:
    def ticket(kind: str) -> dict[str, Any]:
        query = {"access_token": token, "type": kind}
        return dict(requests.get(f"{server.url}/cgi-bin/ticket/getticket", params=query, timeout=5).json())

    assert ticket("jsapi")["ticket"] == ticket("jsapi")["ticket"]
    assert ticket("x")["errcode"] == 40097
