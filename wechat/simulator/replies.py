"""Reads the callback's answer to a push: accepted silently, a reply to show, or something the platform cannot use.

In: status and body. Out: a Verdict. Source: wechat-inbound.md, sections 3.3, 6.1 and 10.
"""

from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from wechat.crypto import CryptoError, decode_aes_key, open_envelope
from wechat.simulator.accounts import Account

MAX_ARTICLES = 8
ONE_ARTICLE = frozenset({"text", "image", "voice", "video", "location"})  # the answer to these messages takes one
MAX_TEXT_BYTES = 2048


class ReplyError(Exception):
    """The reply cannot be used; its text says why."""


@dataclass(frozen=True)
class Verdict:
    """What an answer means. `kind` is silent, or the reply's MsgType, or failed (then `reason` says why)."""

    kind: str
    content: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


def judge(account: Account, body: bytes, *, openid: str, trigger: str, now: float) -> Verdict:
    """Judge the body of a 200 answer to a push of MsgType `trigger` from `openid`."""
    if body in (b"", b"success"):
        return Verdict("silent")
    try:
        reply = _opened(account, _parsed(body))
        return _content(account, reply, openid=openid, trigger=trigger, now=now)
    except ReplyError as illegal:
        return Verdict("failed", reason=str(illegal))


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body.decode(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ReplyError(f"not XML: {error}") from error
    if root.tag != "xml":
        raise ReplyError(f"the root is <{root.tag}>, not <xml>")
    return root


def _opened(account: Account, root: Element) -> Element:
    """The reply itself, decrypted if need be."""
    ciphertext = root.findtext("Encrypt")
    if ciphertext is None:
        if account.mode == "safe":
            raise ReplyError("the reply is not encrypted")
        return root
    if account.mode == "plain":
        raise ReplyError("the reply is encrypted in plain mode")
    try:
        clear = open_envelope(
            ciphertext,
            msg_signature=root.findtext("MsgSignature"),
            token=account.token,
            timestamp=root.findtext("TimeStamp", ""),
            nonce=root.findtext("Nonce", ""),
            aes_key=decode_aes_key(account.aes_key),
            appid=account.appid,
        )
    except CryptoError as error:
        raise ReplyError(str(error)) from error
    return _parsed(clear.encode())


def _content(account: Account, reply: Element, *, openid: str, trigger: str, now: float) -> Verdict:
    if reply.findtext("ToUserName") != openid or reply.findtext("FromUserName") != account.original_id:
        raise ReplyError("ToUserName and FromUserName are not those of the push, swapped")
    if not reply.findtext("CreateTime", "").isdigit():
        raise ReplyError("CreateTime is not a number of seconds")
    kind = reply.findtext("MsgType", "")
    if kind == "text":
        return Verdict(kind, {"text": _text(reply)})
    if kind == "news":
        return Verdict(kind, {"articles": _articles(reply, trigger)})
    if kind in ("image", "voice", "video", "music"):
        return Verdict(kind, _media(account, reply, kind, now))
    if kind == "transfer_customer_service" and trigger != "event":
        return Verdict(kind)
    raise ReplyError(f"MsgType {kind!r} is no reply to this push")


def _text(reply: Element) -> str:
    text = reply.findtext("Content", "")
    if not text:
        raise ReplyError("Content is empty")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ReplyError(f"Content is longer than {MAX_TEXT_BYTES} bytes")
    return text


def _articles(reply: Element, trigger: str) -> list[dict[str, str]]:
    """The articles; what is beyond the limit of this trigger is dropped."""
    items = reply.findall("Articles/item")
    if not items or reply.findtext("ArticleCount") != str(len(items)):
        raise ReplyError("ArticleCount is not the number of items")
    for item in items:
        if any(item.find(name) is None for name in ("Title", "Description", "PicUrl", "Url")):
            raise ReplyError("an item lacks Title, Description, PicUrl or Url")
    return [
        {name.lower(): item.findtext(name, "") for name in ("Title", "Description", "PicUrl", "Url")}
        for item in items[: 1 if trigger in ONE_ARTICLE else MAX_ARTICLES]
    ]


def _media(account: Account, reply: Element, kind: str, now: float) -> dict[str, Any]:
    node = reply.find(kind.capitalize())
    if node is None:
        raise ReplyError(f"there is no {kind.capitalize()} node")
    media_id = node.findtext("ThumbMediaId" if kind == "music" else "MediaId", "")
    media = account.file(media_id, now)
    if media is None:
        raise ReplyError(f"unknown media_id {media_id!r}")
    texts = {name.lower(): node.findtext(name, "") for name in ("Title", "Description", "MusicUrl")}
    return {**texts, "picture": media.picture}
