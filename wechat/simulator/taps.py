"""What tapping a menu button does: an event, for some kinds a message after it, or something the phone shows by itself.

In: the button as published, and what the person scanned, photographed or chose. Out: an Outcome.
Source: wechat-api.md, section 9.2; wechat-inbound.md, section 9.2.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from wechat.simulator.accounts import Person
from wechat.simulator.envelopes import Nodes
from wechat.simulator.hand import Hand, Outcome, PhoneError
from wechat.simulator.samples import PHOTOS

Listed = list[tuple[str, "str | int | Nodes"]]


@dataclass(frozen=True)
class Place:
    """Somewhere on the map, as the platform writes it: text."""

    latitude: str
    longitude: str
    label: str


HERE = Place("31.230416", "121.473701", "上海市黄浦区人民大道")


@dataclass(frozen=True)
class Answer:
    """What the person answers a button that asks for something. `menuid` names the conditional menu of the button."""

    scan_result: str = ""
    scan_type: str = "qrcode"
    pictures: tuple[str, ...] = PHOTOS[:1]
    place: Place = HERE
    menuid: int = 0


NOTHING = Answer()


class Taps(Hand):
    """The menu's buttons, and the messages that some of them send."""

    def click(self, openid: str, button: dict[str, Any], answer: Answer = NOTHING) -> Outcome:
        """Tap a button. Raises PhoneError for one that this phone does not know."""
        person = self._following(openid)
        act = _ACTS.get(button.get("type", ""))
        if act is None:
            raise PhoneError(f"a button of type {button.get('type')} does nothing on this phone")
        return act(self, person, button, answer)

    def send_picture(self, openid: str, picture: str) -> Outcome:
        """Send a picture, given by its address."""
        media_id = self._keep_media(openid, "image", picture)
        url = f"{self.platform.url}{picture}" if picture.startswith("/") else picture
        return self._message(openid, "image", [("PicUrl", url), ("MediaId", media_id)], {"picture": picture})

    def send_location(self, openid: str, *, latitude: str, longitude: str, label: str) -> Outcome:
        """Send a place. X is the latitude, Y the longitude."""
        nodes: Nodes = [("Location_X", latitude), ("Location_Y", longitude), ("Scale", 15), ("Label", label)]
        return self._message(openid, "location", nodes, {"text": label, "place": f"{latitude}, {longitude}"})

    def _event(self, person: Person, name: str, key: str, nodes: Nodes = (), *, url: str = "") -> Outcome:
        return self._push(person, name, [("Event", name), ("EventKey", key), *nodes], url=url)

    def _counted(self, person: Person) -> None:
        """A tap that lets the account write three messages."""
        with self.platform.lock:
            person.windows.open("menu", self.platform.clock.now())

    def _click(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        self._counted(person)
        return self._event(person, "CLICK", button.get("key", ""))

    def _view(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        url = button.get("url", "")
        return self._event(person, "VIEW", url, _menu_id(answer), url=url)

    def _miniprogram(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        outcome = self._event(person, "view_miniprogram", button.get("pagepath", ""), _menu_id(answer))
        return replace(outcome, result="miniprogram")

    def _scan_tool(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        """`scancode_push` also opens what was scanned, unless it is a code of this simulator."""
        self._counted(person)
        info: Nodes = [("ScanType", answer.scan_type), ("ScanResult", answer.scan_result)]
        opens = button["type"] == "scancode_push" and answer.scan_result.startswith(("http://", "https://"))
        own = answer.scan_result.startswith(f"{self.platform.url}/")
        url = answer.scan_result if opens and not own else ""
        return self._event(person, button["type"], button.get("key", ""), [("ScanCodeInfo", info)], url=url)

    def _pictures(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        """The event first, then every picture as a message of its own."""
        sums = [hashlib.md5(picture.encode()).hexdigest() for picture in answer.pictures]
        items: Listed = [("item", [("PicMd5Sum", md5)]) for md5 in sums]
        info: Nodes = [("Count", len(sums)), ("PicList", items)]
        outcome = self._event(person, button["type"], button.get("key", ""), [("SendPicsInfo", info)])
        sent = [self.send_picture(person.openid, picture).push for picture in answer.pictures]
        return replace(outcome, also=sent[-1] if sent else None)

    def _location(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        place = answer.place
        where: Listed = [("Location_X", place.latitude), ("Location_Y", place.longitude)]
        info: Nodes = [*where, ("Scale", "15"), ("Label", place.label), ("Poiname", "")]
        outcome = self._event(person, "location_select", button.get("key", ""), [("SendLocationInfo", info)])
        sent = self.send_location(person.openid, latitude=place.latitude, longitude=place.longitude, label=place.label)
        return replace(outcome, also=sent.push)

    def _material(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        """The platform sends the file itself; the account hears nothing of it."""
        account, media_id = self.platform.account_of(person), button.get("media_id")
        with self.platform.lock:
            media = account.file(media_id, self.platform.clock.now())
            shown = {"picture": media.picture, "title": media.title or media.name} if media else {}
            kind = media.kind if media and media.kind in ("image", "voice", "video") else "material"
            self.platform.say(person, who="account", kind=kind, via="menu", **shown)
        return Outcome("done")

    def _article(self, person: Person, button: dict[str, Any], answer: Answer) -> Outcome:
        title = button.get("article_id", "")
        self.platform.say(person, who="account", kind="mpnewsarticle", via="menu", article_id=title)
        return Outcome("done")


def _menu_id(answer: Answer) -> Nodes:
    return [("MenuId", answer.menuid)] if answer.menuid else ()


_ACTS: dict[str, Callable[[Taps, Person, dict[str, Any], Answer], Outcome]] = {
    "click": Taps._click,
    "view": Taps._view,
    "miniprogram": Taps._miniprogram,
    "scancode_push": Taps._scan_tool,
    "scancode_waitmsg": Taps._scan_tool,
    "pic_sysphoto": Taps._pictures,
    "pic_photo_or_album": Taps._pictures,
    "pic_weixin": Taps._pictures,
    "location_select": Taps._location,
    "media_id": Taps._material,
    "view_limited": Taps._material,
    "article_id": Taps._article,
    "article_view_limited": Taps._article,
}
