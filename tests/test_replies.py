"""Each kind of reply renders itself as passive XML and as customer-service JSON (tests/vectors/replies.json)."""

import json
from typing import Any

import pytest
from callback import ORIGINAL_ID, body, event, vectors
from hypothesis import given
from hypothesis import strategies as st

from wechat import messages, replies
from wechat.messages import Message
from wechat.replies import Article, Image, Music, News, Reply, Text, TransferToService, Video, Voice

VECTORS = vectors("replies")
TRIGGERS = {"qr": "SCAN", "trace": "LOCATION", "click": "CLICK", "subscribe": "subscribe", "unsubscribe": "unsubscribe"}
ALL_KINDS = [
    Text("您好"),
    Image("M"),
    Voice("M"),
    Video("M", title="标题"),
    Music("M", url="https://example.com/a.mp3"),
    News((Article("标题", "说明", "https://example.com", "https://example.com/p.jpg"), Article("b", "", "u"))),
    TransferToService("kf1@demo"),
]


def message(trigger: str = "text") -> Message:
    raw = body("text", Content="hi") if trigger == "text" else event(TRIGGERS[trigger], EventKey="1")
    return messages.parse(raw.encode())


def reply_of(case: dict[str, Any]) -> Reply:
    values = dict(case["reply"])
    if values["type"] == "music":
        values.setdefault("thumb", "")
    return replies.restore({"kind": values.pop("type"), **values})


def answered(case: dict[str, Any]) -> str | None:
    return replies.passive_xml(
        reply_of(case), message(case.get("trigger", "text")), original_id=ORIGINAL_ID, now=VECTORS["create_time"]
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in VECTORS["replies"]])
def test_a_reply_is_the_xml_that_the_platform_takes(case: dict[str, Any]) -> None:
    xml = answered(case)
    assert xml is not None
    assert messages.read_tree(xml.encode()) == messages.read_tree(case["xml"].encode())


UNANSWERED = [
    case for case in VECTORS["no_reply"] if case["expect"] == "success" and case["id"] not in ("none", "unknown-type")
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in UNANSWERED])
def test_a_reply_that_the_platform_would_refuse_is_not_given(case: dict[str, Any]) -> None:
    assert answered(case) is None


@pytest.mark.parametrize("case", [case for case in VECTORS["no_reply"] if "truncate" in case["expect"]])
def test_a_text_beyond_the_limit_is_cut(case: dict[str, Any]) -> None:
    xml = answered(case)
    assert xml is not None
    assert len(messages.read_tree(xml.encode())["Content"].encode()) <= 2048


def test_without_a_recipient_the_accounts_own_id_is_the_sender() -> None:
    raw = body("text", Content="hi").replace(f"<ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>", "")
    nameless = messages.parse(raw.encode())
    xml = replies.passive_xml(Text("hi"), nameless, original_id="gh_of_the_account")
    assert xml
    assert messages.read_tree(xml.encode())["FromUserName"] == "gh_of_the_account"
    assert replies.passive_xml(Text("hi"), nameless, original_id="") is None


CUSTOM = [
    (Text("您好 <b> ]]>"), {"text": {"content": "您好 <b> ]]>"}}),
    (Image("M"), {"image": {"media_id": "M"}}),
    (Voice("M"), {"voice": {"media_id": "M"}}),
    (
        Video("M", title="t", description="d", thumb="T"),
        {"video": {"media_id": "M", "thumb_media_id": "T", "title": "t", "description": "d"}},
    ),
    (
        Music("T", url="u", title="t"),
        {"music": {"title": "t", "description": "", "musicurl": "u", "hqmusicurl": "u", "thumb_media_id": "T"}},
    ),
    (
        ALL_KINDS[5],
        {
            "news": {
                "articles": [
                    {
                        "title": "标题",
                        "description": "说明",
                        "url": "https://example.com",
                        "picurl": "https://example.com/p.jpg",
                    }
                ]
            }
        },
    ),
]


@pytest.mark.parametrize(("reply", "expected"), CUSTOM, ids=[reply.kind for reply, _ in CUSTOM])
def test_a_reply_is_the_json_of_a_customer_service_message(reply: Reply, expected: dict[str, Any]) -> None:
    assert reply.custom() == expected


def test_a_transfer_is_no_customer_service_message() -> None:
    with pytest.raises(TypeError):
        TransferToService().custom()


@pytest.mark.parametrize("reply", ALL_KINDS, ids=lambda reply: reply.kind)
def test_a_stored_reply_is_restored_unchanged(reply: Reply) -> None:
    assert replies.restore(json.loads(json.dumps(reply.stored()))) == reply


def test_what_cannot_be_restored_says_so() -> None:
    with pytest.raises(KeyError):
        replies.restore({"kind": "hologram"})
    with pytest.raises(TypeError):
        replies.restore({"kind": "text", "words": "hi"})


@given(st.text(), st.integers(min_value=3, max_value=40))
def test_a_text_is_cut_between_two_characters(text: str, limit: int) -> None:
    cut = replies.clean(text, limit)
    assert len(cut.encode()) <= limit
    whole = replies.clean(text)
    assert cut == whole or (cut.endswith("…") and whole.startswith(cut[:-1]))


@given(st.text())
def test_any_text_gives_xml_that_reads_back_to_it(text: str) -> None:
    xml = replies.passive_xml(Text(text), message(), original_id="")
    clean = replies.clean(text, replies.TEXT_BYTES)
    if xml is None:
        assert not clean.strip()
    else:
        assert messages.read_tree(xml.encode())["Content"] == clean.replace("\r\n", "\n").replace("\r", "\n")
