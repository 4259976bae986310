"""The simulator's pushes, seen by a small callback server: signatures, encryption, repeats, replies, scans."""

import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from wechat.crypto import decode_aes_key, encrypt, is_signed, open_envelope, sign
from wechat.simulator.accounts import Account, Code
from wechat.simulator.envelopes import Nodes, write_nodes
from wechat.simulator.phone import Outcome, PhoneError
from wechat.simulator.pushes import FAILURE_LINE
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

APPID, TOKEN, ORIGINAL_ID = "wx0123456789abcdef", "callbacktoken", "gh_0a1b2c3d4e5f"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
Answer = tuple[int, bytes]


class Callback(ThreadingHTTPServer):
    """Records every push, and answers what `answer` says (status and body; None: nothing at all)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Recorder)
        self.received: queue.Queue[tuple[str, str]] = queue.Queue()
        self.answer: Callable[[str], Answer | None] = lambda body: (200, b"success")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/wechat/demo/callback"

    def all(self) -> list[tuple[str, str]]:
        return [self.received.get_nowait() for _ in range(self.received.qsize())]


class Recorder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Callback

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.put((urlsplit(self.path).query, body))
        self._reply(self.server.answer(body))

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        signed = is_signed(query["signature"], TOKEN, query["timestamp"], query["nonce"])
        self._reply((200, query["echostr"].encode()) if signed else (403, b""))

    def _reply(self, answer: Answer | None) -> None:
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        self.wfile.write(answer[1])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def callback() -> Iterator[Callback]:
    with Callback() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server(callback: Callback) -> Iterator[SimulatorServer]:
    account = Account(
        appid=APPID,
        secret="secret",
        token=TOKEN,
        aes_key=AES_KEY,
        original_id=ORIGINAL_ID,
        callback_url=callback.url,
    )
    platform = Platform(account)
    platform.settings.push_pause = 0.02
    platform.settings.push_timeout = 0.3
    with SimulatorServer(platform) as running:
        platform.add_person(account, openid="oFan", follows=True)
        platform.add_person(account, openid="oNew")
        yield running


def code(server: SimulatorServer, scene: str = "77", **found: str) -> Code:
    return server.phone.code(server.platform.accounts[APPID], **(found or {"scene": scene}))


def finished(outcome: Outcome) -> dict[str, Any]:
    assert outcome.push
    return dict(outcome.push.done.result(timeout=5))


def scan(server: SimulatorServer, openid: str = "oFan", **options: Any) -> dict[str, Any]:
    return finished(server.phone.scan(openid, code(server), **options))


def query_of(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def node(body: str, name: str) -> str:
    match = re.search(rf"<{name}>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</{name}>", body, re.DOTALL)
    return match[1] if match else ""


def reply(body: str, nodes: str, *, swapped: bool = True) -> bytes:
    ends = (node(body, "FromUserName"), node(body, "ToUserName"))
    to, sender = ends if swapped else ends[::-1]
    head = write_nodes([("ToUserName", to), ("FromUserName", sender), ("CreateTime", int(time.time()))])
    return f"<xml>{head}{nodes}</xml>".encode()


def text_reply(body: str) -> bytes:
    return reply(body, write_nodes([("MsgType", "text"), ("Content", "您好")]))


def last_line(server: SimulatorServer, openid: str = "oFan") -> dict[str, Any]:
    return server.platform.persons[openid].chat[-1]


def test_a_followers_scan_is_pushed_signed_and_opens_a_window(server: SimulatorServer, callback: Callback) -> None:
    assert scan(server)["outcome"] == "accepted"
    [(query, body)] = callback.all()
    sent = query_of(query)
    assert is_signed(sent["signature"], TOKEN, sent["timestamp"], sent["nonce"])
    assert (sent["openid"], "encrypt_type" in sent) == ("oFan", False)
    assert [node(body, name) for name in ("ToUserName", "Event", "EventKey")] == [ORIGINAL_ID, "SCAN", "77"]
    assert len(node(body, "Ticket")) == 96
    assert server.platform.persons["oFan"].windows.buckets["scan"].left == 3
    assert server.platform.persons["oFan"].chat == []


def test_a_newcomer_sees_the_follow_page_first_and_then_subscribes_with_the_scene(
    server: SimulatorServer, callback: Callback
) -> None:
    assert server.phone.scan("oNew", code(server, "q_a_b")).result == "follow_page"
    assert callback.all() == []
    finished(server.phone.follow("oNew"))
    [(_, body)] = callback.all()
    assert [node(body, name) for name in ("Event", "EventKey")] == ["subscribe", "qrscene_q_a_b"]
    person = server.platform.persons["oNew"]
    assert (person.follows, person.subscribe_scene, person.qr_scene_str) == (True, "ADD_SCENE_QR_CODE", "q_a_b")
    assert list(person.windows.buckets) == ["follow"]


def test_a_follow_found_by_search_has_an_empty_event_key(server: SimulatorServer, callback: Callback) -> None:
    finished(server.phone.follow("oNew"))
    [(_, body)] = callback.all()
    assert "<EventKey><![CDATA[]]></EventKey>" in body
    assert server.phone.follow("oNew").result == "already"


def test_unfollowing_closes_every_window(server: SimulatorServer, callback: Callback) -> None:
    scan(server)
    finished(server.phone.unfollow("oFan"))
    assert node(callback.all()[-1][1], "Event") == "unsubscribe"
    assert server.platform.persons["oFan"].windows.buckets == {}


def test_an_expired_code_pushes_nothing_and_says_so_on_the_phone(server: SimulatorServer, callback: Callback) -> None:
    old = code(server)
    old.expires = server.platform.clock.now() + 60
    server.platform.clock.advance(60)
    assert server.phone.scan("oFan", old).result == "expired"
    assert callback.all() == []
    assert last_line(server)["text"] == "二维码已过期"


def test_a_code_that_is_not_the_accounts_cannot_be_scanned(server: SimulatorServer) -> None:
    for named in ({"ticket": "unknown"}, {"url": f"{server.url}/q/unknown"}):
        with pytest.raises(PhoneError):
            code(server, **named)


@pytest.mark.parametrize("mode", ["compatible", "safe"])
def test_in_the_encrypted_modes_the_push_can_be_opened_with_the_key(
    server: SimulatorServer, callback: Callback, mode: str
) -> None:
    server.platform.accounts[APPID].mode = mode
    scan(server)
    [(query, body)] = callback.all()
    sent = query_of(query)
    clear = open_envelope(
        node(body, "Encrypt"),
        msg_signature=sent["msg_signature"],
        token=TOKEN,
        timestamp=sent["timestamp"],
        nonce=sent["nonce"],
        aes_key=decode_aes_key(AES_KEY),
        appid=APPID,
    )
    assert node(clear, "EventKey") == "77"
    assert sent["encrypt_type"] == "aes"
    assert is_signed(sent["signature"], TOKEN, sent["timestamp"], sent["nonce"])
    assert ("<EventKey>" in body) is (mode == "compatible")


@pytest.mark.parametrize("status", [201, 204, 302, 403, 404, 500])
def test_any_status_but_200_is_repeated_three_times_with_the_same_query(
    server: SimulatorServer, callback: Callback, status: int
) -> None:
    callback.answer = lambda body: (status, b"")
    entry = scan(server)
    received = callback.all()
    assert len(received) == 4
    assert len(set(received)) == 1
    assert (entry["outcome"], [attempt["status"] for attempt in entry["attempts"]]) == ("failed", [status] * 4)
    assert last_line(server)["text"] == FAILURE_LINE


def test_a_repeat_that_is_accepted_ends_the_repeats(server: SimulatorServer, callback: Callback) -> None:
    answers = iter([(500, b""), (200, b"")])
    callback.answer = lambda body: next(answers)
    assert scan(server)["outcome"] == "accepted"
    assert len(callback.all()) == 2


def test_silence_and_a_closed_connection_are_repeated_too(server: SimulatorServer, callback: Callback) -> None:
    def slow_then_closed_then_good(body: str) -> Answer | None:
        number = callback.received.qsize()
        if number == 1:
            time.sleep(0.5)
        return (200, b"success") if number == 3 else None

    callback.answer = slow_then_closed_then_good
    entry = scan(server)
    assert [attempt["answer"] for attempt in entry["attempts"]] == ["ReadTimeout", "ConnectionError", "success"]


def test_a_text_reply_is_shown_and_uses_no_window(server: SimulatorServer, callback: Callback) -> None:
    callback.answer = lambda body: (200, text_reply(body))
    assert scan(server)["outcome"] == "reply"
    line = last_line(server)
    assert (line["text"], line["via"], line["who"]) == ("您好", "passive", "account")
    assert server.platform.persons["oFan"].windows.buckets["scan"].left == 3


def news(body: str, articles: int) -> bytes:
    item = write_nodes([("item", [("Title", "T"), ("Description", "D"), ("PicUrl", "P"), ("Url", "U")])])
    count = write_nodes([("MsgType", "news"), ("ArticleCount", articles)])
    return reply(body, f"{count}<Articles>{item * articles}</Articles>")


def test_an_event_may_be_answered_with_eight_articles_and_a_text_with_one(
    server: SimulatorServer, callback: Callback
) -> None:
    callback.answer = lambda body: (200, news(body, 3))
    scan(server)
    assert last_line(server)["articles"] == [{"title": "T", "description": "D", "picurl": "P", "url": "U"}] * 3
    finished(server.phone.write("oFan", "报价"))
    assert len(last_line(server)["articles"]) == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda body: b'"success"',
        lambda body: b"<html></html>",
        lambda body: b'{"errcode":0}',
        lambda body: body.encode(),
        lambda body: reply(body, write_nodes([("MsgType", "text"), ("Content", "x")]), swapped=False),
        lambda body: reply(body, write_nodes([("MsgType", "text"), ("Content", "")])),
        lambda body: reply(body, write_nodes([("MsgType", "news"), ("ArticleCount", 1)])),
        lambda body: reply(body, write_nodes([("MsgType", "dance")])),
        lambda body: reply(body, write_nodes([("MsgType", "transfer_customer_service")])),
        lambda body: b"<!DOCTYPE xml>" + text_reply(body),
    ],
)
def test_an_answer_that_is_no_reply_shows_the_failure_line_and_is_not_repeated(
    server: SimulatorServer, callback: Callback, answer: Callable[[str], bytes]
) -> None:
    callback.answer = lambda body: (200, answer(body))
    assert scan(server)["outcome"] == "failed"
    assert len(callback.all()) == 1
    assert last_line(server)["text"] == FAILURE_LINE


def sealed(clear: bytes, *, token: str = TOKEN) -> bytes:
    ciphertext = encrypt(clear.decode(), aes_key=decode_aes_key(AES_KEY), appid=APPID)
    signature = sign(token, "1760000010", "1234567890", ciphertext)
    nodes: Nodes = [
        ("Encrypt", ciphertext),
        ("MsgSignature", signature),
        ("TimeStamp", 1760000010),
        ("Nonce", "1234567890"),
    ]
    return f"<xml>{write_nodes(nodes)}</xml>".encode()


@pytest.mark.parametrize(
    ("mode", "encrypted", "outcome"),
    [
        ("plain", True, "failed"),
        ("compatible", True, "reply"),
        ("compatible", False, "reply"),
        ("safe", True, "reply"),
        ("safe", False, "failed"),
    ],
)
def test_replies_must_be_encrypted_as_the_mode_demands(
    server: SimulatorServer, callback: Callback, mode: str, encrypted: bool, outcome: str
) -> None:
    server.platform.accounts[APPID].mode = mode

    def answer(body: str) -> Answer:
        known = f"<FromUserName>oFan</FromUserName><ToUserName>{ORIGINAL_ID}</ToUserName>"
        clear = text_reply(known)
        return 200, sealed(clear) if encrypted else clear

    callback.answer = answer
    assert scan(server)["outcome"] == outcome


def test_an_encrypted_reply_with_a_wrong_signature_is_refused(server: SimulatorServer, callback: Callback) -> None:
    server.platform.accounts[APPID].mode = "safe"
    callback.answer = lambda body: (200, sealed(b"<xml></xml>", token="other"))
    assert scan(server)["outcome"] == "failed"


def test_what_a_person_types_reaches_the_callback_unescaped(server: SimulatorServer, callback: Callback) -> None:
    finished(server.phone.write("oFan", "a]]>b <x> 😀"))
    body = callback.all()[0][1]
    assert "<Content><![CDATA[a]]>b <x> 😀]]></Content>" in body
    assert re.search(r"<MsgId>\d{17,19}</MsgId>", body)
    assert server.platform.persons["oFan"].windows.buckets["user_msg"].left == 5


def test_other_kinds_of_messages_are_pushed_too(server: SimulatorServer, callback: Callback) -> None:
    finished(server.phone.send_picture("oFan", "/static/simulator/avatars/fox.svg"))
    finished(server.phone.send_voice("oFan", "报价"))
    finished(server.phone.send_location("oFan", latitude="31.2", longitude="121.4", label="上海"))
    bodies = [body for _, body in callback.all()]
    assert [node(body, "MsgType") for body in bodies] == ["image", "voice", "location"]
    assert node(bodies[0], "PicUrl").startswith(server.url)
    assert node(bodies[2], "Location_X") == "31.2"


@pytest.mark.parametrize(
    ("button", "event", "window"),
    [
        ({"type": "click", "key": "K"}, "CLICK", True),
        ({"type": "scancode_push", "key": "K"}, "scancode_push", True),
        ({"type": "view", "url": "https://a.test/"}, "VIEW", False),
        ({"type": "miniprogram", "url": "https://a.test/", "pagepath": "p"}, "view_miniprogram", False),
    ],
)
def test_a_menu_button_pushes_its_event_and_some_open_a_window(
    server: SimulatorServer, callback: Callback, button: dict[str, Any], event: str, window: bool
) -> None:
    finished(server.phone.click("oFan", button))
    assert node(callback.all()[0][1], "Event") == event
    assert ("menu" in server.platform.persons["oFan"].windows.buckets) is window


def test_only_followers_can_write(server: SimulatorServer) -> None:
    with pytest.raises(PhoneError):
        server.phone.write("oNew", "报价")


def test_the_address_check_wants_the_echostr_back(server: SimulatorServer) -> None:
    account = server.platform.accounts[APPID]
    assert server.pushes.verify(account)["ok"] is True
    account.token = "other"
    assert server.pushes.verify(account) == {"ok": False, "status": 403, "answer": ""}


@pytest.mark.parametrize("fresh", [False, True])
def test_copies_arrive_at_once_with_one_query_or_freshly_signed(
    server: SimulatorServer, callback: Callback, fresh: bool
) -> None:
    callback.answer = lambda body: (200, text_reply(body))
    server.platform.faults.set(scope="push", kind="copies", match="SCAN", count=4, fresh=fresh, remaining=1)
    assert len(scan(server)["attempts"]) == 4
    received = callback.all()
    assert len({query for query, _ in received}) == (4 if fresh else 1)
    assert len({body for _, body in received}) == 1
    assert len(server.platform.persons["oFan"].chat) == 1


def test_a_dropped_push_never_arrives(server: SimulatorServer, callback: Callback) -> None:
    server.platform.faults.set(scope="push", kind="drop", remaining=1)
    assert scan(server)["outcome"] == "dropped"
    assert scan(server)["outcome"] == "accepted"
    assert len(callback.all()) == 1


def test_a_late_push_arrives_late_with_its_own_timestamp(server: SimulatorServer, callback: Callback) -> None:
    server.platform.faults.set(scope="push", kind="late", seconds=0.3, remaining=1)
    started = time.monotonic()
    scan(server)
    assert time.monotonic() - started >= 0.3


def test_a_swapped_push_is_overtaken_by_the_next(server: SimulatorServer, callback: Callback) -> None:
    server.platform.faults.set(scope="push", kind="swap", match="subscribe", seconds=5, remaining=1)
    first = server.phone.follow("oNew")
    finished(server.phone.unfollow("oNew"))
    finished(first)
    assert [node(body, "Event") for _, body in callback.all()] == ["unsubscribe", "subscribe"]


def test_a_push_can_carry_a_wrong_signature_or_an_old_timestamp(server: SimulatorServer, callback: Callback) -> None:
    server.platform.faults.set(scope="push", kind="signature", remaining=1)
    server.platform.faults.set(scope="push", kind="timestamp", seconds=900, remaining=1)
    scan(server)
    scan(server)
    forged, old = (query_of(query) for query, _ in callback.all())
    assert not is_signed(forged["signature"], TOKEN, forged["timestamp"], forged["nonce"])
    assert is_signed(old["signature"], TOKEN, old["timestamp"], old["nonce"])
    assert time.time() - int(old["timestamp"]) > 890
