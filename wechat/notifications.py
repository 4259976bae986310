"""What goes out on its own and never as the answer to a push: choices, mini program cards, templates, subscription notices.

Comes in: what staff or another app wants to say. Goes out: the body of the platform's call for it.
Sources: 客服消息, 模板消息, 订阅通知, https://developers.weixin.qq.com/doc/service/guide/product/message/Customer_Service_Messages
"""

from dataclasses import dataclass
from typing import ClassVar

from wechat.messages import Message
from wechat.replies import Nodes, Reply


@dataclass(frozen=True, slots=True)
class MsgMenu(Reply):
    """A question with choices; a tap on one comes back as a text with `bizmsgmenuid`. Customer service only."""

    items: tuple[tuple[str, str], ...]
    head: str = ""
    tail: str = ""
    kind: ClassVar[str] = "msgmenu"

    @classmethod
    def restored(cls, values: Nodes) -> Reply:
        return cls(**{**values, "items": tuple((number, text) for number, text in values["items"])})

    def nodes(self, message: Message) -> Nodes | None:
        return None

    def custom(self) -> Nodes:
        items = [{"id": number, "content": text} for number, text in self.items]
        return {"msgmenu": {"head_content": self.head, "list": items, "tail_content": self.tail}}


@dataclass(frozen=True, slots=True)
class MiniProgram(Reply):
    """The card of a mini program (小程序) that is linked to the account. Customer service only."""

    appid: str
    pagepath: str
    title: str
    thumb: str
    kind: ClassVar[str] = "miniprogrampage"

    def nodes(self, message: Message) -> Nodes | None:
        return None

    def custom(self) -> Nodes:
        card = {"title": self.title, "appid": self.appid, "pagepath": self.pagepath, "thumb_media_id": self.thumb}
        return {"miniprogrampage": card}


@dataclass(frozen=True, slots=True)
class Template(Reply):
    """A template message (模板消息). `data` maps the template's keys to their values; it needs no window."""

    template_id: str
    data: dict[str, str]
    url: str = ""
    appid: str = ""
    pagepath: str = ""
    kind: ClassVar[str] = "template"

    def nodes(self, message: Message) -> Nodes | None:
        return None

    def body(self) -> Nodes:
        """The body of `message/template/send`, without `touser`."""
        values = {key: {"value": value} for key, value in self.data.items()}
        program = {"miniprogram": {"appid": self.appid, "pagepath": self.pagepath}} if self.appid else {}
        return {"template_id": self.template_id, "data": values, **({"url": self.url} if self.url else {}), **program}


@dataclass(frozen=True, slots=True)
class Subscription(Reply):
    """A subscription notice (订阅通知), for who accepted it."""

    template_id: str
    data: dict[str, str]
    page: str = ""
    kind: ClassVar[str] = "subscription"

    def nodes(self, message: Message) -> Nodes | None:
        return None

    def body(self) -> Nodes:
        """The body of `message/subscribe/bizsend`, without `touser`."""
        values = {key: {"value": value} for key, value in self.data.items()}
        return {"template_id": self.template_id, "data": values, **({"page": self.page} if self.page else {})}
