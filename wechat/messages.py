"""Step 2: a push's body becomes one frozen Message. No database; nothing here trusts what it reads.

Comes in: the decrypted body, XML or JSON. Goes out: a Message with the normalised structure of every kind of push, or an
error that says whether to acknowledge the body (a user may have typed it) or to refuse it (somebody attacks).
Sources: 接收普通消息 and 接收事件推送, https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from wechat.normalise import EVENTS, MESSAGES, Kind, other_fields

MAX_DEPTH = 10
OPENID_LENGTH = 64  # genuine ones have 28 characters

Tree = dict[str, Any]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPEATING = frozenset({"item", "AroundBeacon", "List", "fail_idx"})
_IDS_IN_KEY = frozenset(
    [
        "KfAccount",
        "FromKfAccount",
        "ToKfAccount",
        "OrderId",
        "publish_id",
        "audit_id",
        "trace_id",
        "TemplateId",
        "CardId",
        "UserCardCode",
        "UniqId",
        "PoiId",
        "DeviceNo",
        "OpenID",
        "TransId",
    ]
)


class Unreadable(Exception):
    """A body nobody can act on: acknowledge it, so that the platform does not repeat it."""


class Hostile(Exception):
    """A body the platform would never send (a DTD, an entity): refuse it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One push, the same structure for all kinds (统一消息结构).

    `handle` is the routing key: the message type, `qr` for a scan, `trace` for a location report, else the event's name
    in lower case. `fields` are the ones of that kind; `tree` is everything the body held.
    """

    sender: str
    recipient: str
    time: int
    type: str
    event: str
    event_raw: str
    msgid: str
    handle: str
    fields: Mapping[str, Any]
    tree: Tree

    @property
    def is_event(self) -> bool:
        return bool(self.event_raw)

    @property
    def scene(self) -> str | None:
        """The scene of a scanned code, without the prefix of a follow; None for every other push."""
        return self.fields.get("scene")

    def normalised(self) -> dict[str, Any]:
        """The plain dictionary of this message, with the key names of the requirements (rows A-36, A-37)."""
        common = {"from": self.sender, "to": self.recipient, "time": self.time, "msgid": self.msgid, "type": self.type}
        return {**common, "event": self.event, "event_raw": self.event_raw, **self.fields, "handle": self.handle}

    def dedupe_source(self) -> str | None:
        """What makes this push the same as its repeats; None when only the whole body can tell."""
        if not self.is_event:
            return f"msg|{self.recipient}|{self.sender}|{self.msgid}" if self.msgid else None
        if not self.time:
            return None
        key = self.tree.get("EventKey", "")
        parts = [
            "evt",
            self.recipient,
            self.sender,
            str(self.time),
            self.event,
            key if isinstance(key, str) else "",
            self.msgid,
        ]
        return "|".join([*parts, *_ids(self.tree)])

    def dedupe_key(self, body: bytes) -> str:
        """64 hex digits, the same for every delivery of this push; `body` decides where the fields cannot."""
        source = self.dedupe_source()
        if source is None:
            source = "raw|" + hashlib.sha256(body).hexdigest()
        return hashlib.sha256(source.encode()).hexdigest()


def parse(body: bytes) -> Message:
    """The Message in a body. Raises Unreadable or Hostile."""
    return from_tree(read_tree(body))


def read_tree(body: bytes) -> Tree:
    """The nodes of an XML or JSON body as nested dictionaries of strings. Raises Unreadable or Hostile."""
    try:
        text = body.decode("utf-8-sig").strip(" \t\r\n\0")
    except UnicodeDecodeError as error:
        raise Unreadable("the body is not UTF-8") from error
    if text.startswith("{"):
        return _read_json(text)
    try:
        parser = DefusedXMLParser(target=TreeBuilder(), forbid_dtd=True)
        parser.feed(_NOT_XML.sub("", text))  # users can type control characters, and the platform passes them on
        root = parser.close()
    except DefusedXmlException as error:
        raise Hostile(f"the body holds a DTD or an entity: {type(error).__name__}") from error
    except (ParseError, ValueError, RecursionError) as error:
        raise Unreadable(f"the body is not XML: {error}") from error
    if root.tag != "xml":
        raise Unreadable("the root element is not <xml>")
    tree = _from_element(root, depth=1)
    if not isinstance(tree, dict):
        raise Unreadable("the body has no nodes")
    return tree


def from_tree(tree: Tree) -> Message:
    """The Message of a tree. Raises Unreadable when it does not say who sent what."""
    sender, kind = _text(tree, "FromUserName"), _text(tree, "MsgType").lower()
    if not sender or not kind:
        raise Unreadable("FromUserName or MsgType is missing")
    if len(sender) > OPENID_LENGTH:
        raise Unreadable("FromUserName is too long for an openid")
    event_raw = _text(tree, "Event") if kind == "event" else ""
    event = event_raw.lower()
    known = EVENTS.get(event) if kind == "event" else MESSAGES.get(kind)
    rule = known or Kind(other_fields)
    return Message(
        sender=sender,
        recipient=_text(tree, "ToUserName"),
        time=_seconds(_text(tree, "CreateTime")),
        type=rule.type or kind,
        event=event,
        event_raw=event_raw,
        msgid=_text(tree, "MsgId") or _text(tree, "MsgID"),
        handle=rule.type or event or kind,
        fields=rule.fields(tree),
        tree=tree,
    )


def _from_element(element: Element, *, depth: int) -> Tree | str:
    if depth > MAX_DEPTH:
        raise Unreadable(f"the body is nested deeper than {MAX_DEPTH} levels")
    if not len(element):
        text = element.text or ""
        return text if element.tag == "Content" else text.strip()
    tree: Tree = {}
    for child in element:
        if child.tag in _REPEATING:
            tree.setdefault(child.tag, []).append(_from_element(child, depth=depth + 1))
        elif child.tag not in tree:  # the first wins: what follows may have been typed by a user
            tree[child.tag] = _from_element(child, depth=depth + 1)
    return tree


def _read_json(text: str) -> Tree:
    try:
        data = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the body is not JSON") from error
    return _from_json(data, depth=1)  # type: ignore[no-any-return]  # text begins with {, so it is a dictionary


def _from_json(data: Any, *, depth: int, name: str = "") -> Any:
    if depth > MAX_DEPTH:
        raise Unreadable(f"the body is nested deeper than {MAX_DEPTH} levels")
    if name in _REPEATING and data:  # an object when there is one, a list when there are several
        return [_from_json(item, depth=depth + 1) for item in (data if isinstance(data, list) else [data])]
    if isinstance(data, dict) and (data or depth == 1):
        tree: Tree = {}
        for key, value in data.items():
            tree.setdefault(key.strip(), _from_json(value, depth=depth + 1, name=key.strip()))
        return tree
    if not data and data != 0:
        return ""  # null, [], {} and "" all stand for an empty node
    leaf = _NOT_XML.sub("", str(data))  # "\u0000" and half surrogate pairs are possible in JSON, and storable nowhere
    return leaf if name == "Content" else leaf.strip()


def _ids(tree: Any) -> Iterator[str]:
    """The identifying values below the root, in the order of the document."""
    for key, value in tree.items():
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, dict):
                yield from _ids(node)
            elif key in _IDS_IN_KEY and node:
                yield node


def _text(tree: Tree, name: str) -> str:
    value = tree.get(name, "")
    return value if isinstance(value, str) else ""


def _seconds(text: str) -> int:
    # isdigit alone takes full-width digits too; more than 12 digits is no time in seconds
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
