"""Control of persons: who there is, and what they do."""

from typing import Any
from urllib.parse import urlencode

from wechat.simulator.accounts import Account, Person
from wechat.simulator.control.routing import Order, OrderError, route
from wechat.simulator.phone import Outcome

_CHANGEABLE = {
    "nickname": str,
    "avatar": str,
    "follows": bool,
    "blacklisted": bool,
    "muted": bool,
    "remark": str,
    "tags": list,
}
MOST_PERSONS = 20_000


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
        "pending": person.pending is not None,
        "typing": person.typing,
        "unread": person.unread,
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
            "menu": account.menu,
            "seq": order.platform.journal.seq,
        }


@route("PUT", "/chosen")
def choose_person(order: Order) -> Any:
    """Take this person's phone in hand: opening a code in the browser is now a scan by this person."""
    person = order.phone.person(str(order.body.get("openid")))
    with order.platform.lock:
        order.platform.chosen = person.openid
        person.unread = 0
        order.platform.note("person", appid=person.appid, openid=person.openid, chosen=True)
    return {"chosen": person.openid}


@route("POST", "/actions/<action>")
def act(order: Order, action: str) -> Any:
    """One person does one thing. `openid` is who; the person is made if there is none of that openid yet."""
    acts = {
        "scan": _scan,
        "follow": lambda order, openid: order.phone.follow(openid),
        "unfollow": lambda order, openid: order.phone.unfollow(openid),
        "dismiss": lambda order, openid: order.phone.dismiss(openid),
        "text": _text,
        "picture": lambda order, openid: order.phone.send_picture(openid, str(order.body["picture"])),
        "voice": lambda order, openid: order.phone.send_voice(openid, str(order.body.get("recognition", ""))),
        "location": _location,
        "click": _click,
    }
    if action == "authorize":
        return _authorize(order)
    if action not in acts:
        raise OrderError(f"actions are {', '.join(acts)}, authorize")
    outcome: Outcome = acts[action](order, _openid(order))
    answer = outcome.as_json()
    wait = order.body.get("wait")
    if wait and outcome.push:
        answer["entry"] = outcome.push.done.result(timeout=float(wait) if wait is not True else 60)
    return answer


def _openid(order: Order) -> str:
    openid = order.body.get("openid") or order.platform.chosen
    with order.platform.lock:
        if not openid:
            return order.platform.add_person(order.account()).openid
        if openid not in order.platform.persons:
            order.platform.add_person(order.account(), openid=openid, follows=bool(order.body.get("follows", False)))
    return str(openid)


def _account_of(order: Order, openid: str) -> Account:
    return order.platform.account_of(order.phone.person(openid))


def _scan(order: Order, openid: str) -> Outcome:
    named = {name: str(order.body[name]) for name in ("ticket", "url", "scene") if order.body.get(name)}
    code = order.phone.code(_account_of(order, openid), **named)
    return order.phone.scan(openid, code, follow=bool(order.body.get("follow", False)))


def _text(order: Order, openid: str) -> Outcome:
    return order.phone.write(openid, str(order.body["text"]), menuid=str(order.body.get("menuid", "")))


def _location(order: Order, openid: str) -> Outcome:
    place = {name: str(order.body[name]) for name in ("latitude", "longitude", "label")}
    return order.phone.send_location(openid, **place)


def _click(order: Order, openid: str) -> Outcome:
    """Tap a button of the published menu (`path`: its place, such as [0] or [1, 2]) or any button given as `button`."""
    button = order.body.get("button")
    if button is None and "key" in order.body:
        button = {"type": "click", "key": str(order.body["key"])}
    if button is None:
        button = _published_button(_account_of(order, openid), order.body["path"])
    return order.phone.click(openid, button, scan_result=str(order.body.get("scan_result", "")))


def _published_button(account: Account, path: list[int]) -> dict[str, Any]:
    buttons = (account.menu or {}).get("button", [])
    button: dict[str, Any] = {}
    for place in path:
        if not 0 <= place < len(buttons):
            raise OrderError("the menu has no such button")
        button, buttons = buttons[place], buttons[place].get("sub_button", [])
    return button


def _authorize(order: Order) -> dict[str, Any]:
    """Consent to a web authorization without the page: the code, and where the browser would be sent."""
    person = order.phone.person(_openid(order))
    platform = order.platform
    with platform.lock:
        grant = platform.grants.give(
            appid=person.appid,
            openid=person.openid,
            scope=str(order.body.get("scope", "snsapi_base")),
            snapshot=bool(order.body.get("snapshot", False)),
            now=platform.clock.now(),
        )
    query = urlencode({"code": grant.code, "state": order.body.get("state", "")})
    return {"code": grant.code, "location": f"{order.body.get('redirect_uri', '')}?{query}"}
