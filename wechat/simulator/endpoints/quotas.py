"""Asking for quotas, clearing them, and asking what a refused call was. Source: wechat-api.md, section 4."""

from typing import Any

from wechat.simulator.calls import ENDPOINTS, OK, Answer, Call, endpoint
from wechat.simulator.errors import ApiError

UNLIMITED = 100_000_000  # what the simulator tells of calls that it does not count against a limit


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
    limits = call.account.quotas.limits(path, ENDPOINTS[path].limits_for(call.account.kind))
    used = call.account.quotas.used_today(path, call.now)
    daily = UNLIMITED if limits.daily is None else limits.daily
    answer: dict[str, Any] = {**OK, "quota": {"daily_limit": daily, "used": used, "remain": max(0, daily - used)}}
    if limits.minute is not None:
        answer["rate_limit"] = {"call_count": limits.minute, "refresh_second": 60}
    return answer


@endpoint("/cgi-bin/openapi/rid/get", method="POST")
def get_refused_call(call: Call) -> Answer:
    """The call that was answered with a request id, for seven days."""
    refused = call.platform.rids.find(call.body.get("rid"), appid=call.account.appid, now=call.now)
    return {**OK, "request": refused.as_json()}
