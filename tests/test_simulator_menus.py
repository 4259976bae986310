"""The simulator's menus: what it refuses, who sees which one, and what a tap on the phone does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from simulated import APPID, Api, platform

from wechat.simulator.hand import PhoneError
from wechat.simulator.library import Media
from wechat.simulator.samples import PHOTOS
from wechat.simulator.server import SimulatorServer
from wechat.simulator.taps import Answer

CREATE, GET, DELETE = "/cgi-bin/menu/create", "/cgi-bin/menu/get", "/cgi-bin/menu/delete"
ADD, REMOVE = "/cgi-bin/menu/addconditional", "/cgi-bin/menu/delconditional"
MATCH, CURRENT = "/cgi-bin/menu/trymatch", "/cgi-bin/get_current_selfmenu_info"


@pytest.fixture
def api() -> Iterator[Api]:
    with SimulatorServer(platform()) as server:
        yield Api(server)


def button(name: str = "报价", **fields: Any) -> dict[str, Any]:
    return {"type": "click", "name": name, "key": "K", **fields}


def link(host: str) -> dict[str, Any]:
    return {"type": "view", "name": "链接", "url": f"https://{host}/"}


def conditional(*buttons: dict[str, Any], **rule: Any) -> dict[str, Any]:
    return {"button": list(buttons) or [button("专属")], "matchrule": rule}


def test_a_menu_is_read_back_as_the_platform_keeps_it(api: Api) -> None:
    group = {"name": "更多😀", "type": "click", "sub_button": [link("a.test")]}
    assert api.code(CREATE, {"button": [button(extra=1), group]}) == 0
    assert api.get(GET)["menu"]["button"] == [
        {"type": "click", "name": "报价", "key": "K", "sub_button": []},
        {"name": "更多😀", "sub_button": [{**link("a.test"), "sub_button": []}]},
    ]
    assert api.get(CURRENT)["selfmenu_info"]["button"] == [
        button(),
        {"name": "更多😀", "sub_button": {"list": [link("a.test")]}},
    ]


def test_without_a_menu_reading_says_so_and_the_websites_menu_still_shows(api: Api) -> None:
    assert api.get(GET)["errcode"] == 46003
    assert api.get(CURRENT) == {"is_menu_open": 0, "selfmenu_info": {"button": []}}
    made = [{"name": "更多", "sub_button": {"list": [{"type": "text", "name": "地址", "value": "上海"}]}}]
    api.control("PUT", f"/accounts/{APPID}/website_menu", {"button": made})
    person = api.person()
    assert api.get(GET)["errcode"] == 46003
    assert api.get(CURRENT) == {"is_menu_open": 1, "selfmenu_info": {"button": made}}
    seen = api.account.menu_of(person)
    assert seen is not None
    assert seen["button"][0]["sub_button"][0]["name"] == "地址"


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"button": "x"}, 40015),
        ({}, 40016),
        (b'{"button":[{"type":"click","name":"\\u62a5","key":"K"}]}', 40033),
        ({"button": [button(type="media_id", media_id="unknown")]}, 40007),
        ({"button": [button(type="media_id", media_id="kept")]}, 0),
        ({"button": [{"name": "空"}]}, 40017),
        ({"button": [{"name": "空", "sub_button": []}]}, 40017),
        ({"button": [button(type="article_id")]}, 40035),
    ],
)
def test_what_cannot_be_a_menu_is_refused(api: Api, body: Any, errcode: int) -> None:
    api.account.materials["kept"] = Media("image")
    assert api.code(CREATE, body) == errcode
    assert (api.account.menus.default is not None) is (errcode == 0)


def test_a_conditional_menu_needs_a_default_one_and_goes_with_it(api: Api) -> None:
    tag = api.post("/cgi-bin/tags/create", {"tag": {"name": "老客户"}})["tag"]["id"]
    assert api.code(ADD, conditional(tag_id=str(tag))) == 65303
    assert api.code(CREATE, {"button": [button()]}) == 0
    first = api.post(ADD, conditional(tag_id=str(tag)))["menuid"]
    second = api.post(ADD, conditional(client_platform_type="2"))["menuid"]
    assert isinstance(first, str)
    assert [str(menu["menuid"]) for menu in api.get(GET)["conditionalmenu"]] == [second, first]
    assert api.code(REMOVE, {"menuid": first}) == 0
    assert api.code(REMOVE, {"menuid": first}) == 65301
    assert api.get(DELETE)["errcode"] == 0
    assert api.account.menus.conditional == []
    assert api.get(GET)["errcode"] == 46003


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"matchrule": {"tag_id": "2"}}, 65307),
        ({"button": [button()]}, 65304),
        (conditional(), 65304),
        (conditional(client_platform_type="9"), 65304),
        (conditional(sex="1"), 65320),
        (conditional(tag_id="2", language="zh_CN"), 65320),
        (conditional(tag_id="77"), 45159),
        (conditional(button("一个太长的名字"), tag_id="2"), 40018),
        (conditional(link("a.test"), link("b.test"), link("c.test"), tag_id="2"), 0),
        (conditional({"name": "多", "sub_button": [link(f"{letter}.test") for letter in "abcd"]}, tag_id="2"), 65316),
    ],
)
def test_what_cannot_be_a_conditional_menu_is_refused(api: Api, body: dict[str, Any], errcode: int) -> None:
    api.code(CREATE, {"button": [button()]})
    assert api.code(ADD, body) == errcode
    assert len(api.account.menus.conditional) == (1 if errcode == 0 else 0)


def test_all_conditional_menus_together_lead_to_three_domains(api: Api) -> None:
    api.code(CREATE, {"button": [link("z.test")]})
    assert [api.code(ADD, conditional(link(f"{letter}.test"), tag_id="2")) for letter in "abcad"] == [0, 0, 0, 0, 65316]


def test_the_newest_menu_that_fits_is_seen_and_of_several_tags_the_last_counts(api: Api) -> None:
    one, two = (api.account.tags.create(name) for name in ("一", "二"))
    person = api.person(tags=[one, two])
    api.person("oGone", follows=False)
    api.code(CREATE, {"button": [button("默认")]})

    def seen() -> str:
        return str(api.post(MATCH, {"user_id": "oPerson"})["button"][0]["name"])

    api.code(ADD, conditional(button("一"), tag_id=str(one)))
    assert seen() == "默认"
    api.code(ADD, conditional(button("二"), tag_id=str(two)))
    api.code(ADD, conditional(button("二新"), tag_id=str(two)))
    api.code(ADD, conditional(button("安卓"), tag_id=str(two), client_platform_type="2"))
    assert seen() == "二新"
    person.client = "2"
    assert seen() == "安卓"
    assert api.code("/cgi-bin/tags/members/batchtagging", {"openid_list": ["oPerson"], "tagid": one}) == 0
    assert seen() == "一"
    assert [api.code(MATCH, {"user_id": who}) for who in ("oGone", "oNobody")] == [65302, 65302]
    assert api.control("GET", "/persons/oPerson/chat")["menu"]["button"][0]["name"] == "一"


def test_a_tap_on_a_conditional_menu_names_the_menu(api: Api) -> None:
    api.person(tags=[2])
    api.code(CREATE, {"button": [link("a.test")]})
    tap = {"openid": "oPerson", "path": [0], "wait": True}
    assert "MenuId" not in api.control("POST", "/actions/click", tap)["entry"]["xml"]
    menuid = api.post(ADD, conditional(link("b.test"), tag_id="2"))["menuid"]
    answer = api.control("POST", "/actions/click", tap)
    assert f"<MenuId>{menuid}</MenuId>" in answer["entry"]["xml"]
    assert (answer["result"], answer["url"]) == ("open", "https://b.test/")
    wrong = api.control("POST", "/actions/click", {"openid": "oPerson", "path": [3]})
    assert wrong["error"] == "the menu has no such button"


@pytest.mark.parametrize(
    ("kind", "answer", "window", "nodes"),
    [
        ("click", Answer(), "menu", "<EventKey><![CDATA[K]]></EventKey>"),
        ("scancode_push", Answer("https://a.test/1"), "menu", "<ScanResult><![CDATA[https://a.test/1]]></ScanResult>"),
        ("scancode_waitmsg", Answer("EAN_13,69", "barcode"), "menu", "<ScanType><![CDATA[barcode]]></ScanType>"),
        ("pic_sysphoto", Answer(), "user_msg", "<Count>1</Count>"),
        ("pic_photo_or_album", Answer(pictures=PHOTOS[:2]), "user_msg", "<Count>2</Count>"),
        ("pic_weixin", Answer(pictures=()), None, "<Count>0</Count>"),
        ("location_select", Answer(), "user_msg", "<Location_X><![CDATA[31.230416]]></Location_X>"),
        ("view", Answer(), None, ""),
        ("miniprogram", Answer(), None, ""),
    ],
)
def test_each_kind_of_button_pushes_its_event_and_opens_the_window_it_should(
    api: Api, kind: str, answer: Answer, window: str | None, nodes: str
) -> None:
    person = api.person()
    fields = {"view": {"url": "https://a.test/"}, "miniprogram": {"pagepath": "pages/i", "appid": "wx2"}}
    outcome = api.server.phone.click("oPerson", {"type": kind, "key": "K", **fields.get(kind, {})}, answer)
    name = {"click": "CLICK", "view": "VIEW", "miniprogram": "view_miniprogram"}.get(kind, kind)
    assert outcome.push is not None
    assert f"<Event><![CDATA[{name}]]></Event>" in outcome.push.entry["xml"]
    assert nodes in outcome.push.entry["xml"]
    assert list(person.windows.buckets) == ([window] if window else [])


def test_photos_and_places_follow_their_event_as_messages(api: Api) -> None:
    person = api.person()
    photos = api.server.phone.click("oPerson", {"type": "pic_weixin", "key": "K"}, Answer(pictures=PHOTOS[:2]))
    place = api.server.phone.click("oPerson", {"type": "location_select", "key": "K"})
    assert photos.also is not None
    assert place.also is not None
    media_id = re.search(r"<MediaId><!\[CDATA\[(.+?)\]\]>", photos.also.xml)
    assert media_id is not None
    assert api.raw("GET", "/cgi-bin/media/get", media_id=media_id[1]).headers["Content-Type"] == "image/jpeg"
    assert "<MsgType><![CDATA[location]]></MsgType>" in place.also.xml
    shown = [line["kind"] for line in person.chat if line["who"] == "person"]
    assert shown == ["image", "image", "location"]


def test_a_code_of_the_simulator_is_scanned_but_not_opened(api: Api) -> None:
    api.person()
    tool = {"type": "scancode_push", "key": "K"}
    assert api.server.phone.click("oPerson", tool, Answer("https://a.test/1")).url == "https://a.test/1"
    assert api.server.phone.click("oPerson", tool, Answer(f"{api.server.url}/q/x")).url == ""


def test_a_file_button_shows_the_file_and_pushes_nothing(api: Api) -> None:
    person = api.person()
    api.account.materials["kept"] = Media("image", picture=PHOTOS[0])
    api.account.materials["news"] = Media("news", title="案例")
    for fields in ({"type": "media_id", "media_id": "kept"}, {"type": "view_limited", "media_id": "news"}):
        assert api.server.phone.click("oPerson", fields).push is None
    api.server.phone.click("oPerson", {"type": "article_id", "article_id": "A1"})
    assert [line["kind"] for line in person.chat] == ["image", "material", "mpnewsarticle"]
    assert person.chat[0]["picture"] == PHOTOS[0]
    with pytest.raises(PhoneError):
        api.server.phone.click("oPerson", {"type": "dance"})


def test_a_menu_shows_what_is_left_of_its_daily_quota(api: Api) -> None:
    api.code(CREATE, {"button": [button()]})
    quota = api.post("/cgi-bin/openapi/quota/get", {"cgi_path": CREATE})["quota"]
    assert quota == {"daily_limit": 1000, "used": 1, "remain": 999}
    api.account.kind = "test"
    assert api.post("/cgi-bin/openapi/quota/get", {"cgi_path": CREATE})["quota"]["daily_limit"] == 100
