"""What persons do: follow, unfollow, scan, write, tap the menu. Each changes the state first and then causes a push.

In: who does what. Out: an Outcome that says what the phone shows and which push is on its way.
Source: wechat-inbound.md, sections 8 and 9; wechat-api.md, section 6.1.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from wechat.simulator.accounts import Account, Code, Person
from wechat.simulator.endpoints.qrcodes import new_ticket
from wechat.simulator.envelopes import Nodes
from wechat.simulator.pushes import ONE, Copies, Push, Pushes
from wechat.simulator.state import Platform

EXPIRED_LINE = "二维码已过期"  # what the phone shows, verbatim
WITH_WINDOW = frozenset({"click", "scancode_push", "scancode_waitmsg"})


class PhoneError(Exception):
    """The person cannot do that now; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """`result` is one of done, already, expired, follow_page, open (then `url` is what the phone opens)."""

    result: str
    push: Push | None = None
    url: str = ""

    def as_json(self) -> dict[str, Any]:
        """The outcome for the REST answer; `push` is the id of the journal entry."""
        push = {"push": self.push.entry["id"]} if self.push else {}
        return {"result": self.result, **push, **({"url": self.url} if self.url else {})}


class Phone:
    """The actions of all persons."""

    def __init__(self, platform: Platform, pushes: Pushes) -> None:
        self.platform = platform
        self.pushes = pushes

    def person(self, openid: str) -> Person:
        """The person with this openid. Raises PhoneError."""
        person = self.platform.persons.get(openid)
        if person is None:
            raise PhoneError(f"there is no person {openid}")
        return person

    def follow(self, openid: str, *, subscribe_scene: str = "ADD_SCENE_SEARCH", copies: Copies = ONE) -> Outcome:
        """Follow the account: by the code scanned before, or found by search."""
        with self.platform.lock:
            person = self.person(openid)
            if person.follows:
                return Outcome("already")
            code, person.pending = person.pending, None
            if code and code.expired(self.platform.clock.now()):
                code = None
            self._subscribe(person, code, subscribe_scene)
        nodes: Nodes = [("Event", "subscribe"), ("EventKey", "")]
        if code:
            nodes = [("Event", "subscribe"), ("EventKey", f"qrscene_{code.scene}"), ("Ticket", code.ticket)]
        return self._push(person, "subscribe", nodes, copies=copies)

    def _subscribe(self, person: Person, code: Code | None, subscribe_scene: str) -> None:
        now = self.platform.clock.now()
        person.follows = True
        person.subscribe_time = int(now)
        person.subscribe_scene = "ADD_SCENE_QR_CODE" if code else subscribe_scene
        person.qr_scene = int(code.scene) if code and not code.is_text else 0
        person.qr_scene_str = code.scene if code and code.is_text else ""
        person.windows.open("follow", now)

    def unfollow(self, openid: str) -> Outcome:
        """Stop following: the account may not write any more."""
        with self.platform.lock:
            person = self.person(openid)
            if not person.follows:
                return Outcome("already")
            person.follows = False
            person.tags.clear()
            person.windows.close()
        return self._push(person, "unsubscribe", [("Event", "unsubscribe"), ("EventKey", "")])

    def scan(self, openid: str, code: Code, *, follow: bool = False, copies: Copies = ONE) -> Outcome:
        """Scan a code. A follower causes SCAN; anybody else sees the follow page first (or follows at once)."""
        with self.platform.lock:
            person = self.person(openid)
            if code.expired(self.platform.clock.now()):
                self.platform.say(person, who="system", kind="notice", text=EXPIRED_LINE)
                return Outcome("expired")
            if not person.follows:
                person.pending = code
                self.platform.note("scan", appid=person.appid, openid=openid, scene=code.scene)
                return self.follow(openid, copies=copies) if follow else Outcome("follow_page")
            person.windows.open("scan", self.platform.clock.now())
        nodes: Nodes = [("Event", "SCAN"), ("EventKey", code.scene), ("Ticket", code.ticket)]
        return self._push(person, "SCAN", nodes, copies=copies)

    def dismiss(self, openid: str) -> Outcome:
        """Leave the follow page without following."""
        with self.platform.lock:
            self.person(openid).pending = None
            self.platform.note("scan", openid=openid, dismissed=True)
        return Outcome("done")

    def code(self, account: Account, *, ticket: str = "", url: str = "", scene: str = "") -> Code:
        """The code of a ticket or of an address; with a bare `scene` a code nobody created. Raises PhoneError."""
        code = account.codes.get(ticket) if ticket else None
        if url:
            owner, code = self.platform.codes_by_key.get(url.rstrip("/").rpartition("/")[2], (None, None))
            if owner is not None and owner is not account:
                raise PhoneError("this code belongs to another account")
        if code is None and scene:
            now = self.platform.clock.now()
            code = Code(new_ticket(), "", "", scene, not scene.isdecimal(), created=now, expires=None)
        if code is None:
            raise PhoneError("this is no code of the account")
        return code

    def write(self, openid: str, text: str, *, menuid: str = "") -> Outcome:
        """Send a text; `menuid` when it is a tap on an item of a msgmenu."""
        nodes: list[tuple[str, str | int | Nodes]] = [("Content", text)]
        if menuid:
            nodes.append(("bizmsgmenuid", menuid))
        # A tap on a msgmenu item counts as a menu click, not as a message (wechat-api.md, section 6.1).
        return self._message(openid, "text", nodes, {"text": text}, window="menu" if menuid else "user_msg")

    def send_picture(self, openid: str, picture: str) -> Outcome:
        """Send a picture, given by its address."""
        media_id = self._keep_media(openid, picture)
        url = f"{self.platform.url}{picture}" if picture.startswith("/") else picture
        return self._message(openid, "image", [("PicUrl", url), ("MediaId", media_id)], {"picture": picture})

    def send_voice(self, openid: str, recognition: str = "") -> Outcome:
        """Send a voice message; `recognition` is what speech recognition made of it."""
        nodes: list[tuple[str, str | int | Nodes]] = [("MediaId", self._keep_media(openid, "")), ("Format", "amr")]
        if recognition:
            nodes.append(("Recognition", recognition))
        return self._message(openid, "voice", nodes, {"text": recognition})

    def send_location(self, openid: str, *, latitude: str, longitude: str, label: str) -> Outcome:
        """Send a place. X is the latitude, Y the longitude."""
        nodes: Nodes = [("Location_X", latitude), ("Location_Y", longitude), ("Scale", 15), ("Label", label)]
        return self._message(openid, "location", nodes, {"text": label, "place": f"{latitude}, {longitude}"})

    def click(self, openid: str, button: dict[str, Any], *, scan_result: str = "") -> Outcome:
        """Tap a menu button (as published): pushes what its type causes, or opens its address."""
        person = self._following(openid)
        kind, url = button.get("type", ""), button.get("url", "")
        if kind == "view":
            return self._push(person, "VIEW", [("Event", "VIEW"), ("EventKey", url)], url=url)
        if kind == "miniprogram":
            nodes: list[tuple[str, str | int | Nodes]] = [("EventKey", button.get("pagepath", ""))]
            return self._push(person, "view_miniprogram", [("Event", "view_miniprogram"), *nodes], url=url)
        key = button.get("key", "")
        if kind in WITH_WINDOW:
            person.windows.open("menu", self.platform.clock.now())
        if kind == "click":
            return self._push(person, "CLICK", [("Event", "CLICK"), ("EventKey", key)])
        if kind in ("scancode_push", "scancode_waitmsg"):
            info: Nodes = [("ScanType", "qrcode"), ("ScanResult", scan_result)]
            return self._push(person, kind, [("Event", kind), ("EventKey", key), ("ScanCodeInfo", info)])
        raise PhoneError(f"a button of type {kind} does nothing on this phone")

    def _message(
        self, openid: str, kind: str, nodes: Nodes, shown: dict[str, Any], *, window: str = "user_msg"
    ) -> Outcome:
        person = self._following(openid)
        with self.platform.lock:
            now = self.platform.clock.now()
            person.windows.open(window, now)
            person.last_contact = now
            self.platform.say(person, who="person", kind=kind, **shown)
        msgid = int(now * 1000) * 10_000 + secrets.randbelow(10_000)
        return self._push(person, kind, [*nodes, ("MsgId", msgid)], trigger=kind)

    def _following(self, openid: str) -> Person:
        person = self.person(openid)
        if not person.follows:
            raise PhoneError("only a follower can do that")
        return person

    def _keep_media(self, openid: str, picture: str) -> str:
        account = self.platform.account_of(self.person(openid))
        media_id = secrets.token_urlsafe(48)
        account.media[media_id] = {"picture": picture}
        return media_id

    def _push(
        self, person: Person, name: str, nodes: Nodes, *, trigger: str = "event", url: str = "", copies: Copies = ONE
    ) -> Outcome:
        account = self.platform.account_of(person)
        push = self.pushes.send(account, person, name, nodes, trigger=trigger, copies=copies)
        return Outcome("open" if url else "done", push, url)
