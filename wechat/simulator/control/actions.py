"""Control of what persons do: one action of one person at a time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from wechat.simulator.accounts import Account
from wechat.simulator.control.routing import Order, OrderError, route
from wechat.simulator.hand import Outcome
from wechat.simulator.menus import button_at
from wechat.simulator.taps import Answer, Place


@route("POST", "/actions/<action>")
def act(order: Order, action: str) -> Any:
    """One person does one thing. `openid` is who; the person is made if there is none of that openid yet."""
    if action == "authorize":
        return _authorize(order)
    if action not in _ACTIONS:
        raise OrderError(f"actions are {', '.join(_ACTIONS)}, authorize")
    outcome = _ACTIONS[action](order, _openid(order))
    answer = outcome.as_json()
    wait = order.body.get("wait")
    for name, push in (("entry", outcome.push), ("also", outcome.also)):
        if wait and push:
            answer[name] = push.done.result(timeout=float(wait) if wait is not True else 60)
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
    body = order.body
    button = body.get("button")
    if button is None and "key" in body:
        button = {"type": "click", "key": str(body["key"])}
    answer = _answer(body)
    if button is None:
        person = order.phone.person(openid)
        menu = order.platform.account_of(person).menu_of(person)
        button = button_at(menu, body["path"])
        if button is None:
            raise OrderError("the menu has no such button")
        if menu and "matchrule" in menu:
            answer = replace(answer, menuid=menu["menuid"])
    return order.phone.click(openid, button, answer)


def _answer(body: dict[str, Any]) -> Answer:
    """What the person scanned, photographed or chose, where the button asks for it."""
    given: dict[str, Any] = {name: str(body[name]) for name in ("scan_result", "scan_type") if name in body}
    if "pictures" in body:
        given["pictures"] = tuple(str(picture) for picture in body["pictures"])
    if "label" in body:
        given["place"] = Place(str(body["latitude"]), str(body["longitude"]), str(body["label"]))
    return Answer(**given)


def _notice(order: Order, openid: str, *, allows: bool) -> Outcome:
    return order.phone.answer_notice(openid, str(order.body["template_id"]), allows=allows)


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


def _share(order: Order, openid: str) -> Outcome:
    """Send the card that a page has set, or its address alone, to another person."""
    card = {name: str(order.body.get(name, "")) for name in ("title", "desc", "link", "picture")}
    return order.phone.pass_on(openid, str(order.body["to"]), card)


_ACTIONS: dict[str, Callable[[Order, str], Outcome]] = {
    "scan": _scan,
    "follow": lambda order, openid: order.phone.follow(openid),
    "unfollow": lambda order, openid: order.phone.unfollow(openid),
    "dismiss": lambda order, openid: order.phone.dismiss(openid),
    "text": _text,
    "picture": lambda order, openid: order.phone.send_picture(openid, str(order.body["picture"])),
    "voice": lambda order, openid: order.phone.send_voice(openid, str(order.body.get("recognition", ""))),
    "location": _location,
    "share": _share,
    "click": _click,
    "allow_notice": lambda order, openid: _notice(order, openid, allows=True),
    "refuse_notice": lambda order, openid: _notice(order, openid, allows=False),
    "withdraw_notice": lambda order, openid: order.phone.refuse_notices(openid, str(order.body["template_id"])),
}
