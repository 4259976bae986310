"""Refused calls by request id, as openapi/rid/get tells them. Source: wechat-api.md, section 4.

The caller holds the platform's lock.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from wechat.simulator.errors import ApiError

KEPT = 10_000
LIFETIME = 7 * 86400.0  # seconds that a call can be asked for
SHOWN = 2_000  # characters of a body
_RID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")
_SECRET = re.compile(
    r"((?:access_token|secret|appsecret|refresh_token|code)[\"']?[=:]\s*[\"']?)([^&\"'\s]{1,6})[^&\"'\s]*"
)


@dataclass(frozen=True)
class Refused:
    """One call that was answered with an error; secrets are cut to their first characters."""

    appid: str | None
    time: float
    milliseconds: float
    query: str
    request_body: str
    response_body: str
    client: str

    def as_json(self) -> dict[str, Any]:
        """The `request` of the answer."""
        return {
            "invoke_time": int(self.time),
            "cost_in_ms": round(self.milliseconds),
            "request_url": masked(self.query),
            "request_body": masked(self.request_body[:SHOWN]),
            "response_body": self.response_body,
            "client_ip": self.client,
        }


class RidBook:
    """The newest refused calls of all accounts."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, Refused] = OrderedDict()

    def keep(self, rid: str, call: Refused) -> None:
        """Remember a call; the oldest are forgotten."""
        self._calls[rid] = call
        if len(self._calls) > KEPT:
            self._calls.popitem(last=False)

    def find(self, rid: object, *, appid: str, now: float) -> Refused:
        """The call of a request id. Raises ApiError 76002 malformed, 76004 too old, 76001 unknown, 76003 not ours."""
        if not isinstance(rid, str) or not _RID.fullmatch(rid):
            raise ApiError(76002)
        if now - int(rid[:8], 16) > LIFETIME:
            raise ApiError(76004)
        call = self._calls.get(rid)
        if call is None:
            raise ApiError(76001)
        if call.appid != appid:
            raise ApiError(76003)
        return call


def masked(text: str) -> str:
    """`text` with every secret but its first characters replaced."""
    return _SECRET.sub(r"\1\2xxxx", text)
