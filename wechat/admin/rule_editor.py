"""What the editor of a rule (static/js/rule_form.js) has to know: kinds, fields, limits, and every word that it shows."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wechat import answers, placeholders
from wechat.admin.kinds import KINDS as HANDLES
from wechat.admin.rule_form import TEXTLESS
from wechat.admin.rule_looks import ANSWERS
from wechat.normalise import MESSAGES
from wechat.replies import ANSWERABLE, ARTICLES_TO_EVENT, DESCRIPTION_BYTES, TEXT_BYTES, TITLE_BYTES
from wechat.routing import named_handlers
from wechat.rules import KINDS

Words = str | Promise

_KEYWORD_HELP: Mapping[str, Words] = {
    "exact": gettext_lazy("The whole message is this text."),
    "contains": gettext_lazy("This text stands somewhere in the message."),
    "regex": gettext_lazy("The message fits this pattern, for example ^[0-9]{6}$ for six digits."),
    "takeover": gettext_lazy("Every message that no other rule answers."),
    "event_key": gettext_lazy("The key of a menu button, as it stands in the menu."),
    "message_type": gettext_lazy("Every message or event of this kind."),
    "scene": gettext_lazy("The scene of a QR code that the person scans."),
}
_ANSWER_HELP: Mapping[str, Words] = {
    "news": gettext_lazy(
        "Who writes gets the first article only; after a menu button, a code or a follow up to 8 arrive."
    ),
    "transfer_customer_service": gettext_lazy("Only for what a person writes. Works as the first answer."),
    "image": gettext_lazy("A picture out of the materials, or the media ID of one in WeChat's own library."),
    "voice": gettext_lazy("A recording out of the materials, or the media ID of one in WeChat's own library."),
    "video": gettext_lazy("A video out of the materials, or the media ID of one in WeChat's own library."),
    "music": gettext_lazy("A song behind a link; the thumbnail is a media ID."),
    "handler": gettext_lazy("A part of the program writes the answer."),
}
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "text": ("content",),
    "image": ("media",),
    "voice": ("media",),
    "video": ("media", "title", "description", "thumb"),
    "music": ("title", "description", "url", "hqurl", "thumb"),
    "transfer_customer_service": ("account",),
}
_ARTICLE = ("title", "description", "picurl", "url")
_BYTES = {"content": TEXT_BYTES, "title": TITLE_BYTES, "description": DESCRIPTION_BYTES}
_MULTILINE = frozenset({"content", "description"})
_FILLED = frozenset({"content", "title", "description", "url"})  # where placeholders are replaced
_MATERIALS = {  # which files can be chosen there
    ("image", "media"): "image",
    ("voice", "media"): "voice",
    ("video", "media"): "video",
    ("video", "thumb"): "thumb",
    ("music", "thumb"): "thumb",
}
_NEEDED = frozenset(
    {("image", "media"), ("voice", "media"), ("video", "media"), ("music", "thumb"), ("text", "content")}
)


def texts() -> dict[str, Any]:
    """Everything, as JSON takes it; a new one for each page, as it is in the language of whoever looks."""
    return {
        "keywords": [_keyword(kind) for kind in KINDS],
        "handles": list(_handles()),
        "answers": [_answer(kind) for kind in ANSWERS if kind != answers.HANDLER or named_handlers],
        "article": [_field(name, needed=name in ("title", "url")) for name in _ARTICLE],
        "programs": [{"value": each.name, "label": str(each.label)} for each in named_handlers.values()],
        "placeholders": [
            {"written": each.written, "label": str(each.label), "sample": str(each.sample)}
            for each in placeholders.ALL.values()
        ],
        "most": {"answers": answers.MOST, "articles": ARTICLES_TO_EVENT},
        "words": _words(),
    }


def _keyword(kind: str) -> dict[str, Any]:
    takes = "nothing" if kind in TEXTLESS else "handle" if kind == "message_type" else "text"
    return {"kind": kind, "label": str(KINDS[kind]), "help": str(_KEYWORD_HELP.get(kind, "")), "takes": takes}


def _handles() -> Iterator[dict[str, Any]]:
    """The kinds of pushes, what people write first, and last what WeChat takes no answer to."""
    events = [handle for handle in HANDLES if handle not in MESSAGES]
    answered = [handle for handle in events if handle in ANSWERABLE or handle == "qr"]
    for label, handles in (
        (_("The person sends"), [handle for handle in HANDLES if handle in MESSAGES]),
        (_("The person does"), answered),
        (_("WeChat takes no answer to these"), [handle for handle in events if handle not in answered]),
    ):
        yield {"label": label, "options": [{"value": handle, "label": str(HANDLES[handle])} for handle in handles]}


def _answer(kind: str) -> dict[str, Any]:
    label, icon = ANSWERS[kind]
    fields = [
        {**_field(name, needed=(kind, name) in _NEEDED), "material": _MATERIALS.get((kind, name), "")}
        for name in _FIELDS.get(kind, ())
    ]
    return {"kind": kind, "label": str(label), "icon": icon, "help": str(_ANSWER_HELP.get(kind, "")), "fields": fields}


def _field(name: str, *, needed: bool) -> dict[str, Any]:
    return {
        "name": name,
        "label": str(answers.FIELDS[name]),
        "bytes": _BYTES.get(name, 0),
        "multiline": name in _MULTILINE,
        "filled": name in _FILLED,
        "link": name in ("url", "hqurl", "picurl"),
        "needed": needed,
    }


def _words() -> dict[str, str]:
    return {
        "add_keyword": _("Add a keyword"),
        "add_article": _("Add an article"),
        "add_answer": _("Add an answer:"),
        "no_keywords": _("No keyword yet: this rule waits for nothing."),
        "no_answers": _("No answer yet. Choose a kind below."),
        "most_answers": _("WeChat takes no more answers after one message."),
        "kind": _("How it is compared"),
        "text": _("Keyword"),
        "program": _("Program"),
        "article": _("Article %(number)s"),
        "answer": _("Answer %(number)s"),
        "up": _("Move up"),
        "down": _("Move down"),
        "drag": _("Drag to another place"),
        "remove": _("Remove"),
        "moved": _("Now in place %(number)s of %(total)s."),
        "removed": _("Removed."),
        "bytes": _("%(size)s / %(limit)s bytes"),
        "cut": _("%(over)s bytes too long. It ends with “%(end)s”."),
        "filled": _("The placeholders are filled in for each person; long values may be cut."),
        "insert": _("Insert a placeholder"),
        "not_a_link": _("Give a full address that starts with https://."),
        "needed": _("needed"),
        "choose_file": _("Choose a file of this account…"),
        "no_file": _("No file of this kind yet. Add one under Materials."),
        "lost_file": _("This file is not in the list any more, or has expired at WeChat."),
        "unknown": _("This kind is not known here; it is kept as it is."),
    }
