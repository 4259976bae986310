"""Filters of the phone preview: text, titles and pictures as WeChat shows them. Everything that comes in here is foreign.

Django loads this file while the theme's admin is still loading: nothing of wechat.admin may be imported here.
"""

import re
from html import unescape

from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from wechat.replies import DESCRIPTION_BYTES, TEXT_BYTES, TITLE_BYTES, clean

register = template.Library()

# `<a href>` and bare addresses become links on the phone; every other tag is shown as it is written.
_LINK = re.compile(
    r"<a\s[^<>]*?href\s*=\s*[\"']([^\"'<>]*)[\"'][^<>]*>([^<]*)</a>|(https?://[^\s<>\"'，。；、（）]+)", re.I
)
_OPENS = ("https://", "http://")
_SENDS = "weixin://bizmsgmenu?"


@register.filter
def on_phone(text: object) -> SafeString:
    """A text message: cut where the platform cuts it, its links as links, the rest letter by letter."""
    shown = clean(str(text), TEXT_BYTES)
    parts, end = [], 0
    for match in _LINK.finditer(shown):
        parts += [shown[end : match.start()], _link(match)]
        end = match.end()
    return format_html_join("", "{}", ((part,) for part in (*parts, shown[end:])))


@register.filter
def title_on_phone(text: object) -> str:
    """The title of an article or a video, cut to what a phone shows."""
    return clean(str(text), TITLE_BYTES)


@register.filter
def description_on_phone(text: object) -> str:
    """The description of an article or a video, cut to what a phone shows."""
    return clean(str(text), DESCRIPTION_BYTES)


@register.filter
def picture(address: object) -> str:
    """An address that the admin's policy lets a picture come from; empty for every other. Ours come from this very host."""
    text = str(address).strip()
    if text.startswith(f"{settings.PUBLIC_URL}/"):
        return text.removeprefix(settings.PUBLIC_URL)
    return text if text.startswith("https://") else ""


def _link(match: re.Match[str]) -> SafeString | str:
    address, label, bare = match.groups()
    href = unescape(bare or address).strip()
    if href.startswith(_OPENS):
        opened = '<a class="wx-link" href="{}" title="{}" target="_blank" rel="noopener noreferrer">{}</a>'
        return format_html(opened, href, href, bare or label)
    if href.startswith(_SENDS):
        return format_html('<span class="wx-link" title="{}">{}</span>', href, label)
    return match[0]
