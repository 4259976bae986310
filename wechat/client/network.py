"""What the platform says of the network between it and us."""

from wechat.client.core import get
from wechat.conf import AccountConfig


def callback_addresses(account: AccountConfig) -> list[str]:
    """The addresses the platform pushes from. Also the usual way to see whether the API works: it has no effect."""
    return list(get(account, "/cgi-bin/getcallbackip").get("ip_list", []))
