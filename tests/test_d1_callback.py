"""Rows D101 … D109: what a stranger, and who writes to the account, can do to the callback."""

import ast
import base64
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from callback import AES_KEY, APPID, EDGE, OPENID, TOKEN, Callback, answer, body, encrypted, signed, vectors
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from test_callback import MODES, set_mode, with_ciphertext
from test_messages import raw_body
from werkzeug.test import Client as Wsgi

from wechat import conf, crypto, messages
from wechat.crypto import CryptoError
from wechat.models import Account, ApiCall, ConfigRow, Follower, OutgoingMessage, Push, TokenRequest
from wechat.simulator.server import SimulatorServer
from wxhub.wsgi import application

URL = "/wechat/demo/callback"
EFFECTS: tuple[type[Model], ...] = (Push, Follower, OutgoingMessage, ApiCall, TokenRequest)
REFUSED_BODIES = [case for case in EDGE["bodies"] if case["outcome"] == "reject"]
# What a person writes, as far as it is text: an encrypted push carries nothing else.
TEXTS = [case for case in EDGE["bodies"] if "body_b64" not in case and case["id"] != "large-200k"]
ODD_SIGNATURES = ["", "0" * 40, "签名", "\udce9", "é" * 40, "a" * 100_000, "0x" + "0" * 38, " " * 40]
ODD_TIMES = ["", "0", "-1", "1760000000", "99999999999", "1e9", "１７６００００００", "9" * 400, " 1760000000", "nan"]


def effects() -> dict[str, int]:
    return {model.__name__: count for model in EFFECTS if (count := model._default_manager.count())}


def ask(method: str, query: str, data: bytes = b"", content_type: str = "text/xml") -> int:
    """One request to the whole application, as a server makes it. Returns the status; takes a second at most."""
    started = time.monotonic()
    response = Wsgi(application).open(f"{URL}?{query}", method=method, data=data, content_type=content_type)
    assert time.monotonic() - started < 5
    assert response.status_code < 500, (method, query[:200], data[:200])
    assert "Set-Cookie" not in response.headers
    return response.status_code


def strangers_requests() -> list[tuple[str, str, bytes]]:
    """What can be sent without the token: method, query, body."""
    good, text = signed(), body("text", Content="hi").encode()
    queries = [urlencode({**good, "signature": odd}, errors="surrogatepass") for odd in ODD_SIGNATURES]
    queries += [urlencode({**good, "signature": good["signature"].upper()}), urlencode(signed(token="another"))]
    queries += [
        "",
        "signature",
        "&&&",
        "%ff=%fe",
        "signature=%00",
        "a=1&" * 5000,
        "signature[]=x",
        f"{urlencode(good)}&nonce=x",
    ]
    queries += [urlencode(dict.fromkeys(good, "")), urlencode({**good, "nonce": ""}), urlencode({"echostr": "x"})]
    wanted = [("POST", query, text) for query in queries] + [("GET", f"{query}&echostr=1", b"") for query in queries]
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        wanted.append((method, urlencode(signed()), text))
    for case in EDGE["bodies"]:
        wanted.append(("POST", urlencode(signed(token="another")), raw_body(case)))
    return wanted


def signed_refusals(push: Callback, account: Account, settings: Any) -> list[int]:
    """What is signed, or was, and must be refused all the same."""
    found = [push(body("text", Content="hi"), timestamp=odd).status_code for odd in ODD_TIMES]
    found += [push(raw_body(case)).status_code for case in REFUSED_BODIES]
    settings.WECHAT_TIMESTAMP_TOLERANCE = 0
    for case in EDGE["requests"]:
        if case["expect"].get("status", 200) < 400:
            continue
        set_mode(account, MODES[case["mode"]])
        pairs = case["query"].items() if isinstance(case["query"], dict) else case["query"]
        content_type = case.get("content_type", "text/xml")
        query = urlencode([(*pair,) for pair in pairs])
        found.append(ask(case["method"], query, str(case.get("body", "")).encode(), content_type))
    set_mode(account, Account.Mode.PLAIN)
    return found


def test_d101_in_plain_mode_nothing_bad_is_taken_or_breaks_anything(
    account: Account, push: Callback, settings: Any, simulator: SimulatorServer
) -> None:
    wanted = strangers_requests()
    assert len(wanted) > 110
    for method, query, data in wanted:
        assert 400 <= ask(method, query, data) < 500, (method, query[:200])
    refused = signed_refusals(push, account, settings)
    assert len(refused) > 30
    assert all(400 <= status < 500 for status in refused), refused
    assert effects() == {}
    assert not simulator.platform.journal.find(kind="call")


