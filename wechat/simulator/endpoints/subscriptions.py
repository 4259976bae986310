"""Subscription notices: the account's templates, the library they come from, and sending one.

Source: wechat-api.md, section 8.1. These paths have no /cgi-bin but for the sending.
"""

from typing import Any

from wechat.simulator.accounts import Person
from wechat.simulator.calls import OK, SERVICE, Answer, Call, endpoint
from wechat.simulator.endpoints.persons import person_of
from wechat.simulator.endpoints.template_values import NOTICE_MONEY_DIGITS, checked_values
from wechat.simulator.endpoints.templates import checked_link
from wechat.simulator.envelopes import Nodes
from wechat.simulator.errors import ERRMSGS, ApiError
from wechat.simulator.subscriptions import use_up
from wechat.simulator.template_library import CATEGORIES, SUBSCRIPTION_LIBRARY, Template
from wechat.simulator.templates import new_msgid

DAILY = 1_000  # not published
MOST_TITLES = 30


@endpoint("/wxaapi/newtmpl/getcategory", method="GET", kinds=SERVICE, daily=DAILY)
def list_categories(call: Call) -> Answer:
    """The account's categories."""
    return {**OK, "data": [{"id": number, "name": name} for number, name in CATEGORIES.items()]}


@endpoint("/wxaapi/newtmpl/getpubtemplatetitles", method="GET", kinds=SERVICE, daily=DAILY)
def list_titles(call: Call) -> Answer:
    """The library's entries for some categories."""
    if not call.query.get("ids"):
        raise ApiError(200018)
    if not all(number.isdecimal() and int(number) in CATEGORIES for number in call.query["ids"].split(",")):
        raise ApiError(200019)
    start, limit = call.query.get("start", ""), call.query.get("limit", "")
    if not start.isdecimal():
        raise ApiError(200016)
    if not limit.isdecimal() or not 1 <= int(limit) <= MOST_TITLES:
        raise ApiError(200017)
    entries = list(SUBSCRIPTION_LIBRARY.values())
    shown = entries[int(start) : int(start) + int(limit)]
    category = str(next(iter(CATEGORIES)))
    titles = [
        {"tid": int(entry.number), "title": entry.title, "type": entry.kind, "categoryId": category} for entry in shown
    ]
    return {**OK, "count": len(entries), "data": titles}


@endpoint("/wxaapi/newtmpl/getpubtemplatekeywords", method="GET", kinds=SERVICE, daily=DAILY)
def list_keywords(call: Call) -> Answer:
    """What one entry of the library offers."""
    entry = SUBSCRIPTION_LIBRARY.get(call.query.get("tid", ""))
    if entry is None:
        raise ApiError(200014)
    data = [
        {"kid": keyword.number, "name": keyword.name, "example": keyword.example, "rule": keyword.rule}
        for keyword in entry.keywords
    ]
    return {**OK, "count": len(data), "data": data}


@endpoint("/wxaapi/newtmpl/addtemplate", method="POST", kinds=SERVICE, daily=DAILY)
def add_template(call: Call) -> Answer:
    """Take an entry over, with two to five of its keywords."""
    body = call.body
    subscriptions, scene = call.account.subscriptions, body.get("sceneDesc", "")
    template = subscriptions.pick(call.account.appid, body.get("tid"), body.get("kidList"), scene)
    call.platform.note("template", appid=call.account.appid, added=template.title)
    return {**OK, "priTmplId": template.id}


@endpoint("/wxaapi/newtmpl/gettemplate", method="GET", kinds=SERVICE, daily=DAILY)
def list_templates(call: Call) -> Answer:
    """The account's subscription templates."""
    return {**OK, "data": [_as_json(template) for template in call.account.subscriptions.private.values()]}


def _as_json(template: Template) -> dict[str, Any]:
    return {
        "priTmplId": template.id,
        "title": template.title,
        "content": template.content,
        "example": template.example,
        "type": template.kind,
        "keywordEnumValueList": [
            {"keywordCode": f"{keyword.key}.DATA", "enumValueList": list(keyword.choices)}
            for keyword in template.keywords
            if keyword.choices
        ],
    }


@endpoint("/wxaapi/newtmpl/deltemplate", method="POST", kinds=SERVICE, daily=DAILY)
def delete_template(call: Call) -> Answer:
    """Give a template back."""
    template = _template(call, call.body.get("priTmplId"))
    del call.account.subscriptions.private[template.id]
    call.platform.note("template", appid=call.account.appid, deleted=template.title)
    return dict(OK)


def _template(call: Call, wanted: object) -> Template:
    """The template of this id. Raises ApiError 40037."""
    template = call.account.subscriptions.private.get(wanted) if isinstance(wanted, str) else None
    if template is None:
        raise ApiError(40037)
    return template


@endpoint("/cgi-bin/message/subscribe/bizsend", method="POST", kinds=SERVICE, daily=100_000, test_daily=10_000)
def send_notice(call: Call) -> Answer:
    """Send a notice to somebody who asked for it; a consent to a one-time template is used up."""
    person = person_of(call, call.body.get("touser"))
    template = _template(call, call.body.get("template_id"))
    rows = checked_values(template, call.body.get("data"), money_digits=NOTICE_MONEY_DIGITS)
    link = checked_link(call)
    use_up(person.opt_ins, template)
    msgid = new_msgid()
    facts = {"appid": person.appid, "openid": person.openid, "msgid": msgid, "title": template.title}
    call.platform.note("template", rid=call.rid, message=call.body, **facts)
    if not person.muted:
        link["url"] = link["url"] or str(call.body.get("page") or "")
        card = {"title": template.title, "rows": rows, **link}
        call.platform.say(person, who="account", kind="template", via="subscription", **card)
    call.platform.announce(call.account, person, _sent_event(template, msgid, person))
    return dict(OK)


def _sent_event(template: Template, msgid: int, person: Person) -> Nodes:
    errcode, status = (43101, ERRMSGS[43101]) if person.muted else (0, "success")
    number, code = ("MsgID", str(msgid)), ("ErrorCode", str(errcode))
    facts: Nodes = [("TemplateId", template.id), number, code, ("ErrorStatus", status)]
    return [("Event", "subscribe_msg_sent_event"), ("SubscribeMsgSentEvent", [("List", facts)])]
