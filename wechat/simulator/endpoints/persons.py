"""Finding the people that a call means: one, a list of them, one page of many."""

from collections.abc import Callable, Iterable
from itertools import dropwhile, islice

from wechat.simulator.accounts import Person
from wechat.simulator.calls import Call
from wechat.simulator.errors import ApiError


def own_persons(call: Call) -> list[Person]:
    """Everybody who ever met the account, in the order of meeting."""
    return [person for person in call.platform.persons.values() if person.appid == call.account.appid]


def person_of(call: Call, openid: object, *, errcode: int = 40003) -> Person:
    """The person of this openid. Raises ApiError `errcode` for anybody the account does not know."""
    person = call.platform.persons.get(openid) if isinstance(openid, str) else None
    if person is None or person.appid != call.account.appid:
        raise ApiError(errcode)
    return person


def listed_persons(call: Call, *, most: int) -> list[Person]:
    """The people of `openid_list`. Raises ApiError 40031 no list, 40032 too many or none, 49003 not of this account."""
    openids = call.body.get("openid_list")
    if not isinstance(openids, list) or not all(isinstance(openid, str) for openid in openids):
        raise ApiError(40031)
    if not 1 <= len(openids) <= most:
        raise ApiError(40032)
    return [person_of(call, openid, errcode=49003) for openid in openids]


def page(persons: Iterable[Person], *, after: str, size: int, wanted: Callable[[Person], bool]) -> list[str]:
    """At most `size` openids of those `wanted` that come after the person `after` (empty: from the start)."""
    rest = iter(persons)
    if after:
        rest = islice(dropwhile(lambda person: person.openid != after, rest), 1, None)
    return [person.openid for person in islice(filter(wanted, rest), size)]
