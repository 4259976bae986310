"""The conversation that a rule leads to, for the phone beside its form.

Comes in: keywords and answers while they are being typed, so anything may be missing or odd. Goes out: bubbles (see
templates/admin/phone_preview.html) and hints on what will not arrive as it is written. Nothing is stored, nothing sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from django.utils.translation import gettext as _

from wechat import answers, placeholders
from wechat.admin import kinds
from wechat.normalise import MESSAGES
from wechat.replies import ARTICLES_TO_EVENT, ARTICLES_TO_MESSAGE, KINDS, Article, News
from wechat.routing import named_handlers

Document = Mapping[str, Any]
Bubble = dict[str, Any]
TRANSFER = "transfer_customer_service"
_FROM_EVENTS = frozenset({"event_key", "scene"})  # kinds of keywords that no message has


@dataclass(frozen=True)
class Preview:
    """What the phone shows, and what staff should know about it."""

    bubbles: list[Bubble]
    hints: list[str] = field(default_factory=list)


def of(keywords: object, documents: object, *, random: bool = False, may_send: bool = True) -> Preview:
    """The preview of a rule; `may_send` says whether the account may send customer-service messages."""
    asked = keywords[0] if isinstance(keywords, list) and keywords else None
    given = list(_readable(documents))[: answers.MOST]
    by_event = comes_from_event(asked)
    shown = [_notice(_("One of these, by chance:"))] if random and len(given) > 1 else []
    for position, document in enumerate(given):
        shown += _answer(document, first=random or position == 0, by_event=by_event)
    return Preview(
        [_question(asked), *shown],
        list(_hints(given, by_event=by_event, alone=random or len(given) == 1, may_send=may_send)),
    )


def comes_from_event(keyword: object) -> bool:
    """Whether what this keyword waits for is an event and no message of the person's."""
    kind, text = _parts(keyword)
    return kind in _FROM_EVENTS or (kind == "message_type" and text not in MESSAGES)


def _parts(keyword: object) -> tuple[str, str]:
    document = keyword if isinstance(keyword, Mapping) else {}
    return str(document.get("kind", "")), str(document.get("text", ""))


def _question(keyword: object) -> Bubble:
    """What the person does: the first keyword as an example."""
    kind, text = _parts(keyword)
    if kind in ("exact", "contains") and text.strip():
        return {"side": "me", "kind": "text", "content": text}
    if kind == "message_type" and text in MESSAGES and text != "text":
        return {"side": "me", "kind": text}
    return _notice(_deed(kind, text))


def _deed(kind: str, text: str) -> str:
    if kind == "message_type":
        return str(kinds.in_words(text))
    if not text.strip() and kind != "takeover":
        return _("The person writes")
    return {
        "regex": _("The person writes what fits the pattern %(text)s"),
        "takeover": _("The person writes what no other rule answers"),
        "event_key": _("The person taps the menu button with the key %(text)s"),
        "scene": _("The person scans the code with the scene %(text)s"),
    }.get(kind, "%(text)s") % {"text": text}


def _notice(content: str) -> Bubble:
    return {"side": "account", "kind": "notice", "content": content}


def _readable(documents: object) -> Iterator[Bubble]:
    """The answers of a known kind, each with all of its fields as texts, placeholders filled with samples."""
    for document in documents if isinstance(documents, list) else ():
        kind = document.get("kind") if isinstance(document, Mapping) else None
        if kind == answers.HANDLER:
            yield {"kind": kind, "name": str(document.get("name", ""))}
        elif kind == News.kind:
            listed = document.get("articles")
            articles = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
            yield {"kind": kind, "articles": [_filled(each, Article) for each in articles[:ARTICLES_TO_EVENT]]}
        elif isinstance(kind, str) and kind in KINDS:
            yield {"kind": kind, **_filled(document, KINDS[kind])}


def _filled(document: Document, shape: Any) -> dict[str, str]:
    return {each.name: placeholders.sample(str(document.get(each.name, ""))) for each in fields(shape)}


def _answer(document: Bubble, *, first: bool, by_event: bool) -> Iterator[Bubble]:
    kind = document["kind"]
    if kind == answers.HANDLER:
        named = named_handlers.get(document["name"])
        label = named.label if named else document["name"]
        yield _notice(_("The program answers: %(name)s") % {"name": label})
    elif kind == News.kind:
        most = ARTICLES_TO_EVENT if first and by_event else ARTICLES_TO_MESSAGE
        if document["articles"]:
            yield {"side": "account", "kind": kind, "articles": document["articles"][:most]}
    elif kind == "text" and not document["content"].strip():
        return
    elif kind != TRANSFER or (first and not by_event):
        yield {"side": "account", **document}


def _hints(given: Sequence[Bubble], *, by_event: bool, alone: bool, may_send: bool) -> Iterator[str]:
    """Each thing once, however many answers it concerns."""
    articles = [article for document in given for article in document.get("articles", ())]
    if any(len(document.get("articles", ())) > ARTICLES_TO_MESSAGE for document in given) and not by_event:
        yield _("Who writes gets the first article only. All of them come after a menu button, a code or a follow.")
    if any(not article["picurl"].strip() for article in articles):
        yield _("An article without a picture shows a grey area.")
    transfers = [position for position, document in enumerate(given) if document["kind"] == TRANSFER]
    if transfers and by_event:
        yield _("Only what a person writes can be handed to customer service, no menu button, code or follow.")
    elif transfers and not alone and transfers != [0]:
        yield _("Handing over to customer service works as the first answer only.")
    if not alone and given and not may_send:
        yield _("This account may send no customer-service messages: only the first answer goes out.")
    yield from dict.fromkeys(answers.warnings(list(given)))
