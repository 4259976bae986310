"""Addresses of the platform, and its check of the callback's.

Source: wechat-inbound.md, section 13; wechat-api.md, section 14.
"""

import socket
from typing import Any
from urllib.parse import urlsplit

from wechat.simulator.calls import Answer, Call, endpoint
from wechat.simulator.errors import ApiError

OPERATORS = ("CHINANET", "UNICOM", "CAP", "DEFAULT")
NOWHERE = "0.0.0.0"  # shown for a name that has no address here


@endpoint("/cgi-bin/getcallbackip", method="GET")
def get_callback_ip(call: Call) -> Answer:
    """Where pushes come from: here, from this machine."""
    return {"ip_list": ["127.0.0.1", "127.0.0.0/8"]}


@endpoint("/cgi-bin/get_api_domain_ip", method="GET")
def get_api_domain_ip(call: Call) -> Answer:
    """Where calls go to."""
    return {"ip_list": ["127.0.0.1"]}


@endpoint("/cgi-bin/callback/check", method="POST")
def check_callback(call: Call) -> Answer:
    """How the callback URL looks from the platform. Only addresses of this machine are looked up."""
    host = urlsplit(call.account.callback_url).hostname
    if not host:
        raise ApiError(40201)
    action, operator = call.body.get("action"), call.body.get("check_operator")
    if action not in ("dns", "ping", "all"):
        raise ApiError(40202)
    if operator not in OPERATORS:
        raise ApiError(40203)
    address = _address(host)
    answer: dict[str, Any] = {}
    if action != "ping":
        answer["dns"] = [{"ip": address, "real_operator": operator}]
    if action != "dns":
        loss, milliseconds = ("100%", "0ms") if address == NOWHERE else ("0%", "0.042ms")
        answer["ping"] = [{"ip": address, "from_operator": operator, "package_loss": loss, "time": milliseconds}]
    return answer


def _address(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        socket.inet_aton(host)
    except OSError:
        return NOWHERE
    return host
