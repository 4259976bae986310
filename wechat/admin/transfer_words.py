"""The differences between an account and a file in words: what is new, what changes from what to what, what only is here."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import portable
from wechat.admin.rule_looks import ANSWERS, keyword_in_words
from wechat.answers import FIELDS
from wechat.menu_differences import in_words
from wechat.models import Account, Rule
from wechat.portable import Change, Difference
from wechat.routing import named_handlers

MOST = 200  # differences of one section on the page
BADGES = {
    "new": (_("new"), "success"),
    "changed": (_("different"), "info"),
    "only_here": (_("only here"), "warning"),
}
_MEDIA = ("media", "thumb")


def shown(found: list[Difference], account: Account, document: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of differences needs."""
    parts = [(section, [one for one in found if one.section is section]) for section in portable.sections.values()]
    return {
        "sections": [
            {
                "label": section.label,
                "rows": [_row(one) for one in mine[:MOST]],
                "count": len(mine),
                "more": max(len(mine) - MOST, 0),
            }
            for section, mine in parts
            if mine
        ],
        "counts": [
            {"text": text, "variant": variant, "count": _count(found, kind)} for kind, (text, variant) in BADGES.items()
        ],
        "applied": sum(one.kind != "only_here" for one in found),
        "only_here": _count(found, "only_here"),
        "foreign_media": _with_media(found) if _is_foreign(account, document) else [],
    }


def told(done: list[Difference]) -> str:
    """What an import did, in one line."""
    values = {"new": _count(done, "new"), "changed": _count(done, "changed"), "removed": _count(done, "only_here")}
    return gettext("Import: %(new)d new, %(changed)d changed, %(removed)d removed.") % values


def _count(found: list[Difference], kind: str) -> int:
    return sum(one.kind == kind for one in found)


def _row(one: Difference) -> dict[str, Any]:
    text, variant = BADGES[one.kind]
    changes = [
        {"label": change.label, "old": _words(change, change.old), "new": _words(change, change.new)}
        for change in one.changes
        if one.kind == "changed" or change.old or change.new
    ]
    return {"title": one.title, "kind": one.kind, "badge": text, "variant": variant, "changes": changes}


def _words(change: Change, value: Any) -> str:
    """A value as staff read it; empty for none. Whoever shows it escapes it."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if change.field == "keywords" and isinstance(value, list):
        return "\n".join(": ".join(filter(None, keyword_in_words(keyword))) for keyword in value)
    if change.field == "answers" and isinstance(value, list):
        return "\n\n".join(_answer(document) for document in value)
    if change.field == "document":
        return in_words(value)
    if change.field == "choice" and value in Rule.Choice.values:
        return str(Rule.Choice(value).label)
    return "" if value is None else str(value)


def _answer(document: Mapping[str, Any]) -> str:
    kind = str(document.get("kind", ""))
    lines = [f"[{ANSWERS[kind][0] if kind in ANSWERS else kind}]"]
    if kind == "text":
        return f"{lines[0]} {document.get('content', '')}"
    if kind == "handler":
        named = named_handlers.get(str(document.get("name", "")))
        return f"{lines[0]} {named.label if named else document.get('name', '')}"
    for part in document.get("articles", [document]):
        lines += [f"{FIELDS[name]}: {value}" for name, value in part.items() if name in FIELDS and value]
    return "\n".join(lines)


def _is_foreign(account: Account, document: Mapping[str, Any]) -> bool:
    return bool(document.get("account", {}).get("slug") != account.slug)


def _with_media(found: list[Difference]) -> list[str]:
    """Rules whose answers name media: these belong to the account that they were uploaded to."""
    changed = (one for one in found if one.new)
    return [
        str(one.title)
        for one in changed
        if any(_has_media(document) for document in (one.new or {}).get("answers", ()))
    ]


def _has_media(document: Mapping[str, Any]) -> bool:
    return any(document.get(name) for name in _MEDIA)
