"""The custom menu: publish, read, delete. Source: wechat-api.md, section 9."""

from wechat.simulator.calls import Answer, Call, endpoint
from wechat.simulator.endpoints.menu_rules import check_menu
from wechat.simulator.errors import ApiError

OK = {"errcode": 0, "errmsg": "ok"}
# A subscription account that is not verified has no menu API.
WITH_MENU = frozenset({"verified_service", "service", "verified_subscription", "test"})
FIRST_MENUID = 208396938


@endpoint("/cgi-bin/menu/create", method="POST", kinds=WITH_MENU, daily=1_000, test_daily=100, bad_escape=40033)
def create_menu(call: Call) -> Answer:
    """Replace the whole menu."""
    check_menu(call.body)
    menuid = FIRST_MENUID + call.account.quotas.calls["/cgi-bin/menu/create"]
    call.account.menu = {"button": call.body["button"], "menuid": menuid}
    call.platform.note("menu", appid=call.account.appid, buttons=len(call.body["button"]))
    return dict(OK)


@endpoint("/cgi-bin/menu/get", method="GET", kinds=WITH_MENU, daily=10_000, test_daily=1_000)
def get_menu(call: Call) -> Answer:
    """The menu as published; 46003 when there is none."""
    if call.account.menu is None:
        raise ApiError(46003)
    return {"menu": call.account.menu}


@endpoint("/cgi-bin/menu/delete", method="GET", kinds=WITH_MENU, daily=1_000, test_daily=100)
def delete_menu(call: Call) -> Answer:
    """Take the menu away."""
    call.account.menu = None
    call.platform.note("menu", appid=call.account.appid, buttons=0)
    return dict(OK)
