"""The simulator's customer service, quotas, request ids, network checks, and what tests may order it to do."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from simulated import APPID, NOWHERE, Api, platform

from wechat.simulator.endpoints import ENDPOINTS
from wechat.simulator.library import Media
from wechat.simulator.server import SimulatorServer

SEND, TYPING = "/cgi-bin/message/custom/send", "/cgi-bin/message/custom/typing"
SESSION, KF = "/customservice/kfsession/", "/cgi-bin/customservice/"
QUOTA, RID, CHECK = "/cgi-bin/openapi/quota/get", "/cgi-bin/openapi/rid/get", "/cgi-bin/callback/check"
TEXT = {"msgtype": "text", "text": {"content": "您好"}}
MENU = {"head_content": "满意吗？", "list": [{"id": "101", "content": "满意"}], "tail_content": ""}
PROGRAM = {"title": "案例", "appid": "wx2", "pagepath": "p", "thumb_media_id": "cover"}


@pytest.fixture
def api() -> Iterator[Api]:
    with SimulatorServer(platform()) as server:
        yield Api(server)


def send(api: Api, message: dict[str, Any], touser: str = "oPerson") -> int:
    api.platform.persons[touser].windows.open("user_msg", api.platform.clock.now())
    return api.code(SEND, {"touser": touser, **message})


def rid_of(answer: dict[str, Any]) -> str:
    return str(answer["errmsg"]).rpartition(" rid: ")[2]


@pytest.mark.parametrize(
    ("kind", "content", "errcode"),
    [
        ("image", {"media_id": "photo"}, 0),
        ("image", {"media_id": "voice"}, 40007),
        ("image", {"media_id": "old"}, 40007),
        ("voice", {"media_id": "voice"}, 0),
        ("voice", {"media_id": "photo"}, 40007),
        ("video", {"media_id": "film", "thumb_media_id": "cover"}, 0),
        ("video", {"media_id": "film", "thumb_media_id": "film"}, 40007),
        ("music", {"title": "t", "description": "d", "musicurl": "https://a.test/", "thumb_media_id": "cover"}, 0),
        ("music", {"title": "t", "musicurl": "https://a.test/", "thumb_media_id": "cover"}, 40035),
        ("music", {"title": "t", "description": "d", "musicurl": "https://a.test/", "thumb_media_id": "x"}, 40007),
        ("mpnews", {"media_id": "article"}, 0),
        ("mpnews", {"media_id": "photo"}, 40007),
        ("mpnewsarticle", {"article_id": "A1"}, 0),
        ("mpnewsarticle", {}, 40035),
        ("msgmenu", MENU, 0),
        ("msgmenu", {**MENU, "list": MENU["list"] * 11}, 45098),
        ("msgmenu", {**MENU, "list": [{"id": "1", "content": "长" * 86}]}, 45099),
        ("wxcard", {"card_id": "C1"}, 0),
        ("wxcard", {}, 40073),
        ("miniprogrampage", PROGRAM, 0),
        ("miniprogrampage", {**PROGRAM, "pagepath": ""}, 40035),
        ("miniprogrampage", {**PROGRAM, "thumb_media_id": "x"}, 40007),
    ],
)
def test_every_kind_of_message_has_its_own_demands(api: Api, kind: str, content: dict[str, Any], errcode: int) -> None:
    person = api.person()
    kept = {"photo": "image", "voice": "voice", "film": "video", "cover": "thumb"}
    api.account.media.update({name: Media(kind) for name, kind in kept.items()})
    api.account.media["old"] = Media("image", expires=1.0)
    api.account.materials["article"] = Media("news", title="案例")
    assert send(api, {"msgtype": kind, kind: content}) == errcode
    assert [line["kind"] for line in person.chat] == ([kind] if errcode == 0 else [])


@pytest.mark.parametrize(
    ("fields", "errcode", "shown"),
    [
        ({"customservice": {"kf_account": "anna@wxhub"}}, 0, {"agent": "客服小安"}),
        ({"customservice": {"kf_account": "eve@wxhub"}}, 65401, None),
        ({"customservice": {}}, 65401, None),
        ({"customservice": "anna"}, 65401, None),
        ({"aimsgcontext": {"is_ai_msg": 1}}, 0, {"by_machine": True}),
        ({"aimsgcontext": {"is_ai_msg": 0}}, 0, {"by_machine": False}),
        ({"aimsgcontext": {"is_ai_msg": 2}}, 40035, None),
    ],
)
def test_a_message_may_bear_an_agents_name_or_a_machines_mark(
    api: Api, fields: dict[str, Any], errcode: int, shown: dict[str, Any] | None
) -> None:
    person = api.person()
    assert send(api, {**TEXT, **fields}) == errcode
    assert [{name: line[name] for name in shown or {}} for line in person.chat] == ([] if shown is None else [shown])
    assert person.windows.buckets["user_msg"].left == (5 if errcode else 4)


def test_a_tap_on_a_message_menu_is_a_text_with_its_id_and_counts_as_a_menu_tap(api: Api) -> None:
    person = api.person()
    tap = {"openid": "oPerson", "text": "满意", "menuid": "101", "wait": True}
    entry = api.control("POST", "/actions/text", tap)["entry"]
    assert "<bizmsgmenuid><![CDATA[101]]></bizmsgmenuid>" in entry["xml"]
    assert list(person.windows.buckets) == ["menu"]
    assert [api.code(SEND, {"touser": "oPerson", **TEXT}) for _ in range(4)] == [0, 0, 0, 45047]


def test_agents_are_listed_and_only_those_at_work_are_online(api: Api) -> None:
    [anna, ben] = api.get(f"{KF}getkflist")["kf_list"]
    assert (anna["kf_account"], anna["kf_nick"], anna["kf_id"]) == ("anna@wxhub", "客服小安", "1001")
    online = {"kf_account": "anna@wxhub", "status": 1, "kf_id": 1001, "kf_openid": "", "accepted_case": 0}
    assert api.get(f"{KF}getonlinekflist")["kf_online_list"] == [online]
    api.control("PUT", f"/accounts/{APPID}/agents/ben@wxhub", {"online": True})
    assert len(api.get(f"{KF}getonlinekflist")["kf_online_list"]) == 2
    assert ben["kf_account"] == "ben@wxhub"
    refused = api.control("PUT", f"/accounts/{APPID}/agents/ben@wxhub", {"online": "yes"})
    assert "nickname, online, bound" in refused["error"]


def test_a_session_begins_is_told_and_ends(api: Api) -> None:
    api.person()
    pair = {"kf_account": "anna@wxhub", "openid": "oPerson"}
    assert api.get(f"{SESSION}getsession", openid="oPerson") == {"createtime": 0, "kf_account": ""}
    assert api.code(f"{SESSION}close", pair) == 65413
    assert [api.code(f"{SESSION}create", pair) for _ in range(2)] == [0, 0]
    assert "<KfAccount><![CDATA[anna@wxhub]]></KfAccount>" in api.pushed("kf_create_session")
    assert api.get(f"{SESSION}getsession", openid="oPerson")["kf_account"] == "anna@wxhub"
    assert api.get(f"{KF}getonlinekflist")["kf_online_list"][0]["accepted_case"] == 1
    assert api.control("GET", f"/accounts/{APPID}/agents")["sessions"] == {"oPerson": "anna@wxhub"}
    assert api.code(f"{SESSION}close", pair) == 0
    assert api.pushed("kf_close_session")
    assert len(api.platform.journal.find(kind="push", event="kf_create_session")) == 1


@pytest.mark.parametrize(
    ("agent", "facts", "errcode"),
    [
        ("eve@wxhub", None, 65401),
        ("ben@wxhub", None, 65415),
        ("eve@wxhub", {"bound": False, "online": True}, 65402),
        ("eve@wxhub", {"online": True}, 65414),
    ],
)
def test_who_cannot_serve_is_told_apart(api: Api, agent: str, facts: dict[str, Any] | None, errcode: int) -> None:
    api.person()
    api.code(f"{SESSION}create", {"kf_account": "anna@wxhub", "openid": "oPerson"})
    if facts:
        api.control("PUT", f"/accounts/{APPID}/agents/{agent}", facts)
    assert api.code(f"{SESSION}create", {"kf_account": agent, "openid": "oPerson"}) == errcode
    assert api.account.desk.sessions["oPerson"].kf_account == "anna@wxhub"


def test_leaving_ends_the_session(api: Api) -> None:
    api.person()
    api.code(f"{SESSION}create", {"kf_account": "anna@wxhub", "openid": "oPerson"})
    api.server.phone.unfollow("oPerson")
    assert api.get(f"{SESSION}getsession", openid="oPerson")["kf_account"] == ""


def test_without_a_callback_url_nothing_is_pushed(api: Api) -> None:
    api.person()
    api.account.callback_url = ""
    api.code(f"{SESSION}create", {"kf_account": "anna@wxhub", "openid": "oPerson"})
    api.account.callback_url = NOWHERE
    api.code(f"{SESSION}close", {"kf_account": "anna@wxhub", "openid": "oPerson"})
    assert api.pushed("kf_close_session")
    assert api.platform.journal.find(kind="push", event="kf_create_session") == []


def test_a_call_without_a_limit_is_not_told_as_used_up(api: Api) -> None:
    assert api.post(QUOTA, {"cgi_path": TYPING})["quota"]["remain"] > 0
    assert api.code(QUOTA, {"cgi_path": "/cgi-bin/nothing"}) == 76021
    assert api.code(QUOTA, {"cgi_path": "/sns/userinfo"}) == 76022


def test_every_managed_call_has_a_daily_quota() -> None:
    counted = [path for path in ENDPOINTS if path.startswith(("/cgi-bin/m", "/cgi-bin/t", "/cgi-bin/user", "/wxaapi"))]
    without = {path for path in counted if ENDPOINTS[path].limits.daily is None}
    assert without == {"/cgi-bin/message/custom/typing", "/cgi-bin/ticket/getticket"}


def test_quotas_are_cleared_ten_times_a_month_and_shown_to_tests(api: Api) -> None:
    api.person()
    send(api, TEXT)
    told = api.control("GET", f"/accounts/{APPID}/quotas")
    assert told["paths"][SEND] == {"used": 1, "daily": 500_000, "minute": None}
    assert told["cleared"] == 0
    codes = [api.code("/cgi-bin/clear_quota", {"appid": APPID}) for _ in range(11)]
    assert codes == [0] * 10 + [48006]
    told = api.control("GET", f"/accounts/{APPID}/quotas")
    assert (told["paths"][SEND]["used"], told["cleared"]) == (0, 10)
    api.platform.clock.advance(32 * 86400)
    assert api.code("/cgi-bin/clear_quota", {"appid": APPID}) == 0
    assert api.code("/cgi-bin/clear_quota", {"appid": "wxother"}) == 40013


def test_a_refused_call_can_be_asked_for_by_its_id_and_shows_no_secret(api: Api) -> None:
    api.person()
    refused = api.post(SEND, {"touser": "oNobody", **TEXT})
    told = api.post(RID, {"rid": rid_of(refused)})["request"]
    assert told["invoke_time"] == pytest.approx(api.platform.clock.now(), abs=5)
    assert "oNobody" in told["request_body"]
    assert rid_of(refused) in told["response_body"]
    assert told["client_ip"] == "127.0.0.1"
    assert re.fullmatch(r"access_token=.{6}xxxx", told["request_url"])


def test_an_id_that_is_wrong_old_unknown_or_someone_elses_is_told_apart(api: Api) -> None:
    now = int(api.platform.clock.now())
    rid = rid_of(api.post(SEND, {"touser": "oNobody", **TEXT}))
    assert api.code(RID, {"rid": "x"}) == 76002
    assert api.code(RID, {}) == 76002
    assert api.code(RID, {"rid": f"{now:08x}-00000000-00000000"}) == 76001
    assert api.code(RID, {"rid": f"{now - 8 * 86400:08x}-00000000-00000000"}) == 76004
    api.platform.clock.advance(8 * 86400)
    assert api.code(RID, {"rid": rid}) == 76004
    api.platform.clock.advance(-8 * 86400)
    api.control("POST", "/accounts", {"appid": "wxother", "secret": "s", "token": "t"})
    api.account = api.platform.accounts["wxother"]
    assert api.code(RID, {"rid": rid}) == 76003


@pytest.mark.parametrize(
    ("body", "errcode", "parts"),
    [
        ({"action": "all", "check_operator": "DEFAULT"}, 0, ["dns", "ping"]),
        ({"action": "dns", "check_operator": "UNICOM"}, 0, ["dns"]),
        ({"action": "ping", "check_operator": "CAP"}, 0, ["ping"]),
        ({"action": "look", "check_operator": "DEFAULT"}, 40202, None),
        ({"action": "all", "check_operator": "X"}, 40203, None),
    ],
)
def test_the_callback_address_is_looked_at(
    api: Api, body: dict[str, str], errcode: int, parts: list[str] | None
) -> None:
    answer = api.post(CHECK, body)
    assert answer.get("errcode", 0) == errcode
    if parts:
        assert list(answer) == parts
        assert {row["ip"] for part in parts for row in answer[part]} == {"127.0.0.1"}
    api.account.callback_url = ""
    assert api.code(CHECK, body) == 40201


def test_a_callback_that_is_not_of_this_machine_is_not_looked_up(api: Api) -> None:
    api.account.callback_url = "https://wxhub.example.test/callback"
    answer = api.post(CHECK, {"action": "all", "check_operator": "DEFAULT"})
    assert (answer["dns"][0]["ip"], answer["ping"][0]["package_loss"]) == ("0.0.0.0", "100%")
    assert api.get("/cgi-bin/get_api_domain_ip")["ip_list"] == ["127.0.0.1"]


NEW = [
    "/cgi-bin/menu/addconditional", "/cgi-bin/get_current_selfmenu_info", "/cgi-bin/message/template/send",
    "/cgi-bin/message/subscribe/bizsend", "/wxaapi/newtmpl/gettemplate", "/cgi-bin/customservice/getkflist",
    "/customservice/kfsession/create", "/cgi-bin/user/get", "/cgi-bin/tags/create",
    "/cgi-bin/tags/members/getblacklist", "/cgi-bin/media/upload", "/cgi-bin/media/get",
    "/cgi-bin/material/batchget_material", "/cgi-bin/openapi/rid/get", "/cgi-bin/callback/check",
]  # fmt: skip


@pytest.mark.parametrize("path", NEW)
def test_any_error_can_be_ordered_for_any_call_and_is_in_the_journal(api: Api, path: str) -> None:
    method = ENDPOINTS[path].method or "GET"
    for errcode, start in ((40164, "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist"), (45035, "access")):
        api.control("POST", "/faults", {"path": path, "kind": "errcode", "errcode": errcode, "calls": 1})
        answer = api.raw(method, path, {}).json()
        assert answer["errcode"] == errcode
        assert answer["errmsg"].startswith(start)
        [entry] = api.control("GET", f"/journal?kind=call&endpoint={path}&limit=1")["entries"]
        assert (entry["errcode"], entry["fault"], entry["rid"]) == (errcode, "errcode", rid_of(answer))


@pytest.mark.parametrize("path", NEW)
def test_the_usual_checks_stand_before_every_new_call(api: Api, path: str) -> None:
    method, url = ENDPOINTS[path].method or "GET", api.server.url + path
    other = "GET" if method == "POST" else "POST"
    assert api.session.request(other, url, timeout=5).json()["errcode"] == (43002 if method == "POST" else 43001)
    assert api.session.request(method, url, timeout=5).json()["errcode"] == 41001
    api.account.ip_allowlist = ["10.0.0.0/8"]
    assert api.raw(method, path, {}).json()["errcode"] == 40164
    api.account.ip_allowlist = []
    api.account.kind = "subscription"
    unverified = api.raw(method, path, {}).json().get("errcode", 0)
    free = path in ("/cgi-bin/get_current_selfmenu_info", "/cgi-bin/openapi/rid/get", "/cgi-bin/callback/check")
    assert (unverified == 48001) is not free


def test_calls_of_a_path_can_be_made_slow_beside_other_faults(api: Api) -> None:
    told = api.control("PUT", "/latencies", {"path": "/cgi-bin/tags/*", "seconds": 0.2})
    assert told == {"latencies": {"/cgi-bin/tags/*": 0.2}}
    api.control("POST", "/faults", {"path": "/cgi-bin/tags/get", "kind": "errcode", "errcode": -1, "calls": 1})
    started = time.monotonic()
    assert api.get("/cgi-bin/tags/get")["errcode"] == -1
    assert time.monotonic() - started > 0.2
    started = time.monotonic()
    api.get("/cgi-bin/user/get")
    assert time.monotonic() - started < 0.2
    assert api.control("PUT", "/latencies", {"path": "/cgi-bin/tags/*", "seconds": 0})["latencies"] == {}
    assert api.control("GET", "/latencies") == {"latencies": {}}


def test_what_an_account_has_can_be_read(api: Api) -> None:
    told = api.control("GET", f"/accounts/{APPID}/templates")
    assert [field["key"] for field in told["templates"][0]["fields"]] == ["thing1", "amount2", "time3", "number4"]
    assert told["subscriptions"][0]["title"] == "报价更新提醒"
    assert api.control("GET", f"/accounts/{APPID}/menus") == {"default": None, "conditional": [], "website": None}
    assert api.control("GET", "/accounts/none/menus")["error"] == "there is no account none"


def test_a_reset_forgets_what_the_account_made(api: Api) -> None:
    api.code("/cgi-bin/tags/create", {"tag": {"name": "x"}})
    api.control("PUT", "/latencies", {"path": "*", "seconds": 0.01})
    api.control("POST", "/reset")
    account = api.platform.accounts[APPID]
    assert (account.tags.names, api.platform.latencies) == ({}, {})
    assert len(account.templates.private) == 3
