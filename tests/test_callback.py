"""The callback over HTTP: what it accepts, what it refuses and with which status, and what a refusal costs."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from callback import (
    AES_KEY,
    EDGE,
    OPENID,
    PREVIOUS_AES_KEY,
    TOKEN,
    Callback,
    answer,
    body,
    encrypted,
    event,
    signed,
    xml,
)
from django.test import Client
from test_messages import raw_body

from wechat import conf, crypto, replies
from wechat.models import Account, ConfigRow, Follower, OutgoingMessage, Push

MODES = {"plain": Account.Mode.PLAIN, "safe": Account.Mode.SAFE, "compat": Account.Mode.COMPATIBLE}
URL = "/wechat/demo/callback"


def by_id(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in cases]


def set_mode(account: Account, mode: str) -> None:
    account.mode = mode
    account.save()


@pytest.fixture
def greeting(account: Account) -> None:
    """Every text is answered."""
    conf.save(account, {"wechat_default_reply": "您好"})


@pytest.mark.parametrize("case", by_id(EDGE["bodies"]))
def test_a_signed_body_is_processed_acknowledged_or_refused(case: dict[str, Any], push: Callback) -> None:
    response = push(raw_body(case))
    assert response.status_code == case["http_status"]
    assert Push.objects.count() == (case["outcome"] == "process")
    if case["outcome"] == "ack":
        assert response.content == b"success"


@pytest.mark.usefixtures("greeting")
@pytest.mark.parametrize("case", by_id(EDGE["requests"]))
def test_a_request_is_answered_as_the_vectors_say(
    case: dict[str, Any], account: Account, push: Callback, settings: Any
) -> None:
    settings.WECHAT_TIMESTAMP_TOLERANCE = 0
    set_mode(account, MODES[case["mode"]])
    expect = case["expect"]
    if "body_if_no_reply" in expect:
        conf.save(account, {"wechat_default_reply": ""})
    query = urlencode(
        list(case["query"].items()) if isinstance(case["query"], dict) else [(*pair,) for pair in case["query"]]
    )
    response = push.client.generic(
        case["method"],
        f"{URL}?{query}",
        case.get("body", ""),
        content_type=case.get("content_type", ""),
    )
    assert response.status_code in expect.get("status_in", [expect.get("status", 200)])
    if response.status_code != 200:
        assert not Push.objects.exists()
    if "body" in expect:
        assert response.content.decode() == expect["body"]
        assert response.headers["Content-Type"].startswith(expect["content_type"])
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    if "body_if_no_reply" in expect:
        assert response.content == b"success"
    if "reply_to" in expect:
        key = PREVIOUS_AES_KEY if expect.get("reply_key") == "previous" else AES_KEY
        reply = answer(response, key)
        assert reply
        assert reply["ToUserName"] == expect["reply_to"]
        assert (b"<Encrypt>" in response.content) == bool("encrypt_type=aes" in query)


def test_the_handshake_echoes_what_the_platform_sent(push: Callback) -> None:
    response = push.client.get(URL, signed(echostr="4375120948345356249"))
    assert response.content == b"4375120948345356249"
    assert push.client.get(URL, signed(token="another", echostr="1")).status_code == 403


def test_a_push_signed_with_another_token_is_refused(push: Callback) -> None:
    assert push.text("hi", token="another").status_code == 403


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
@pytest.mark.usefixtures("greeting")
def test_a_push_is_answered_in_every_mode(mode: str, account: Account, push: Callback) -> None:
    set_mode(account, mode)
    response = push.text("报价 <&>", mode=mode)
    assert answer(response) == {
        "ToUserName": OPENID,
        "FromUserName": account.original_id,
        "CreateTime": answer(response)["CreateTime"],  # type: ignore[index]
        "MsgType": "text",
        "Content": "您好",
    }
    assert "报价 <&>" in Push.objects.get().raw


@pytest.mark.parametrize(("offset", "status"), [(-290, 200), (290, 200), (-310, 403), (310, 403)])
def test_a_timestamp_may_be_five_minutes_off(offset: int, status: int, push: Callback) -> None:
    assert push.text("hi", timestamp=str(int(time.time()) + offset)).status_code == status


@pytest.mark.parametrize(
    "timestamp", ["", "176000000", "17600000000", "+760000000", "1760000000 ", "１７６００００００0"]
)
def test_a_timestamp_is_ten_digits(timestamp: str, push: Callback, settings: Any) -> None:
    settings.WECHAT_TIMESTAMP_TOLERANCE = 0
    assert push.text("hi", timestamp=timestamp).status_code == 403


def test_an_account_without_a_token_accepts_nothing(account: Account, push: Callback) -> None:
    conf.save(account, {"public_wechat_token": ""})
    assert push.text("hi", token="").status_code == 403
    ConfigRow.objects.filter(conf_name="public_wechat_token").delete()
    conf.touch(account)
    assert push.text("hi", token="").status_code == 403


def test_a_signature_with_another_body_is_refused_and_with_the_same_answered_again(
    push: Callback, greeting: None
) -> None:
    first, query = body("text", Content="hi").encode(), signed()
    once = push.post(first, query)
    assert push.post(first, query).content == once.content
    assert push.post(body("text", Content="forged").encode(), query).status_code == 403
    assert Push.objects.get().repeats == 1


def test_an_encrypted_repeat_is_answered_freshly_encrypted(push: Callback, greeting: None) -> None:
    content = body("text", Content="hi")
    first, second = push(content, mode="safe"), push(content, mode="safe")
    assert first.content != second.content
    assert answer(first) == answer(second)
    assert Push.objects.count() == 1


def test_in_safe_mode_a_second_body_needs_its_own_msg_signature(account: Account, push: Callback) -> None:
    set_mode(account, "safe")
    raw, query = encrypted(body("text", Content="hi").encode(), signed())
    forged, _ = encrypted(body("text", Content="forged").encode(), signed())
    assert push.post(forged, query).status_code == 403
    assert push.post(raw, query).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete", "head", "options", "trace"])
def test_only_get_and_post_are_answered(method: str, push: Callback) -> None:
    assert getattr(push.client, method)(f"{URL}?{urlencode(signed())}").status_code == 405


def test_an_unknown_account_is_404(push: Callback) -> None:
    assert Callback(push.client, "nobody").text("hi").status_code == 404
    assert push.client.get("/wechat/nobody/callback").status_code == 404


def test_a_body_beyond_256_kb_is_413(push: Callback) -> None:
    assert push(body("text", Content="x" * 250_000)).status_code == 200
    assert push(body("text", Content="x" * 270_000)).status_code == 413


def test_a_content_length_that_is_no_number_is_refused(push: Callback) -> None:
    assert push.post(b"<xml/>", signed(), CONTENT_LENGTH="many").status_code in (400, 413)


@pytest.mark.parametrize(
    "query",
    [
        "signature=%ff%fe&timestamp=1&nonce=2",
        "&".join(f"a{number}=1" for number in range(50)),
        "signature",
        "signature=%C3%A9&timestamp=%C3%A9&nonce=%C3%A9",
        "%00=%00",
    ],
)
def test_an_odd_query_is_403(query: str, push: Callback) -> None:
    assert push.client.post(f"{URL}?{query}", data=b"<xml/>", content_type="text/xml").status_code == 403


def test_what_is_refused_costs_no_row(push: Callback) -> None:
    push.text("hi", token="another")
    push.text("hi", timestamp="1760000000")
    push(body("text", Content="x" * 270_000))
    push("<!DOCTYPE x><xml><FromUserName>o</FromUserName><MsgType>text</MsgType></xml>")
    raw, query = encrypted(body("text", Content="hi").encode(), signed())
    push.post(raw.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[AAAA"), query)
    assert not any(model.objects.exists() for model in (Push, Follower, OutgoingMessage))


def test_nothing_that_is_refused_says_why(push: Callback) -> None:
    raw, query = encrypted(body("text", Content="hi").encode(), signed())
    refusals = [
        push.text("hi", token="another"),
        push.post(raw, {**query, "msg_signature": "0" * 40}),
        push.post(*with_ciphertext("AAAA")),
        push.post(*with_ciphertext("not base64!")),
        push.post(*with_ciphertext(crypto.encrypt("x", aes_key=crypto.decode_aes_key(AES_KEY), appid="wxOther"))),
    ]
    assert {(refusal.status_code, refusal.content) for refusal in refusals} == {(403, b"refused")}


def with_ciphertext(ciphertext: str) -> tuple[bytes, dict[str, str]]:
    """A rightly signed envelope around anything."""
    query = signed(encrypt_type="aes")
    query["msg_signature"] = crypto.sign(TOKEN, query["timestamp"], query["nonce"], ciphertext)
    return xml(Encrypt=ciphertext).encode(), query


def test_an_unanswered_event_gets_success_and_never_an_empty_reply(account: Account, push: Callback) -> None:
    conf.save(account, {"wechat_welcome_text": "欢迎"})
    assert push(event("LOCATION", Latitude="23.1")).content == b"success"
    assert push.unfollow().content == b"success"
    assert answer(push.follow())["Content"] == "欢迎"  # type: ignore[index]


@pytest.mark.parametrize("path", [URL, f"{URL}/"])
def test_the_callback_never_redirects(path: str, push: Callback, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    query = urlencode(signed())
    posted = push.client.post(f"{path}?{query}", data=body("text", Content="hi"), content_type="text/xml")
    assert posted.status_code == 200
    assert push.client.get(f"{path}?{urlencode(signed(echostr='1'))}").content == b"1"


def test_with_https_settings_other_pages_do_redirect(push: Callback, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/admin/").status_code == 301


@pytest.mark.usefixtures("greeting")
def test_an_answer_says_its_length_and_kind(push: Callback) -> None:
    reply, refusal = push.text("hi"), push.text("hi", token="another")
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    for response in (reply, refusal, push.unfollow()):
        assert int(response.headers["Content-Length"]) == len(response.content)


def test_json_pushes_are_taken_too(push: Callback) -> None:
    content = json.dumps({"FromUserName": OPENID, "MsgType": "text", "Content": "报价", "MsgId": 1, "CreateTime": 2})
    assert push(content).status_code == 200
    assert Push.objects.get().kind == "text"


def test_a_hostile_text_comes_back_as_text(account: Account, push: Callback) -> None:
    hostile = "]]></Content><Content>&lt;script&gt; <b>👍🏽\u202e"
    conf.save(account, {"wechat_default_reply": hostile})
    assert answer(push.text("hi"))["Content"] == replies.clean(hostile)  # type: ignore[index]
