"""What we answer: each kind of reply renders itself as passive XML and as customer-service JSON.

Comes in: a Reply made by a handler. Goes out: the XML that answers a push, or the body of `message/custom/send`; None
where the platform would take it for a failure of ours (an empty text, a reply nobody may see).
Source: 被动回复用户消息, https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
"""

import re
import time
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from wechat.messages import Message

TEXT_BYTES = 2048  # of UTF-8; the last documented limit, and what was measured
TITLE_BYTES, DESCRIPTION_BYTES = 64 * 3, 120 * 3  # what a phone shows; the platform publishes no limit
ARTICLES_TO_MESSAGE, ARTICLES_TO_EVENT = 1, 8

# Events that a person causes with his finger: only these may be answered.
ANSWERABLE = frozenset(
    [
        "subscribe",
        "scan",
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "user_scan_product_enter_session",
        "user_enter_session_from_card",
    ]
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Nodes = dict[str, Any]


def may_answer(message: Message) -> bool:
    """Whether the platform delivers a passive reply to this push."""
    return not message.is_event or message.event in ANSWERABLE


def clean(text: str, limit: int | None = None) -> str:
    """`text` without characters that XML cannot hold, cut to `limit` bytes of UTF-8 on a character boundary."""
    text = _NOT_XML.sub("", text)
    if limit is None or len(encoded := text.encode()) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


_every_kind: "dict[str, type[Reply]]" = {}  # also those that are no answer to a push, see wechat.notifications


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Subclasses say what the platform calls it and which nodes it has."""

    kind: ClassVar[str]

    def nodes(self, message: Message) -> Nodes | None:
        """The nodes below the envelope of a passive reply; None when it must not or cannot be given to this push."""
        raise TypeError(f"{self.kind} has no passive form")

    def custom(self) -> Nodes:
        """The body of `message/custom/send`, without `touser` and `msgtype`."""
        raise TypeError(f"{self.kind} is no customer-service message")

    def __init_subclass__(cls) -> None:
        _every_kind[cls.kind] = cls

    @classmethod
    def restored(cls, values: Nodes) -> "Reply":
        """The reply of these stored fields."""
        return cls(**values)

    def stored(self) -> Nodes:
        """A JSON-able form that `restore` reads again."""
        return {"kind": self.kind, **{field.name: getattr(self, field.name) for field in fields(self)}}


@dataclass(frozen=True, slots=True)
class Text(Reply):
    content: str
    kind: ClassVar[str] = "text"

    def nodes(self, message: Message) -> Nodes | None:
        content = clean(self.content, TEXT_BYTES)
        return {"Content": content} if content.strip() else None

    def custom(self) -> Nodes:
        return {"text": {"content": clean(self.content, TEXT_BYTES)}}


@dataclass(frozen=True, slots=True)
class Image(Reply):
    media: str
    kind: ClassVar[str] = "image"

    def nodes(self, message: Message) -> Nodes | None:
        return {"Image": {"MediaId": self.media}} if self.media else None

    def custom(self) -> Nodes:
        return {"image": {"media_id": self.media}}


@dataclass(frozen=True, slots=True)
class Voice(Reply):
    media: str
    kind: ClassVar[str] = "voice"

    def nodes(self, message: Message) -> Nodes | None:
        return {"Voice": {"MediaId": self.media}} if self.media else None

    def custom(self) -> Nodes:
        return {"voice": {"media_id": self.media}}


@dataclass(frozen=True, slots=True)
class Video(Reply):
    media: str
    title: str = ""
    description: str = ""
    thumb: str = ""
    kind: ClassVar[str] = "video"

    def nodes(self, message: Message) -> Nodes | None:
        optional = {"Title": self.title, "Description": self.description}
        return {"Video": {"MediaId": self.media} | {k: v for k, v in optional.items() if v}} if self.media else None

    def custom(self) -> Nodes:
        return {
            "video": {
                "media_id": self.media,
                "thumb_media_id": self.thumb,
                "title": self.title,
                "description": self.description,
            }
        }


@dataclass(frozen=True, slots=True)
class Music(Reply):
    thumb: str
    url: str = ""
    hqurl: str = ""
    title: str = ""
    description: str = ""
    kind: ClassVar[str] = "music"

    def nodes(self, message: Message) -> Nodes | None:
        if not self.thumb:
            return None
        return {
            "Music": {
                "Title": self.title,
                "Description": self.description,
                "MusicUrl": self.url,
                "HQMusicUrl": self.hqurl or self.url,
                "ThumbMediaId": self.thumb,
            }
        }

    def custom(self) -> Nodes:
        return {
            "music": {
                "title": self.title,
                "description": self.description,
                "musicurl": self.url,
                "hqmusicurl": self.hqurl or self.url,
                "thumb_media_id": self.thumb,
            }
        }


@dataclass(frozen=True, slots=True)
class Article:
    title: str
    description: str
    url: str
    picurl: str = ""

    def stored(self) -> Nodes:
        """The fields of this article."""
        return {"title": self.title, "description": self.description, "url": self.url, "picurl": self.picurl}


@dataclass(frozen=True, slots=True)
class News(Reply):
    articles: tuple[Article, ...] = field(default_factory=tuple)
    kind: ClassVar[str] = "news"

    @classmethod
    def restored(cls, values: Nodes) -> Reply:
        return cls(**{**values, "articles": tuple(Article(**article) for article in values["articles"])})

    def stored(self) -> Nodes:
        return {"kind": self.kind, "articles": [article.stored() for article in self.articles]}

    def nodes(self, message: Message) -> Nodes | None:
        limit = ARTICLES_TO_EVENT if message.is_event else ARTICLES_TO_MESSAGE  # the platform drops what is beyond
        items = [
            {
                "Title": clean(article.title, TITLE_BYTES),
                "Description": clean(article.description, DESCRIPTION_BYTES),
                "PicUrl": article.picurl,
                "Url": article.url,
            }
            for article in self.articles[:limit]
        ]
        return {"ArticleCount": len(items), "Articles": {"item": items}} if items else None

    def custom(self) -> Nodes:
        article = self.articles[0]  # exactly one, else the platform answers 45008
        return {
            "news": {
                "articles": [
                    {
                        "title": clean(article.title, TITLE_BYTES),
                        "description": clean(article.description, DESCRIPTION_BYTES),
                        "url": article.url,
                        "picurl": article.picurl,
                    }
                ]
            }
        }


@dataclass(frozen=True, slots=True)
class TransferToService(Reply):
    """Hands the conversation to the firm's people in the platform's customer-service program."""

    account: str = ""
    kind: ClassVar[str] = "transfer_customer_service"

    def nodes(self, message: Message) -> Nodes | None:
        if message.is_event:
            return None  # only a user's message may be transferred
        return {"TransInfo": {"KfAccount": self.account}} if self.account else {}


KINDS: dict[str, type[Reply]] = {
    kind.kind: kind for kind in (Text, Image, Voice, Video, Music, News, TransferToService)
}


def restore(stored: Nodes) -> Reply:
    """The Reply that `stored()` wrote. Raises KeyError for an unknown kind, TypeError for unknown fields."""
    values = dict(stored)
    return _every_kind[values.pop("kind")].restored(values)


def passive_xml(reply: Reply, message: Message, *, original_id: str, now: int | None = None) -> str | None:
    """The XML that answers `message`; None when the answer has to be `success`. `original_id` serves if To is missing."""
    if not may_answer(message):
        return None
    sender = message.recipient or original_id
    nodes = reply.nodes(message) if sender else None
    if nodes is None:
        return None
    envelope = {
        "ToUserName": message.sender,
        "FromUserName": sender,
        "CreateTime": int(time.time()) if now is None else now,
        "MsgType": reply.kind,
    }
    return f"<xml>{_xml(envelope | nodes)}</xml>"


def encrypted_xml(*, ciphertext: str, msg_signature: str, timestamp: str, nonce: str) -> str:
    """The envelope of an encrypted reply."""
    return (
        f"<xml><Encrypt><![CDATA[{ciphertext}]]></Encrypt><MsgSignature><![CDATA[{msg_signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{_cdata(nonce)}</Nonce></xml>"
    )


def _xml(nodes: Nodes) -> str:
    return "".join(_node(name, value) for name, value in nodes.items())


def _node(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_node(name, item) for item in value)
    if isinstance(value, dict):
        value = _xml(value)
    elif isinstance(value, str):
        value = _cdata(value)
    return f"<{name}>{value}</{name}>"


def _cdata(text: str) -> str:
    # The one sequence CDATA cannot hold is split over two sections.
    return "<![CDATA[" + _NOT_XML.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
