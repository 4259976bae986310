"""One function per endpoint. Each asks for a token, calls, and renews a refused token once.

All raise PlatformError for a return code and Unreachable when no usable answer came.
"""

from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings

from wechat import tokens, transport
from wechat.conf import AccountConfig
from wechat.errors import TOKEN_REFUSED, PlatformError
from wechat.replies import Reply
from wechat.transport import Json


def send_custom_message(
    account: AccountConfig, openid: str, reply: Reply, *, before: Callable[[], None] = lambda: None
) -> None:
    """Send one customer-service message. The platform gives no id and knows no idempotency, so `before` is called right
    before each request (a refused token makes two) and may raise to keep it from going out.

    https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
    """
    body = {"touser": openid, "msgtype": reply.kind, **reply.custom()}

    def send(token: str) -> Json:
        before()
        return transport.call("POST", transport.fill(settings.WECHAT_SEND_MESSAGE, TOKEN=token), body)

    _with_token(account, send)


def create_temporary_code(account: AccountConfig, scene: int | str, expire_seconds: int) -> Json:
    """Make a temporary parametric code. `scene` is 1 … 4294967295 or a text of 1 … 64 characters; at most 30 days.

    Returns `ticket`, `expire_seconds`, `url`. https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode
    """
    action, key = ("QR_SCENE", "scene_id") if isinstance(scene, int) else ("QR_STR_SCENE", "scene_str")
    body = {"expire_seconds": expire_seconds, "action_name": action, "action_info": {"scene": {key: scene}}}
    url = settings.WECHAT_PUBLIC_GET_TEMPORARY_TICKET
    return _with_token(account, lambda token: transport.call("POST", transport.fill(url, TOKEN=token), body))


def callback_addresses(account: AccountConfig) -> list[str]:
    """The addresses the platform pushes from. Also the usual way to see whether the API works: it has no effect."""
    url = f"{settings.WECHAT_API_BASE}/cgi-bin/getcallbackip?access_token=##TOKEN##"
    answer = _with_token(account, lambda token: transport.call("GET", transport.fill(url, TOKEN=token)))
    return list(answer.get("ip_list", []))


def code_image_url(ticket: str) -> str:
    """Where the platform shows the picture of a code. No token needed; the ticket must be percent-encoded."""
    return f"{settings.WECHAT_MP_BASE}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"


def _with_token(account: AccountConfig, call: Callable[[str], Json]) -> Json:
    token = tokens.get(account)
    try:
        return call(token)
    except PlatformError as error:
        if error.code not in TOKEN_REFUSED:
            raise
    return call(tokens.renew(account, token))
