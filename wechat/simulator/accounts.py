"""What the platform knows of an account, its codes and the persons who meet it: plain records."""

import ipaddress
import re
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from wechat.crypto import CryptoError, decode_aes_key
from wechat.simulator.desk import Desk
from wechat.simulator.library import Media, Shelf
from wechat.simulator.menus import Menu, Menus
from wechat.simulator.quotas import Quotas
from wechat.simulator.subscriptions import Subscriptions
from wechat.simulator.tags import Tags
from wechat.simulator.templates import Templates
from wechat.simulator.tokens import Tokens
from wechat.simulator.windows import Windows

KINDS = ("verified_service", "service", "verified_subscription", "subscription", "test")
MODES = ("plain", "compatible", "safe")
AES_KEY_LENGTH = 43
_LETTERS = string.ascii_letters + string.digits
_APPID = re.compile(r"[A-Za-z0-9]{4,32}", re.ASCII)


def random_text(length: int) -> str:
    """Letters and digits that nobody can guess."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


@dataclass
class Code:
    """A QR code with a scene. `expires` is None for a permanent code."""

    ticket: str
    key: str
    url: str
    scene: str
    is_text: bool
    created: float
    expires: float | None

    def expired(self, now: float) -> bool:
        """Whether the code has run out; a permanent one never does."""
        return self.expires is not None and now >= self.expires


@dataclass
class Person:
    """Somebody with a phone, as one account sees them."""

    openid: str
    appid: str
    nickname: str
    avatar: str
    follows: bool = False
    subscribe_time: int = 0
    subscribe_scene: str = ""
    qr_scene: int = 0
    qr_scene_str: str = ""
    tags: list[int] = field(default_factory=list)
    remark: str = ""
    blacklisted: bool = False
    muted: bool = False
    windows: Windows = field(default_factory=Windows)
    chat: list[dict[str, Any]] = field(default_factory=list)
    unread: int = 0
    pending: Code | None = None  # scanned, but the person has not yet decided to follow
    last_contact: float = 0.0
    typing: bool = False
    client: str = "1"  # 1 iOS, 2 Android, 3 others
    job_status: str = ""  # what finish events of templates say; empty: success, or the block when muted
    received: list[dict[str, Any]] = field(default_factory=list)  # cards and links from other persons
    opt_ins: dict[str, int] = field(default_factory=dict)  # consents to subscription notices, by template


@dataclass
class Account:
    """An official account and the settings of its console. Raises ValueError for settings the platform would refuse."""

    appid: str
    secret: str
    token: str
    callback_url: str = ""
    original_id: str = ""
    name: str = "装修报价助手"
    aes_key: str = ""
    mode: str = "plain"
    kind: str = "verified_service"
    ip_allowlist: list[str] = field(default_factory=list)  # empty: every address may call
    tokens: Tokens = field(default_factory=Tokens)
    quotas: Quotas = field(default_factory=Quotas)
    codes: dict[str, Code] = field(default_factory=dict)  # by ticket
    media: Shelf = field(default_factory=Shelf)  # temporary ones
    materials: Shelf = field(default_factory=Shelf)  # permanent ones
    pictures: Shelf = field(default_factory=Shelf)  # of article texts: they have an address and no media_id
    menus: Menus = field(default_factory=Menus)
    tags: Tags = field(default_factory=Tags)
    desk: Desk = field(default_factory=Desk.preloaded)
    templates: Templates = field(init=False)
    subscriptions: Subscriptions = field(init=False)
    jsapi_ticket: tuple[str, float] = ("", 0.0)  # value, expiry

    def __post_init__(self) -> None:
        self.original_id = self.original_id or f"gh_{secrets.token_hex(6)}"
        self.aes_key = self.aes_key or random_text(AES_KEY_LENGTH)
        self.templates = Templates.preloaded(self.appid)
        self.subscriptions = Subscriptions.preloaded(self.appid)
        self.check()

    def check(self) -> None:
        """Raise ValueError for a setting that cannot be."""
        if not _APPID.fullmatch(self.appid):
            raise ValueError(f"appid must be letters and digits, not {self.appid!r}")
        if not self.secret or not self.token:
            raise ValueError("secret and token must not be empty")
        if self.mode not in MODES or self.kind not in KINDS:
            raise ValueError(f"mode is one of {', '.join(MODES)}; kind is one of {', '.join(KINDS)}")
        try:
            decode_aes_key(self.aes_key)
        except CryptoError as error:
            raise ValueError(str(error)) from error
        for entry in self.ip_allowlist:
            ipaddress.ip_network(entry, strict=False)

    def file(self, media_id: object, now: float) -> Media | None:
        """The temporary or permanent file of this id."""
        return self.materials.find(media_id, now) or self.media.find(media_id, now)

    def menu_of(self, person: Person) -> Menu | None:
        """The menu that this person sees."""
        return self.menus.seen_by(tags=person.tags, client=person.client)

    def allows(self, address: str) -> bool:
        """Whether the IP allowlist lets `address` call."""
        if not self.ip_allowlist:
            return True
        caller = ipaddress.ip_address(address)
        return any(caller in ipaddress.ip_network(entry, strict=False) for entry in self.ip_allowlist)

    def settings_as_json(self) -> dict[str, Any]:
        """The settings as set in the console, the secrets included: whoever runs the simulator made them up."""
        names = (
            "appid", "secret", "token", "aes_key", "mode", "kind", "name", "original_id", "callback_url", "ip_allowlist"
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}
