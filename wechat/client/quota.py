"""How often an account may still call, and what became of one call (接口调用额度).

https://developers.weixin.qq.com/doc/service/api/apimanage/api_getapiquota
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from wechat import transport
from wechat.client.core import post
from wechat.conf import AccountConfig
from wechat.errors import PlatformError

CLEARS_PER_MONTH = 10  # over this program, the console and every other one together
EXHAUSTED = 45009


@dataclass(frozen=True)
class Quota:
    """The daily quota of one path, and the calls of a short while that are taken at most (0: not said)."""

    daily: int
    used: int
    left: int
    calls: int = 0
    seconds: int = 0


def quota(account: AccountConfig, path: str) -> Quota:
    """What is left of one path today, to about 1%. 76021: the platform does not know the path; /sns/ has none."""
    answer = post(account, "/cgi-bin/openapi/quota/get", {"cgi_path": path})
    day, rate = _part(answer, "quota"), _part(answer, "rate_limit")
    return Quota(
        daily=_number(day, "daily_limit"),
        used=_number(day, "used"),
        left=_number(day, "remain"),
        calls=_number(rate, "call_count"),
        seconds=_number(rate, "refresh_second"),
    )


def clear_quota(account: AccountConfig) -> None:
    """Begin all daily quotas of the account anew: ten times a month, else 48006.

    When not even a token can be fetched any more, the call that takes the AppSecret in its place.
    """
    try:
        post(account, "/cgi-bin/clear_quota", {"appid": account.appid})
    except PlatformError as error:
        if error.code != EXHAUSTED:
            raise
        url = f"{settings.WECHAT_API_BASE}/cgi-bin/clear_quota/v2"
        body = {"appid": account.appid, "appsecret": account.get("public_wechat_appsecret")}
        transport.call("POST", url, body, account_id=account.id)


def call_of_rid(account: AccountConfig, rid: str) -> dict[str, Any]:
    """The call that was answered with this request id, for seven days: `invoke_time`, `cost_in_ms`, `request_url`,
    `request_body`, `response_body`, `client_ip`. 76001 … 76004 for one that cannot be told."""
    return _part(post(account, "/cgi-bin/openapi/rid/get", {"rid": rid}), "request")


def _part(answer: dict[str, Any], name: str) -> dict[str, Any]:
    part = answer.get(name)
    return part if isinstance(part, dict) else {}


def _number(part: dict[str, Any], name: str) -> int:
    value = part.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
