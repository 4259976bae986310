"""The simulator misbehaving on command: broken answers, lost answers, no answers, for the calls that were meant."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from wechat.simulator.accounts import Account
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

APPID = "wx0123456789abcdef"
SEND = "/cgi-bin/message/custom/send"
MESSAGE = {"touser": "oFan", "msgtype": "text", "text": {"content": "您好"}}


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    account = Account(appid=APPID, secret="secret", token="token")
    platform = Platform(account)
    with SimulatorServer(platform) as running:
        platform.add_person(account, openid="oFan", follows=True).windows.open("user_msg", platform.clock.now())
        yield running


def send(server: SimulatorServer, path: str = SEND, **options: Any) -> requests.Response:
    account = server.platform.accounts[APPID]
    token = account.tokens.stable(server.platform.clock.now()).value
    server.platform.token_owners[token] = account
    raw = json.dumps(MESSAGE, ensure_ascii=False).encode()
    query = {"access_token": token}
    options.setdefault("timeout", 5)
    return requests.post(f"{server.url}{path}", params=query, data=raw, allow_redirects=False, **options)


def received(server: SimulatorServer) -> int:
    return len(server.platform.persons["oFan"].chat)


@pytest.mark.parametrize(
    ("order", "status", "content"),
    [
        ({"kind": "errcode", "errcode": 45015}, 200, b"response out of time limit or subscription is canceled rid: "),
        ({"kind": "errcode", "errcode": 99999, "errmsg": "odd"}, 200, b'{"errcode":99999,"errmsg":"odd rid: '),
        ({"kind": "errcode", "errcode": 40164}, 200, b"invalid ip 127.0.0.1 ipv6"),
        ({"kind": "status", "status": 500}, 500, b"<html>"),
        ({"kind": "status"}, 502, b"502 Bad Gateway"),
        ({"kind": "html"}, 200, b"<html>"),
        ({"kind": "cut"}, 200, b'{"errcode":0'),
        ({"kind": "list"}, 200, b"["),
        ({"kind": "bytes"}, 200, b"\xff\xfe"),
        ({"kind": "redirect"}, 302, b""),
    ],
)
def test_an_answer_can_be_wrong_without_any_effect(
    server: SimulatorServer, order: dict[str, Any], status: int, content: bytes
) -> None:
    server.platform.faults.set(match=SEND, remaining=1, **order)
    response = send(server)
    assert response.status_code == status
    assert content in response.content
    assert received(server) == 0
    assert send(server).json()["errcode"] == 0


def test_a_wrong_answer_can_hide_that_the_call_took_effect(server: SimulatorServer) -> None:
    server.platform.faults.set(kind="empty", match=SEND, remaining=1, effect=True)
    response = send(server)
    assert (response.status_code, response.content) == (200, b"")
    assert received(server) == 1


@pytest.mark.parametrize(("kind", "effects"), [("close", 0), ("lost", 1), ("down", 0)])
def test_a_connection_can_be_closed_before_or_after_the_effect(
    server: SimulatorServer, kind: str, effects: int
) -> None:
    server.platform.faults.set(kind=kind, match=SEND, remaining=1)
    with pytest.raises(requests.ConnectionError):
        send(server)
    assert received(server) == effects
    assert send(server).status_code == 200


def test_an_answer_can_be_slow_or_never_come(server: SimulatorServer) -> None:
    server.platform.faults.set(kind="slow", match=SEND, remaining=1, seconds=0.2)
    started = time.monotonic()
    assert send(server).json()["errcode"] == 0
    assert time.monotonic() - started >= 0.2
    server.platform.faults.set(kind="hang", match=SEND, remaining=1, seconds=0.5)
    with pytest.raises(requests.ReadTimeout):
        send(server, timeout=0.2)


def test_a_huge_answer_is_streamed(server: SimulatorServer) -> None:
    server.platform.faults.set(kind="huge", match=SEND, remaining=1)
    with send(server, stream=True) as response:
        assert response.headers["Content-Length"] == str(50 * 1024 * 1024)
        assert len(next(response.iter_content(4096))) == 4096


def test_whoever_follows_the_redirect_is_counted(server: SimulatorServer) -> None:
    server.platform.faults.set(kind="redirect", match=SEND, remaining=1)
    location = send(server).headers["Location"]
    assert location.startswith("http://localhost:")
    requests.get(location.replace("localhost", "127.0.0.1"), timeout=5)
    assert server.platform.counters["elsewhere"] == 1


def test_a_fault_counts_down_and_hits_only_its_path_and_account(server: SimulatorServer) -> None:
    other = server.platform.add_account(Account(appid="wxother", secret="other", token="other"))
    server.platform.faults.set(kind="errcode", errcode=-1, match="/cgi-bin/message/*", remaining=2, appid=APPID)
    value = other.tokens.classic(server.platform.clock.now()).value
    server.platform.token_owners[value] = other
    stranger = requests.post(f"{server.url}{SEND}", params={"access_token": value}, data=b"{}", timeout=5)
    assert stranger.json()["errcode"] == 40003
    assert send(server, "/cgi-bin/menu/create").json()["errcode"] == 40016
    assert [send(server).json()["errcode"] for _ in range(3)] == [-1, -1, 0]


def test_a_fault_without_a_number_lasts_until_it_is_cleared(server: SimulatorServer) -> None:
    fault = server.platform.faults.set(kind="errcode", errcode=45009)
    assert [send(server).json()["errcode"] for _ in range(3)] == [45009] * 3
    assert server.platform.faults.clear(fault.id) == 1
    assert send(server).json()["errcode"] == 0


@pytest.mark.parametrize("order", [{"kind": "dance"}, {"kind": "down", "scope": "x"}, {"kind": "down", "x": 1}])
def test_an_unknown_fault_is_refused(server: SimulatorServer, order: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"kind is|scope is|unknown"):
        server.platform.faults.set(**order)


def test_the_listener_can_be_stopped_and_started_on_the_same_port(server: SimulatorServer) -> None:
    port = int(server.url.rpartition(":")[2])
    with requests.Session() as session:
        session.get(f"{server.url}/sim/api/clock", timeout=5)
        server.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/sim/api/clock", timeout=5)
        server.listen()
        assert session.get(f"{server.url}/sim/api/clock", timeout=5).status_code == 200


def test_every_call_is_in_the_journal_with_its_code_and_request_id(server: SimulatorServer) -> None:
    send(server)
    server.platform.faults.set(kind="errcode", errcode=45015, remaining=1)
    answer = send(server).json()
    good, bad = server.platform.journal.find(kind="call")
    assert (good["endpoint"], good["errcode"], good["rid"], good["appid"]) == (SEND, 0, None, APPID)
    assert (bad["errcode"], bad["fault"]) == (45015, "errcode")
    assert answer["errmsg"].endswith(bad["rid"])
