"""Control of persons: who there is, one by one or a whole crowd."""

from typing import Any

from wechat.simulator.accounts import Account, Person
from wechat.simulator.control.routing import Order, OrderError, route

_CHANGEABLE = {
    "nickname": str,
    "avatar": str,
    "follows": bool,
    "blacklisted": bool,
    "muted": bool,
    "remark": str,
    "tags": list,
    "client": str,
    "job_status": str,
}
MOST_PERSONS = 20_000
MOST_FOLLOWERS = 200_000


def person_as_json(person: Person, now: float) -> dict[str, Any]:
    """A person without the chat; of the chat only the last line."""
    names = (
        "openid",
        "appid",
        "follows",
        "subscribe_time",
        "subscribe_scene",
        "qr_scene",
        "qr_scene_str",
        *_CHANGEABLE,
    )
    return {
        **{name: getattr(person, name) for name in names},
        "windows": person.windows.as_json(now),
        "opt_ins": dict(person.opt_ins),
        "pending": person.pending is not None,
        "typing": person.typing,
        "unread": person.unread,
        "received": person.received,
        "last": person.chat[-1] if person.chat else None,
    }


@route("GET", "/persons")
def list_persons(order: Order) -> Any:
    """All persons of all accounts, or of `appid`."""
    appid = order.request.args.get("appid")
    with order.platform.lock:
        now = order.platform.clock.now()
        persons = [person for person in order.platform.persons.values() if appid in (None, person.appid)]
        return {"persons": [person_as_json(person, now) for person in persons]}


@route("POST", "/persons")
def add_persons(order: Order) -> Any:
    """One person, or `count` of them."""
    fields = dict(order.body)
    count = int(fields.pop("count", 1))
    if not 1 <= count <= MOST_PERSONS:
        raise OrderError(f"count is 1 to {MOST_PERSONS}")
    if count > 1 and "openid" in fields:
        raise OrderError("several persons cannot share an openid")
    account = order.account(fields.pop("appid", None))
    unknown = set(fields) - {"openid", *_CHANGEABLE}
    if unknown:
        raise OrderError(f"unknown fields: {', '.join(sorted(unknown))}")
    with order.platform.lock:
        now = order.platform.clock.now()
        persons = [order.platform.add_person(account, **fields) for _ in range(count)]
        order.platform.note("person", appid=account.appid, added=count)
        return {"persons": [person_as_json(person, now) for person in persons]}


@route("PATCH", "/persons/<openid>")
def change_person(order: Order, openid: str) -> Any:
    """Change a person behind the scenes: no push is caused."""
    person = order.phone.person(openid)
    for name, value in order.body.items():
        if name not in _CHANGEABLE or not isinstance(value, _CHANGEABLE[name]):
            raise OrderError(f"{name} cannot be changed to that")
    with order.platform.lock:
        for name, value in order.body.items():
            setattr(person, name, value)
        order.platform.note("person", appid=person.appid, openid=openid)
        return person_as_json(person, order.platform.clock.now())


@route("GET", "/persons/<openid>/chat")
def show_chat(order: Order, openid: str) -> Any:
    """What the phone of this person shows. With `read=1` the lines count as read."""
    person = order.phone.person(openid)
    with order.platform.lock:
        if order.number("read", 0):
            person.unread = 0
        account = order.platform.account_of(person)
        return {
            "person": person_as_json(person, order.platform.clock.now()),
            "chat": list(person.chat),
            "menu": account.menu_of(person),
            "notices": _notices(account, person),
            "seq": order.platform.journal.seq,
        }


def _notices(account: Account, person: Person) -> list[dict[str, Any]]:
    """The subscription templates, and how many notices of each the person still wants (-1: all)."""
    return [
        {"id": template.id, "title": template.title, "kind": template.kind, "left": person.opt_ins.get(template.id, 0)}
        for template in account.subscriptions.private.values()
    ]


@route("POST", "/followers")
def add_followers(order: Order) -> Any:
    """`count` invented followers at once, with `tags` if given. Nobody is pushed anything, and no person is listed."""
    count = int(order.body.get("count", 1))
    if not 1 <= count <= MOST_FOLLOWERS:
        raise OrderError(f"count is 1 to {MOST_FOLLOWERS}")
    account, tags = order.account(), [int(tag) for tag in order.body.get("tags", [])]
    with order.platform.lock:
        made = [order.platform.add_person(account, follows=True, tags=list(tags)) for _ in range(count)]
        order.platform.note("person", appid=account.appid, added=count)
        followers = sum(person.follows for person in order.platform.persons.values() if person.appid == account.appid)
    return {"added": count, "first": made[0].openid, "last": made[-1].openid, "followers": followers}


@route("PUT", "/chosen")
def choose_person(order: Order) -> Any:
    """Take this person's phone in hand: opening a code in the browser is now a scan by this person."""
    person = order.phone.person(str(order.body.get("openid")))
    with order.platform.lock:
        order.platform.chosen = person.openid
        person.unread = 0
        order.platform.note("person", appid=person.appid, openid=person.openid, chosen=True)
    return {"chosen": person.openid}