def broken_envelopes() -> list[tuple[bytes, dict[str, str]]]:
    """Envelopes whose outside is wrong, or that decrypt to nothing of ours; all of them rightly signed where they can be."""
    key, good = crypto.decode_aes_key(AES_KEY), body("text", Content="hi").encode()
    raw, query = encrypted(good, signed())
    foreign = crypto.encrypt(good.decode(), aes_key=key, appid="wxOther0123456789")
    other_key = crypto.encrypt(good.decode(), aes_key=bytes(32), appid=APPID)
    whole = crypto.encrypt(good.decode(), aes_key=key, appid=APPID)
    ciphertexts = [
        foreign,
        other_key,
        whole[:-4],
        whole[4:],
        whole + "AAAA",
        "A",
        "=",
        "",
        "!" * 64,
        "A" * 64,
        "é" * 32,
    ]
    wrong = [with_ciphertext(text) for text in ciphertexts]
    wrong += [(raw, {**query, "msg_signature": odd}) for odd in ("", "0" * 40, query["signature"])]
    wrong += [(raw, {name: value for name, value in query.items() if name != "msg_signature"})]
    wrong += [(raw_body(case), query) for case in REFUSED_BODIES]
    return wrong


def test_d102_in_safe_mode_nothing_bad_is_taken_or_breaks_anything(account: Account, push: Callback) -> None:
    set_mode(account, Account.Mode.SAFE)
    for raw, query in broken_envelopes():
        status = push.post(raw, {name: value for name, value in query.items() if value != "\udce9"}).status_code
        assert 400 <= status < 500, raw[:300]
    for case in TEXTS:  # the inner documents
        if case["outcome"] == "reject" and case["http_status"] != 413:
            assert push(raw_body(case), mode="safe").status_code == case["http_status"], case["id"]
    assert push(body("text", Content="hi")).status_code == 403, "a plain push in safe mode"
    assert effects() == {}
    assert push(body("text", Content="hi"), mode="safe").status_code == 200


@pytest.mark.parametrize("mode", ["plain", "safe"])
def test_d103_every_hostile_push_is_answered_well_formed_and_to_its_sender(
    mode: str, account: Account, push: Callback
) -> None:
    conf.save(account, {"wechat_default_reply": "<您好 & ]]> 再见"})
    set_mode(account, MODES["plain" if mode == "plain" else "safe"])
    answered = exact = 0
    for case in EDGE["bodies"] if mode == "plain" else TEXTS:
        if case["outcome"] != "process":
            continue
        response = push(raw_body(case), mode=mode)
        assert response.status_code == 200, case["id"]
        reply = answer(response)  # reads the XML, decrypts it, checks its signature
        Push.objects.all().delete()
        if reply is not None:
            answered += 1
            assert reply["ToUserName"] == case.get("normalised", {}).get("from", OPENID), case["id"]
            assert reply["Content"]
            exact += reply["Content"] == "<您好 & ]]> 再见"
    assert answered > 15
    assert exact > 10


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_d104_every_kind_of_push_is_read_as_the_vectors_say_in_every_mode(
    mode: str, account: Account, push: Callback
) -> None:
    set_mode(account, mode)
    cases = vectors("messages")["messages"]
    assert len(cases) > 70
    for case in cases:
        assert push(case["xml"], mode=mode).status_code == 200, case["id"]
        stored = Push.objects.latest("pk")
        if stored.raw:  # one whose sender asked to be forgotten keeps none
            clear = messages.parse(stored.raw.encode()).normalised()
            assert {name: clear[name] for name in case["normalised"]} == case["normalised"], case["id"]
        assert stored.openid == case["normalised"]["from"]
        Push.objects.all().delete()


def test_d105_signatures_are_compared_in_constant_time_on_bytes() -> None:
    tree = ast.parse(Path(crypto.__file__).read_text("utf-8"))
    [function] = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "is_signed"]
    [call] = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hmac.compare_digest"
    ]
    assert all(ast.unparse(argument).split("(")[0].endswith(".encode") for argument in call.args)
    assert not any(isinstance(node, ast.Compare) for node in ast.walk(function)), "nothing of it is compared otherwise"
    for module in ("views", "crypto"):  # and nobody goes around it
        source = ast.parse((Path(crypto.__file__).parent / f"{module}.py").read_text("utf-8"))
        compared = [ast.unparse(node) for node in ast.walk(source) if isinstance(node, ast.Compare)]
        assert not [text for text in compared if "signature" in text]


def test_d106_what_is_wrong_inside_an_envelope_is_neither_said_nor_to_be_measured(push: Callback) -> None:
    key = crypto.decode_aes_key(AES_KEY)
    text = "x" * 4000
    right = crypto.encrypt(text, aes_key=key, appid=APPID)
    wrong = {
        "appid": crypto.encrypt(text, aes_key=key, appid="wx" + "0" * 16),
        "padding": _with_last_byte_of_padding_changed(right),
        "length": _raw_encrypted(b"0" * 16 + b"\xff\xff\xff\xff" + text.encode() + APPID.encode(), key),
    }
    answers = {
        (refusal.status_code, refusal.content) for refusal in (push.post(*with_ciphertext(w)) for w in wrong.values())
    }
    assert answers == {(403, b"refused")}
    for ciphertext in wrong.values():
        with pytest.raises(CryptoError):
            crypto.decrypt(ciphertext, aes_key=key, appid=APPID)
    fastest = _fastest_of_each(wrong, key)
    # What the row asks, 5 %, is measured against the whole answer, which takes a millisecond; the decryption alone is a
    # twentieth of that, and its parts may differ by microseconds.
    assert max(fastest.values()) - min(fastest.values()) < 0.05 * 1e-3, fastest


