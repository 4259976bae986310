"""One function per endpoint of the platform, one module per family; wechat.client.core has what they share."""

from wechat.client.codes import code_image_url, create_permanent_code, create_temporary_code
from wechat.client.messages import agents, send_custom_message, send_subscription, send_template, show_typing
from wechat.client.network import callback_addresses

__all__ = [
    "agents",
    "callback_addresses",
    "code_image_url",
    "create_permanent_code",
    "create_temporary_code",
    "send_custom_message",
    "send_subscription",
    "send_template",
    "show_typing",
]
