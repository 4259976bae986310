"""What the editor of a menu (static/js/menu_editor.js) has to know: kinds, fields, limits, every word; and its questions.

The editor counts bytes itself. Whether a menu is right, and what is worth a look, it asks here, for what stands in the box now.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from wechat import menu_lints, menus
from wechat.models import Menu


def texts() -> dict[str, Any]:
    """Everything, as JSON takes it; a new one for each page, as it is in the language of whoever looks."""
    return {
        "kinds": [
            {
                "kind": name,
                "label": str(kind.label),
                "icon": kind.icon,
                "help": str(kind.help),
                "fields": [_field(field) for field in kind.fields],
            }
            for name, kind in menus.KINDS.items()
        ],
        "name": _field("name"),
        "most": {
            "buttons": menus.MOST_BUTTONS,
            "subs": menus.MOST_SUBS,
            "name": [menus.TOP_NAME, menus.SUB_NAME],
            "shown": [menus.TOP_SHOWN, menus.SUB_SHOWN],
            "text": menus.MOST_BYTES,
        },
        "words": {**_words(), **_words_beside()},
    }


def checked(menu: Menu, text: str, *, may_add_rule: bool) -> dict[str, Any]:
    """The answer to the editor's question: `broken` when nobody can read the JSON, else what is wrong and what to look at."""
    try:
        document = menus.read(text)
    except ValidationError as error:
        return {"broken": " ".join(error.messages), "problems": [], "hints": []}
    found = menus.problems(document)
    hints = [] if found else menu_lints.hints(menu, menus.clean(document))
    return {
        "broken": "",
        "problems": [_placed(one.path, one.field, one.text) for one in found[: menus.MOST_PROBLEMS]],
        "hints": [
            {**_placed(one.path, one.code, one.text), "make": _rule_for(menu, one.rule_for) if may_add_rule else ""}
            for one in hints
        ],
    }


def _field(name: str) -> dict[str, Any]:
    field = menus.FIELDS[name]
    return {"name": name, "label": str(field.label), "most": field.most, "help": str(field.help)}


def _placed(path: menus.Path, field: str, text: str) -> dict[str, Any]:
    return {"path": list(path), "field": field, "text": text, "place": menus.place(path) if path else ""}


def _rule_for(menu: Menu, key: str) -> str:
    """Where a rule for this key is made."""
    if not key or not menu.account_id:
        return ""
    query = urlencode({"account": menu.account_id, "text": key, "source": "click"})
    return f"{reverse('admin:wechat_rule_add')}?{query}"


def _words() -> Mapping[str, str]:
    return {
        "phone": _("The menu as a phone shows it"),
        "message": _("Tap a button to change it. Drag it to another place, or use Alt and the arrow keys."),
        "add": _("Add a button"),
        "add_sub": _("Add a button below"),
        "unnamed": _("no name"),
        "new_name": _("Button"),
        "choose": _("Choose a button on the phone, or add one."),
        "top": _("Button %(number)s"),
        "sub": _("Button %(number)s, below it %(below)s"),
        "kind": _("What it does"),
        "unknown": _("This kind is not known here; change it in the JSON, or choose another one."),
        "group": _("This button opens the buttons below it and does nothing else."),
        "earlier": _("Move left"),
        "later": _("Move right"),
        "up": _("Move up"),
        "down": _("Move down"),
        "remove": _("Remove"),
        "removed": _("Removed."),
        "moved": _("Now in place %(number)s of %(total)s."),
    }


def _words_beside() -> Mapping[str, str]:
    """Of the counters, the JSON and the checks."""
    return {
        "bytes": _("%(size)s / %(limit)s bytes"),
        "over": _("%(over)s bytes too long."),
        "cut": _("The phone shows “%(shown)s”."),
        "json": _("The menu as JSON"),
        "json_help": _("The same menu: what you change here changes the phone, and the other way round."),
        "locked": _("The phone shows the last menu that could be read. Correct the JSON to go on there."),
        "too_long": _("The menu is too long."),
        "where": _("Line %(line)s, column %(column)s"),
        "fine": _("WeChat takes this menu."),
        "make_rule": _("Make a rule"),
        "unchecked": _("The server does not answer: this menu is not checked now."),
        "dirty": _("Not saved yet: comparing and publishing take the saved draft."),
    }
