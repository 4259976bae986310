"""Tags: make, rename, delete, give and take. Source: wechat-api.md, section 10.2."""

from collections import Counter
from typing import Any

from wechat.simulator.accounts import Person
from wechat.simulator.calls import OK, VERIFIED, Answer, Call, endpoint
from wechat.simulator.endpoints.persons import listed_persons, own_persons, page, person_of
from wechat.simulator.errors import ApiError
from wechat.simulator.tags import SYSTEM

MOST_AT_ONCE = 50
MOST_PER_PERSON = 20
MOST_TO_DELETE = 100_000  # members of a tag that can still be deleted
PAGE = 10_000
STAR = 2
DAILY = 100_000  # not published


@endpoint("/cgi-bin/tags/create", method="POST", kinds=VERIFIED, daily=1_000, test_daily=100)
def create_tag(call: Call) -> Answer:
    """A new tag."""
    name = _tag(call).get("name")
    number = call.account.tags.create(name)
    return {"tag": {"id": number, "name": name}}


@endpoint("/cgi-bin/tags/get", method="GET", kinds=VERIFIED, daily=1_000, test_daily=100)
def list_tags(call: Call) -> Answer:
    """All tags with the number of their members."""
    members = Counter(number for person in own_persons(call) for number in person.tags)
    names = {STAR: SYSTEM[STAR], **call.account.tags.names}
    return {"tags": [{"id": number, "name": name, "count": members[number]} for number, name in names.items()]}


@endpoint("/cgi-bin/tags/update", method="POST", kinds=VERIFIED, daily=1_000, test_daily=100)
def rename_tag(call: Call) -> Answer:
    """Another name for a tag."""
    tag = _tag(call)
    call.account.tags.rename(tag.get("id"), tag.get("name"))
    return dict(OK)


@endpoint("/cgi-bin/tags/delete", method="POST", kinds=VERIFIED, daily=1_000, test_daily=100)
def delete_tag(call: Call) -> Answer:
    """Delete a tag and take it off everybody."""
    number = call.account.tags.own(_tag(call).get("id"))
    members = [person for person in own_persons(call) if number in person.tags]
    if len(members) > MOST_TO_DELETE:
        raise ApiError(45057)
    del call.account.tags.names[number]
    for person in members:
        person.tags.remove(number)
    return dict(OK)


@endpoint("/cgi-bin/user/tag/get", method="POST", kinds=VERIFIED, daily=DAILY)
def list_members(call: Call) -> Answer:
    """Who carries a tag, 10,000 a page."""
    number = call.account.tags.known(call.body.get("tagid"))
    after = str(call.body.get("next_openid") or "")
    found = page(own_persons(call), after=after, size=PAGE, wanted=lambda person: number in person.tags)
    answer: dict[str, Any] = {"count": len(found)}
    return {**answer, "data": {"openid": found}, "next_openid": found[-1]} if found else answer


@endpoint("/cgi-bin/tags/members/batchtagging", method="POST", kinds=VERIFIED, daily=DAILY)
def tag_persons(call: Call) -> Answer:
    """Give a tag to at most 50 people; of those who do not follow any more only the openids come back."""
    number = call.account.tags.known(call.body.get("tagid"))
    persons = listed_persons(call, most=MOST_AT_ONCE)
    if any(number not in person.tags and len(person.tags) >= MOST_PER_PERSON for person in persons):
        raise ApiError(45059)
    for person in persons:
        if person.follows:
            # Applied again it becomes the last one, which is the one that conditional menus look at.
            person.tags = [*(tag for tag in person.tags if tag != number), number]
    return _tagged(call, persons)


@endpoint("/cgi-bin/tags/members/batchuntagging", method="POST", kinds=VERIFIED, daily=DAILY)
def untag_persons(call: Call) -> Answer:
    """Take a tag off at most 50 people."""
    number = call.account.tags.known(call.body.get("tagid"))
    persons = listed_persons(call, most=MOST_AT_ONCE)
    for person in persons:
        person.tags = [tag for tag in person.tags if tag != number]
    return _tagged(call, persons)


@endpoint("/cgi-bin/tags/getidlist", method="POST", kinds=VERIFIED, daily=DAILY)
def list_tags_of_person(call: Call) -> Answer:
    """The tags of one person."""
    return {"tagid_list": person_of(call, call.body.get("openid")).tags}


def _tagged(call: Call, persons: list[Person]) -> Answer:
    call.platform.note("person", appid=call.account.appid, tagged=len(persons))
    failed = [person.openid for person in persons if not person.follows]
    if failed:
        raise ApiError(45171, fail_openid_list=failed)
    return dict(OK)


def _tag(call: Call) -> dict[str, Any]:
    tag = call.body.get("tag")
    if not isinstance(tag, dict):
        raise ApiError(47001)
    return tag
