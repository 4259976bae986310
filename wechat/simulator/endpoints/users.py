"""What the account may know of people: one, a hundred at once, all of them; and its own note about one.

Source: wechat-api.md, section 10.1.
"""

from typing import Any

from wechat.simulator.accounts import Person
from wechat.simulator.calls import OK, VERIFIED, Answer, Call, endpoint
from wechat.simulator.endpoints.persons import own_persons, page, person_of
from wechat.simulator.errors import ApiError

PAGE = 10_000
MOST_AT_ONCE = 100
REMARK_BYTES = 30  # a remark is shorter than this


@endpoint("/cgi-bin/user/info", method="GET", kinds=VERIFIED, daily=5_000_000, test_daily=500_000)
def get_user_info(call: Call) -> Answer:
    """A follower's facts; of everybody else only that they do not follow. Never a nickname or an avatar."""
    openid = call.query.get("openid", "")
    if not openid:
        raise ApiError(41009)
    return _facts(person_of(call, openid))


@endpoint("/cgi-bin/user/info/batchget", method="POST", kinds=VERIFIED, daily=5_000_000, test_daily=500_000)
def get_user_infos(call: Call) -> Answer:
    """The same of at most 100 people."""
    wanted = call.body.get("user_list")
    if not isinstance(wanted, list) or not all(isinstance(entry, dict) for entry in wanted):
        raise ApiError(40031)
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise ApiError(40032)
    return {"user_info_list": [_facts(person_of(call, entry.get("openid"))) for entry in wanted]}


def _facts(person: Person) -> dict[str, Any]:
    if not person.follows:
        return {"subscribe": 0, "openid": person.openid, "tagid_list": []}
    return {
        "subscribe": 1,
        "openid": person.openid,
        "language": "zh_CN",
        "subscribe_time": person.subscribe_time,
        "remark": person.remark,
        "groupid": 0,
        "tagid_list": person.tags,
        "subscribe_scene": person.subscribe_scene,
        "qr_scene": person.qr_scene,
        "qr_scene_str": person.qr_scene_str,
    }


@endpoint("/cgi-bin/user/get", method="GET", kinds=VERIFIED, daily=500, test_daily=100)
def list_followers(call: Call) -> Answer:
    """All followers, 10,000 a page. The page after the last one is empty and has no data."""
    openids = [person.openid for person in own_persons(call) if person.follows]
    start = call.query.get("next_openid", "")
    if start:
        person_of(call, start)
    found = page(own_persons(call), after=start, size=PAGE, wanted=lambda person: person.follows)
    answer: dict[str, Any] = {"total": len(openids), "count": len(found)}
    if found:
        answer["data"] = {"openid": found}
    is_last = not found or found[-1] == openids[-1]
    return {**answer, "next_openid": "" if is_last else found[-1]}


@endpoint("/cgi-bin/user/info/updateremark", method="POST", kinds=VERIFIED, daily=10_000)
def set_remark(call: Call) -> Answer:
    """The account's note about a follower, under 30 bytes."""
    person = person_of(call, call.body.get("openid"))
    if not person.follows:
        raise ApiError(43004)
    remark = call.body.get("remark")
    if not isinstance(remark, str) or len(remark.encode()) >= REMARK_BYTES:
        raise ApiError(40092)
    person.remark = remark
    call.platform.note("person", appid=person.appid, openid=person.openid)
    return dict(OK)
