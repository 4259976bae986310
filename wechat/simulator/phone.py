"""What persons do: follow, unfollow, scan, write. Each changes the state first and then causes a push.

In: who does what. Out: an Outcome that says what the phone shows and which push is on its way.
Source: wechat-inbound.md, sections 8 and 9; wechat-api.md, section 6.1.
"""

from urllib.parse import urlsplit

from wechat.simulator.accounts import Account, Code, Person
from wechat.simulator.consents import Consents
from wechat.simulator.endpoints.qrcodes import new_ticket
from wechat.simulator.envelopes import Nodes
from wechat.simulator.hand import Outcome, PhoneError
from wechat.simulator.pushes import ONE, Copies
from wechat.simulator.taps import Taps

PASSED_ON = "from=singlemessage&isappinstalled=0"
RECEIVED_KEPT = 20
EXPIRED_LINE = "二维码已过期"  # what the phone shows, verbatim


class Phone(Taps, Consents):
    """The actions of all persons."""

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
            self.platform.account_of(person).desk.sessions.pop(openid, None)
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

    def pass_on(self, openid: str, to: str, card: dict[str, str]) -> Outcome:
        """Send a card to a friend; WeChat adds to its link how it came (wechat-api.md, section 12). No account learns of it."""
        sender, friend = self.person(openid), self.person(to)
        parts = urlsplit(card["link"])
        if parts.scheme not in ("http", "https") or sender is friend:
            raise PhoneError("a page can be sent to somebody else only, and needs an address")
        query = f"{parts.query}&{PASSED_ON}" if parts.query else PASSED_ON
        with self.platform.lock:
            now = round(self.platform.clock.now(), 3)
            got = {**card, "link": parts._replace(query=query).geturl(), "from": sender.nickname, "time": now}
            friend.received = [got, *friend.received][:RECEIVED_KEPT]
            self.platform.note("share", appid=sender.appid, openid=openid, to=to, title=card["title"])
        return Outcome("done")

    def write(self, openid: str, text: str, *, menuid: str = "") -> Outcome:
        """Send a text; `menuid` when it is a tap on an item of a msgmenu."""
        nodes: list[tuple[str, str | int | Nodes]] = [("Content", text)]
        if menuid:
            nodes.append(("bizmsgmenuid", menuid))
        # A tap on a msgmenu item counts as a menu click, not as a message (wechat-api.md, section 6.1).
        return self._message(openid, "text", nodes, {"text": text}, window="menu" if menuid else "user_msg")

    def send_voice(self, openid: str, recognition: str = "") -> Outcome:
        """Send a voice message; `recognition` is what speech recognition made of it."""
        nodes: list[tuple[str, str | int | Nodes]] = [("MediaId", self._keep_media(openid, "voice")), ("Format", "amr")]
        if recognition:
            nodes.append(("Recognition", recognition))
        return self._message(openid, "voice", nodes, {"text": recognition})
