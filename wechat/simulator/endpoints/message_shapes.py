"""The shape of each kind of customer-service message. In: the JSON. Out: what the chat shows, or ApiError.

Source: wechat-api.md, section 6.2; the lengths of a news article's fields are not published and not checked.
"""

from collections.abc import Callable
from typing import Any

from wechat.simulator.errors import ApiError

MAX_TEXT_BYTES = 2048
MAX_MENU_ITEMS = 10  # the real number is not published
Content = dict[str, Any]
Media = dict[str, dict[str, Any]]


def checked_content(body: dict[str, Any], media: Media) -> tuple[str, Content]:
    """The message's kind and content. Raises ApiError 40008 for an unknown msgtype, else what its shape demands."""
    kind = body.get("msgtype")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise ApiError(40008)
    content = body.get(str(kind))
    if not isinstance(content, dict):
        raise ApiError(45162 if content is not None else 44002)
    return str(kind), check(content, media)


def _text(content: Content, media: Media) -> Content:
    text = content.get("content")
    if not isinstance(text, str) or not text:
        raise ApiError(44004)
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ApiError(45002)
    return {"text": text}


def _news(content: Content, media: Media) -> Content:
    articles = content.get("articles")
    if not isinstance(articles, list):
        raise ApiError(45162)
    if not articles:
        raise ApiError(44003)
    if len(articles) != 1:
        raise ApiError(45008)
    if not isinstance(articles[0], dict):
        raise ApiError(45162)
    return {"articles": [_strings(articles[0], "title", "description", "url", "picurl")]}


def _menu(content: Content, media: Media) -> Content:
    items = content.get("list")
    if not isinstance(items, list) or not items or len(items) > MAX_MENU_ITEMS:
        raise ApiError(45098)
    for item in items:
        if not isinstance(item, dict) or not item.get("content"):
            raise ApiError(45099)
    return {
        **_strings(content, "head_content", "tail_content"),
        "list": [_strings(item, "id", "content") for item in items],
    }


def _media(*names: str) -> Callable[[Content, Media], Content]:
    """A check that each field of `names` holds a media_id the account has."""

    def check(content: Content, media: Media) -> Content:
        for name in names:
            if content.get(name) not in media:
                raise ApiError(40007)
        first = media[content[names[0]]]
        return {**_strings(content, "title", "description", "musicurl"), "picture": first.get("picture", "")}

    return check


def _fields(*names: str) -> Callable[[Content, Media], Content]:
    """A check that the fields of `names` are there and not empty."""

    def check(content: Content, media: Media) -> Content:
        if not all(content.get(name) for name in names):
            raise ApiError(40035)
        return _strings(content, *names)

    return check


def _strings(source: Content, *names: str) -> Content:
    return {name: str(source.get(name) or "") for name in names}


_CHECKS: dict[str, Callable[[Content, Media], Content]] = {
    "text": _text,
    "image": _media("media_id"),
    "voice": _media("media_id"),
    "video": _media("media_id", "thumb_media_id"),
    "music": _media("thumb_media_id"),
    "news": _news,
    "mpnews": _media("media_id"),
    "mpnewsarticle": _fields("article_id"),
    "msgmenu": _menu,
    "wxcard": _fields("card_id"),
    "miniprogrampage": _fields("title", "appid", "pagepath", "thumb_media_id"),
}
