"""A push's body becomes one normalised Message: 85 pushes of all kinds, 68 odd bodies, and any bytes at all."""

import base64
import hashlib
import json
from typing import Any

import pytest
from callback import EDGE, body, event, vectors
from hypothesis import given
from hypothesis import strategies as st

from wechat import messages
from wechat.messages import Hostile, Message, Unreadable
from wechat.replies import may_answer

PUSHES = vectors("messages")
XML, JSON = PUSHES["messages"], PUSHES["json"]
REFUSED = {"ack": Unreadable, "reject": Hostile}


def raw_body(case: dict[str, Any]) -> bytes:
    """The bytes of a vector, however it writes them down."""
    if "body_b64" in case:
        return base64.b64decode(case["body_b64"])
    if repeat := case.get("body_repeat"):
        return str(repeat["prefix"] + repeat["unit"] * repeat["times"] + repeat["suffix"]).encode()
    return str(case.get("xml", case.get("body"))).encode()


def by_id(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in cases]


@pytest.mark.parametrize("case", by_id(XML + JSON))
def test_a_push_is_read_and_normalised(case: dict[str, Any]) -> None:
    message = messages.parse(raw_body(case))
    assert message.tree == case["raw"]
    assert message.normalised() == case["normalised"]


@pytest.mark.parametrize("case", by_id(XML))
def test_a_push_has_a_key_that_only_its_repeats_share(case: dict[str, Any]) -> None:
    message = messages.parse(raw_body(case))
    source = message.dedupe_source() or "raw|" + hashlib.sha256(raw_body(case)).hexdigest()
    assert source == case["dedupe_source"]
    assert message.dedupe_key(raw_body(case)) == case["dedupe_key"]


def test_no_two_kinds_of_push_share_a_key() -> None:
    keys = [case["dedupe_key"] for case in XML]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("case", by_id(XML))
def test_only_what_a_person_does_with_his_finger_may_be_answered(case: dict[str, Any]) -> None:
    assert may_answer(messages.parse(raw_body(case))) == (case["reply"] == "yes")


@pytest.mark.parametrize("case", by_id([case for case in EDGE["bodies"] if case["outcome"] == "process"]))
def test_an_odd_body_is_read_all_the_same(case: dict[str, Any]) -> None:
    message = messages.parse(raw_body(case))
    if "normalised" in case:
        assert message.normalised() == case["normalised"]
    else:
        assert message.normalised().items() >= case["normalised_subset"].items()
        assert len(message.fields["content"]) == case["content_length"]
    assert (message.dedupe_source() or "raw hash") == case["dedupe"]


@pytest.mark.parametrize(
    "case", by_id([case for case in EDGE["bodies"] if case["outcome"] in REFUSED and case["http_status"] != 413])
)
def test_a_body_nobody_can_act_on_is_told_from_an_attack(case: dict[str, Any]) -> None:
    with pytest.raises(REFUSED[case["outcome"]]):
        messages.parse(raw_body(case))


def test_a_message_cannot_be_changed() -> None:
    message = messages.parse(body("text", Content="hi").encode())
    with pytest.raises(AttributeError):
        message.sender = "oOther"  # type: ignore[misc]


def nested(depth: int) -> bytes:
    inner = "<a>" * depth + "x" + "</a>" * depth
    return event("view").replace("</xml>", f"{inner}</xml>").encode()


def test_ten_levels_are_read_and_eleven_are_not() -> None:
    assert messages.parse(nested(9)).event == "view"
    with pytest.raises(Unreadable, match="deeper than 10"):
        messages.parse(nested(10))


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(nested(100_000), id="xml"),
        pytest.param(b'{"a":' * 100_000, id="json"),
        pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="json list"),
        pytest.param(b"<xml>" + b"<a>" * 100_000, id="never closed"),
    ],
)
def test_depth_without_end_is_unreadable_and_no_crash(hostile: bytes) -> None:
    with pytest.raises(Unreadable):
        messages.parse(hostile)


def outcome(raw: bytes) -> Message | None:
    """What became of these bytes; every exception but the two known ones fails the test."""
    try:
        return messages.parse(raw)
    except (Unreadable, Hostile):
        return None


@given(st.binary())
def test_any_bytes_are_a_message_or_refused(raw: bytes) -> None:
    assert outcome(raw) is None or outcome(raw) == messages.parse(raw)


NAMES = st.sampled_from(
    [
        "ToUserName",
        "FromUserName",
        "CreateTime",
        "MsgType",
        "Event",
        "EventKey",
        "Content",
        "MsgId",
        "Ticket",
        "ScanCodeInfo",
        "SendPicsInfo",
        "PicList",
        "item",
        "Count",
        "SendLocationInfo",
        "Location_X",
        "Scale",
        "Latitude",
    ]
)
KINDS = st.sampled_from(
    ["event", "text", "location", "image", "SCAN", "subscribe", "pic_weixin", "LOCATION", "nothing"]
)
LEAVES = KINDS | st.text(max_size=8) | st.integers() | st.floats() | st.booleans() | st.none()
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=8),
    lambda inner: st.dictionaries(NAMES, inner | LEAVES | st.lists(inner | LEAVES, max_size=3), max_size=8),
    max_leaves=12,
)


@given(TREES)
def test_any_json_object_is_a_message_or_refused(tree: dict[str, Any]) -> None:
    message = outcome(json.dumps(tree).encode())
    if message:
        json.dumps(message.normalised(), ensure_ascii=False).encode()
        assert len(message.dedupe_key(b"")) == 64


@given(st.lists(st.tuples(NAMES, KINDS | st.text(max_size=20)), max_size=12))
def test_any_xml_is_a_message_or_refused(nodes: list[tuple[str, str]]) -> None:
    text = "<xml>" + "".join(f"<{name}>{value}</{name}>" for name, value in nodes) + "</xml>"
    message = outcome(text.encode(errors="surrogatepass"))
    assert message is None or (message.sender and message.type)
