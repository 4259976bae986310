"""Custom menus (自定义菜单): what the platform takes. One dictionary of button kinds and limits for every place.

Comes in: JSON that a person typed, or a document. Goes out: the document as it is stored and sent, or what is wrong with it,
button by button. Nothing is read and nothing is called here. Sizes are UTF-8 bytes. Facts: wechat-api.md, section 9.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wechat import strictjson

Words = str | Promise
Document = dict[str, Any]
Button = Mapping[str, Any]
Path = tuple[int, ...]  # a button's place: (0,) the first one, (1, 2) the third one below the second

MOST_BUTTONS, MOST_SUBS = 3, 5
TOP_NAME, SUB_NAME = 16, 60
TOP_SHOWN, SUB_SHOWN = 8, 16  # widths that a phone shows of a name; a Chinese character is two wide
MOST_BYTES = 96 * 1024  # of the JSON: the largest menu there can be has some 50 KB
MOST_PROBLEMS = 30
_DEEPEST = 10
# What no phone shows and what turns the texts after it round.
_UNFIT = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_APPID = re.compile(r"wx[0-9A-Za-z]{8,40}")


@dataclass(frozen=True)
class Field:
    """One field of a button."""

    label: Words
    most: int
    help: Words = ""


@dataclass(frozen=True)
class Kind:
    """One kind of button: what staff call it, and its fields. `pushes`: a tap arrives at our callback with the key."""

    label: Words
    icon: str
    fields: tuple[str, ...]
    help: Words = ""

    @property
    def pushes(self) -> bool:
        return "key" in self.fields


@dataclass(frozen=True)
class Problem:
    """What is wrong at one place; without a path it concerns the whole menu."""

    path: Path
    field: str
    text: str

    @property
    def told(self) -> str:
        """With the place in words."""
        return f"{place(self.path)}: {self.text}" if self.path else self.text


FIELDS: Mapping[str, Field] = {
    "name": Field(gettext_lazy("Name"), TOP_NAME),
    "key": Field(gettext_lazy("Key"), 128, gettext_lazy("What the rules are asked for when somebody taps.")),
    "url": Field(gettext_lazy("Address"), 1024, gettext_lazy("A full address that starts with https://.")),
    "media_id": Field(gettext_lazy("Media ID"), 128, gettext_lazy("Of a permanent material.")),
    "article_id": Field(gettext_lazy("Article ID"), 128, gettext_lazy("Of a published article.")),
    "appid": Field(
        gettext_lazy("AppID of the mini program"), 64, gettext_lazy("Linked to this account; begins with wx.")
    ),
    "pagepath": Field(gettext_lazy("Page of the mini program"), 1024, gettext_lazy("For example pages/index/index.")),
}
_KEY = ("key",)
KINDS: Mapping[str, Kind] = {
    "click": Kind(gettext_lazy("Answer of a rule"), "chat", _KEY, gettext_lazy("The rule with this menu key answers.")),
    "view": Kind(gettext_lazy("Open a web page"), "language", ("url",)),
    "miniprogram": Kind(
        gettext_lazy("Open a mini program"),
        "widgets",
        ("appid", "pagepath", "url"),
        gettext_lazy("Old versions of WeChat open the address instead."),
    ),
    "scancode_waitmsg": Kind(
        gettext_lazy("Scan and answer"), "qr_code_scanner", _KEY, gettext_lazy("The rules answer what was scanned.")
    ),
    "scancode_push": Kind(
        gettext_lazy("Scan and open"),
        "barcode_scanner",
        _KEY,
        gettext_lazy("WeChat opens what was scanned; we are told of it."),
    ),
    "pic_sysphoto": Kind(gettext_lazy("Take a photo"), "photo_camera", _KEY),
    "pic_photo_or_album": Kind(gettext_lazy("Take or choose a photo"), "add_a_photo", _KEY),
    "pic_weixin": Kind(gettext_lazy("Choose photos"), "photo_library", _KEY),
    "location_select": Kind(gettext_lazy("Send a place"), "location_on", _KEY),
    "media_id": Kind(
        gettext_lazy("Send a material"),
        "image",
        ("media_id",),
        gettext_lazy("WeChat sends it by itself; we are not told of the tap."),
    ),
    "article_id": Kind(gettext_lazy("Send an article"), "newspaper", ("article_id",)),
    "article_view_limited": Kind(gettext_lazy("Open an article"), "article", ("article_id",)),
    "view_limited": Kind(
        gettext_lazy("Open an article of the library (old)"),
        "history",
        ("media_id",),
        gettext_lazy("WeChat gives it up: choose “Open an article”."),
    ),
}


def read(text: str) -> Any:
    """What the JSON of a menu says. Raises ValidationError with the place; a menu that is no JSON has nothing to check."""
    if len(text.encode(errors="surrogatepass")) > MOST_BYTES:
        raise ValidationError(_("The menu has more than %(most)d KB.") % {"most": MOST_BYTES // 1024})
    try:
        deep = _deeper(json.loads(text or "{}"), _DEEPEST)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise ValidationError(_("This is not JSON: see line %(line)d, column %(column)d.") % where) from None
    except RecursionError:
        deep = True
    except ValueError:  # a whole number with thousands of digits
        raise ValidationError(_("The menu holds a number that is too long.")) from None
    if deep:
        raise ValidationError(_("The menu is nested too deeply: it has two levels."))
    return strictjson.read((text or "{}").encode(errors="surrogatepass"))


def clean(document: Any) -> Document:
    """The document as it is stored and sent: {} stands for an empty one. Raises ValidationError with everything at once."""
    if found := problems(document):
        shown = [problem.told for problem in found[:MOST_PROBLEMS]]
        raise ValidationError(shown)
    return {"button": [_tidy(button) for button in document.get("button", [])]}


def problems(document: Any) -> list[Problem]:
    """What the platform would refuse, or a person could not use."""
    if not isinstance(document, dict):
        return [Problem((), "", _('A menu is an object: {"button": […]}.'))]
    found = [Problem((), "", _unknown(name)) for name in document if name != "button"]
    buttons = document.get("button", [])
    if not isinstance(buttons, list):
        return [*found, Problem((), "", _("“button” has to be a list."))]
    if len(buttons) > MOST_BUTTONS:
        found.append(Problem((), "", _("A menu has at most %(most)d buttons.") % {"most": MOST_BUTTONS}))
    for place, button in enumerate(buttons[: MOST_BUTTONS + 1]):
        found += _of_button(button, (place,))
    return found


def leaves(document: Button) -> Iterator[tuple[Path, Button]]:
    """The buttons that do something, with their places. Of a cleaned document only."""
    for place, button in enumerate(document.get("button", [])):
        if subs := button.get("sub_button"):
            yield from (((place, number), sub) for number, sub in enumerate(subs))
        else:
            yield (place,), button


def place(path: Path) -> str:
    """A button's place in words."""
    if len(path) == 1:
        return _("Button %(number)d") % {"number": path[0] + 1}
    return _("Button %(number)d, below it %(below)d") % {"number": path[0] + 1, "below": path[1] + 1}


