"""Calls to the platform: what counts as an answer, how long one waits, and that no token gets out."""

import logging
import resource
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from callback import OPENID, listen_again
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wechat import client, credentials, tokens, transport
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError, Unreachable
from wechat.replies import Article, News, Text
from wechat.simulator.accounts import Person
from wechat.simulator.server import SimulatorServer

SEND = "/cgi-bin/message/custom/send"
HOSTILE = '引号 " 反斜杠 \\ 换行 \n 👍🏽 ##ORDERID## \\u4e2d'


@pytest.fixture
def person(simulator: SimulatorServer) -> Person:
    """Somebody who just wrote: messages may go to him."""
    [account] = simulator.platform.accounts.values()
    person = simulator.platform.add_person(account, openid=OPENID, follows=True)
    person.windows.open("user_msg", simulator.platform.clock.now())
    return person


def send(config: AccountConfig, text: str = "您好") -> None:
    client.send_custom_message(config, OPENID, Text(text))


def sent(simulator: SimulatorServer) -> list[Any]:
    return [entry["message"] for entry in simulator.platform.journal.find(kind="message")]


def test_text_goes_out_as_it_is(config: AccountConfig, simulator: SimulatorServer, person: Person) -> None:
    send(config, HOSTILE)
    assert sent(simulator) == [{"touser": OPENID, "msgtype": "text", "text": {"content": HOSTILE}}]


def test_a_card_goes_out_with_literal_text_cut_to_size(
    config: AccountConfig, simulator: SimulatorServer, person: Person
) -> None:
    card = News((Article(HOSTILE + "题" * 600, HOSTILE * 40, "https://example.com/?a=1&b=2"),))
    client.send_custom_message(config, OPENID, card)
    [article] = sent(simulator)[0]["news"]["articles"]
    assert article["title"].startswith(HOSTILE)
    assert len(article["title"].encode()) <= 192
    assert article["url"] == "https://example.com/?a=1&b=2"


@pytest.mark.parametrize("code", [-1, 40001, 45009, 45015, 47001, 99999])
def test_a_return_code_is_a_typed_error_with_its_rid(
    code: int, config: AccountConfig, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", match=SEND, errcode=code)
    with pytest.raises(PlatformError) as caught:
        send(config)
    assert caught.value.code == code
    assert caught.value.rid in caught.value.errmsg
    assert caught.value.rid
    assert caught.value.endpoint in (SEND, "access token")


@pytest.mark.parametrize("kind", ["status", "html", "empty", "cut", "list", "bytes"])
def test_what_is_no_answer_is_never_success(kind: str, config: AccountConfig, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind=kind, match=SEND)
    with pytest.raises(Unreachable) as caught:
        send(config)
    assert caught.value.may_repeat
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("kind", ["close", "lost"])
def test_a_connection_lost_after_the_request_leaves_the_outcome_unknown(
    kind: str, config: AccountConfig, simulator: SimulatorServer, person: Person
) -> None:
    simulator.platform.faults.set(kind=kind, match=SEND, remaining=1)
    with pytest.raises(Unreachable) as caught:
        send(config)
    assert caught.value.outcome_unknown
    assert len(sent(simulator)) == (kind == "lost")


def test_a_refused_connection_was_never_sent(config: AccountConfig, simulator: SimulatorServer) -> None:
    tokens.get(config)
    transport._local.session.close()  # a kept connection that dies in this very moment would be another case
    simulator.stop_listening()
    with pytest.raises(Unreachable) as caught:
        send(config)
    assert not caught.value.outcome_unknown


def test_after_a_restart_of_the_platform_calls_work_again(config: AccountConfig, simulator: SimulatorServer) -> None:
    client.callback_addresses(config)
    simulator.stop_listening()
    time.sleep(0.1)  # until the end of the kept connection has reached us
    listen_again(simulator)
    assert client.callback_addresses(config)


def test_a_redirect_is_not_followed(config: AccountConfig, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="redirect", match=SEND)
    with pytest.raises(Unreachable, match="302"):
        send(config)
    assert not simulator.platform.journal.find(kind="elsewhere")


def test_an_answer_of_50_megabytes_is_cut_off(config: AccountConfig, simulator: SimulatorServer) -> None:
    tokens.get(config)
    simulator.platform.faults.set(kind="huge", match=SEND)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Unreachable, match="larger than 1 MB"):
        send(config)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_a_call_without_an_answer_ends_within_five_seconds(config: AccountConfig, simulator: SimulatorServer) -> None:
    tokens.get(config)
    simulator.platform.faults.set(kind="hang", match=SEND, seconds=8)
    started = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        send(config)
    assert time.monotonic() - started < 5.3
    assert caught.value.outcome_unknown


