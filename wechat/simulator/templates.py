"""The template messages of one account: its templates, what was sent, and which sends are repeats.

Source: wechat-api.md, section 7. The caller holds the platform's lock.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from wechat.simulator.errors import ApiError
from wechat.simulator.template_library import (
    LIBRARY,
    PRELOADED,
    PRELOADED_KEYWORDS,
    Keyword,
    Template,
    keyword_of,
    template_id,
)

MOST_TEMPLATES = 25
REPEAT_SECONDS = 600.0  # within which one client_msg_id is sent to one person once
# Numbers of the library of old, which are all letters in front.
OLD_NUMBERS = ("TM", "OPENTM")


@dataclass(frozen=True)
class Sent:
    """One accepted template message. `status` is what its finish event says."""

    msgid: int
    openid: str
    template_id: str
    client_msg_id: str
    time: float
    status: str


@dataclass
class Templates:
    """Templates by id, and every message that was sent with them."""

    private: dict[str, Template] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    _recent: OrderedDict[tuple[str, str], tuple[int, float]] = field(default_factory=OrderedDict)

    @classmethod
    def preloaded(cls, appid: str) -> "Templates":
        """What an account starts with: a quote, an order's state, an appointment."""
        picked = ((LIBRARY[number], LIBRARY[number].keywords[:PRELOADED_KEYWORDS]) for number in PRELOADED)
        made = [Template(template_id(appid, entry.number), entry.title, keywords) for entry, keywords in picked]
        return cls({template.id: template for template in made})

    def pick(self, appid: str, number: object, names: object) -> Template:
        """Take an entry of the library over. Raises ApiError 40037, 40246, 40247 or 45026."""
        if isinstance(number, str) and number.upper().startswith(OLD_NUMBERS):
            raise ApiError(40247)
        entry = LIBRARY.get(number) if isinstance(number, str) else None
        if entry is None:
            raise ApiError(40037)
        found = [keyword_of(entry, name) for name in names] if isinstance(names, list) else []
        keywords: tuple[Keyword, ...] = tuple(keyword for keyword in found if keyword)
        if not keywords or len(keywords) != len(found) or len(set(keywords)) != len(keywords):
            raise ApiError(40246)
        if len(self.private) >= MOST_TEMPLATES:
            raise ApiError(45026)
        template = Template(template_id(appid, entry.number, secrets.token_hex(8)), entry.title, keywords)
        self.private[template.id] = template
        return template

    def find(self, wanted: object) -> Template:
        """The template of this id. Raises ApiError 40036 or 40037."""
        if not isinstance(wanted, str) or not wanted:
            raise ApiError(40036)
        template = self.private.get(wanted)
        if template is None:
            raise ApiError(40037)
        return template

    def repeated(self, openid: str, client_msg_id: str, now: float) -> int | None:
        """The msgid of the message that went to this person under this id within the last ten minutes."""
        while self._recent and now - next(iter(self._recent.values()))[1] >= REPEAT_SECONDS:
            self._recent.popitem(last=False)
        msgid, _ = self._recent.get((openid, client_msg_id), (None, 0.0))
        return msgid

    def note(self, message: Sent) -> None:
        """Remember a message that was accepted."""
        self.sent.append(message)
        if message.client_msg_id:
            self._recent[message.openid, message.client_msg_id] = message.msgid, message.time


def new_msgid() -> int:
    """19 digits: beyond what a number in JavaScript holds exactly."""
    return 10**18 + secrets.randbelow(8 * 10**18)
