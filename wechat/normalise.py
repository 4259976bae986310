"""Which nodes of a push become which normalised fields: one table, read by wechat.messages. Missing text is "", a missing
or unreadable number is None. The table never decides whether a push is accepted: unknown kinds keep all of their nodes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Fields = dict[str, Any]
Reader = Callable[[Mapping[str, Any]], Fields]

_ENVELOPE = frozenset(
    {"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "MsgID", "Event", "EventKey", "URL"}
)


@dataclass(frozen=True)
class Kind:
    """How to read one kind of push; `type` replaces the platform's word where the normalised form has its own."""

    fields: Reader
    type: str = ""


def text(tree: Mapping[str, Any], name: str) -> str:
    """A leaf's text, "" when it is missing or not a leaf."""
    value = tree.get(name, "")
    return value if isinstance(value, str) else ""


def number(tree: Mapping[str, Any], name: str) -> float | None:
    """A leaf's number, None when it is missing or not a finite decimal number."""
    value = text(tree, name)
    try:
        parsed = float(value) if value.isascii() and "_" not in value else None
    except ValueError:
        return None
    return parsed if parsed is not None and abs(parsed) < 1e15 else None


def other_fields(tree: Mapping[str, Any]) -> Fields:
    """Every node beyond the envelope, keys in lower case: for kinds that have no entry of their own."""
    key = {"eventkey": text(tree, "EventKey")} if "EventKey" in tree else {}
    return {**key, "data": {name.lower(): _lowered(node) for name, node in tree.items() if name not in _ENVELOPE}}


def _lowered(node: Any) -> Any:
    if isinstance(node, dict):
        return {name.lower(): _lowered(value) for name, value in node.items()}
    return [_lowered(item) for item in node] if isinstance(node, list) else node


def _texts(**names: str) -> Reader:
    return lambda tree: {key: text(tree, name) for key, name in names.items()}


def _message(reader: Reader) -> Kind:
    """A user's message: whatever its kind, it may come out of an article."""

    def fields(tree: Mapping[str, Any]) -> Fields:
        article = {key: text(tree, name) for key, name in (("msgdataid", "MsgDataId"), ("idx", "Idx")) if name in tree}
        return reader(tree) | article

    return Kind(fields)


def _text_message(tree: Mapping[str, Any]) -> Fields:
    fields: Fields = {"content": text(tree, "Content"), "redirection": False, "source": None}
    return fields | ({"menuid": text(tree, "bizmsgmenuid")} if "bizmsgmenuid" in tree else {})


def _voice(tree: Mapping[str, Any]) -> Fields:
    recognised = text(tree, "Recognition") or text(tree, "Recongnition")  # the documentation spells it both ways
    return _texts(media="MediaId", format="Format")(tree) | {
        "recognition": recognised,
        "media16k": text(tree, "MediaId16K"),
    }


def _place(tree: Mapping[str, Any]) -> Fields:
    return {
        "location_x": number(tree, "Location_X"),  # X is the latitude
        "location_y": number(tree, "Location_Y"),
        "scale": number(tree, "Scale"),
        "label": text(tree, "Label"),
    }


def scene_of_follow(key: str) -> str | None:
    """The scene of a follow by scanning; None for a plain follow. The prefix is cut once: a scene may hold `_`."""
    return key.removeprefix("qrscene_") if key.startswith("qrscene_") and key != "qrscene_" else None


def _subscribe(tree: Mapping[str, Any]) -> Fields:
    key = text(tree, "EventKey")
    return {"eventkey": key, "scene": scene_of_follow(key), "ticket": text(tree, "Ticket")}


def _scan(tree: Mapping[str, Any]) -> Fields:
    key = text(tree, "EventKey").removeprefix("qrscene_")
    return {"eventkey": text(tree, "EventKey"), "scene": key, "ticket": text(tree, "Ticket")}


def _trace(tree: Mapping[str, Any]) -> Fields:
    return {
        "location_x": number(tree, "Latitude"),
        "location_y": number(tree, "Longitude"),
        "precision": number(tree, "Precision"),
        "latitude": text(tree, "Latitude"),
        "longitude": text(tree, "Longitude"),
    }


def _inside(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    node = tree.get(name)
    return node if isinstance(node, dict) else {}


def _scancode(tree: Mapping[str, Any]) -> Fields:
    info, key = _inside(tree, "ScanCodeInfo"), text(tree, "EventKey")
    scanned = {"scanresult": text(info, "ScanResult"), "scantype": text(info, "ScanType"), "eventkey": key}
    return {"eventkey": key, "scancodeinfo": scanned}


def _pictures(tree: Mapping[str, Any]) -> Fields:
    info = _inside(tree, "SendPicsInfo")
    items = _inside(info, "PicList").get("item", [])
    sums = [text(item, "PicMd5Sum") for item in items if isinstance(item, dict)]
    return {
        "eventkey": text(tree, "EventKey"),
        "sendpicsinfo": {"count": int(number(info, "Count") or 0), "piclist": sums},
    }


def _location_select(tree: Mapping[str, Any]) -> Fields:
    info, key = _inside(tree, "SendLocationInfo"), text(tree, "EventKey")
    return {"eventkey": key, "sendlocationinfo": _place(info) | {"poiname": text(info, "Poiname"), "eventkey": key}}


_MENU = Kind(_texts(eventkey="EventKey", menuid="MenuId"))

MESSAGES: Mapping[str, Kind] = {  # by MsgType
    "text": _message(_text_message),
    "image": _message(_texts(url="PicUrl", media="MediaId")),
    "voice": _message(_voice),
    "video": _message(_texts(media="MediaId", thumb="ThumbMediaId")),
    "shortvideo": _message(_texts(media="MediaId", thumb="ThumbMediaId")),
    "location": _message(_place),
    "link": _message(_texts(title="Title", description="Description", url="Url")),
}

EVENTS: Mapping[str, Kind] = {  # by Event in lower case; `LOCATION` the event is not `location` the message
    "subscribe": Kind(_subscribe),
    "unsubscribe": Kind(lambda tree: {}),
    "scan": Kind(_scan, type="qr"),
    "location": Kind(_trace, type="trace"),
    "click": _MENU,
    "view": _MENU,
    "view_miniprogram": _MENU,
    "scancode_push": Kind(_scancode),
    "scancode_waitmsg": Kind(_scancode),
    "pic_sysphoto": Kind(_pictures),
    "pic_photo_or_album": Kind(_pictures),
    "pic_weixin": Kind(_pictures),
    "location_select": Kind(_location_select),
}
