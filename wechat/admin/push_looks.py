"""How a push looks: what it says in short and key by key, how it was signed, what it was answered."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext

from wechat import messages
from wechat.admin import kinds, looks
from wechat.messages import Message, Tree
from wechat.models import Push

SHORT = 40  # characters of what somebody said, in the list
# The fields of the normalised form that say most, the first that is there.
_SAYS_MOST = ("content", "recognition", "scene", "label", "title", "eventkey")
# Marks that nobody sees, and that turn around what follows them.
TURNING = re.compile("([\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])")

Bubble = dict[str, Any]


def message_of(push: Push) -> Message | None:
    """The push as its handler saw it; None when the body cannot be read, or was erased."""
    try:
        return messages.parse(push.raw.encode())
    except (messages.Unreadable, messages.Hostile):
        return None


def visible(text: str) -> SafeString:
    """Foreign text with its right-to-left marks in the open: none of them turns anything around."""
    parts = TURNING.split(text)
    shown = [format_html('<span class="push-mark">U+{}</span>', f"{ord(part):04X}") for part in parts[1::2]]
    return format_html_join("", "{}{}", zip(parts[::2], [*shown, ""], strict=True))


def received(push: Push) -> SafeString:
    """When it came, in one line, to the second."""
    local = timezone.localtime(push.received_at)
    year = "" if local.year == timezone.localtime().year else f"{local:%Y}-"
    return format_html(
        '<span title="{}">{}{}</span>', date_format(local, "DATETIME_FORMAT"), year, f"{local:%m-%d %H:%M:%S}"
    )


def in_short(push: Push) -> SafeString | str:
    """What it says, in one line of the list."""
    message = message_of(push)
    words = " ".join(gist(message).split()) if message else ""
    if not words:
        return looks.NOTHING
    return format_html('<bdi title="{}">{}</bdi>', TURNING.sub("", words)[:500], visible(Truncator(words).chars(SHORT)))


def body(push: Push) -> SafeString | str:
    """The raw body."""
    return looks.block(visible(push.raw)) if push.raw else looks.NOTHING


def gist(message: Message) -> str:
    """The words, the scene or the key of a push; what else its kind has, where there is none of them."""
    fields = message.fields
    found = next((str(fields[name]) for name in _SAYS_MOST if fields.get(name)), "")
    if scanned := fields.get("scancodeinfo"):
        return f"{scanned['scanresult']} ({found})" if found else str(scanned["scanresult"])
    if place := fields.get("sendlocationinfo"):
        return f"{place['poiname'] or place['label']} ({found})".strip()
    if message.handle == "trace":
        return f"{fields['latitude']}, {fields['longitude']}"
    data = fields.get("data")
    return found or (", ".join(_texts(data)) if isinstance(data, Mapping) else "")


def _texts(data: Mapping[str, Any]) -> Iterator[str]:
    return (value for value in data.values() if isinstance(value, str) and value and not value.isdigit())


def key_by_key(message: Message) -> SafeString:
    """The whole normalised form, one key a line; what is below a key follows after a dot."""
    pairs = ((visible(name), visible(value)) for name, value in _flat(message.normalised()))
    rows = format_html_join("", "<dt>{}</dt><dd><bdi>{}</bdi></dd>", pairs)
    return format_html('<dl class="push-keys">{}</dl>', rows)


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield (
                f"{before}{name}",
                value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False),
            )


def signed(push: Push) -> str:
    """How the platform proved that it sent this."""
    if not push.encrypted:
        words = gettext("Plain text. The signature (signature) covers time and nonce, not the body.")
    elif push.nonce_key is None:
        words = gettext("Encrypted, safe mode. The signature (msg_signature) covers the body.")
    else:
        words = gettext(
            "Encrypted. The signature (msg_signature) covers the body, but the account takes plain text too."
        )
    if push.nonce_key is None:
        return words
    _account, timestamp, nonce = push.nonce_key.split(":", 2)
    return looks.lines([words, looks.facts({"timestamp": timestamp, "nonce": nonce})])


def answered_by(push: Push) -> SafeString | str:
    """Who answered: the rule with a link to it, or in words."""
    who = push.get_answered_by_display() if push.answered_by else ""
    if push.rule_id is None:
        return who or looks.NOTHING
    if push.rule is None:
        name: SafeString | str = gettext("rule %(number)d, deleted meanwhile") % {"number": push.rule_id}
    else:
        name = looks.link(reverse("admin:wechat_rule_change", args=[push.rule_id]), push.rule.name)
    return name if push.answered_by in ("", Push.AnsweredBy.RULE) else format_html("{} ({})", who, name)


def conversation(push: Push, message: Message | None) -> SafeString | str:
    """The push and its answer as the person saw them on the phone, and the answer as XML; empty without one."""
    stored = answered(push.answer)
    if not stored:
        return looks.block(push.answer) if push.answer else ""
    bubbles = [*([said(message)] if message else []), {"side": "account", **stored}]
    phone = render_to_string("admin/phone_preview.html", {"bubbles": bubbles, "heading": str(push.account)})
    fold = '{}<details class="push-fold"><summary>{}</summary>{}</details>'
    return format_html(fold, phone, gettext("The answer as XML"), looks.block(push.answer))


def said(message: Message) -> Bubble:
    """The person's side of the conversation."""
    if not message.is_event:
        return {"side": "me", "kind": message.handle, "content": message.fields.get("content", "")}
    deed, detail = str(kinds.in_words(message.handle)), gist(message)
    return {"side": "me", "kind": "notice", "content": f"{deed}: {detail}" if detail else deed}


def answered(xml: str) -> Bubble:
    """A passive answer in the form in which replies are stored (wechat.replies); empty for none."""
    try:
        tree = messages.read_tree(xml.encode()) if xml else {}
    except (messages.Unreadable, messages.Hostile):
        return {}
    kind = str(tree.get("MsgType", ""))
    inside = tree.get(kind.capitalize())
    node: Tree = inside if isinstance(inside, dict) else {}
    if kind == "text":
        return {"kind": kind, "content": tree.get("Content", "")}
    if kind == "news":
        return {"kind": kind, "articles": [_article(item) for item in _items(tree)]}
    titles = {"title": node.get("Title", ""), "description": node.get("Description", "")}
    return {"kind": kind, **titles, "account": _agent(tree)} if kind else {}


def _items(tree: Tree) -> list[Tree]:
    listed = tree.get("Articles")
    return [item for item in listed.get("item", []) if isinstance(item, dict)] if isinstance(listed, dict) else []


def _article(item: Tree) -> dict[str, str]:
    names = {"title": "Title", "description": "Description", "url": "Url", "picurl": "PicUrl"}
    return {key: str(item.get(name, "")) for key, name in names.items()}


def _agent(tree: Tree) -> str:
    info = tree.get("TransInfo")
    return str(info.get("KfAccount", "")) if isinstance(info, dict) else ""
