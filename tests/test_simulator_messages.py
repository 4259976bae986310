"""The simulator's customer-service messages and menus: windows, receivers, shapes, sizes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from wechat.simulator.accounts import Account, Person
from wechat.simulator.library import Media
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

APPID = "wx0123456789abcdef"
TEXT = {"msgtype": "text", "text": {"content": "您好"}}
ARTICLE = {"title": "报价", "description": "合计", "url": "https://wxhub.example.test/", "picurl": ""}


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Platform(Account(appid=APPID, secret="secret", token="token"))) as running:
        yield running


@pytest.fixture
def account(server: SimulatorServer) -> Account:
    return server.platform.accounts[APPID]


@pytest.fixture
def person(server: SimulatorServer, account: Account) -> Person:
    return server.platform.add_person(account, openid="oPerson", follows=True)


def call(server: SimulatorServer, path: str, body: dict[str, Any]) -> int:
    platform = server.platform
    account = platform.accounts[APPID]
    token = account.tokens.stable(platform.clock.now()).value
    platform.token_owners[token] = account
    raw = json.dumps(body, ensure_ascii=False).encode()
    query = {"access_token": token}
    return int(requests.post(f"{server.url}/cgi-bin/{path}", params=query, data=raw, timeout=5).json()["errcode"])


def send(server: SimulatorServer, message: dict[str, Any], touser: str = "oPerson") -> int:
    return call(server, "message/custom/send", {"touser": touser, **message})


def open_window(server: SimulatorServer, person: Person, kind: str) -> None:
    person.windows.open(kind, server.platform.clock.now())


@pytest.mark.parametrize(
    ("kind", "messages", "seconds"),
    [("user_msg", 5, 172_800), ("menu", 3, 60), ("follow", 3, 60), ("scan", 3, 60)],
)
def test_each_kind_of_contact_opens_its_own_window(
    server: SimulatorServer, person: Person, kind: str, messages: int, seconds: int
) -> None:
    assert send(server, TEXT) == 45015
    open_window(server, person, kind)
    assert [send(server, TEXT) for _ in range(messages + 1)] == [0] * messages + [45047]
    open_window(server, person, kind)
    server.platform.clock.advance(seconds - 1)
    assert send(server, TEXT) == 0
    server.platform.clock.advance(2)
    assert send(server, TEXT) == 45015


def test_the_window_that_closes_first_is_used_first(server: SimulatorServer, person: Person) -> None:
    open_window(server, person, "user_msg")
    open_window(server, person, "scan")
    for _ in range(4):
        send(server, TEXT)
    assert {kind: bucket.left for kind, bucket in person.windows.buckets.items()} == {"user_msg": 4, "scan": 0}


def test_a_second_scan_fills_the_window_again(server: SimulatorServer, person: Person) -> None:
    open_window(server, person, "scan")
    for _ in range(3):
        send(server, TEXT)
    open_window(server, person, "scan")
    assert send(server, TEXT) == 0


@pytest.mark.parametrize(
    ("field", "value", "errcode"),
    [("follows", False, 45015), ("blacklisted", True, 43019), ("muted", True, 48002)],
)
def test_who_cannot_be_reached_is_told_apart(
    server: SimulatorServer, person: Person, field: str, value: bool, errcode: int
) -> None:
    open_window(server, person, "user_msg")
    setattr(person, field, value)
    assert send(server, TEXT) == errcode
    assert send(server, TEXT, touser="oNobody") == 40003


@pytest.mark.parametrize(
    ("message", "errcode"),
    [
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": {"content": "报" * 682}}, 0),
        ({"msgtype": "text", "text": {"content": "报" * 683}}, 45002),
        ({"msgtype": "text", "text": "您好"}, 45162),
        ({"msgtype": "text"}, 44002),
        ({"msgtype": "dance", "dance": {}}, 40008),
        ({"msgtype": "news", "news": {"articles": [ARTICLE]}}, 0),
        ({"msgtype": "news", "news": {"articles": [ARTICLE, ARTICLE]}}, 45008),
        ({"msgtype": "news", "news": {"articles": []}}, 44003),
        ({"msgtype": "news", "news": {"articles": ARTICLE}}, 45162),
        ({"msgtype": "image", "image": {"media_id": "unknown"}}, 40007),
        ({"msgtype": "image", "image": {"media_id": "known"}}, 0),
        ({"msgtype": "video", "video": {"media_id": "known"}}, 40007),
        ({"msgtype": "msgmenu", "msgmenu": {"list": []}}, 45098),
        ({"msgtype": "msgmenu", "msgmenu": {"list": [{"id": "1", "content": "满意"}]}}, 0),
        ({"msgtype": "msgmenu", "msgmenu": {"list": [{"id": "1"}]}}, 45099),
        ({"msgtype": "miniprogrampage", "miniprogrampage": {"title": "x"}}, 40035),
    ],
)
def test_the_shape_of_every_kind_of_message_is_checked(
    server: SimulatorServer, account: Account, person: Person, message: dict[str, Any], errcode: int
) -> None:
    account.media["known"] = Media()
    open_window(server, person, "user_msg")
    assert send(server, message) == errcode
    assert person.windows.buckets["user_msg"].left == (4 if errcode == 0 else 5)


def test_an_accepted_message_is_in_the_chat_and_in_the_journal(server: SimulatorServer, person: Person) -> None:
    open_window(server, person, "scan")
    send(server, {"msgtype": "news", "news": {"articles": [ARTICLE]}})
    assert person.chat[-1]["articles"][0]["title"] == "报价"
    assert person.chat[-1]["via"] == "customer_service"
    entry = server.platform.journal.find(kind="message")[-1]
    assert (entry["openid"], entry["message"]["msgtype"]) == ("oPerson", "news")


def test_typing_needs_a_recent_exchange(server: SimulatorServer, person: Person) -> None:
    def typing(command: str) -> int:
        return call(server, "message/custom/typing", {"touser": "oPerson", "command": command})

    assert typing("Typing") == 45080
    person.last_contact = server.platform.clock.now()
    assert [typing("Typing"), typing("Typing"), typing("CancelTyping"), typing("Dance")] == [0, 45081, 0, 45072]


def button(**fields: Any) -> dict[str, Any]:
    return {"type": "click", "name": "报价", "key": "K", **fields}


def group(*subs: dict[str, Any]) -> dict[str, Any]:
    return {"name": "更多", "sub_button": list(subs)}


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([button()], 0),
        ([group(*[button()] * 5)] * 3, 0),
        ([], 40016),
        ([button()] * 4, 40016),
        ([button(name="五个汉字呀")], 0),
        ([button(name="五个汉字呀啊")], 40018),
        ([button(name="")], 40018),
        ([button(key="k" * 129)], 40019),
        ([button(type="dance")], 40017),
        ([button(type="view", url="")], 40020),
        ([button(type="view", url="https://a.test/" + "x" * 1010)], 40020),
        ([button(type="view", url="javascript:alert(1)")], 40055),
        ([button(type="view", url="https://a.test/")], 0),
        ([button(type="media_id")], 40117),
        ([button(type="miniprogram", url="https://a.test/", appid="wx1")], 40035),
        ([group(*[button()] * 6)], 40023),
        ([group(group(button()))], 40022),
        ([group(button(type="dance"))], 40024),
        ([group(button(name="二" * 20))], 0),
        ([group(button(name="二" * 21))], 40025),
        ([group(button(key=""))], 40026),
        ([group(button(type="view", url=""))], 40027),
        ([group(button(type="view", url="x"))], 40054),
    ],
)
def test_a_menu_is_checked_in_bytes(server: SimulatorServer, buttons: list[Any], errcode: int) -> None:
    assert call(server, "menu/create", {"button": buttons}) == errcode


def test_a_menu_can_be_read_back_and_deleted(server: SimulatorServer, account: Account) -> None:
    token = account.tokens.stable(server.platform.clock.now()).value
    server.platform.token_owners[token] = account

    def get(path: str) -> dict[str, Any]:
        return dict(requests.get(f"{server.url}/cgi-bin/menu/{path}", params={"access_token": token}, timeout=5).json())

    assert get("get")["errcode"] == 46003
    assert call(server, "menu/create", {"button": [button()]}) == 0
    assert get("get")["menu"]["button"] == [{**button(), "sub_button": []}]
    assert get("delete")["errcode"] == 0
    assert get("get")["errcode"] == 46003
