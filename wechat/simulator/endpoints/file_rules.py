"""Which files the platform takes: their form is read from their first bytes, their size is that of the whole file.

Source: wechat-api.md, section 13.1. Lengths of voices are not measured.
"""

from dataclasses import dataclass

from werkzeug.exceptions import HTTPException

from wechat.simulator.calls import Call
from wechat.simulator.errors import ApiError

MB = 1024 * 1024
LARGEST = 20 * MB  # of whatever kind
_JPEG, _PNG, _GIF = "image/jpeg", "image/png", "image/gif"


@dataclass(frozen=True)
class Rule:
    """What one kind of file may be, and the errcode for one that is too large."""

    types: frozenset[str]
    largest: int
    too_large: int


TEMPORARY = {
    "image": Rule(frozenset({_JPEG, _PNG, _GIF}), 10 * MB, 40009),
    "voice": Rule(frozenset({"audio/amr", "audio/mpeg"}), 2 * MB, 40010),
    "video": Rule(frozenset({"video/mp4"}), 10 * MB, 40011),
    "thumb": Rule(frozenset({_JPEG}), 64 * 1024, 40012),
}
PERMANENT = {
    **TEMPORARY,
    "image": Rule(frozenset({_JPEG, _PNG, _GIF, "image/bmp"}), 10 * MB, 40009),
    "voice": Rule(frozenset({"audio/amr", "audio/mpeg", "audio/x-ms-wma", "audio/wav"}), 2 * MB, 40010),
}
ARTICLE_PICTURE = Rule(frozenset({_JPEG, _PNG}), MB, 40009)
_STARTS = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"GIF8", _GIF),
    (b"BM", "image/bmp"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "audio/x-ms-wma"),
    (b"RIFF", "audio/wav"),
)


@dataclass(frozen=True)
class Upload:
    """One file as it came."""

    name: str
    content: bytes
    content_type: str


def rule_of(kind: object, rules: dict[str, Rule]) -> Rule:
    """The rule of a kind. Raises ApiError 40004."""
    rule = rules.get(kind) if isinstance(kind, str) else None
    if rule is None:
        raise ApiError(40004)
    return rule


def uploaded(call: Call, rule: Rule) -> Upload:
    """The file in the field `media`. Raises ApiError 41005, 44001, 40006, 40005, or what `rule` says of its size.

    A name that is not ASCII makes the part unreadable for the platform.
    """
    try:
        part = call.request.files.get("media")
    except HTTPException as error:
        raise ApiError(41005) from error
    if part is None or not part.filename or not part.filename.isascii():
        raise ApiError(41005)
    content = part.read()
    if not content:
        raise ApiError(44001)
    if len(content) > LARGEST:
        raise ApiError(40006)
    content_type = kind_of(content)
    if content_type not in rule.types:
        raise ApiError(40005)
    if len(content) > rule.largest:
        raise ApiError(rule.too_large)
    return Upload(part.filename, content, content_type)


def kind_of(content: bytes) -> str:
    """The content type that a file's first bytes tell; empty when they tell nothing."""
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return next((kind for start, kind in _STARTS if content.startswith(start)), "")
