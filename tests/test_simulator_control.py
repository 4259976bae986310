"""The simulator's own REST API, web authorization and pages, as a test or a browser uses them."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from wechat.simulator.accounts import Account
from wechat.simulator.control import __doc__ as table
from wechat.simulator.control.routing import routes
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

APPID, SECRET = "wx0123456789abcdef", "secret"


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    platform = Platform(Account(appid=APPID, secret=SECRET, token="token", callback_url="http://127.0.0.1:1/none"))
    platform.settings.push_repeats = 0
    with SimulatorServer(platform) as running:
        yield running


def ask(server: SimulatorServer, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    response = requests.request(method, f"{server.url}/sim/api{path}", json=body, timeout=30)
    assert response.status_code == status, response.text
    return dict(response.json())


def test_the_table_of_requests_is_complete(server: SimulatorServer) -> None:
    listed = re.findall(r"^\| (\w+ /sim/api\S*) \|", table or "", re.MULTILINE)
    known = [re.sub(r"<\w+:fault_id>", "<id>", name) for name in routes()]
    assert sorted(listed) == sorted(known)
    assert list(ask(server, "GET", "/")["requests"]) == listed


def test_accounts_are_added_changed_and_checked(server: SimulatorServer) -> None:
    ask(server, "POST", "/accounts", {"appid": "wxtwo", "secret": "s", "token": "t", "mode": "safe", "kind": "test"})
    assert ask(server, "PATCH", "/accounts/wxtwo", {"name": "二号"})["name"] == "二号"
    assert len(ask(server, "GET", "/accounts")["accounts"]) == 2
    assert "mode is one of" in ask(server, "PATCH", "/accounts/wxtwo", {"mode": "x"}, status=400)["error"]
    assert "43 letters" in ask(server, "PATCH", "/accounts/wxtwo", {"aes_key": "x"}, status=400)["error"]
    assert "cannot set appid" in ask(server, "PATCH", "/accounts/wxtwo", {"appid": "x"}, status=400)["error"]
    assert ask(server, "PATCH", "/accounts/none", {}, status=400)["error"] == "there is no account none"


def test_a_scan_of_a_bare_scene_makes_the_person_and_waits_for_the_push(server: SimulatorServer) -> None:
    answer = ask(server, "POST", "/actions/scan", {"openid": "oNew", "scene": "77", "follow": True, "wait": True})
    assert answer["result"] == "done"
    assert answer["entry"]["event"] == "subscribe"
    chat = ask(server, "GET", "/persons/oNew/chat")
    assert chat["person"]["windows"]["follow"]["left"] == 3
    assert chat["chat"][-1]["kind"] == "notice"


def test_persons_act_one_after_the_other(server: SimulatorServer) -> None:
    ask(server, "POST", "/persons", {"openid": "oFan", "follows": True, "nickname": "小王"})
    assert ask(server, "POST", "/actions/text", {"openid": "oFan", "text": "报价"})["push"]
    button = {"type": "view", "url": "https://a.test/"}
    assert ask(server, "POST", "/actions/click", {"openid": "oFan", "button": button})["url"] == "https://a.test/"
    assert ask(server, "POST", "/actions/click", {"openid": "oFan", "path": [0]}, status=400)["error"]
    assert ask(server, "POST", "/actions/unfollow", {"openid": "oFan"})["result"] == "done"
    assert ask(server, "POST", "/actions/text", {"openid": "oFan", "text": "x"}, status=400)["error"]
    assert "actions are" in ask(server, "POST", "/actions/dance", {}, status=400)["error"]
    assert ask(server, "PATCH", "/persons/oFan", {"muted": True})["muted"] is True
    assert ask(server, "PATCH", "/persons/oFan", {"openid": "x"}, status=400)["error"]


def test_many_scans_are_summed_up(server: SimulatorServer) -> None:
    order = {"scenes": ["1", "2", "3"], "persons": 2, "pair": "product", "copies": 2}
    answer = ask(server, "POST", "/scans", order)
    assert (answer["scans"], answer["pushes"], answer["deliveries"]) == (6, 6, 12)
    assert (answer["outcomes"], answer["not_200"]) == ({"failed": 6}, 12)
    assert ask(server, "POST", "/scans", {}, status=400)["error"] == "give scenes or tickets"


def test_faults_are_set_and_cleared_by_path_and_by_event(server: SimulatorServer) -> None:
    first = ask(server, "POST", "/faults", {"path": "/cgi-bin/token", "kind": "errcode", "errcode": -1, "calls": 1})
    ask(server, "POST", "/faults", {"event": "SCAN", "kind": "drop", "pushes": 1})
    assert [fault["scope"] for fault in ask(server, "GET", "/faults")["faults"]] == ["call", "push"]
    assert requests.get(f"{server.url}/cgi-bin/token", timeout=5).json()["errcode"] == -1
    assert ask(server, "DELETE", f"/faults/{first['id']}")["cleared"] == 0
    assert ask(server, "DELETE", "/faults")["cleared"] == 1


def test_the_clock_the_settings_and_the_tokens_can_be_changed(server: SimulatorServer) -> None:
    assert ask(server, "POST", "/clock", {"advance": 60})["offset"] == 60
    assert ask(server, "PATCH", "/settings", {"push_pause": 0.5})["push_pause"] == 0.5
    assert "there is only" in ask(server, "PATCH", "/settings", {"x": 1}, status=400)["error"]
    server.platform.accounts[APPID].tokens.classic(server.platform.clock.now())
    assert ask(server, "POST", f"/accounts/{APPID}/tokens", {"action": "expire"})["tokens"][0]["errcode"] == 42001
    assert ask(server, "POST", f"/accounts/{APPID}/quotas", {"path": "/cgi-bin/token", "daily": 0})["daily"] == 0
    query = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
    assert requests.get(f"{server.url}/cgi-bin/token", params=query, timeout=5).json()["errcode"] == 45009


def test_the_journal_shows_a_changed_entry_again(server: SimulatorServer) -> None:
    entry = server.platform.note("push", outcome="waiting")
    before = ask(server, "GET", "/journal")["seq"]
    server.platform.touch(entry, outcome="accepted")
    again = ask(server, "GET", f"/journal?since={before}&kind=push")["entries"]
    assert [(one["id"], one["outcome"]) for one in again] == [(entry["id"], "accepted")]


def test_waiting_for_a_change_ends_with_the_change(server: SimulatorServer) -> None:
    since = ask(server, "GET", "/state")["seq"]
    threading.Timer(0.1, server.platform.note, args=("person",)).start()
    started = time.monotonic()
    assert ask(server, "GET", f"/changes?since={since}&wait=5")["seq"] > since
    assert time.monotonic() - started < 2


def test_a_reset_keeps_the_accounts_and_forgets_the_rest(server: SimulatorServer) -> None:
    ask(server, "POST", "/persons", {"count": 3})
    seq = ask(server, "GET", "/state")["seq"]
    ask(server, "POST", "/faults", {"kind": "down"})
    assert ask(server, "POST", "/reset")["seq"] > seq
    state = ask(server, "GET", "/state")
    assert (len(state["accounts"]), state["persons"], state["faults"]) == (1, [], [])


def test_the_listener_comes_back_by_itself(server: SimulatorServer) -> None:
    ask(server, "POST", "/listener", {"seconds": 0.2})
    time.sleep(0.1)
    with pytest.raises(requests.ConnectionError):
        ask(server, "GET", "/clock")
    time.sleep(0.25)
    ask(server, "GET", "/clock")


def test_other_websites_cannot_steer_the_simulator(server: SimulatorServer) -> None:
    response = requests.post(f"{server.url}/sim/api/reset", headers={"Origin": "https://evil.test"}, timeout=5)
    assert response.status_code == 403
    own = requests.post(f"{server.url}/sim/api/reset", headers={"Origin": server.url}, timeout=5)
    assert own.status_code == 200


def test_the_simulator_listens_on_this_machine_only() -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        SimulatorServer(Platform(), host="0.0.0.0")


def consent(server: SimulatorServer, **options: Any) -> str:
    return str(ask(server, "POST", "/actions/authorize", {"openid": "oFan", **options})["code"])


def sns(server: SimulatorServer, path: str, **query: str) -> dict[str, Any]:
    response = requests.get(f"{server.url}/sns/{path}", params=query, timeout=5)
    return dict(json.loads(response.content.decode(), strict=False))


def exchange(server: SimulatorServer, code: str, **changes: str) -> dict[str, Any]:
    query = {"appid": APPID, "secret": SECRET, "code": code, "grant_type": "authorization_code", **changes}
    return sns(server, "oauth2/access_token", **query)


def test_a_code_is_exchanged_once_within_five_minutes(server: SimulatorServer) -> None:
    code = consent(server)
    assert exchange(server, code, secret="wrong")["errcode"] == 40125
    assert exchange(server, "")["errcode"] == 41008
    assert exchange(server, "unknown")["errcode"] == 40029
    answer = exchange(server, code)
    assert (answer["openid"], answer["scope"], "is_snapshotuser" in answer) == ("oFan", "snsapi_base", False)
    assert exchange(server, code)["errcode"] == 40163
    late = consent(server)
    server.platform.clock.advance(300)
    assert exchange(server, late)["errcode"] == 42003


def test_a_profile_needs_the_larger_scope_and_the_right_openid(server: SimulatorServer) -> None:
    ask(server, "POST", "/persons", {"openid": "oFan", "nickname": "陈\x02晨😀"})
    small = exchange(server, consent(server))["access_token"]
    assert sns(server, "userinfo", access_token=small, openid="oFan")["errcode"] == 48001
    large = exchange(server, consent(server, scope="snsapi_userinfo"))["access_token"]
    assert sns(server, "userinfo", access_token=large, openid="oOther")["errcode"] == 40003
    profile = sns(server, "userinfo", access_token=large, openid="oFan")
    assert profile["nickname"] == "陈\x02晨😀"
    assert requests.get(profile["headimgurl"], timeout=5).headers["Content-Type"] == "image/svg+xml"
    assert sns(server, "auth", access_token=large, openid="oFan")["errcode"] == 0
    assert sns(server, "auth", access_token="x", openid="oFan")["errcode"] == 40001
    server.platform.clock.advance(7200)
    assert sns(server, "auth", access_token=large, openid="oFan")["errcode"] == 42001


def test_a_snapshot_visitor_is_marked_and_has_no_name(server: SimulatorServer) -> None:
    token = exchange(server, consent(server, scope="snsapi_userinfo", snapshot=True))
    assert token["is_snapshotuser"] == 1
    profile = sns(server, "userinfo", access_token=token["access_token"], openid="oFan")
    assert profile["nickname"] == "微信用户"


def test_an_oauth_token_is_renewed_for_thirty_days(server: SimulatorServer) -> None:
    kept = exchange(server, consent(server))["refresh_token"]
    renew = {"appid": APPID, "grant_type": "refresh_token", "refresh_token": kept}
    assert sns(server, "oauth2/refresh_token", **renew)["openid"] == "oFan"
    assert sns(server, "oauth2/refresh_token", **{**renew, "refresh_token": "x"})["errcode"] == 40030
    server.platform.clock.advance(30 * 86_400)
    assert sns(server, "oauth2/refresh_token", **renew)["errcode"] == 42002


def authorize(server: SimulatorServer, method: str = "GET", data: Any = None, **changes: str) -> requests.Response:
    query = {"appid": APPID, "redirect_uri": "http://127.0.0.1/back?a=1", "response_type": "code", "state": "S"}
    address = f"{server.url}/connect/oauth2/authorize"
    return requests.request(method, address, params={**query, **changes}, data=data, allow_redirects=False, timeout=5)


def test_the_small_scope_redirects_silently_with_code_and_state(server: SimulatorServer) -> None:
    response = authorize(server, scope="snsapi_base")
    assert response.status_code == 302
    back = parse_qs(urlsplit(response.headers["Location"]).query)
    assert (back["a"], back["state"]) == (["1"], ["S"])
    assert exchange(server, back["code"][0])["openid"] == server.platform.chosen


def test_the_large_scope_asks_the_person(server: SimulatorServer) -> None:
    page = authorize(server, scope="snsapi_userinfo")
    assert (page.status_code, "<form" in page.text) == (200, True)
    allowed = authorize(server, "POST", {"allow": "1"}, scope="snsapi_userinfo")
    assert "code=" in allowed.headers["Location"]
    refused = authorize(server, "POST", {"deny": "1"}, scope="snsapi_userinfo")
    assert "code=" not in refused.headers["Location"]
    snapshot = authorize(server, scope="snsapi_userinfo", forceSnapShot="true").headers["Location"]
    assert exchange(server, parse_qs(urlsplit(snapshot).query)["code"][0])["is_snapshotuser"] == 1


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"appid": ""}, 10012),
        ({"appid": "wxnone"}, 10016),
        ({"redirect_uri": ""}, 10011),
        ({"scope": "x"}, 10010),
        ({"redirect_uri": "javascript:alert(1)"}, 10003),
    ],
)
def test_an_impossible_authorization_shows_its_number(
    server: SimulatorServer, changes: dict[str, str], number: int
) -> None:
    assert str(number) in authorize(server, **{"scope": "snsapi_base", **changes}).text


def test_opening_a_codes_address_is_a_scan_by_the_person_in_hand(server: SimulatorServer) -> None:
    ask(server, "POST", "/persons", {"openid": "oFirst"})
    ask(server, "POST", "/persons", {"openid": "oFan", "follows": True})
    ask(server, "PUT", "/chosen", {"openid": "oFan"})
    account = server.platform.accounts[APPID]
    token = account.tokens.classic(server.platform.clock.now()).value
    server.platform.token_owners[token] = account
    body = {"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 7}}}
    url = requests.post(
        f"{server.url}/cgi-bin/qrcode/create", params={"access_token": token}, data=json.dumps(body), timeout=5
    ).json()["url"]
    assert requests.get(url, allow_redirects=False, timeout=5).headers["Location"].startswith("/")
    push = ask(server, "GET", "/journal?kind=push")["entries"][-1]
    assert (push["openid"], push["event"]) == ("oFan", "SCAN")
    assert requests.get(f"{url}.svg", timeout=5).content.startswith(b"<?xml")
    assert ask(server, "GET", "/codes")["codes"][0]["scene"] == "7"
    assert requests.get(f"{server.url}/q/unknown", timeout=5).status_code == 404


def test_the_phone_page_runs_its_own_scripts_only_and_loads_nothing_from_outside(server: SimulatorServer) -> None:
    page = requests.get(server.url, timeout=5)
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"(src|href)=\"https?:", page.text)
    for address in re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", page.text):
        assert requests.get(server.url + address, timeout=5).status_code == 200


def test_files_outside_the_pages_folder_cannot_be_read(server: SimulatorServer) -> None:
    for name in ("../../manage.py", "..%2f..%2fmanage.py", "nothing.css"):
        prepared = requests.Request("GET", server.url).prepare()
        prepared.url = f"{server.url}/static/simulator/{name}"
        with requests.Session() as session:
            assert session.send(prepared, timeout=5).status_code == 404


class Page(BaseHTTPRequestHandler):
    """A page with the headers of its server."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        for name, value in self.server.headers.items():  # type: ignore[attr-defined]
            self.send_header(name, value.replace("SIMULATOR", self.server.simulator))  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.mark.parametrize(
    ("headers", "framed"),
    [
        ({}, True),
        ({"X-Frame-Options": "DENY"}, False),
        ({"X-Frame-Options": "SAMEORIGIN"}, False),
        ({"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}, False),
        ({"Content-Security-Policy": "frame-ancestors SIMULATOR", "X-Frame-Options": "DENY"}, True),
    ],
)
def test_a_page_that_forbids_frames_is_recognised(
    server: SimulatorServer, headers: dict[str, str], framed: bool
) -> None:
    with HTTPServer(("127.0.0.1", 0), Page) as page:
        page.headers, page.simulator = headers, server.url  # type: ignore[attr-defined]
        thread = threading.Thread(target=page.handle_request)
        thread.start()
        assert ask(server, "GET", f"/framing?url=http://127.0.0.1:{page.server_port}/")["framed"] is framed
        thread.join()


def test_only_web_addresses_are_asked_whether_they_may_be_framed(server: SimulatorServer) -> None:
    assert ask(server, "GET", f"/framing?url={server.url}/")["framed"] is True
    assert ask(server, "GET", "/framing?url=javascript:x", status=400)["error"]
