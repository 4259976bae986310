"""The shape of each kind of customer-service message. In: the JSON. Out: what the chat shows, or ApiError.

Source: wechat-api.md, section 6.2; the lengths of a news article's fields are not published and not checked.
"""

from collections.abc import Callable
from typing import Any

from wechat.simulator.errors import ApiError
from wechat.simulator.library import Media

MAX_TEXT_BYTES = 2048
MAX_MENU_ITEMS = 10  # the real numbers are not published
MAX_MENU_ITEM_BYTES = 256
Content = dict[str, Any]
Find = Callable[[object], Media | None]  # the file of a media_id
_COVERS = ("thumb", "image")


def checked_content(body: dict[str, Any], find: Find) -> tuple[str, Content]:
    """The message's kind and content. Raises ApiError 40008 for an unknown msgtype, else what its shape demands."""
    kind = body.get("msgtype")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise ApiError(40008)
    content = body.get(str(kind))
    if not isinstance(content, dict):
        raise ApiError(45162 if content is not None else 44002)
    return str(kind), check(content, find)


def _text(content: Content, find: Find) -> Content:
    text = content.get("content")
    if not isinstance(text, str) or not text:
        raise ApiError(44004)
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ApiError(45002)
    return {"text": text}


def _news(content: Content, find: Find) -> Content:
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


def _menu(content: Content, find: Find) -> Content:
    items = content.get("list")
    if not isinstance(items, list) or not items or len(items) > MAX_MENU_ITEMS:
        raise ApiError(45098)
    for item in items:
        text = item.get("content") if isinstance(item, dict) else None
        if not isinstance(text, str) or not 1 <= len(text.encode()) <= MAX_MENU_ITEM_BYTES:
            raise ApiError(45099)
    return {
        **_strings(content, "head_content", "tail_content"),
        "list": [_strings(item, "id", "content") for item in items],
    }


def _file(content: Content, field: str, kinds: tuple[str, ...], find: Find) -> Media:
    """The file in `field`, if it is of one of `kinds`. Raises ApiError 40007."""
    media = find(content.get(field))
    if media is None or media.kind not in ("", *kinds):
        raise ApiError(40007)
    return media


def _picture(content: Content, find: Find) -> Content:
    return {"picture": _file(content, "media_id", ("image",), find).picture}


def _voice(content: Content, find: Find) -> Content:
    return {"sound": _file(content, "media_id", ("voice",), find).picture}


def _video(content: Content, find: Find) -> Content:
    video = _file(content, "media_id", ("video",), find)
    cover = _file(content, "thumb_media_id", _COVERS, find)
    return {**_strings(content, "title", "description"), "picture": cover.picture, "film": video.picture}


def _music(content: Content, find: Find) -> Content:
    shown = _fields("title", "description", "musicurl")(content, find)
    return {**shown, "picture": _file(content, "thumb_media_id", _COVERS, find).picture}


def _articles_by_id(content: Content, find: Find) -> Content:
    return {"title": _file(content, "media_id", ("news",), find).title}


def _program(content: Content, find: Find) -> Content:
    shown = _fields("title", "appid", "pagepath", "thumb_media_id")(content, find)
    return {**shown, "picture": _file(content, "thumb_media_id", _COVERS, find).picture}


def _card(content: Content, find: Find) -> Content:
    if not isinstance(content.get("card_id"), str) or not content["card_id"]:
        raise ApiError(40073)
    return _strings(content, "card_id")


def _fields(*names: str) -> Callable[[Content, Find], Content]:
    """A check that the fields of `names` are there and not empty."""

    def check(content: Content, find: Find) -> Content:
        if not all(content.get(name) for name in names):
            raise ApiError(40035)
        return _strings(content, *names)

    return check


def _strings(source: Content, *names: str) -> Content:
    return {name: str(source.get(name) or "") for name in names}


_CHECKS: dict[str, Callable[[Content, Find], Content]] = {
    "text": _text,
    "image": _picture,
    "voice": _voice,
    "video": _video,
    "music": _music,
    "news": _news,
    "mpnews": _articles_by_id,
    "mpnewsarticle": _fields("article_id"),
    "msgmenu": _menu,
    "wxcard": _card,
    "miniprogrampage": _program,
}
