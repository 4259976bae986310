"""The templates of an account: template messages (模板消息) and subscription notices (订阅通知).

Sending them stands in wechat.client.messages. An account has at most 25 of each; verified service accounts only.
"""

from collections.abc import Mapping
from typing import Any

from wechat.client.core import get
from wechat.conf import AccountConfig

Listed = list[Mapping[str, Any]]


def private_templates(account: AccountConfig) -> Listed:
    """The templates of template messages: `template_id`, `title`, `content`, `example`. At most 25.

    https://developers.weixin.qq.com/doc/service/api/notify/template/api_getalltemplates
    """
    return _listed(get(account, "/cgi-bin/template/get_all_private_template").get("template_list"))


def subscription_templates(account: AccountConfig) -> Listed:
    """The templates of subscription notices: `priTmplId`, `title`, `content`, `example`, `type` (2 once, 3 long-term).

    https://developers.weixin.qq.com/doc/service/api/notify/notify/api_getwxapubnewtemplate
    """
    return _listed(get(account, "/wxaapi/newtmpl/gettemplate").get("data"))


def _listed(entries: object) -> Listed:
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
