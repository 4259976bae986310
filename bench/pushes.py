"""Unique, signed pushes, plain and encrypted, as the platform sends them."""

import hashlib
import itertools
import secrets
import time

from wechat import crypto

TOKEN, APPID, ORIGINAL_ID = "benchtoken", "wx0123456789abcdef", "gh_0a1b2c3d4e5f"
AES_KEY = "Q2hhbmdlTWVQbGVhc2UxVGhpc0lzQVRlc3RLZXkwMTI"

_seconds = itertools.count()
_numbers = itertools.count(secrets.randbelow(10**15) * 1000)


def text(openid: str) -> str:
    """A text message."""
    return _envelope(openid, "text", f"<Content><![CDATA[请问报价多少？]]></Content><MsgId>{next(_numbers)}</MsgId>")


def scan(openid: str, scene: int) -> str:
    """A follower's scan of the code of `scene`."""
    event = f"<Event><![CDATA[SCAN]]></Event><EventKey><![CDATA[{scene}]]></EventKey><Ticket><![CDATA[{'t' * 96}]]></Ticket>"
    return _envelope(openid, "event", event)


def follow(openid: str, scene: int) -> str:
    """Somebody follows by the code of `scene`."""
    event = f"<Event><![CDATA[subscribe]]></Event><EventKey><![CDATA[qrscene_{scene}]]></EventKey><Ticket>{'t' * 96}</Ticket>"
    return _envelope(openid, "event", event)


def plain(slug: str, body: str) -> tuple[str, bytes]:
    """The path with its signed query, and the body, of a plain push."""
    return f"/wechat/{slug}/callback?{_query()}&openid=o", body.encode()


def safe(slug: str, body: str) -> tuple[str, bytes]:
    """The same in safe mode."""
    timestamp, nonce = _stamp()
    encrypted = crypto.encrypt(body, aes_key=crypto.decode_aes_key(AES_KEY), appid=APPID)
    query = (
        _query(timestamp, nonce) + f"&encrypt_type=aes&msg_signature={crypto.sign(TOKEN, timestamp, nonce, encrypted)}"
    )
    outer = f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return f"/wechat/{slug}/callback?{query}", outer.encode()


def fingerprint(body: str) -> str:
    """A push by its body, however often it was sent."""
    return hashlib.sha256(body.strip().encode()).hexdigest()[:16]


def _envelope(openid: str, kind: str, rest: str) -> str:
    # An event is the same one when person, second and key are: no two of ours may be.
    second = int(time.time()) - next(_seconds) % 1_000_000
    return (
        f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>\n<FromUserName><![CDATA[{openid}]]></FromUserName>\n"
        f"<CreateTime>{second}</CreateTime>\n<MsgType><![CDATA[{kind}]]></MsgType>\n{rest}\n</xml>"
    )


def _stamp() -> tuple[str, str]:
    return str(int(time.time())), str(next(_numbers))


def _query(timestamp: str = "", nonce: str = "") -> str:
    if not timestamp:
        timestamp, nonce = _stamp()
    return f"signature={crypto.sign(TOKEN, timestamp, nonce)}&timestamp={timestamp}&nonce={nonce}"