def width(name: str) -> int:
    """How wide a name is on the phone, in half Chinese characters."""
    return sum(2 if ord(letter) >= 0x1100 else 1 for letter in name)


def _of_button(button: Any, path: Path) -> Iterator[Problem]:
    if not isinstance(button, dict):
        yield Problem(path, "", _("A button is an object with a name."))
        return
    yield from _of_text(button, "name", path, TOP_NAME if len(path) == 1 else SUB_NAME)
    subs = button.get("sub_button", [])
    if not isinstance(subs, list):
        yield Problem(path, "sub_button", _("“sub_button” has to be a list."))
    elif subs:
        yield from _of_group(button, subs, path)
    else:
        yield from _of_leaf(button, path)


def _of_group(button: Button, subs: list[Any], path: Path) -> Iterator[Problem]:
    if len(path) > 1:
        yield Problem(path, "sub_button", _("A menu has two levels: no buttons below this one."))
        return
    for name in button.keys() - {"name", "sub_button"}:
        text = _("A button with others below it only opens them: it has no “%(name)s”.") % {"name": name[:40]}
        yield Problem(path, name, text)
    if len(subs) > MOST_SUBS:
        yield Problem(path, "sub_button", _("At most %(most)d buttons stand below one.") % {"most": MOST_SUBS})
    for number, sub in enumerate(subs[: MOST_SUBS + 1]):
        yield from _of_button(sub, (*path, number))


def _of_leaf(button: Button, path: Path) -> Iterator[Problem]:
    kind = button.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        yield Problem(path, "type", _("Choose what the button does: its “type” is missing or unknown."))
        return
    fields = KINDS[kind].fields
    for name in button.keys() - {"type", "name", "sub_button", *fields}:
        yield Problem(path, name, _unknown(name))
    for name in fields:
        yield from _of_text(button, name, path, FIELDS[name].most)
    if isinstance(url := button.get("url"), str) and url and "url" in fields and not _is_web(url):
        yield Problem(path, "url", _("Only addresses that start with https:// or http:// work, without blanks."))
    if isinstance(appid := button.get("appid"), str) and appid and "appid" in fields and not _APPID.fullmatch(appid):
        yield Problem(path, "appid", _("This is no AppID of a mini program: they begin with wx."))


def _of_text(button: Button, name: str, path: Path, most: int) -> Iterator[Problem]:
    value, label = button.get(name, ""), FIELDS[name].label
    if not isinstance(value, str):
        yield Problem(path, name, _("“%(field)s” has to be a text.") % {"field": label})
    elif not value.strip():
        yield Problem(path, name, _("“%(field)s” is empty.") % {"field": label})
    elif _UNFIT.search(value):
        yield Problem(path, name, _("“%(field)s” holds a character that cannot be shown.") % {"field": label})
    elif (size := len(value.encode())) > most:
        values = {"field": label, "size": size, "most": most}
        yield Problem(path, name, _("“%(field)s” has %(size)d bytes; %(most)d are allowed.") % values)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)


def _unknown(name: str) -> str:
    return _("There is no such field: %(name)s.") % {"name": name[:40].encode(errors="replace").decode()}


def _tidy(button: Button) -> Document:
    """The fields in one order, and no empty list."""
    if subs := button.get("sub_button"):
        return {"name": button["name"], "sub_button": [_tidy(sub) for sub in subs]}
    kind = button["type"]
    return {"type": kind, "name": button["name"], **{name: button[name] for name in KINDS[kind].fields}}


def _deeper(value: Any, levels: int) -> bool:
    """Whether `value` has more than so many levels."""
    level = [value]
    for _level in range(levels):
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
