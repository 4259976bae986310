"""Notices reach a group chat of staff: WeCom, DingTalk and Feishu robots, or any program that takes JSON.

Comes in: the addresses of ALARM_WEBHOOKS and the notices that were not posted. Goes out: one message each, by a worker (or by
the site, where none is alive). An address is a secret, and it leads to the internet: nothing is sent to private addresses.
The robots: https://developer.work.weixin.qq.com/document/path/91770 · https://open.dingtalk.com/document/robots/custom-robot-access
· https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

import base64
import hashlib
import hmac
import ipaddress
import json
import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import urllib3
from certifi import where
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from wechat import notices
from wechat.models import Notice
from wechat.redaction import redact

SECONDS = 5.0  # for the whole of one message, but the look-up of the name
ANSWER_BYTES = 20_000
WITHIN = timedelta(hours=6)  # an older notice is no alarm
TRIES = 3  # of one notice, when no chat took it: whether it arrived is not always known
TEXT_LENGTH = 1500  # characters: the robots take 2,000 bytes and more
HOSTS: Mapping[str, str] = {
    "qyapi.weixin.qq.com": "wecom",
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
}

logger = logging.getLogger(__name__)
_complained: set[str] = set()  # of which addresses this process has said that they fail


class NotTaken(Exception):
    """The chat did not take the message; the text is without the address, which is a secret."""


@dataclass(frozen=True)
class Hook:
    """One address. `secret` signs the messages, where the robot was told so: what stands behind # in the setting."""

    kind: str
    url: SplitResult
    secret: str

    @property
    def name(self) -> str:
        """What a log line may say of it."""
        return f"{self.kind} at {self.url.hostname}"


def hooks() -> list[Hook]:
    """Those of the settings, which have checked them."""
    found = []
    for value in settings.ALARM_WEBHOOKS:
        parts = urlsplit(value)
        kind, _plus, scheme = parts.scheme.rpartition("+")
        kind = kind or HOSTS.get(parts.hostname or "", "json")
        found.append(Hook(kind, parts._replace(scheme=scheme, fragment=""), parts.fragment))
    return found


def post_due() -> int:
    """Post every notice that was not posted yet and nobody has put away. Returns how many some chat took."""
    chats, posted = hooks(), 0
    if not chats:
        return 0
    fresh = Notice.objects.filter(created_at__gte=timezone.now() - WITHIN, seen_at=None)
    for notice in fresh.filter(posted_at=None, posts__lt=TRIES).select_related("account").order_by("pk"):
        mine = Notice.objects.filter(pk=notice.pk)
        if not mine.filter(posted_at=None).update(posted_at=timezone.now(), posts=F("posts") + 1):
            continue
        if sum([_try(hook, notice) for hook in chats]):
            posted += 1
        else:
            mine.update(posted_at=None)
    return posted


def post(hook: Hook, notice: Notice) -> None:
    """Send it to one chat. Raises NotTaken."""
    _subject, text = notices.letter(notice)
    url, body = _message(hook, redact(text)[:TEXT_LENGTH], notice)
    answer = _exchange(url, json.dumps(body, ensure_ascii=False).encode())
    if hook.kind == "json":
        return
    try:
        said = json.loads(answer)
        code = said.get("errcode", said.get("code", said.get("StatusCode")))
    except (ValueError, AttributeError):
        raise NotTaken("no answer that can be read") from None
    if code != 0:
        raise NotTaken(redact(f"it answered {code}: {said.get('errmsg') or said.get('msg')}")[:200])


def _try(hook: Hook, notice: Notice) -> bool:
    try:
        post(hook, notice)
    except NotTaken as error:
        if hook.name not in _complained:  # once, until it works again
            logger.error("a notice could not be posted to %s: %s", hook.name, error)
        _complained.add(hook.name)
        return False
    _complained.discard(hook.name)
    return True


def _message(hook: Hook, text: str, notice: Notice) -> tuple[SplitResult, dict[str, Any]]:
    """Where it goes, and what."""
    now = time.time()
    if hook.kind == "feishu":
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if hook.secret:
            moment = str(int(now))
            body |= {"timestamp": moment, "sign": _hmac(f"{moment}\n{hook.secret}", "")}
        return hook.url, body
    if hook.kind == "dingtalk" and hook.secret:
        moment = str(int(now * 1000))
        signed = f"timestamp={moment}&sign={quote(_hmac(hook.secret, f'{moment}{chr(10)}{hook.secret}'), safe='')}"
        query = "&".join(filter(None, [hook.url.query, signed]))
        return hook.url._replace(query=query), {"msgtype": "text", "text": {"content": text}}
    if hook.kind == "json":
        account = notice.account.slug if notice.account else None
        told = {"kind": notice.kind, "level": notice.level, "account": account, "text": text}
        return hook.url, {**told, "time": notice.created_at.isoformat()}
    return hook.url, {"msgtype": "text", "text": {"content": text}}


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), message.encode(), hashlib.sha256)).decode()


def _exchange(url: SplitResult, body: bytes) -> bytes:
    """POST it to the very address that was looked at, without redirects; the certificate must be that of the name."""
    host, target = url.hostname or "", f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    headers = {"Host": url.netloc.rpartition("@")[2], "Content-Type": "application/json; charset=utf-8"}
    limit = urllib3.Timeout(connect=2.0, read=SECONDS, total=SECONDS)
    try:
        with _pool(url, _address(host, url.port or (443 if url.scheme == "https" else 80)), host) as pool:
            response = pool.request(
                "POST",
                target,
                body=body,
                headers=headers,
                timeout=limit,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            answer = response.read(ANSWER_BYTES)
            response.release_conn()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise NotTaken(type(error).__name__) from None
    if not 200 <= response.status < 300:
        raise NotTaken(f"HTTP {response.status}")
    return bytes(answer)


def _pool(url: SplitResult, address: str, host: str) -> urllib3.HTTPConnectionPool:
    if url.scheme == "http":
        return urllib3.HTTPConnectionPool(address, url.port or 80)
    return urllib3.HTTPSConnectionPool(
        address,
        url.port or 443,
        server_hostname=host,
        assert_hostname=host,
        cert_reqs="CERT_REQUIRED",
        ca_certs=where(),
    )


def _address(host: str, port: int) -> str:
    """An address of that name on the internet; in development also this machine. Raises NotTaken."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    addresses = [ipaddress.ip_address(each.partition("%")[0]) for each in found]
    if not all(
        (each.is_global and not each.is_multicast) or (settings.DEBUG and each.is_loopback) for each in addresses
    ):
        raise NotTaken("its name leads to a private address")
    return str(addresses[0])
