"""The block list: whom the account does not want to hear of. Source: wechat-api.md, section 10.1."""

from typing import Any

from wechat.simulator.calls import OK, VERIFIED, Answer, Call, endpoint
from wechat.simulator.endpoints.persons import listed_persons, own_persons, page
from wechat.simulator.errors import ApiError

PAGE = 1_000
MOST_AT_ONCE = 20
DAILY = 10_000  # not published


@endpoint("/cgi-bin/tags/members/getblacklist", method="POST", kinds=VERIFIED, daily=DAILY)
def list_blocked(call: Call) -> Answer:
    """Who is blocked, 1,000 a page; asked with `begin_openid`, answered with `next_openid`."""
    after = call.body.get("begin_openid", "")
    if not isinstance(after, str):
        raise ApiError(40003)
    persons = own_persons(call)
    total = sum(person.blacklisted for person in persons)
    found = page(persons, after=after, size=PAGE, wanted=lambda person: person.blacklisted)
    answer: dict[str, Any] = {"total": total, "count": len(found)}
    return {**answer, "data": {"openid": found}, "next_openid": found[-1]} if found else {**answer, "next_openid": ""}


@endpoint("/cgi-bin/tags/members/batchblacklist", method="POST", kinds=VERIFIED, daily=DAILY)
def block_persons(call: Call) -> Answer:
    """Block at most 20 people."""
    return _set(call, blocked=True)


@endpoint("/cgi-bin/tags/members/batchunblacklist", method="POST", kinds=VERIFIED, daily=DAILY)
def unblock_persons(call: Call) -> Answer:
    """Let at most 20 people back."""
    return _set(call, blocked=False)


def _set(call: Call, *, blocked: bool) -> Answer:
    for person in listed_persons(call, most=MOST_AT_ONCE):
        person.blacklisted = blocked
    call.platform.note("person", appid=call.account.appid, blocked=blocked)
    return dict(OK)
