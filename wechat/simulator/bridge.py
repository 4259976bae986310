"""The phone's side of the JS-SDK: is a page's configuration right, and which card did it set?

In: what the stand-in for WeChat's script (static/simulator/jweixin.js) passes on from a page. Out: WeChat's errMsg.
Source: wechat-api.md, section 12.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from wechat.simulator.accounts import Account
from wechat.simulator.state import Platform

VERIFIED = ("verified_service", "verified_subscription", "test")
CARDS = ("updateAppMessageShareData", "updateTimelineShareData")
FIELDS = ("title", "desc", "link", "imgUrl")
PAGES_KEPT = 500


def script_answer(platform: Platform, query: Mapping[str, str]) -> str:
    """A line of JavaScript that hands the answer to the page: pages may load scripts from here, and nothing else."""
    call, number = query.get("call", ""), query.get("number", "")
    answer = configure(platform, query) if call == "config" else set_card(platform, call, query)
    shown = json.dumps({"number": number[:20], **answer}).replace("<", "\\u003c")
    return f"window.wxSimulatorAnswers?.({shown});"


def configure(platform: Platform, query: Mapping[str, str]) -> dict[str, str]:
    """`config`: the page's key for later calls, or what WeChat complains about."""
    with platform.lock:
        account = platform.accounts.get(query.get("appid", ""))
        problem = _problem(platform, account, query)
        platform.note(
            "page", appid=query.get("appid", ""), url=query.get("url", ""), errmsg=f"config:{problem or 'ok'}"
        )
        if problem:
            return {"errMsg": f"config:{problem}"}
        key = secrets.token_urlsafe(12)
        platform.pages[key] = query["url"]
        if len(platform.pages) > PAGES_KEPT:
            del platform.pages[next(iter(platform.pages))]
        return {"errMsg": "config:ok", "key": key}


def _problem(platform: Platform, account: Account | None, query: Mapping[str, str]) -> str:
    if account is None:
        return "invalid appid"
    if account.kind not in VERIFIED:
        return "fail, the permission value is offline verifying"
    if not is_secure_domain(platform, query.get("url", "")):
        return "fail,40048:invalid url domain"
    ticket, expires = account.jsapi_ticket
    names = ("nonceStr", "timestamp", "url")
    nonce, timestamp, url = (query.get(name, "") for name in names)
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    right = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    valid = bool(ticket) and platform.clock.now() < expires
    return "" if valid and secrets.compare_digest(right, query.get("signature", "")) else "invalid signature"


def set_card(platform: Platform, call: str, query: Mapping[str, str]) -> dict[str, Any]:
    """`updateAppMessageShareData` and `updateTimelineShareData`: the link must be on a host that the account has named."""
    if call not in CARDS:
        return {"errMsg": f"{call[:40]}:the permission value is offline verifying"}
    with platform.lock:
        page = platform.pages.get(query.get("key", ""))
        if page is None:
            return {"errMsg": f"{call}:fail, not configured"}
        card = {name: query[name] for name in FIELDS if name in query}
        link = card.get("link", "")
        if urlsplit(link).hostname != urlsplit(page).hostname or not is_secure_domain(platform, link):
            return {"errMsg": f"{call}:fail, link must be in js secure domain list"}
        platform.note("card", call=call, url=page, card=card)
    return {"errMsg": f"{call}:ok", "card": card}


def is_secure_domain(platform: Platform, url: str) -> bool:
    """Whether the host of `url` is a JS-secure domain (JS接口安全域名) of the console; with none set, any host is."""
    domains = [domain for domain in platform.settings.js_domains.replace(",", " ").split() if domain]
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return bool(host) and (not domains or host in domains)
