"""How values look on the admin's pages. Everything that comes in here may have been written by a stranger: it is escaped."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

_BLOCK = (
    "white-space:pre-wrap;overflow-wrap:anywhere;max-height:26rem;overflow:auto;margin:0;"
    "font:12px/1.6 ui-monospace,Menlo,Consolas,monospace"
)
NOTHING = "-"


def badge(text: object, variant: str = "") -> SafeString:
    """A small coloured label; `variant` is success, info, warning, danger or empty."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": variant})


def block(text: str) -> SafeString | str:
    """Foreign text as it is: every character visible, none of it markup."""
    return format_html('<pre style="{}">{}</pre>', _BLOCK, text) if text else NOTHING


def link(url: str, text: object) -> SafeString:
    """A link to another page of the admin."""
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)


def outside_link(url: str, text: object = "") -> SafeString | str:
    """A link that leaves the admin, in a tab of its own; only http and https become links."""
    if not url.startswith(("https://", "http://")):
        return url or NOTHING
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" style="overflow-wrap:anywhere" href="{}" target="_blank"'
        ' rel="noopener noreferrer">{} ↗</a>',
        url,
        text or url,
    )


def lines(parts: Iterable[object]) -> SafeString | str:
    """One part per line."""
    return format_html_join("", "<div>{}</div>", ((part,) for part in parts)) or NOTHING


def facts(values: Mapping[str, object]) -> SafeString | str:
    """Names and values, one pair per line."""
    rows = ((name, value) for name, value in values.items() if value not in ("", None, False))
    return (
        format_html_join(
            "",
            '<div style="overflow-wrap:anywhere"><span class="text-font-subtle-light dark:text-font-subtle-dark">'
            "{}</span>&ensp;{}</div>",
            rows,
        )
        or NOTHING
    )


def card(article: Mapping[str, Any]) -> SafeString:
    """A card as WeChat shows it: title, text, picture. Our own pictures are taken from here, whatever this host is called."""
    picture = str(article.get("picurl", "")).removeprefix(settings.PUBLIC_URL)
    return render_to_string("admin/card.html", {"card": {**article, "picurl": picture}})


def content(stored: Mapping[str, Any]) -> SafeString | str:
    """What a stored reply (wechat.replies) will show to the person."""
    if stored.get("kind") == "text":
        return block(str(stored.get("content", "")))
    articles = stored.get("articles")
    if isinstance(articles, list) and all(isinstance(article, dict) for article in articles):
        return format_html_join("", "{}", ((card(article),) for article in articles)) or _("an empty card")
    return facts({str(name): value for name, value in stored.items()})
