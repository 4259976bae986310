"""The answers of a reply rule: documents that staff write, checked here, and made into replies for one person.

A document is what wechat.replies.Reply.stored writes, or {"kind": "handler", "name": …} for a handler that another app
registered by name. Comes in: a rule that matched. Goes out: the reply, and what follows it.
"""

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wechat import media_ids, placeholders
from wechat.registry import is_link
from wechat.replies import (
    ARTICLES_TO_EVENT,
    DESCRIPTION_BYTES,
    KINDS,
    TEXT_BYTES,
    TITLE_BYTES,
    Article,
    Music,
    News,
    Reply,
    Text,
    TransferToService,
    Video,
    may_answer,
    restore,
)
from wechat.routing import Contact, Handled, named_handlers
from wechat.rules import RuleEntry

MOST = 5  # of one rule: the platform takes five messages after one of the person's, and three after an event
LONGEST = 20_000  # characters of one field, whatever it is
HANDLER = "handler"

Document = Mapping[str, Any]
logger = logging.getLogger(__name__)

FIELDS = {  # as staff read them
    "content": gettext_lazy("Text"),
    "media": gettext_lazy("Media ID"),
    "thumb": gettext_lazy("Media ID of the thumbnail"),
    "title": gettext_lazy("Title"),
    "description": gettext_lazy("Description"),
    "url": gettext_lazy("Link"),
    "hqurl": gettext_lazy("Link on Wi-Fi"),
    "picurl": gettext_lazy("Picture"),
    "account": gettext_lazy("Agent"),
}

_NEEDED = {
    "text": ("content",),
    "image": ("media",),
    "voice": ("media",),
    "video": ("media",),
    "music": ("thumb",),
}
_LINKS = ("url", "hqurl", "picurl")
_LIMITS = {"content": TEXT_BYTES, "title": TITLE_BYTES, "description": DESCRIPTION_BYTES}


def compose(rule: RuleEntry, contact: Contact) -> Handled | None:
    """What this rule answers to this push. None when none of its answers can be given: then the next rule is asked."""
    documents = list(rule.answers)
    if rule.choice == "random":
        random.shuffle(documents)
    given = list(_given(documents, contact, only_one=rule.choice == "random"))
    if not given:
        return None
    first = given[0]
    # A conversation is handed over as the answer itself, or not at all: no message does it.
    more = [each.reply for each in given[1:] if each.reply and not isinstance(each.reply, TransferToService)]
    return replace(first, answered_by="rule", rule_id=rule.id, more=(*first.more, *more))


def _given(documents: Sequence[Document], contact: Contact, *, only_one: bool) -> Iterator[Handled]:
    for document in documents:
        handled = _handled(document, contact)
        if handled:
            yield handled
            if only_one:
                return


def _handled(document: Document, contact: Contact) -> Handled | None:
    if document.get("kind") == HANDLER:
        named = named_handlers.get(document.get("name", ""))
        handled = named.handler(contact) if named else None
        return replace(handled, holder=document["name"]) if handled else None
    try:
        reply = media_ids.resolved(filled(restore(dict(document)), contact), contact.account.id)
    except (KeyError, TypeError):  # written by another version of the program
        logger.warning("an answer of kind %r cannot be read", document.get("kind"))
        return None
    fits = reply and may_answer(contact.message) and reply.nodes(contact.message) is not None
    return Handled(reply) if fits else None


def filled(reply: Reply, contact: Contact) -> Reply:
    """`reply` with its placeholders replaced for this person."""
    if isinstance(reply, Text):
        return replace(reply, content=placeholders.fill(reply.content, contact))
    if isinstance(reply, Video | Music):
        title, description = (placeholders.fill(text, contact) for text in (reply.title, reply.description))
        return replace(reply, title=title, description=description)
    if isinstance(reply, News):
        return News(tuple(_filled_article(article, contact) for article in reply.articles))
    return reply


