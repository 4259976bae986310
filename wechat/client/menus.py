"""Custom menus (自定义菜单): publish, read, delete, and those for some of the followers (个性化菜单).

https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu
"""

from collections.abc import Mapping
from typing import Any

from wechat.client.core import get, post
from wechat.conf import AccountConfig
from wechat.transport import Json

_BASE = "/cgi-bin/menu"


def create(account: AccountConfig, document: Mapping[str, Any]) -> None:
    """Replace the whole default menu with {"button": […]}: 1 to 3 buttons, 1 to 5 below each. 1,000 a day.

    https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu
    """
    post(account, f"{_BASE}/create", document)


def fetch(account: AccountConfig) -> Json:
    """{"menu": {…}, "conditionalmenu": […]} as published by the API; errcode 46003 when there is no menu. 10,000 a day.

    https://developers.weixin.qq.com/doc/service/api/custommenu/api_getmenu
    """
    return get(account, f"{_BASE}/get")


def delete(account: AccountConfig) -> None:
    """Delete the default menu and all conditional ones with it. 1,000 a day.

    https://developers.weixin.qq.com/doc/service/api/custommenu/api_deletemenu
    """
    get(account, f"{_BASE}/delete")


def add_conditional(account: AccountConfig, document: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    """A menu for those whom `rule` fits (tag_id, client_platform_type); returns its menuid. A default one must be there
    (65303); all of them together lead to at most 3 domains (65316). 2,000 a day.

    https://developers.weixin.qq.com/doc/service/api/custommenu/api_addconditionalmenu
    """
    return str(post(account, f"{_BASE}/addconditional", {**document, "matchrule": rule}).get("menuid", ""))


def delete_conditional(account: AccountConfig, menuid: str) -> None:
    """Delete one conditional menu; 65301 when there is none of that number. 2,000 a day.

    https://developers.weixin.qq.com/doc/service/api/custommenu/api_deleteconditionalmenu
    """
    post(account, f"{_BASE}/delconditional", {"menuid": menuid})


def seen_by(account: AccountConfig, person: str) -> Json:
    """{"button": […]}: the menu that this follower sees, named by openid or WeChat id; 65302 when he is unknown.

    https://developers.weixin.qq.com/doc/service/api/custommenu/api_trymatchmenu
    """
    return post(account, f"{_BASE}/trymatch", {"user_id": person})


def in_force(account: AccountConfig) -> Json:
    """{"is_menu_open": 1, "selfmenu_info": …}: the menu that is shown, also one made on the website. 10,000 a day.

    https://developers.weixin.qq.com/doc/service/api/custommenu/api_getcurrentselfmenuinfo
    """
    return get(account, "/cgi-bin/get_current_selfmenu_info")
