"""What web pages need of the platform (JS-SDK)."""

from wechat.client.core import get
from wechat.conf import AccountConfig
from wechat.transport import Json


def page_ticket(account: AccountConfig) -> Json:
    """The ticket that signs web pages (jsapi_ticket). Returns `ticket` and `expires_in` in seconds.

    How often it may be fetched is not published: fetch it once and keep it, as wechat.jssdk does.
    https://developers.weixin.qq.com/doc/service/guide/h5/jssdk.html
    """
    return get(account, "/cgi-bin/ticket/getticket", type="jsapi")
