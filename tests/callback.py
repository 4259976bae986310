"""Plays the platform towards the callback: signs, encrypts, posts, and reads the answer. The fixture `push` makes one."""

import itertools
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client

from wechat import crypto
from wechat.messages import read_tree
from wechat.simulator.server import SimulatorServer

VECTORS = Path(__file__).parent / "vectors"
EDGE = json.loads((VECTORS / "edge.json").read_text("utf-8"))
APPID, TOKEN = EDGE["config"]["appid"], EDGE["config"]["token"]
AES_KEY, PREVIOUS_AES_KEY = EDGE["config"]["encoding_aes_key"], EDGE["config"]["previous_encoding_aes_key"]
ORIGINAL_ID = EDGE["config"]["original_id"]
SECRET = "0123456789abcdef0123456789abcdef"
OPENID = "oWXHUB_0000000000000000001"

_numbers = itertools.count(1)


def vectors(name: str) -> dict[str, Any]:
    """The test vectors of that file."""
    return dict(json.loads((VECTORS / f"{name}.json").read_text("utf-8")))


def xml(**nodes: Any) -> str:
    """The body of a push."""
    inner = "".join(
        f"<{name}>{value}</{name}>" if isinstance(value, int) else f"<{name}><![CDATA[{value}]]></{name}>"
        for name, value in nodes.items()
    )
    return f"<xml>{inner}</xml>"


def body(kind: str, openid: str = OPENID, created: int | None = None, **nodes: Any) -> str:
    """The body of a message of that kind, unlike any other."""
    number = next(_numbers)
    envelope = {"ToUserName": ORIGINAL_ID, "FromUserName": openid, "CreateTime": created or int(time.time()) - number}
    return xml(**envelope, MsgType=kind, **nodes, MsgId=str(24987000000000000 + number))


def event(name: str, openid: str = OPENID, created: int | None = None, **nodes: Any) -> str:
    """The body of an event, unlike any other: its CreateTime is one that no other had."""
    created = created or int(time.time()) - next(_numbers)
    envelope = {"ToUserName": ORIGINAL_ID, "FromUserName": openid, "CreateTime": created}
    return xml(**envelope, MsgType="event", Event=name, **nodes)


def listen_again(simulator: SimulatorServer) -> None:
    """Listen on the same port again; right after closing, the kernel may need a moment to give it back."""
    for _ in range(100):
        try:
            simulator.listen()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the port stays taken")


class Callback:
    """The platform's way to the callback of one account."""

    def __init__(self, client: Client, slug: str = "demo") -> None:
        self.client = client
        self.slug = slug

    def __call__(self, content: str | bytes, *, mode: str = "plain", key: str = AES_KEY, **query: str) -> HttpResponse:
        """Post `content`, signed as of now; `mode` is plain, compatible or safe. `query` replaces parameters."""
        raw = content.encode() if isinstance(content, str) else content
        address = signed(**query)
        if mode != "plain":
            raw, address = encrypted(raw, address, keep_plain=mode == "compatible", key=key)
        return self.post(raw, address)

    def post(self, raw: bytes, query: dict[str, str], **headers: Any) -> HttpResponse:
        """Post these bytes with these parameters, whatever they are."""
        url = f"/wechat/{self.slug}/callback?{urlencode(query)}"
        return self.client.post(url, data=raw, content_type="text/xml", **headers)

    def text(self, content: str, openid: str = OPENID, **options: Any) -> HttpResponse:
        return self(body("text", openid, Content=content), **options)

    def scan(self, scene: str, openid: str = OPENID, **options: Any) -> HttpResponse:
        return self(event("SCAN", openid, EventKey=scene, Ticket="gQ-a-ticket"), **options)

    def follow(self, scene: str = "", openid: str = OPENID, **options: Any) -> HttpResponse:
        return self(event("subscribe", openid, EventKey=f"qrscene_{scene}" if scene else ""), **options)

    def unfollow(self, openid: str = OPENID, **options: Any) -> HttpResponse:
        return self(event("unsubscribe", openid, EventKey=""), **options)

    def click(self, eventkey: str, openid: str = OPENID, **options: Any) -> HttpResponse:
        return self(event("CLICK", openid, EventKey=eventkey), **options)


def signed(*, token: str = TOKEN, **query: str) -> dict[str, str]:
    """The parameters of a signed request, as of now and with a nonce of its own unless `query` has them."""
    address = {"timestamp": str(int(time.time())), "nonce": f"nonce{next(_numbers)}", **query}
    address.setdefault("signature", crypto.sign(token, address["timestamp"], address["nonce"]))
    return address


def encrypted(
    raw: bytes, address: dict[str, str], *, keep_plain: bool = False, key: str = AES_KEY
) -> tuple[bytes, dict[str, str]]:
    """The envelope around a body and its parameters; compatible mode keeps the plain nodes beside it."""
    ciphertext = crypto.encrypt(raw.decode(), aes_key=crypto.decode_aes_key(key), appid=APPID)
    signature = crypto.sign(TOKEN, address["timestamp"], address["nonce"], ciphertext)
    inner = raw.decode().removeprefix("<xml>").removesuffix("</xml>") if keep_plain else ""
    envelope = f"<xml>{inner}<Encrypt><![CDATA[{ciphertext}]]></Encrypt></xml>"
    return envelope.encode(), {**address, "encrypt_type": "aes", "msg_signature": signature}


def answer(response: HttpResponse, key: str = AES_KEY) -> dict[str, Any] | None:
    """The passive reply in a response, decrypted if need be; None for `success`. Anything else fails the test."""
    assert response.status_code == 200
    if response.content == b"success":
        return None
    tree = read_tree(response.content)
    if "Encrypt" not in tree:
        return tree
    clear = crypto.open_envelope(
        tree["Encrypt"],
        msg_signature=tree["MsgSignature"],
        token=TOKEN,
        timestamp=tree["TimeStamp"],
        nonce=tree["Nonce"],
        aes_key=crypto.decode_aes_key(key),
        appid=APPID,
    )
    return read_tree(clear.encode())
