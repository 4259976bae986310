"""What the platform says of the network between it and us."""

from typing import Any

from wechat.client.core import get, post
from wechat.conf import AccountConfig


def callback_addresses(account: AccountConfig) -> list[str]:
    """The addresses the platform pushes from. Also the usual way to see whether the API works: it has no effect."""
    return list(get(account, "/cgi-bin/getcallbackip").get("ip_list", []))


def api_addresses(account: AccountConfig) -> list[str]:
    """The addresses our calls go to, for a firewall that names them.

    https://developers.weixin.qq.com/doc/service/api/base/api_getapidomainip
    """
    return list(get(account, "/cgi-bin/get_api_domain_ip").get("ip_list", []))


def check_callback(account: AccountConfig, *, action: str = "all", operator: str = "DEFAULT") -> dict[str, Any]:
    """How the callback's host looks from the platform: `dns` and `ping`, each a list.

    `action` is dns, ping or all; `operator` CHINANET, UNICOM, CAP or DEFAULT. 40201: no address is set in the console.
    https://developers.weixin.qq.com/doc/service/api/base/api_callbackcheck
    """
    return post(account, "/cgi-bin/callback/check", {"action": action, "check_operator": operator})
