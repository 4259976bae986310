"""What goes to one person: customer-service messages, template messages, subscription notices.

https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from wechat import transport
from wechat.client.core import get, post, with_token
from wechat.conf import AccountConfig
from wechat.notifications import Subscription, Template
from wechat.replies import Reply
from wechat.transport import Json


def send_custom_message(
    account: AccountConfig,
    openid: str,
    reply: Reply,
    *,
    agent: str = "",
    before: Callable[[], None] = lambda: None,
) -> None:
    """Send one customer-service message. The platform gives no id and knows no idempotency, so `before` is called right
    before each request (a refused token makes two) and may raise to keep it from going out. `agent` is a kf_account."""
    body: dict[str, Any] = {"touser": openid, "msgtype": reply.kind, **reply.custom()}
    if agent:
        body["customservice"] = {"kf_account": agent}

    def send(token: str) -> Json:
        before()
        return transport.call("POST", transport.fill(settings.WECHAT_SEND_MESSAGE, TOKEN=token), body)

    with_token(account, send)


def send_template(account: AccountConfig, openid: str, message: Template, *, client_msg_id: str) -> str:
    """Send a template message; returns its msgid. The same `client_msg_id` is sent once within ten minutes.

    https://developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage
    """
    body = {"touser": openid, **message.body(), "client_msg_id": client_msg_id}
    return str(post(account, "/cgi-bin/message/template/send", body).get("msgid", ""))


def send_subscription(account: AccountConfig, openid: str, notice: Subscription) -> str:
    """Send a subscription notice (订阅通知) to somebody who accepted it: once for each acceptance."""
    body = {"touser": openid, **notice.body()}
    return str(post(account, "/cgi-bin/message/subscribe/bizsend", body).get("msgid", ""))


def show_typing(account: AccountConfig, openid: str, *, typing: bool) -> None:
    """Show, or end, “the other side is typing”. Needs an exchange within the last 30 seconds."""
    command = "Typing" if typing else "CancelTyping"
    post(account, "/cgi-bin/message/custom/typing", {"touser": openid, "command": command})


def agents(account: AccountConfig) -> list[Mapping[str, Any]]:
    """The customer-service agents (客服账号): `kf_account`, `kf_nick`, `kf_id`, `kf_headimgurl`."""
    return list(get(account, "/cgi-bin/customservice/getkflist").get("kf_list", []))