@pytest.fixture
def raw_server() -> Iterator[Any]:
    """`raw_server(answer)`: a server that takes one connection, hands it to `answer`, and returns its address."""
    listeners: list[socket.socket] = []

    def start(answer: Any) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    answer(connection)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


def test_an_answer_that_drips_is_not_waited_for(raw_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "WHOLE_SECONDS", 1.0)

    def drip(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)

    started = time.monotonic()
    with pytest.raises(Unreachable, match="no whole answer"):
        transport.call("GET", f"http://{raw_server(drip)}/cgi-bin/get")
    assert time.monotonic() - started < 2


def test_a_late_drop_does_not_start_the_five_seconds_anew(raw_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "WHOLE_SECONDS", 1.0)

    def drop(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        time.sleep(0.7)
        connection.sendall(b"{")
        connection.recv(1)  # until the caller hangs up

    started = time.monotonic()
    with pytest.raises(Unreachable, match="no whole answer"):
        transport.call("GET", f"http://{raw_server(drop)}/cgi-bin/get")
    assert time.monotonic() - started < 1.5  # with a limit for each read it would be 1.6


def test_a_refusal_in_odd_characters_fits_a_row_and_a_log_line(raw_server: Any) -> None:
    answer = rb'{"errcode": 99999, "errmsg": "a\u0000b\ud800c\n\u009bd rid: 6698ef60-27d10c40-100819f9"}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    address = raw_server(lambda connection: (connection.recv(10_000), connection.sendall(head + answer)))
    with pytest.raises(PlatformError) as caught:
        transport.call("GET", f"http://{address}/cgi-bin/get")
    assert caught.value.errmsg == "a b c d rid: 6698ef60-27d10c40-100819f9"
    assert caught.value.rid == "6698ef60-27d10c40-100819f9"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'{"errcode": "many"}', "not a number"),
        (b'{"errcode": 99999999999}', "out of range"),
        (b'{"errcode": [1]}', "not a number"),
        (b'{"a": ' * 100_000, "not JSON"),
        (b"null", "not a JSON object"),
    ],
    ids=["text", "number", "list", "deep", "null"],
)
def test_odd_json_is_no_answer(answer: bytes, reason: str, raw_server: Any) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    address = raw_server(lambda connection: (connection.recv(10_000), connection.sendall(head + answer)))
    with pytest.raises(Unreachable, match=reason):
        transport.call("GET", f"http://{address}/cgi-bin/get")


def test_a_raw_control_character_in_a_nickname_is_read(raw_server: Any) -> None:
    answer = '{"nickname": "陈\x02晨"}'.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    address = raw_server(lambda connection: (connection.recv(10_000), connection.sendall(head + answer)))
    assert transport.call("GET", f"http://{address}/sns/userinfo") == {"nickname": "陈\x02晨"}


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS context with a certificate that nobody vouches for."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = folder / "server.pem"
    pem.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_wrong_certificate_is_refused_whatever_the_environment_says(
    raw_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "server.pem"))
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            seen.append(secure.recv(1000))

    with pytest.raises(Unreachable, match="the secure connection failed") as caught:
        transport.call("GET", f"https://{raw_server(answer)}/cgi-bin/get?access_token=secret")
    assert not caught.value.outcome_unknown
    assert not seen


def test_no_proxy_of_the_machine_sees_a_token(
    config: AccountConfig, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert client.callback_addresses(config)


@pytest.mark.parametrize("kind", ["errcode", "status", "html", "close", "redirect", "huge"])
def test_no_token_or_secret_stands_in_an_exception_or_a_log(
    kind: str, config: AccountConfig, simulator: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = tokens.get(config)
    simulator.platform.faults.set(kind=kind, match="/cgi-bin/*")
    with pytest.raises(CallFailed) as caught:
        send(config)
    credentials.forget()
    text = caplog.text + repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
    assert token not in text
    assert config.get("public_wechat_appsecret") not in text


def test_placeholders_are_filled_and_encoded() -> None:
    assert transport.fill("https://x/?t=##TOKEN##&a=##APPID##", TOKEN="a&b=c/#", APPID="wx1") == (
        "https://x/?t=a%26b%3Dc%2F%23&a=wx1"
    )
    with pytest.raises(ValueError, match="placeholder"):
        transport.fill("https://x/?t=##TOKEN##&s=##APPSECRET##", TOKEN="t")
