"""The custom menu: publish, read, delete, and the conditional menus beside it. Source: wechat-api.md, section 9."""

from wechat.simulator.calls import OK, VERIFIED, Answer, Call, endpoint
from wechat.simulator.endpoints.menu_rules import check_conditional_menu, check_menu
from wechat.simulator.errors import ApiError

# A subscription account that is not verified has no menu API.
WITH_MENU = frozenset({"verified_service", "service", "verified_subscription", "test"})


@endpoint("/cgi-bin/menu/create", method="POST", kinds=WITH_MENU, daily=1_000, test_daily=100, bad_escape=40033)
def create_menu(call: Call) -> Answer:
    """Replace the whole default menu."""
    check_menu(call.body, call.account.materials)
    call.account.menus.publish(call.body["button"])
    _note(call, len(call.body["button"]))
    return dict(OK)


@endpoint("/cgi-bin/menu/get", method="GET", kinds=WITH_MENU, daily=10_000, test_daily=1_000)
def get_menus(call: Call) -> Answer:
    """The menus as published, the newest conditional one first; 46003 when there is none."""
    menus = call.account.menus
    if menus.default is None:
        raise ApiError(46003)
    return {"menu": menus.default, **({"conditionalmenu": menus.conditional[::-1]} if menus.conditional else {})}


@endpoint("/cgi-bin/menu/delete", method="GET", kinds=WITH_MENU, daily=1_000, test_daily=100)
def delete_menus(call: Call) -> Answer:
    """Take all menus away, the conditional ones too."""
    call.account.menus.delete()
    _note(call, 0)
    return dict(OK)


@endpoint("/cgi-bin/menu/addconditional", method="POST", kinds=VERIFIED, daily=2_000, bad_escape=40033)
def add_conditional_menu(call: Call) -> Answer:
    """A menu for some people; there must be a default one."""
    menus = call.account.menus
    if menus.default is None:
        raise ApiError(65303)
    check_conditional_menu(call.body, call.account.materials, menus.conditional)
    rule = call.body["matchrule"]
    if "tag_id" in rule:
        call.account.tags.known(_number(rule["tag_id"]))
    menu = menus.add(call.body["button"], rule)
    _note(call, len(call.body["button"]))
    return {"menuid": str(menu["menuid"])}


@endpoint("/cgi-bin/menu/delconditional", method="POST", kinds=VERIFIED, daily=2_000)
def delete_conditional_menu(call: Call) -> Answer:
    """Take one conditional menu away."""
    if not call.account.menus.remove(str(call.body.get("menuid"))):
        raise ApiError(65301)
    _note(call, len(call.account.menus.conditional))
    return dict(OK)


@endpoint("/cgi-bin/menu/trymatch", method="POST", kinds=VERIFIED, daily=20_000)
def match_menu(call: Call) -> Answer:
    """The menu that somebody sees."""
    person = call.platform.persons.get(str(call.body.get("user_id")))
    if person is None or person.appid != call.account.appid or not person.follows:
        raise ApiError(65302)
    if call.account.menus.default is None:
        raise ApiError(46003)
    seen = call.account.menu_of(person)
    return {"button": seen["button"] if seen else []}


@endpoint("/cgi-bin/get_current_selfmenu_info", method="GET", daily=10_000)
def get_current_menu(call: Call) -> Answer:
    """The menu in force, also one that was made on the website."""
    return call.account.menus.as_website()


def _number(value: object) -> object:
    """A tag's id, which a match rule gives as text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _note(call: Call, buttons: int) -> None:
    call.platform.note("menu", appid=call.account.appid, buttons=buttons)
