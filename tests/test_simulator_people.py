"""The simulator's people: pages of followers, facts in batches, remarks, tags, the block list, an invented crowd."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from simulated import Api, platform

from wechat.simulator.quotas import Limits
from wechat.simulator.server import SimulatorServer

USERS, INFO, BATCH = "/cgi-bin/user/get", "/cgi-bin/user/info", "/cgi-bin/user/info/batchget"
REMARK, TAGS, MEMBERS = "/cgi-bin/user/info/updateremark", "/cgi-bin/tags/", "/cgi-bin/tags/members/"
OF_TAG = "/cgi-bin/user/tag/get"


@pytest.fixture
def api() -> Iterator[Api]:
    with SimulatorServer(platform()) as server:
        yield Api(server)


def crowd(api: Api, count: int, **fields: Any) -> list[str]:
    api.control("POST", "/followers", {"count": count, **fields})
    return list(api.platform.persons)


def tag(api: Api, name: str = "已报价") -> int:
    return int(api.post(f"{TAGS}create", {"tag": {"name": name}})["tag"]["id"])


def test_25_000_followers_are_invented_quickly_and_read_in_three_pages(api: Api) -> None:
    started = time.monotonic()
    told = api.control("POST", "/followers", {"count": 25_000})
    assert time.monotonic() - started < 5
    openids = list(api.platform.persons)
    assert told == {"added": 25_000, "first": openids[0], "last": openids[-1], "followers": 25_000}
    first = api.get(USERS)
    assert (first["total"], first["count"], first["next_openid"]) == (25_000, 10_000, openids[9_999])
    second = api.get(USERS, next_openid=first["next_openid"])
    third = api.get(USERS, next_openid=second["next_openid"])
    assert (third["count"], third["next_openid"]) == (5_000, "")
    assert first["data"]["openid"] + second["data"]["openid"] + third["data"]["openid"] == openids
    assert api.get(USERS, next_openid=openids[-1]) == {"total": 25_000, "count": 0, "next_openid": ""}


def test_who_unfollowed_is_not_listed_but_can_still_be_paged_from(api: Api) -> None:
    one, two, three = crowd(api, 3)
    api.platform.persons[two].follows = False
    assert api.get(USERS)["data"]["openid"] == [one, three]
    assert api.get(USERS, next_openid=two)["data"]["openid"] == [three]
    assert api.get(USERS, next_openid="oNobody")["errcode"] == 40003


def test_nobody_follows_yet(api: Api) -> None:
    assert api.get(USERS) == {"total": 0, "count": 0, "next_openid": ""}


def test_a_hundred_people_are_told_of_at_once(api: Api) -> None:
    openids = crowd(api, 101)
    api.platform.persons[openids[0]].follows = False
    asked = {"user_list": [{"openid": openid, "lang": "zh_CN"} for openid in openids[:100]]}
    told = api.post(BATCH, asked)["user_info_list"]
    assert len(told) == 100
    assert told[0] == {"subscribe": 0, "openid": openids[0], "tagid_list": []}
    assert (told[1]["subscribe"], told[1]["openid"]) == (1, openids[1])
    assert "nickname" not in told[1]
    assert api.code(BATCH, {"user_list": [{"openid": openid} for openid in openids]}) == 40032
    assert api.code(BATCH, {"user_list": []}) == 40032
    assert api.code(BATCH, {"user_list": openids[:1]}) == 40031
    assert api.code(BATCH, {"user_list": [{"openid": "oNobody"}]}) == 40003
    assert api.get(INFO, openid="oNobody")["errcode"] == 40003


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"openid": "oPerson", "remark": "王先生 89平"}, 0),
        ({"openid": "oPerson", "remark": "x" * 29}, 0),
        ({"openid": "oPerson", "remark": "x" * 30}, 40092),
        ({"openid": "oPerson", "remark": "十" * 10}, 40092),
        ({"openid": "oPerson"}, 40092),
        ({"openid": "oGone", "remark": "x"}, 43004),
        ({"openid": "oNobody", "remark": "x"}, 40003),
    ],
)
def test_a_remark_is_under_thirty_bytes(api: Api, body: dict[str, Any], errcode: int) -> None:
    person = api.person(remark="alt")
    api.person("oGone", follows=False)
    assert api.code(REMARK, body) == errcode
    assert person.remark == (body["remark"] if errcode == 0 else "alt")
    assert api.get(INFO, openid="oPerson")["remark"] == person.remark


def test_a_tag_is_made_renamed_counted_and_deleted(api: Api) -> None:
    person = api.person()
    number = tag(api)
    assert api.code(f"{MEMBERS}batchtagging", {"openid_list": ["oPerson"], "tagid": number}) == 0
    assert api.code(f"{TAGS}update", {"tag": {"id": number, "name": "已下单"}}) == 0
    assert api.get(f"{TAGS}get")["tags"] == [
        {"id": 2, "name": "星标组", "count": 0},
        {"id": number, "name": "已下单", "count": 1},
    ]
    assert api.post(f"{TAGS}getidlist", {"openid": "oPerson"})["tagid_list"] == [number]
    assert api.get(INFO, openid="oPerson")["tagid_list"] == [number]
    assert api.code(f"{TAGS}delete", {"tag": {"id": number}}) == 0
    assert person.tags == []
    assert tag(api, "已下单") != number


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        ("create", {"tag": {"name": "已有"}}, 45157),
        ("create", {"tag": {"name": "星标组"}}, 45157),
        ("create", {"tag": {"name": " "}}, 45157),
        ("create", {"tag": {"name": "十" * 31}}, 45158),
        ("create", {"tag": {"name": "十" * 30}}, 0),
        ("create", {"tag": "x"}, 47001),
        ("update", {"tag": {"id": 2, "name": "x"}}, 45058),
        ("update", {"tag": {"id": 100, "name": "已有"}}, 0),
        ("update", {"tag": {"id": 100, "name": ""}}, 45157),
        ("update", {"tag": {"id": 177, "name": "x"}}, 45159),
        ("delete", {"tag": {"id": 0}}, 45058),
        ("delete", {"tag": {"id": "100"}}, 45159),
    ],
)
def test_a_tag_that_cannot_be_is_refused(api: Api, path: str, body: dict[str, Any], errcode: int) -> None:
    assert tag(api, "已有") == 100
    assert api.code(TAGS + path, body) == errcode


def test_an_account_has_at_most_a_hundred_tags(api: Api) -> None:
    assert len({tag(api, str(number)) for number in range(100)}) == 100
    assert api.code(f"{TAGS}create", {"tag": {"name": "more"}}) == 45056


def test_fifty_people_are_tagged_at_once(api: Api) -> None:
    openids, number = crowd(api, 51), tag(api)
    body = {"openid_list": openids[:50], "tagid": number}
    assert api.code(f"{MEMBERS}batchtagging", body) == 0
    assert sum(number in person.tags for person in api.platform.persons.values()) == 50
    assert api.code(f"{MEMBERS}batchtagging", {**body, "openid_list": openids}) == 40032
    assert api.code(f"{MEMBERS}batchuntagging", {**body, "openid_list": openids[:49]}) == 0
    assert api.post(OF_TAG, {"tagid": number})["data"]["openid"] == openids[49:50]


def test_a_batch_with_a_stranger_changes_nothing_and_one_with_a_leaver_tags_the_rest(api: Api) -> None:
    here, gone = api.person("oHere"), api.person("oGone", follows=False)
    number = tag(api)
    tagging = f"{MEMBERS}batchtagging"
    assert api.code(tagging, {"openid_list": ["oHere", "oNobody"], "tagid": number}) == 49003
    assert here.tags == []
    answer = api.post(tagging, {"openid_list": ["oHere", "oGone"], "tagid": number})
    assert (answer["errcode"], answer["fail_openid_list"]) == (45171, ["oGone"])
    assert (here.tags, gone.tags) == ([number], [])
    assert api.code(tagging, {"openid_list": "oHere", "tagid": number}) == 40031
    assert api.code(tagging, {"openid_list": ["oHere"], "tagid": 999}) == 45159


def test_a_person_carries_at_most_twenty_tags(api: Api) -> None:
    numbers = [tag(api, str(number)) for number in range(21)]
    person = api.person(tags=numbers[:20])
    assert api.code(f"{MEMBERS}batchtagging", {"openid_list": ["oPerson"], "tagid": numbers[20]}) == 45059
    assert api.code(f"{MEMBERS}batchtagging", {"openid_list": ["oPerson"], "tagid": numbers[0]}) == 0
    assert person.tags == [*numbers[1:20], numbers[0]]


def test_the_members_of_a_tag_come_in_pages(api: Api) -> None:
    number = tag(api)
    openids = crowd(api, 10_003, tags=[number])
    first = api.post(OF_TAG, {"tagid": number, "next_openid": ""})
    assert (first["count"], first["next_openid"]) == (10_000, openids[9_999])
    rest = api.post(OF_TAG, {"tagid": number, "next_openid": first["next_openid"]})
    assert rest["data"]["openid"] == openids[10_000:]
    assert api.post(OF_TAG, {"tagid": number, "next_openid": openids[-1]}) == {"count": 0}
    assert api.code(OF_TAG, {"tagid": 999}) == 45159


def test_twenty_people_are_blocked_at_once_and_let_back(api: Api) -> None:
    openids = crowd(api, 21)
    block, unblock = f"{MEMBERS}batchblacklist", f"{MEMBERS}batchunblacklist"
    assert api.code(block, {"openid_list": openids}) == 40032
    assert api.code(block, {"openid_list": ["oNobody"]}) == 49003
    assert api.code(block, {"openid_list": openids[:20]}) == 0
    listed = api.post(f"{MEMBERS}getblacklist", {"begin_openid": ""})
    assert listed == {"total": 20, "count": 20, "data": {"openid": openids[:20]}, "next_openid": openids[19]}
    assert api.code(unblock, {"openid_list": openids[:19]}) == 0
    assert api.post(f"{MEMBERS}getblacklist", {"begin_openid": openids[19]}) == {
        "total": 1,
        "count": 0,
        "next_openid": "",
    }


def test_the_block_list_comes_in_pages_of_a_thousand(api: Api) -> None:
    openids = crowd(api, 1_001)
    for person in api.platform.persons.values():
        person.blacklisted = True
    first = api.post(f"{MEMBERS}getblacklist", {})
    assert (first["total"], first["count"]) == (1_001, 1_000)
    assert (
        api.post(f"{MEMBERS}getblacklist", {"begin_openid": first["next_openid"]})["data"]["openid"] == openids[1_000:]
    )


def test_people_of_another_account_are_strangers(api: Api) -> None:
    other = api.control("POST", "/accounts", {"appid": "wxother", "secret": "s", "token": "t"})
    api.control("POST", "/followers", {"count": 2, "appid": other["appid"]})
    stranger = next(iter(api.platform.persons))
    assert api.get(USERS)["total"] == 0
    assert api.code(f"{TAGS}getidlist", {"openid": stranger}) == 40003
    assert api.code(f"{MEMBERS}batchblacklist", {"openid_list": [stranger]}) == 49003


def test_an_account_that_is_not_verified_knows_nobody(api: Api) -> None:
    api.account.kind = "service"
    assert api.get(USERS)["errcode"] == 48001
    assert api.code(f"{TAGS}create", {"tag": {"name": "x"}}) == 48001


def test_the_list_of_followers_may_be_read_500_times_a_day(api: Api) -> None:
    quota = api.post("/cgi-bin/openapi/quota/get", {"cgi_path": USERS})["quota"]
    assert quota["daily_limit"] == 500
    api.account.quotas.overrides[USERS] = Limits(daily=1)
    assert [api.get(USERS).get("errcode", 0) for _ in range(2)] == [0, 45009]


@pytest.mark.parametrize("count", [0, 200_001])
def test_a_crowd_has_a_limit(api: Api, count: int) -> None:
    assert api.control("POST", "/followers", {"count": count})["error"] == "count is 1 to 200000"
