"""The callback: where everything the platform pushes comes in. It only calls the other modules, in the order of the data.

Verify before you parse, parse before you store, store before you act. No HTTP call is ever made here.
"""

import logging
import time
from collections.abc import Mapping
from itertools import product, starmap
from typing import NamedTuple
from urllib.parse import parse_qsl

from axes.helpers import get_client_ip_address
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from wechat import conf, crypto, inbox, replies, sightings, spool
from wechat.conf import AccountConfig
from wechat.crypto import CryptoError
from wechat.inbox import Delivery
from wechat.messages import Hostile, Message, Tree, Unreadable, from_tree, read_tree
from wechat.models import Account
from wechat.replies import Text, passive_xml

MAX_BODY = 256 * 1024  # bytes; a genuine push has a few thousand
MAX_PARAMETERS = 20

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is not answered; `status` is 4xx, `reason` is for the log only, `sight` and `seen` for the doctor."""

    def __init__(self, status: int, reason: str, sight: str = "", seen: str = "") -> None:
        super().__init__(reason)
        self.status, self.sight, self.seen = status, sight, seen


class Keys(NamedTuple):
    """What an encrypted push came with, and its answer goes back with: on the other side either may be the old one."""

    aes_key: bytes
    token: str


@csrf_exempt
def callback(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the handshake (GET) and every push (POST) of one account."""
    account = None
    try:
        account = conf.account(slug)
        if account is None:
            raise Refused(404, "unknown account")
        if request.method == "GET":
            return _text(handshake(account, request))
        if request.method == "POST":
            return push(account, request)
        raise Refused(405, "wrong method")
    except Refused as refused:
        logger.warning("callback %s refused: %s", slug, refused)
        if account and refused.sight:
            sightings.note(account, refused.sight, refused.seen or _address(request))
        return _text("refused", status=refused.status)
    except (DatabaseError, InterfaceError, spool.NotKept):
        # Not stored: anything but 200 makes the platform push again.
        logger.exception("callback %s: a request could not be answered", slug)
        return _text("try again", status=503)


def handshake(account: AccountConfig, request: HttpRequest) -> str:
    """The `echostr` of a signed URL verification. Never encrypted for an Official Account, whatever its mode."""
    query = verified_query(account, request)
    if "echostr" not in query:
        raise Refused(400, "signed, but no echostr")
    if not query["echostr"].startswith(sightings.OURS):
        sightings.note(account, sightings.HANDSHAKE, _address(request))
    return query["echostr"]


def push(account: AccountConfig, request: HttpRequest) -> HttpResponse:
    """Take one push: verify, open, parse, store and handle, answer."""
    began = time.perf_counter()
    query = verified_query(account, request)
    body = _read(request)  # only now: a stranger who sends slowly must not hold a thread
    try:
        tree, body, keys = _open(account, query, body)
        message = from_tree(tree)
    except Hostile as error:
        raise Refused(400, str(error)) from None
    except Unreadable as error:
        # The platform would only repeat it; users can type things that break XML.
        logger.warning("callback %s: %s: %r", account.slug, error, body[:200])
        return _text("success")
    if query.get("openid", message.sender) != message.sender:
        logger.info("callback %s: the openid of the address is not the sender", account.slug)
    # In safe mode the msg_signature covers the body. Elsewhere a captured address could carry another, plain one.
    nonce_key = (
        None if account.mode == Account.Mode.SAFE else f"{account.id}:{query['timestamp']}:{query['nonce']}"[:80]
    )
    try:
        encrypted = keys is not None
        answer = spool.receive(Delivery(account, message, body, nonce_key, encrypted=encrypted, began=began))
    except inbox.NonceReused:
        raise Refused(403, "this timestamp and nonce came with another body") from None
    except spool.NotKept:
        answer = _apology(account, message)
    return _answer(answer, account, query["nonce"], keys)


