"""The simulator's access tokens: how long each kind lives, and that the two kinds leave each other alone."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from wechat.simulator.accounts import Account
from wechat.simulator.calls import ENDPOINTS
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Platform(Account(appid=APPID, secret=SECRET, token="token"))) as running:
        yield running


def classic(server: SimulatorServer, **changes: str) -> dict[str, Any]:
    query = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET, **changes}
    return dict(requests.get(f"{server.url}/cgi-bin/token", params=query, timeout=5).json())


def stable(server: SimulatorServer, **changes: Any) -> dict[str, Any]:
    body = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET, **changes}
    return dict(requests.post(f"{server.url}/cgi-bin/stable_token", data=json.dumps(body), timeout=5).json())


def errcode_with(server: SimulatorServer, token: dict[str, Any]) -> int:
    query = {"access_token": token["access_token"]}
    return int(requests.get(f"{server.url}/cgi-bin/getcallbackip", params=query, timeout=5).json().get("errcode", 0))


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"grant_type": "x"}, 40002),
        ({"appid": ""}, 41002),
        ({"appid": "wxwrong"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "wrong"}, 40125),
    ],
)
def test_wrong_credentials_are_told_apart(server: SimulatorServer, changes: dict[str, str], errcode: int) -> None:
    assert classic(server, **changes)["errcode"] == errcode
    assert stable(server, **changes)["errcode"] == errcode


def test_a_token_looks_like_a_real_one_and_lives_two_hours(server: SimulatorServer) -> None:
    token = classic(server)
    assert set(token) == {"access_token", "expires_in"}
    assert 137 <= len(token["access_token"]) <= 157
    server.platform.clock.advance(7199)
    assert errcode_with(server, token) == 0
    server.platform.clock.advance(1)
    assert errcode_with(server, token) == 42001


def test_a_classic_token_is_replaced_by_the_next_and_dies_after_five_minutes(server: SimulatorServer) -> None:
    first, second = classic(server), classic(server)
    assert first != second
    server.platform.clock.advance(299)
    assert errcode_with(server, first) == 0
    server.platform.clock.advance(1)
    assert errcode_with(server, first) == 40001
    assert errcode_with(server, second) == 0


def test_the_stable_token_stays_until_five_minutes_before_its_end(server: SimulatorServer) -> None:
    first = stable(server)
    server.platform.clock.advance(6899)
    again = stable(server)
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] in (300, 301)
    server.platform.clock.advance(2)
    second = stable(server)
    assert second["access_token"] != first["access_token"]
    assert errcode_with(server, first) == errcode_with(server, second) == 0
    server.platform.clock.advance(300)
    assert errcode_with(server, first) in (40001, 42001)


def test_a_forced_refresh_kills_the_old_token_but_only_every_thirty_seconds(server: SimulatorServer) -> None:
    first = stable(server)
    second = stable(server, force_refresh=True)
    assert errcode_with(server, first) == 40001
    assert stable(server, force_refresh=True)["access_token"] == second["access_token"]
    server.platform.clock.advance(30)
    assert stable(server, force_refresh=True)["access_token"] != second["access_token"]


def test_a_forced_refresh_is_possible_twenty_times_a_day(server: SimulatorServer) -> None:
    answers = [stable(server, force_refresh=True).get("errcode", 0) for _ in range(21)]
    assert answers == [0] * 20 + [45009]


def test_the_two_kinds_do_not_touch_each_other(server: SimulatorServer) -> None:
    kept = stable(server)
    for _ in range(3):
        classic(server)
    server.platform.clock.advance(400)
    assert errcode_with(server, kept) == 0


def test_a_revoked_stable_token_is_followed_by_a_new_one(server: SimulatorServer) -> None:
    first = stable(server)
    server.platform.accounts[APPID].tokens.revoke(server.platform.clock.now())
    assert errcode_with(server, first) == 40001
    assert errcode_with(server, stable(server)) == 0


def test_forgotten_tokens_are_unknown(server: SimulatorServer) -> None:
    token = classic(server)
    server.platform.accounts[APPID].tokens.forget()
    assert errcode_with(server, token) == 40014


def test_the_2001st_fetch_of_a_day_is_refused_with_the_hint_at_the_stable_call(server: SimulatorServer) -> None:
    quotas, now = server.platform.accounts[APPID].quotas, server.platform.clock.now()
    for _ in range(2000):
        quotas.count("/cgi-bin/token", ENDPOINTS["/cgi-bin/token"].limits, now)
    answer = classic(server)
    assert answer["errcode"] == 45009
    assert "getStableAccessToken" in answer["errmsg"]


def test_fetch_peak_is_the_number_of_fetches_under_way_at_once(server: SimulatorServer) -> None:
    server.platform.faults.set(kind="slow", match="/cgi-bin/stable_token", seconds=0.3, remaining=3)
    threads = [threading.Thread(target=stable, args=(server,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    classic(server)
    assert server.platform.counters["token_fetches"] == 4
    assert server.platform.counters["fetch_peak"] == 3


@pytest.mark.parametrize(
    ("odd", "shown"), [(60, 60), (0, 0), (-1, -1), ("soon", "soon"), ("absent", "nothing"), (None, 7200)]
)
def test_a_token_can_come_with_an_odd_expiry(server: SimulatorServer, odd: Any, shown: Any) -> None:
    server.platform.faults.set(kind="token", match="/cgi-bin/*", expires_in=odd, remaining=1)
    token = stable(server)
    assert token.get("expires_in", "nothing") == shown
    assert errcode_with(server, token) == 0


def test_a_token_can_be_512_characters_long_and_works(server: SimulatorServer) -> None:
    server.platform.faults.set(kind="token", match="/cgi-bin/token", length=512, remaining=1)
    token = classic(server)
    assert len(token["access_token"]) == 512
    assert errcode_with(server, token) == 0
