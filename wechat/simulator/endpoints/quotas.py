"""Asking for quotas and clearing them. Source: wechat-api.md, section 4."""

from typing import Any

from wechat.simulator.calls import ENDPOINTS, Answer, Call, endpoint
from wechat.simulator.errors import ApiError

OK = {"errcode": 0, "errmsg": "ok"}


@endpoint("/cgi-bin/clear_quota", method="POST")
def clear_quota(call: Call) -> Answer:
    """Reset all daily counters: ten times a month."""
    if call.body.get("appid") != call.account.appid:
        raise ApiError(40013)
    call.account.quotas.clear(call.now)
    return dict(OK)


@endpoint("/cgi-bin/clear_quota/v2", method="POST", auth="body")
def clear_quota_with_secret(call: Call) -> Answer:
    """The same without a token, for when even the token's quota is used up."""
    call.account.quotas.clear(call.now)
    return dict(OK)


@endpoint("/cgi-bin/openapi/quota/get", method="POST")
def get_quota(call: Call) -> Answer:
    """The daily limit of one path and what is left of it."""
    path = call.body.get("cgi_path")
    if not isinstance(path, str) or path not in ENDPOINTS:
        raise ApiError(76021)
    if path.startswith("/sns/"):
        raise ApiError(76022)
    limits = call.account.quotas.limits(path, ENDPOINTS[path].limits)
    used = call.account.quotas.used_today(path, call.now)
    daily = limits.daily or 0
    answer: dict[str, Any] = {**OK, "quota": {"daily_limit": daily, "used": used, "remain": max(0, daily - used)}}
    if limits.minute is not None:
        answer["rate_limit"] = {"call_count": limits.minute, "refresh_second": 60}
    return answer