def verified_query(account: AccountConfig, request: HttpRequest) -> Mapping[str, str]:
    """The parameters of the address, each at most once, with a right signature and a timestamp of now. Raises Refused."""
    try:
        pairs = parse_qsl(
            request.META.get("QUERY_STRING", ""),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise Refused(403, "unreadable parameters") from None
    query = dict(pairs)
    if len(query) != len(pairs):
        raise Refused(403, "a parameter is repeated")
    timestamp = query.get("timestamp", "")
    signature, nonce = query.get("signature"), query.get("nonce")
    if not any(crypto.is_signed(signature, token, timestamp, nonce) for token in account.tokens):
        raise Refused(403, "wrong signature", sightings.SIGNATURE)
    if not (len(timestamp) == 10 and timestamp.isascii() and timestamp.isdigit()):
        raise Refused(403, "the timestamp is not ten digits")
    skew = int(timestamp) - time.time()
    if settings.WECHAT_TIMESTAMP_TOLERANCE and abs(skew) > settings.WECHAT_TIMESTAMP_TOLERANCE:
        raise Refused(403, f"the timestamp is {skew:+.0f} s off; is the clock right?", sightings.LATE, f"{skew:.0f}")
    if abs(skew) >= sightings.SKEW_TOLD:
        sightings.note(account, sightings.SKEWED, f"{skew:.0f}")
    return query


def _read(request: HttpRequest) -> bytes:
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            raise Refused(413, "the body is too large")
        return request.body
    except (RequestDataTooBig, ValueError):
        raise Refused(413, "the body is too large") from None
    except OSError:
        raise Refused(400, "the body broke off") from None


def _open(account: AccountConfig, query: Mapping[str, str], body: bytes) -> tuple[Tree, bytes, Keys | None]:
    """The tree of the push, its clear body, and the keys when it was encrypted. Raises Refused, Unreadable, Hostile."""
    encrypted = query.get("encrypt_type") == "aes"
    if not encrypted:
        if account.mode == Account.Mode.SAFE:
            raise Refused(403, "a plain push in safe mode", sightings.PLAIN)
        return read_tree(body), body, None
    try:
        ciphertext = read_tree(body).get("Encrypt")
    except Unreadable as error:
        raise Refused(403, str(error)) from None
    if account.mode == Account.Mode.PLAIN and account.aes_keys:
        logger.info("callback %s: encrypted, though the account is set to plain", account.slug)
    clear, keys = _decrypt(account, query, ciphertext if isinstance(ciphertext, str) else None)
    return read_tree(clear), clear, keys


def _decrypt(account: AccountConfig, query: Mapping[str, str], ciphertext: str | None) -> tuple[bytes, Keys]:
    failure = "no EncodingAESKey is set"
    # After a change the platform uses the old key for a while.
    for keys in starmap(Keys, product(account.aes_keys, account.tokens)):
        try:
            clear = crypto.open_envelope(
                ciphertext,
                msg_signature=query.get("msg_signature"),
                token=keys.token,
                timestamp=query["timestamp"],
                nonce=query["nonce"],
                aes_key=keys.aes_key,
                appid=account.appid,
            )
            return clear.encode(), keys
        except CryptoError as error:
            failure = str(error)
    raise Refused(403, failure, sightings.KEY)


def _address(request: HttpRequest) -> str:
    """Where the request comes from; proxies of ours are looked through."""
    return str(get_client_ip_address(request) or "")


def _apology(account: AccountConfig, message: Message) -> str:
    """What a person is told whose push is stored nowhere. Raises NotKept when this push cannot be answered."""
    text = Text(account.get("wechat_try_again_text"))
    xml = passive_xml(text, message, original_id=account.original_id)
    if xml is None:
        raise spool.NotKept("and nobody could be told")
    return xml


def _answer(xml: str | None, account: AccountConfig, nonce: str, keys: Keys | None) -> HttpResponse:
    if not xml:
        # A push in the spool is safe, but not handled: the platform takes an empty answer as it takes `success`.
        return _text("success" if xml is None else "")
    if keys is not None:
        timestamp = str(int(time.time()))
        ciphertext = crypto.encrypt(xml, aes_key=keys.aes_key, appid=account.appid)
        signature = crypto.sign(keys.token, timestamp, nonce, ciphertext)
        xml = replies.encrypted_xml(ciphertext=ciphertext, msg_signature=signature, timestamp=timestamp, nonce=nonce)
    return _response(xml, "text/xml")


def _text(body: str, *, status: int = 200) -> HttpResponse:
    return _response(body, "text/plain", status)


def _response(body: str, kind: str, status: int = 200) -> HttpResponse:
    content = body.encode()
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Content-Length": str(len(content)),
        "X-Content-Type-Options": "nosniff",  # the echostr is not covered by the signature
    }
    return HttpResponse(content, status=status, headers=headers)