def _filled_article(article: Article, contact: Contact) -> Article:
    title, description = (placeholders.fill(text, contact) for text in (article.title, article.description))
    return Article(title, description, placeholders.fill_link(article.url, contact), article.picurl)


def clean(documents: object) -> list[dict[str, Any]]:
    """The documents as they may be stored. Raises ValidationError: each message begins with the answer's position."""
    if not isinstance(documents, list):
        raise ValidationError(_("The answers must be a list."))
    errors, cleaned = [], []
    for position, document in enumerate(documents, start=1):
        try:
            cleaned.append(_clean(document))
        except ValidationError as error:
            errors += [_("Answer %(position)d: %(error)s") % {"position": position, "error": e} for e in error.messages]
    if len(documents) > MOST:
        errors.append(_("At most %(most)d answers: WeChat takes no more after one message.") % {"most": MOST})
    if errors:
        raise ValidationError(errors)
    return cleaned


def _clean(document: object) -> dict[str, Any]:
    if not isinstance(document, dict) or not isinstance(kind := document.get("kind"), str):
        raise ValidationError(_("It has no kind."))
    if kind == HANDLER:
        if str(document.get("name")) not in named_handlers:
            raise ValidationError(_("No program is registered under this name."))
        return {"kind": HANDLER, "name": str(document["name"])}
    if kind not in KINDS:
        raise ValidationError(_("Unknown kind: %s.") % kind[:40])
    if kind == News.kind:
        return {"kind": kind, "articles": _clean_articles(document.get("articles"))}
    known = [each.name for each in fields(KINDS[kind])]
    values = _texts(document, known, extra=("kind",))
    if missing := [name for name in _NEEDED.get(kind, ()) if not values[name].strip()]:
        raise ValidationError(_("Fill in: %s.") % ", ".join(str(FIELDS[name]) for name in missing))
    return {"kind": kind, **values}


def _clean_articles(articles: object) -> list[dict[str, str]]:
    if not isinstance(articles, list) or not 1 <= len(articles) <= ARTICLES_TO_EVENT:
        raise ValidationError(_("A news answer has 1 to %(most)d articles.") % {"most": ARTICLES_TO_EVENT})
    cleaned = []
    for article in articles:
        if not isinstance(article, dict):
            raise ValidationError(_("An article must have fields."))
        values = _texts(article, [each.name for each in fields(Article)])
        if missing := [name for name in ("title", "url") if not values[name].strip()]:
            raise ValidationError(_("Fill in: %s.") % ", ".join(str(FIELDS[name]) for name in missing))
        cleaned.append(values)
    return cleaned


def _texts(document: Document, names: list[str], extra: tuple[str, ...] = ()) -> dict[str, str]:
    """The named fields, all of them, as texts; nothing else may be there."""
    if unknown := set(document) - set(names) - set(extra):
        raise ValidationError(_("Unknown field: %s.") % str(sorted(map(str, unknown))[0])[:40])
    values = {name: document.get(name, "") for name in names}
    for name, value in values.items():
        if not isinstance(value, str) or len(value) > LONGEST:
            raise ValidationError(_("%s must be a text of a sensible length.") % FIELDS[name])
        if name in _LINKS and value:
            is_link(value)
    return values


def warnings(documents: Sequence[Document]) -> list[str]:
    """What will not arrive as it is written: cut texts, unknown placeholders. `documents` are clean."""
    found: list[str] = []
    for document in documents:
        for part in (document, *document.get("articles", ())):
            found += _warnings(part)
    return found


def _warnings(part: Document) -> Iterator[str]:
    for name, limit in _LIMITS.items():
        size = len(str(part.get(name, "")).encode())
        if size > limit:
            yield _("%(field)s has %(size)d bytes; what is beyond %(limit)d is cut off.") % {
                "field": FIELDS[name],
                "size": size,
                "limit": limit,
            }
        for written in placeholders.unknown(str(part.get(name, ""))):
            yield _("%s is no placeholder and will be shown as it is.") % written
