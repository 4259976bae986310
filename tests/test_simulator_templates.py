"""The simulator's template messages and subscription notices: values, repeats, consents, and the events afterwards."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from simulated import APPID, Api, platform

from wechat.simulator.endpoints.template_values import checked_values
from wechat.simulator.errors import ApiError
from wechat.simulator.server import SimulatorServer
from wechat.simulator.template_library import Keyword, Template
from wechat.simulator.templates import MOST_TEMPLATES

SEND, LIST = "/cgi-bin/message/template/send", "/cgi-bin/template/get_all_private_template"
ADD, DELETE = "/cgi-bin/template/api_add_template", "/cgi-bin/template/del_private_template"
NOTICE, NEWTMPL = "/cgi-bin/message/subscribe/bizsend", "/wxaapi/newtmpl/"
QUOTE = {"thing1": "整装报价", "amount2": "86500.00元", "time3": "2026年1月5日 15:01", "number4": "89"}


@pytest.fixture
def api() -> Iterator[Api]:
    with SimulatorServer(platform()) as server:
        yield Api(server)


def values(**changes: Any) -> dict[str, Any]:
    return {key: {"value": value} for key, value in {**QUOTE, **changes}.items() if value is not None}


def message(api: Api, data: Any = None, **fields: Any) -> dict[str, Any]:
    template_id = next(iter(api.account.templates.private))
    return {"touser": "oPerson", "template_id": template_id, "data": data or values(), **fields}


def test_an_account_starts_with_three_templates_whose_fields_stand_in_their_content(api: Api) -> None:
    listed = api.get(LIST)["template_list"]
    assert [template["title"] for template in listed] == ["报价生成通知", "订单状态变更通知", "预约上门量房通知"]
    assert all(re.fullmatch(r"[\w-]{43}", template["template_id"]) for template in listed)
    rules = {
        key.rstrip("0123456789") for key in re.findall(r"\{\{(\w+)\.DATA\}\}", "".join(t["content"] for t in listed))
    }
    assert rules >= {"thing", "time", "amount", "character_string", "const", "phone_number"}
    assert listed[0]["content"].startswith("项目名称:{{thing1.DATA}}\n报价金额:{{amount2.DATA}}\n")
    assert api.get("/cgi-bin/template/get_industry")["primary_industry"]["second_class"] == "建筑"


def test_every_example_is_a_value_that_the_simulator_takes(api: Api) -> None:
    for template in api.account.templates.private.values():
        data = {keyword.key: {"value": keyword.example} for keyword in template.keywords}
        assert len(checked_values(template, data)) == len(template.keywords)


def test_a_template_is_taken_from_the_library_and_given_back(api: Api) -> None:
    picked = {"template_id_short": "50331", "keyword_name_list": ["付款金额", "付款项目"]}
    made = api.post(ADD, picked)["template_id"]
    assert api.get(LIST)["template_list"][-1]["content"] == "付款金额:{{amount2.DATA}}\n付款项目:{{phrase1.DATA}}\n"
    assert api.code(DELETE, {"template_id": made}) == 0
    assert api.code(DELETE, {"template_id": made}) == 40037
    assert len(api.get(LIST)["template_list"]) == 3


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"template_id_short": "1", "keyword_name_list": ["x"]}, 40037),
        ({"template_id_short": "OPENTM207", "keyword_name_list": ["x"]}, 40247),
        ({"template_id_short": "47123", "keyword_name_list": ["没有的"]}, 40246),
        ({"template_id_short": "47123", "keyword_name_list": ["备注", "备注"]}, 40246),
        ({"template_id_short": "47123"}, 40246),
    ],
)
def test_what_the_library_does_not_have_cannot_be_taken(api: Api, body: dict[str, Any], errcode: int) -> None:
    assert api.code(ADD, body) == errcode


def test_an_account_holds_25_templates(api: Api) -> None:
    picked = {"template_id_short": "47123", "keyword_name_list": ["备注"]}
    assert {api.code(ADD, picked) for _ in range(MOST_TEMPLATES - 3)} == {0}
    assert api.code(ADD, picked) == 45026


def test_a_sent_template_is_a_card_in_the_chat_and_an_event_to_the_account(api: Api) -> None:
    person = api.person()
    answer = api.post(SEND, message(api, url="https://a.test/q", client_msg_id="ob-1"))
    assert len(str(answer["msgid"])) == 19
    [line] = person.chat
    assert (line["kind"], line["title"], line["url"]) == ("template", "报价生成通知", "https://a.test/q")
    assert line["rows"][1] == ("报价金额", "86500.00元")
    event = api.pushed("TEMPLATESENDJOBFINISH")
    assert f"<MsgID>{answer['msgid']}</MsgID>" in event
    assert "<Status><![CDATA[success]]></Status>" in event
    assert not person.windows.buckets


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"muted": True}, "failed:user block"),
        ({"job_status": "failed: system failed"}, "failed: system failed"),
        ({"job_status": "failed:freq limit", "muted": True}, "failed:freq limit"),
    ],
)
def test_accepted_is_not_delivered(api: Api, facts: dict[str, Any], status: str) -> None:
    person = api.person(**facts)
    assert api.code(SEND, message(api)) == 0
    assert f"<Status><![CDATA[{status}]]></Status>" in api.pushed("TEMPLATESENDJOBFINISH")
    assert person.chat == []


def test_a_repeat_within_ten_minutes_gets_the_same_number_and_sends_nothing(api: Api) -> None:
    person = api.person()
    api.person("oOther")
    first = api.post(SEND, message(api, client_msg_id="ob-1"))["msgid"]
    assert api.post(SEND, message(api, client_msg_id="ob-1"))["msgid"] == first
    assert api.post(SEND, message(api, client_msg_id="ob-2"))["msgid"] != first
    assert api.post(SEND, message(api, client_msg_id="ob-1", touser="oOther"))["msgid"] != first
    assert len(person.chat) == 2
    api.platform.clock.advance(599)
    assert api.post(SEND, message(api, client_msg_id="ob-1"))["msgid"] == first
    api.platform.clock.advance(2)
    assert api.post(SEND, message(api, client_msg_id="ob-1"))["msgid"] != first
    told = api.control("GET", f"/accounts/{APPID}/sent?limit=1")
    assert (told["total"], told["persons"], told["repeated"]) == (4, 2, ["oPerson"])
    assert told["messages"][0]["client_msg_id"] == "ob-1"


@pytest.mark.parametrize(
    ("fields", "errcode"),
    [
        ({"touser": "oNobody"}, 40003),
        ({"touser": None}, 40003),
        ({"touser": "oGone"}, 43004),
        ({"touser": "oBlocked"}, 43019),
        ({"template_id": ""}, 40036),
        ({"template_id": "unknown"}, 40037),
        ({"data": {"thing1": "x"}}, 47003),
        ({"data": {}}, 47003),
        ({"data": "x"}, 47001),
        ({"url": "https://a.test/" + "x" * 1024}, 40039),
        ({"miniprogram": {"pagepath": "x"}}, 40013),
        ({"data": {**{k: {"value": v} for k, v in QUOTE.items()}, "first": {"value": ""}, "thing9": {}}}, 0),
        ({"miniprogram": {"appid": "wx2", "pagepath": "x"}}, 0),
    ],
)
def test_receiver_template_and_link_are_checked(api: Api, fields: dict[str, Any], errcode: int) -> None:
    api.person()
    api.person("oGone", follows=False)
    api.person("oBlocked", blacklisted=True)
    assert api.code(SEND, {**message(api), **fields}) == errcode
    assert len(api.account.templates.sent) == (1 if errcode == 0 else 0)


def test_a_subscription_template_is_unknown_to_the_template_call(api: Api) -> None:
    api.person()
    assert api.code(SEND, message(api, template_id=next(iter(api.account.subscriptions.private)))) == 40037


GOOD_AND_BAD = {
    "thing": (["报", "十" * 20, "A-1，b"], ["", " ", "十" * 21, "两\n行"]),
    "character_string": (["BJ20260105-01", "x" * 32], ["编号1", "x" * 33, ""]),
    "time": (
        [
            "15:01",
            "9:00",
            "2026年1月5日 15:01",
            "2026-01-05 15:01:00",
            "09:00~11:00",
            "2026年1月5日 9:00~2026年1月5日 10:00",
        ],
        ["24:00", "15:60", "明天", "2026年2月30日 10:00", "2026年1月5日", "１５:01", "9:00~", ""],
    ),
    "date": (
        ["2026年1月5日", "2026-01-05", "2026年1月5日 15:01", "2026-1-1~2026-1-3"],
        ["2026年13月1日", "1月5日", "x"],
    ),
    "amount": (["86500", "86500.00元", "¥0.5", "123456789012"], ["86,500", "1234567890123", "￥", "免费", "5元整"]),
    "phone_number": (["+86-0766-66888866", "13800138000"], ["138001380001380013", "电话", ""]),
    "car_number": (["粤A8Z888挂"], ["粤A8Z8888挂车"]),
    "const": (["待确认", ""], ["其他"]),
    "number": (["89", "89.5", "-1"], ["八十", "1e3", "1" * 33]),
    "letter": (["SJA"], ["SJ1", "x" * 33]),
    "symbol": (["★★★★★"], ["★★★★★★", "a"]),
    "name": (["王女士", "Anna Wang"], ["一二三四五六七八九十一", "x" * 21]),
    "phrase": (["首期款"], ["首期款abc", "一二三四五六"]),
    "short_thing": (["短"], ["长" * 21]),
}


VALUES = [
    (rule, value, fits)
    for rule, (good, bad) in GOOD_AND_BAD.items()
    for fits, group in ((True, good), (False, bad))
    for value in group
]


@pytest.mark.parametrize(("rule", "value", "fits"), VALUES)
def test_a_value_is_checked_by_the_type_of_its_field(rule: str, value: str, fits: bool) -> None:
    template = Template("T", "标题", (Keyword(3, "字段", rule, "", ("待确认",)),))
    data = {f"{rule}3": {"value": value}}
    if fits:
        assert checked_values(template, data) == [("字段", value)]
        return
    with pytest.raises(ApiError) as refused:
        checked_values(template, data)
    assert (refused.value.errcode, refused.value.errmsg) == (47003, f"argument invalid! data.{rule}3.value invalid")


def test_a_bad_value_is_named_with_its_field_and_a_request_id(api: Api) -> None:
    api.person()
    answer = api.post(SEND, message(api, values(time3="昨天")))
    assert re.fullmatch(
        r"argument invalid! data\.time3\.value invalid rid: [0-9a-f]{8}(-[0-9a-f]{8}){2}", answer["errmsg"]
    )
    missing = api.post(SEND, message(api, values(amount2=None)))
    assert missing["errmsg"].startswith("argument invalid! data.amount2.value invalid")


def test_an_ordered_47003_names_a_field_of_the_very_message(api: Api) -> None:
    api.person()
    api.platform.faults.set(kind="errcode", errcode=47003, match=SEND)
    assert api.post(SEND, message(api))["errmsg"].startswith("argument invalid! data.thing1.value invalid rid: ")
    api.platform.faults.set(kind="errcode", errcode=47003, match="/cgi-bin/tags/create")
    assert api.post("/cgi-bin/tags/create", {"tag": {"name": "x"}})["errmsg"].startswith("argument invalid! rid: ")


def test_an_account_without_the_right_cannot_send_templates(api: Api) -> None:
    api.account.kind = "verified_subscription"
    assert api.code(SEND, message(api)) == 48001


def notice(api: Api, **fields: Any) -> dict[str, Any]:
    template_id = next(iter(api.account.subscriptions.private))
    data = {key: {"value": value} for key, value in list(QUOTE.items())[:3]}
    return {"touser": "oPerson", "template_id": template_id, "page": "https://a.test/q", "data": data, **fields}


def test_a_notice_needs_a_consent_and_uses_it_up(api: Api) -> None:
    person = api.person()
    template_id = next(iter(api.account.subscriptions.private))
    assert api.code(NOTICE, notice(api)) == 43101
    asked = {"openid": "oPerson", "template_id": template_id, "wait": True}
    assert "reject" in api.control("POST", "/actions/refuse_notice", asked)["entry"]["xml"]
    assert api.code(NOTICE, notice(api)) == 43101
    popup = api.control("POST", "/actions/allow_notice", asked)["entry"]["xml"]
    assert f"<SubscribeMsgPopupEvent><List><TemplateId><![CDATA[{template_id}]]></TemplateId>" in popup.replace(
        "\n", ""
    )
    assert [api.code(NOTICE, notice(api)) for _ in range(2)] == [0, 43101]
    assert person.chat[-1]["via"] == "subscription"
    sent = api.pushed("subscribe_msg_sent_event")
    assert re.search(r"<MsgID><!\[CDATA\[\d{19}\]\]></MsgID>", sent)
    assert "<ErrorStatus><![CDATA[success]]></ErrorStatus>" in sent


def test_a_withdrawn_consent_is_told_and_void(api: Api) -> None:
    api.person()
    template_id = next(iter(api.account.subscriptions.private))
    asked = {"openid": "oPerson", "template_id": template_id, "wait": True}
    for _ in range(2):
        api.control("POST", "/actions/allow_notice", asked)
    assert api.control("GET", "/persons/oPerson/chat")["notices"][0]["left"] == 2
    withdrawn = api.control("POST", "/actions/withdraw_notice", asked)["entry"]
    assert withdrawn["event"] == "subscribe_msg_change_event"
    assert "reject" in withdrawn["xml"]
    assert api.control("POST", "/actions/withdraw_notice", asked)["result"] == "already"
    assert api.code(NOTICE, notice(api)) == 43101


def test_a_long_term_consent_holds_for_every_notice(api: Api) -> None:
    person = api.person(muted=True)
    made = api.post(f"{NEWTMPL}addtemplate", {"tid": "402", "kidList": [1, 4], "sceneDesc": "进度"})["priTmplId"]
    listed = api.get(f"{NEWTMPL}gettemplate")["data"][-1]
    assert (listed["priTmplId"], listed["type"]) == (made, 3)
    assert listed["keywordEnumValueList"][0]["keywordCode"] == "const4.DATA"
    api.server.phone.answer_notice("oPerson", made, allows=True)
    body = notice(api, template_id=made, data={"thing1": {"value": "人民大道"}, "const4": {"value": "施工中"}})
    assert [api.code(NOTICE, body) for _ in range(3)] == [0, 0, 0]
    assert person.chat == []
    assert "<ErrorCode><![CDATA[43101]]></ErrorCode>" in api.pushed("subscribe_msg_sent_event")
    assert api.code(f"{NEWTMPL}deltemplate", {"priTmplId": made}) == 0
    assert api.code(NOTICE, body) == 40037


@pytest.mark.parametrize(
    ("path", "query", "errcode"),
    [
        ("getpubtemplatetitles", {}, 200018),
        ("getpubtemplatetitles", {"ids": "1"}, 200019),
        ("getpubtemplatetitles", {"ids": "616", "start": "x", "limit": "1"}, 200016),
        ("getpubtemplatetitles", {"ids": "616", "start": "0", "limit": "31"}, 200017),
        ("getpubtemplatetitles", {"ids": "616,617", "start": "0", "limit": "30"}, 0),
        ("getpubtemplatekeywords", {"tid": "1"}, 200014),
        ("getpubtemplatekeywords", {"tid": "401"}, 0),
        ("getcategory", {}, 0),
    ],
)
def test_the_library_of_notices_can_be_looked_through(api: Api, path: str, query: dict[str, str], errcode: int) -> None:
    answer = api.get(NEWTMPL + path, **query)
    assert answer["errcode"] == errcode
    assert bool(answer.get("data")) is (errcode == 0)


@pytest.mark.parametrize(
    ("fields", "errcode"),
    [
        ({"tid": "1"}, 200014),
        ({"kidList": [1]}, 200020),
        ({"kidList": [1, 1]}, 200020),
        ({"kidList": [1, 9]}, 200020),
        ({"sceneDesc": "十" * 16}, 200021),
        ({"kidList": [1, 2, 3]}, 200022),
        ({}, 0),
    ],
)
def test_a_notice_template_is_checked_when_it_is_taken(api: Api, fields: dict[str, Any], errcode: int) -> None:
    assert (
        api.code(f"{NEWTMPL}addtemplate", {"tid": "401", "kidList": [3, 5, 4], "sceneDesc": "报价", **fields})
        == errcode
    )
