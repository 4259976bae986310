"""Web pages inside WeChat (JS-SDK): the ticket that signs them, kept like the access token, and the signature of one page.

Comes in: an account, and the address that the browser says it shows. Goes out: what `wx.config` asks for, for addresses of our
own only: who can have any address signed could dress up his page as the firm's.
Source: JS-SDK说明文档, https://developers.weixin.qq.com/doc/service/guide/h5/jssdk.html
"""

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from wechat import circuit, credentials, leases
from wechat.client.pages import page_ticket
from wechat.conf import AccountConfig
from wechat.credentials import Credential
from wechat.errors import Unreachable

TICKET_ROW, EXPIRES_ROW = "public_wechat_jsapi_ticket", "public_wechat_jsapi_ticket_expires"
WHAT = "ticket of web pages"
WAIT = 0.5  # seconds a page waits for another's fetch: the callback needs the threads
LONGEST = 2000  # characters of an address
NONCE_BYTES = 12
_PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[\x00-\x20\x7f#\\<>\"]")


@dataclass(frozen=True)
class Signed:
    """What `wx.config` is called with. `url` is the address that was signed."""

    appid: str
    timestamp: int
    nonce: str
    signature: str
    url: str


def ticket(account: AccountConfig) -> str:
    """A ticket that is valid now. Raises CallFailed when none can be had; then a page does without its share card."""
    return _TICKET.get(account)


def sign(account: AccountConfig, url: str) -> Signed:
    """The signature for the page at `url`, which must have passed page_address(). Raises CallFailed."""
    nonce, timestamp = secrets.token_urlsafe(NONCE_BYTES), int(time.time())
    signed = signature(ticket=ticket(account), nonce=nonce, timestamp=timestamp, url=url)
    return Signed(account.appid, timestamp, nonce, signed, url)


def signature(*, ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """SHA-1, in small hexadecimal, over the four values as they are; `url` is the whole address up to its `#`."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()  # the platform's choice


def page_address(reported: str, *, path: str) -> str | None:
    """The address to sign: what the browser `reported`, if it is our page at `path`; None for any other.

    WeChat checks the address that its browser shows. So the scheme may be another than that of PUBLIC_URL, where a proxy
    changes it; the query may be anything: WeChat adds to it when a page is passed on.
    """
    if len(reported) > LONGEST or _ODD.search(reported):
        return None
    try:
        said, own = urlsplit(reported), urlsplit(settings.PUBLIC_URL)
        ours = said.scheme in _PORTS and _place(said) == _place(own) and "@" not in said.netloc
    except ValueError:  # a port that is no number, an unclosed [
        return None
    return reported if ours and said.path == path else None


def script_origin() -> str:
    """Where WeChat's script comes from: the one other host that a page may take a script of."""
    parts = urlsplit(settings.WECHAT_JSSDK_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _place(parts: SplitResult) -> tuple[str | None, int]:
    """Host and port; the default port of either scheme is the same place, on the two sides of a proxy."""
    port = parts.port or _PORTS[parts.scheme]
    return parts.hostname, 443 if port == 80 else port


def _ask(account: AccountConfig, *, force: bool) -> Credential:
    if leases.is_held(circuit.name(account.id)):
        raise Unreachable(WHAT, "WeChat's API is failing at the moment")
    answer = page_ticket(account)
    return credentials.lent(answer.get("ticket"), answer.get("expires_in"), what=WHAT)


_TICKET = credentials.Kind("ticket", WHAT, TICKET_ROW, EXPIRES_ROW, _ask, WAIT)