def _fastest_of_each(ciphertexts: dict[str, str], key: bytes) -> dict[str, float]:
    """Seconds of the fastest of many decryptions, taken in turns."""
    fastest = dict.fromkeys(ciphertexts, 1.0)
    for _round in range(400):
        for name, ciphertext in ciphertexts.items():
            started = time.perf_counter()
            try:
                crypto.decrypt(ciphertext, aes_key=key, appid=APPID)
            except CryptoError:
                fastest[name] = min(fastest[name], time.perf_counter() - started)
    return fastest


def _raw_encrypted(plain: bytes, key: bytes) -> str:
    padding = 32 - len(plain) % 32
    encryptor = crypto._cipher(key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def _with_last_byte_of_padding_changed(ciphertext: str) -> str:
    raw = bytearray(base64.b64decode(ciphertext))
    raw[-17] ^= 0xFF  # of the block before: CBC turns it into another last byte of the plain text
    return base64.b64encode(bytes(raw)).decode()


def test_d107_without_a_token_every_push_is_refused(account: Account, push: Callback) -> None:
    for stored in (None, ""):
        rows = ConfigRow.objects.filter(account=account, conf_name="public_wechat_token")
        rows.delete() if stored is None else rows.update(conf_value=stored)
        conf.touch(account)
        for token in ("", TOKEN):
            assert (
                push.text(
                    "hi", signature=crypto.sign(token, "1760000000", "1"), timestamp="1760000000", nonce="1"
                ).status_code
                == 403
            )
            assert push.text("hi", token=token).status_code == 403
        if stored is None:
            ConfigRow.objects.create(account=account, conf_name="public_wechat_token", conf_value="")
    assert effects() == {}


def test_d108_what_a_stranger_sends_stores_no_row_and_asks_the_database_nothing(account: Account) -> None:
    conf.snapshot()
    with CaptureQueriesContext(connection) as queries:
        for number in range(300):
            assert ask("POST", f"signature={number:040}&timestamp=1760000000&nonce={number}", b"<xml/>") == 403
    assert effects() == {}
    assert len(queries) < 30, "what is known of the accounts is read once a second, and nothing per request"


OLD, NEW = TOKEN, "theTokenThatComesAfterIt"


def rotate(account: Account, hours: int) -> None:
    until = timezone.localtime() + timedelta(hours=hours)
    rows = {"public_wechat_token": NEW, "public_wechat_token_previous": OLD}
    conf.save(account, {**rows, "public_wechat_token_previous_until": until.strftime("%Y-%m-%d %H:%M")})


@pytest.mark.parametrize("mode", ["plain", "safe"])
def test_d109_while_a_token_is_changed_both_are_accepted_until_a_date(
    mode: str, account: Account, push: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf.save(account, {"wechat_default_reply": "您好"})
    set_mode(account, mode)
    rotate(account, hours=2)
    for token in (OLD, NEW):
        monkeypatch.setattr("callback.TOKEN", token)
        response = push(body("text", Content="hi"), mode=mode, token=token)
        assert answer(response), "and the answer of safe mode is signed with the token that its push came with"
    rotate(account, hours=-1)
    assert push(body("text", Content="hi"), mode=mode, token=NEW).status_code == 200
    monkeypatch.setattr("callback.TOKEN", OLD)
    assert push(body("text", Content="hi"), mode=mode, token=OLD).status_code == 403
    assert push(body("text", Content="hi"), mode=mode, token="a-third-one").status_code == 403


def test_d109_a_previous_token_without_a_date_is_not_accepted(account: Account, push: Callback) -> None:
    conf.save(account, {"public_wechat_token": NEW, "public_wechat_token_previous": OLD})
    assert push.text("hi", token=OLD).status_code == 403
    assert push.text("hi", token=NEW).status_code == 200


def test_d109_a_command_changes_the_token_with_an_overlap(account: Account, push: Callback) -> None:
    call_command("account", "demo", token=NEW, keep_token=24, stdout=StringIO())
    for token in (OLD, NEW):
        assert push.text("hi", token=token).status_code == 200
    call_command("account", "demo", token="third-token-123", stdout=StringIO())
    rows = dict(ConfigRow.objects.values_list("conf_name", "conf_value"))
    assert OLD not in str(rows)
    with pytest.raises(CommandError, match="--keep-token"):
        call_command("account", "demo", keep_token=24, stdout=StringIO())
