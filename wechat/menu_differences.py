"""What differs between the menu at the platform and a draft, and the platform's forms of a menu read into ours.

Comes in: answers of menu/get, menu/trymatch and get_current_selfmenu_info; a draft. Goes out: documents, and rows for a table.
The platform adds `sub_button: []` to each leaf, drops fields it does not know, and gives numbers as numbers or as texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext as _

from wechat.menus import FIELDS, KINDS, Button, Document

_WEB = ("http://", "https://")


@dataclass(frozen=True)
class Value:
    """One field of a button in the table; `differs`: it is another one on the other side."""

    label: str
    text: str
    differs: bool


@dataclass(frozen=True)
class Cell:
    """One button on one side of the table."""

    name: str
    renamed: bool
    kind: str
    icon: str
    retyped: bool
    values: Sequence[Value]


@dataclass(frozen=True)
class Row:
    """One button: same, changed, new (only in the draft) or gone (only at the platform)."""

    level: int
    state: str
    live: Cell | None
    draft: Cell | None


def normalised(menu: Any) -> Document:
    """A menu of the platform as a document of ours: what is known of it, and nothing else."""
    buttons = menu.get("button") if isinstance(menu, Mapping) else None
    return {"button": [_button(one) for one in _listed(buttons) if isinstance(one, Mapping)]}


def agree(one: Any, other: Any) -> bool:
    """Whether two menus are the same for whoever taps them."""
    return normalised(one) == normalised(other)


def conditional(answer: Mapping[str, Any], menuid: str) -> Mapping[str, Any] | None:
    """The conditional menu of that number in an answer of menu/get."""
    found = (menu for menu in answer.get("conditionalmenu") or [] if isinstance(menu, Mapping))
    return next((menu for menu in found if str(menu.get("menuid", "")) == menuid), None) if menuid else None


def from_website(answer: Mapping[str, Any]) -> tuple[Document, list[str]]:
    """The menu of get_current_selfmenu_info as a document, and the names of the buttons that only the website can make.

    These become the nearest that the API knows: a text the key of a rule, a video or an article its address.
    """
    info = answer.get("selfmenu_info")
    buttons = _listed(info.get("button")) if isinstance(info, Mapping) else []
    changed: list[str] = []
    return {"button": [_of_website(one, changed) for one in buttons if isinstance(one, Mapping)]}, changed


def compare(live: Document, draft: Document) -> list[Row]:
    """The rows of the table, in the order of both menus."""
    return list(_rows(normalised(live)["button"], normalised(draft)["button"], level=0))


def in_words(document: Any) -> str:
    """A menu as staff read it, one button per line; for the history."""
    lines = []
    for button in normalised(document)["button"]:
        for level, one in [(0, button), *((1, sub) for sub in button.get("sub_button", ()))]:
            said = " · ".join([_kind(one), *(str(one[name]) for name in FIELDS if name != "name" and one.get(name))])
            lines.append(f"{'　' * level}{one['name']} ({said})" if said else f"{one['name']}")
    return "\n".join(lines)


def _button(button: Button) -> Document:
    name = str(button.get("name", ""))
    if subs := [one for one in _listed(button.get("sub_button")) if isinstance(one, Mapping)]:
        return {"name": name, "sub_button": [_button(sub) for sub in subs]}
    kind = str(button.get("type", ""))
    fields = KINDS[kind].fields if kind in KINDS else tuple(FIELDS)[1:]
    return {"type": kind, "name": name, **{one: str(button[one]) for one in fields if button.get(one)}}


def _listed(value: Any) -> list[Any]:
    """A list, also one in an object, as the website's form has it."""
    if isinstance(value, Mapping):
        value = value.get("list")
    return value if isinstance(value, list) else []


def _of_website(button: Button, changed: list[str]) -> Document:
    name = str(button.get("name", ""))
    if subs := [one for one in _listed(button.get("sub_button")) if isinstance(one, Mapping)]:
        return {"name": name, "sub_button": [_of_website(sub, changed) for sub in subs]}
    kind = str(button.get("type", ""))
    if kind in KINDS:
        return _button(button)
    changed.append(name)
    value = str(button.get("value", ""))
    article = next((one for one in _listed(button.get("news_info")) if isinstance(one, Mapping)), {})
    address = str(article.get("content_url", "")) if kind == "news" else value
    if address.startswith(_WEB):
        return {"type": "view", "name": name, "url": address}
    if kind == "text" or not value:
        return {"type": "click", "name": name, "key": value.encode()[:128].decode(errors="ignore") or name}
    return {"type": "media_id", "name": name, "media_id": value}


def _rows(live: list[Document], draft: list[Document], *, level: int) -> Iterator[Row]:
    for old, new in _pairs(live, draft):
        subs_old, subs_new = ((one or {}).get("sub_button", []) for one in (old, new))
        yield _row(old, new, level)
        yield from _rows(subs_old, subs_new, level=level + 1)


def _pairs(live: list[Document], draft: list[Document]) -> Iterator[tuple[Document | None, Document | None]]:
    """What belongs together: buttons of one name; between two such, what stands at the same place."""
    matcher = SequenceMatcher(None, [one["name"] for one in live], [one["name"] for one in draft], autojunk=False)
    for _tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        old, new = live[old_from:old_to], draft[new_from:new_to]
        for number in range(max(len(old), len(new))):
            yield old[number] if number < len(old) else None, new[number] if number < len(new) else None


def _row(old: Document | None, new: Document | None, level: int) -> Row:
    if old is None or new is None:
        return Row(level, "new" if old is None else "gone", _cell(old, None), _cell(new, None))
    bare_old, bare_new = ({name: one[name] for name in one if name != "sub_button"} for one in (old, new))
    same = bare_old == bare_new
    return Row(level, "same" if same else "changed", _cell(old, new), _cell(new, old))


def _cell(button: Document | None, other: Document | None) -> Cell | None:
    if button is None:
        return None
    beside = button if other is None else other
    kind = KINDS.get(button.get("type", ""))
    values = [
        Value(str(field.label), str(button[name]), button[name] != beside.get(name))
        for name, field in FIELDS.items()
        if name != "name" and button.get(name)
    ]
    retyped = button.get("type") != beside.get("type")
    icon = kind.icon if kind else "menu" if "sub_button" in button else "help"
    return Cell(button["name"], button["name"] != beside["name"], _kind(button), icon, retyped, values)


def _kind(button: Button) -> str:
    if "sub_button" in button:
        return _("opens the buttons below it")
    kind = KINDS.get(button.get("type", ""))
    return str(kind.label) if kind else str(button.get("type", ""))
