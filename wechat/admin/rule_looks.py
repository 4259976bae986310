"""Keywords and answers of a rule in words, for lists, for people who may only look, and for the history."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import kinds
from wechat.routing import named_handlers
from wechat.rules import KINDS

Words = str | Promise
Document = Mapping[str, Any]

ANSWERS: Mapping[str, tuple[Words, str]] = {  # what staff read, and the name of a Material Symbol
    "text": (_("Text"), "chat"),
    "news": (_("News card"), "newspaper"),
    "image": (_("Picture"), "image"),
    "voice": (_("Voice message"), "mic"),
    "video": (_("Video"), "movie"),
    "music": (_("Music"), "music_note"),
    "transfer_customer_service": (_("Customer service"), "support_agent"),
    "handler": (_("Program"), "smart_toy"),
}
_LINK = re.compile(r"<a\s[^<>]*>([^<]*)</a>", re.IGNORECASE)  # of a link, its words are enough to recognise an answer
_READ = (
    "title",
    "description",
    "content",
    "name",
    "url",
    "hqurl",
    "picurl",
    "media",
    "thumb",
    "account",
)  # in this order
CHIPS, LINES, BEGINNING = 3, 2, 40  # what a list shows of one rule: keywords, answers, characters of a text


def keyword_in_words(keyword: object) -> tuple[str, str]:
    """The kind and the text of a stored keyword, as staff read them."""
    document = keyword if isinstance(keyword, Mapping) else {}
    kind, text = str(document.get("kind", "")), str(document.get("text", ""))
    shown = str(kinds.in_words(text)) if kind == "message_type" else text
    return str(KINDS.get(kind, kind)), shown


def chips(keywords: object, most: int = CHIPS) -> SafeString:
    """The first keywords as small labels, and how many more there are."""
    listed = keywords if isinstance(keywords, list) else []
    shown = format_html_join("", "{}", ((_chip(keyword),) for keyword in listed[:most]))
    more = [str(keyword_in_words(keyword)[1]) for keyword in listed[most:]]
    rest = format_html('<span class="rule-chip rule-more" title="{}">+{}</span>', "\n".join(more[:50]), len(more))
    return format_html('<span class="rule-chips">{}{}</span>', shown, rest if more else "")


def _chip(keyword: object) -> SafeString:
    kind, text = keyword_in_words(keyword)
    shown = Truncator(text).chars(BEGINNING) or kind
    css = "rule-chip" if text else "rule-chip rule-chip-all"
    return format_html('<span class="{}" title="{}: {}"><bdi>{}</bdi></span>', css, kind, text, shown)


def answers_in_short(answers: object, most: int = LINES) -> SafeString:
    """What is answered: the kind of each of the first answers, and how it begins."""
    listed = [each for each in answers if isinstance(each, Mapping)] if isinstance(answers, list) else []
    shown = format_html_join("", "{}", ((_line(document),) for document in listed[:most]))
    more = len(listed) - most
    rest = format_html('<span class="rule-rest">+{}</span>', more) if more > 0 else ""
    return format_html('<span class="rule-answers">{}{}</span>', shown, rest)


def beginning(document: Document) -> str:
    """The words by which staff recognise an answer."""
    kind = str(document.get("kind", ""))
    if kind == "handler":
        named = named_handlers.get(str(document.get("name", "")))
        return str(named.label if named else document.get("name", ""))
    if kind == "news":
        titles = list(_titles(document.get("articles")))
        return " · ".join(titles[:2]) + (
            gettext(" and %(more)d more") % {"more": len(titles) - 2} if titles[2:] else ""
        )
    parts = (document.get(name) for name in ("content", "title", "media", "url", "account"))
    return _LINK.sub(r"\1", next((str(part) for part in parts if part), ""))


def _titles(articles: object) -> Iterator[str]:
    for article in articles if isinstance(articles, list) else ():
        if isinstance(article, Mapping):
            yield str(article.get("title", ""))


def _line(document: Document) -> SafeString:
    kind = str(document.get("kind", ""))
    name, icon = ANSWERS.get(kind, (kind, "help"))
    begins = Truncator(" ".join(beginning(document).split())).chars(BEGINNING)
    return format_html(
        '<span class="rule-answer" title="{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
        "<span><b>{}</b> <bdi>{}</bdi></span></span>",
        beginning(document)[:500],
        icon,
        name,
        begins,
    )


def switch(url: str, *, on: bool) -> SafeString:
    """A button that switches a rule on or off by posting the list's form to `url`."""
    return format_html(
        '<button type="submit" class="rule-switch" role="switch" aria-checked="{}" aria-label="{}" title="{}" '
        'formmethod="post" formaction="{}"></button>',
        "true" if on else "false",
        gettext("on"),
        gettext("Switch off") if on else gettext("Switch on"),
        url,
    )


def plain(value: object) -> str:
    """Keywords or answers in full, one per line, for the history."""
    parts = value if isinstance(value, list) else []
    return "\n".join(_plain(part) for part in parts if isinstance(part, Mapping))


def _plain(part: Document) -> str:
    if "text" in part:
        kind, text = keyword_in_words(part)
        return f"{kind}: {text}" if text else kind
    kind = str(part.get("kind", ""))
    articles = part.get("articles")
    documents = articles if isinstance(articles, list) else [part]
    said = [" · ".join(_texts(each)) for each in documents if isinstance(each, Mapping)]
    return "\n".join([f"{ANSWERS.get(kind, (kind, ''))[0]}: {said[0] if said else ''}", *said[1:]])


def _texts(document: Document) -> Iterator[str]:
    return (str(document[name]) for name in _READ if document.get(name))
