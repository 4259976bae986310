"""What a menu may look like; sizes are UTF-8 bytes. Source: wechat-api.md, section 9.2."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from wechat.simulator.errors import ApiError
from wechat.simulator.menus import Menu, leaves

MAX_BUTTONS, MAX_SUB_BUTTONS = 3, 5
MAX_KEY, MAX_URL = 128, 1024
MAX_DOMAINS = 3  # that all conditional menus together may lead to
MATCHES = frozenset({"tag_id", "client_platform_type"})
WITHDRAWN_MATCHES = frozenset({"sex", "country", "province", "city", "language", "group_id"})
CLIENTS = frozenset({"1", "2", "3"})
SCANS = frozenset({"scancode_push", "scancode_waitmsg"})
PICTURES = frozenset({"pic_sysphoto", "pic_photo_or_album", "pic_weixin"})
WITH_KEY = frozenset({"click", "location_select"}) | SCANS | PICTURES
WITH_MEDIA = frozenset({"media_id", "view_limited"})
WITH_ARTICLE = frozenset({"article_id", "article_view_limited"})


@dataclass(frozen=True)
class Level:
    """One level of the menu: its sizes and the errcodes it answers with."""

    max_name: int
    bad_type: int
    bad_name: int
    bad_key: int
    bad_url: int
    bad_domain: int
    bad_media: int


TOP = Level(
    max_name=16, bad_type=40017, bad_name=40018, bad_key=40019, bad_url=40020, bad_domain=40055, bad_media=40117
)
SUB = Level(
    max_name=60, bad_type=40024, bad_name=40025, bad_key=40026, bad_url=40027, bad_domain=40054, bad_media=40118
)


def check_menu(body: dict[str, Any], materials: Container[str]) -> None:
    """Raise ApiError for the first thing the platform would refuse. `materials` are the account's permanent files."""
    buttons = body.get("button", [])
    if not isinstance(buttons, list):
        raise ApiError(40015)
    if not 1 <= len(buttons) <= MAX_BUTTONS:
        raise ApiError(40016)
    for button in buttons:
        if not isinstance(button, dict):
            raise ApiError(40017)
        if not button.get("sub_button"):
            _check_button(button, TOP)
            continue
        _check_name(button, TOP)
        _check_sub_buttons(button["sub_button"])
    for leaf in leaves(buttons):
        if leaf["type"] in WITH_MEDIA and leaf["media_id"] not in materials:
            raise ApiError(40007)


def check_conditional_menu(body: dict[str, Any], materials: Container[str], others: Iterable[Menu]) -> None:
    """The same for a conditional menu beside `others`."""
    if not body.get("button"):
        raise ApiError(65307)
    check_menu(body, materials)
    rule = body.get("matchrule")
    if not isinstance(rule, dict) or not rule:
        raise ApiError(65304)
    if WITHDRAWN_MATCHES & rule.keys():
        raise ApiError(65320)
    if not rule.keys() <= MATCHES or str(rule.get("client_platform_type", "1")) not in CLIENTS:
        raise ApiError(65304)
    links = [leaf["url"] for menu in (*others, body) for leaf in leaves(menu["button"]) if leaf.get("url")]
    if len({urlsplit(link).hostname for link in links}) > MAX_DOMAINS:
        raise ApiError(65316)


def _check_sub_buttons(buttons: Any) -> None:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MAX_SUB_BUTTONS:
        raise ApiError(40023)
    for button in buttons:
        if not isinstance(button, dict):
            raise ApiError(40024)
        if button.get("sub_button"):
            raise ApiError(40022)
        _check_button(button, SUB)


def _check_button(button: dict[str, Any], level: Level) -> None:
    _check_name(button, level)
    kind = button.get("type")
    if not isinstance(kind, str):
        raise ApiError(level.bad_type)
    if kind in WITH_KEY:
        _check_size(button, "key", MAX_KEY, level.bad_key)
    elif kind == "view":
        _check_url(button, level)
    elif kind == "miniprogram":
        _check_url(button, level)
        _check_size(button, "appid", MAX_KEY, 40035)
        _check_size(button, "pagepath", MAX_URL, 40035)
    elif kind in WITH_MEDIA:
        _check_size(button, "media_id", MAX_KEY, level.bad_media)
    elif kind in WITH_ARTICLE:
        _check_size(button, "article_id", MAX_KEY, 40035)
    else:
        raise ApiError(level.bad_type)


def _check_name(button: dict[str, Any], level: Level) -> None:
    _check_size(button, "name", level.max_name, level.bad_name)


def _check_url(button: dict[str, Any], level: Level) -> None:
    _check_size(button, "url", MAX_URL, level.bad_url)
    try:
        parts = urlsplit(button["url"])
    except ValueError as error:
        raise ApiError(level.bad_domain) from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ApiError(level.bad_domain)


def _check_size(button: dict[str, Any], field: str, largest: int, errcode: int) -> None:
    value = button.get(field)
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= largest:
        raise ApiError(errcode)
