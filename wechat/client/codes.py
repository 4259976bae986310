"""Parametric QR codes (带参数二维码)."""

from urllib.parse import quote

from django.conf import settings

from wechat import transport
from wechat.client.core import with_token
from wechat.conf import AccountConfig
from wechat.transport import Json


def create_temporary_code(account: AccountConfig, scene: int | str, expire_seconds: int) -> Json:
    """Make a temporary parametric code. `scene` is 1 … 4294967295 or a text of 1 … 64 characters; at most 30 days.

    Returns `ticket`, `expire_seconds`, `url`. https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode
    """
    action, key = ("QR_SCENE", "scene_id") if isinstance(scene, int) else ("QR_STR_SCENE", "scene_str")
    body = {"expire_seconds": expire_seconds, "action_name": action, "action_info": {"scene": {key: scene}}}
    url = settings.WECHAT_PUBLIC_GET_TEMPORARY_TICKET
    return with_token(account, lambda token: transport.call("POST", transport.fill(url, TOKEN=token), body))


def create_permanent_code(account: AccountConfig, scene: int | str) -> Json:
    """Make a permanent parametric code. `scene` is 1 … 100000 or a text of 1 … 64 characters; 100,000 in total (45029).

    Returns `ticket` and `url`. https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode
    """
    action, key = ("QR_LIMIT_SCENE", "scene_id") if isinstance(scene, int) else ("QR_LIMIT_STR_SCENE", "scene_str")
    body = {"action_name": action, "action_info": {"scene": {key: scene}}}
    url = settings.WECHAT_PUBLIC_GET_TEMPORARY_TICKET
    return with_token(account, lambda token: transport.call("POST", transport.fill(url, TOKEN=token), body))


def code_image_url(ticket: str) -> str:
    """Where the platform shows the picture of a code. No token needed; the ticket must be percent-encoded."""
    return f"{settings.WECHAT_MP_BASE}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"
