"""What every action on a phone needs: who holds it, what the action led to, and how its push gets under way."""

import secrets
from dataclasses import dataclass
from typing import Any

from wechat.simulator.accounts import Person
from wechat.simulator.envelopes import Nodes
from wechat.simulator.library import LIFETIME, Media
from wechat.simulator.pushes import ONE, Copies, Push, Pushes
from wechat.simulator.samples import VOICE, own_file
from wechat.simulator.state import Platform


class PhoneError(Exception):
    """The person cannot do that now; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """`result` is one of done, already, expired, follow_page, miniprogram, open (then `url` is what the phone opens)."""

    result: str
    push: Push | None = None
    url: str = ""
    also: Push | None = None  # the message that follows an event

    def as_json(self) -> dict[str, Any]:
        """The outcome for the REST answer; `push` is the id of the journal entry."""
        push = {"push": self.push.entry["id"]} if self.push else {}
        return {"result": self.result, **push, **({"url": self.url} if self.url else {})}


class Hand:
    """Where all actions of all persons start."""

    def __init__(self, platform: Platform, pushes: Pushes) -> None:
        self.platform = platform
        self.pushes = pushes

    def person(self, openid: str) -> Person:
        """The person with this openid. Raises PhoneError."""
        person = self.platform.persons.get(openid)
        if person is None:
            raise PhoneError(f"there is no person {openid}")
        return person

    def _following(self, openid: str) -> Person:
        person = self.person(openid)
        if not person.follows:
            raise PhoneError("only a follower can do that")
        return person

    def _message(
        self, openid: str, kind: str, nodes: Nodes, shown: dict[str, Any], *, window: str = "user_msg"
    ) -> Outcome:
        """Something the person sends: it stands in the chat, opens a window and is pushed."""
        person = self._following(openid)
        with self.platform.lock:
            now = self.platform.clock.now()
            person.windows.open(window, now)
            person.last_contact = now
            self.platform.say(person, who="person", kind=kind, **shown)
        msgid = int(now * 1000) * 10_000 + secrets.randbelow(10_000)
        return self._push(person, kind, [*nodes, ("MsgId", msgid)], trigger=kind)

    def _keep_media(self, openid: str, kind: str, picture: str = "") -> str:
        """Put what a person sends among the account's temporary files."""
        account = self.platform.account_of(self.person(openid))
        content, content_type = (VOICE, "audio/amr") if kind == "voice" else own_file(picture) or (b"", "")
        with self.platform.lock:
            now = self.platform.clock.now()
            media = Media(kind, content=content, content_type=content_type, picture=picture)
            media.created, media.expires = now, now + LIFETIME
            return account.media.keep(media)

    def _push(
        self, person: Person, name: str, nodes: Nodes, *, trigger: str = "event", url: str = "", copies: Copies = ONE
    ) -> Outcome:
        account = self.platform.account_of(person)
        push = self.pushes.send(account, person, name, nodes, trigger=trigger, copies=copies)
        return Outcome("open" if url else "done", push, url)
