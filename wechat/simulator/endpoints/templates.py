"""Template messages: the templates of the account, and sending one. Source: wechat-api.md, sections 7 and 16."""

from typing import Any

from wechat.simulator.accounts import Person
from wechat.simulator.calls import OK, SERVICE, Answer, Call, endpoint
from wechat.simulator.endpoints.persons import person_of
from wechat.simulator.endpoints.template_values import checked_values
from wechat.simulator.envelopes import Nodes
from wechat.simulator.errors import ApiError
from wechat.simulator.template_library import Template
from wechat.simulator.templates import Sent, new_msgid

LONGEST_URL = 1024  # bytes; not published
BLOCKED = "failed:user block"
INDUSTRY = {"first_class": "房地产", "second_class": "建筑"}
DAILY = 1_000  # of the calls that manage templates; not published


@endpoint("/cgi-bin/template/get_industry", method="GET", kinds=SERVICE, daily=DAILY)
def get_industry(call: Call) -> Answer:
    """The account's two industries."""
    return {"primary_industry": INDUSTRY, "secondary_industry": {"first_class": "消费品", "second_class": "消费品"}}


@endpoint("/cgi-bin/template/api_add_template", method="POST", kinds=SERVICE, daily=DAILY)
def add_template(call: Call) -> Answer:
    """Take a template of the library over."""
    names = call.body.get("keyword_name_list")
    template = call.account.templates.pick(call.account.appid, call.body.get("template_id_short"), names)
    call.platform.note("template", appid=call.account.appid, added=template.title)
    return {**OK, "template_id": template.id}


@endpoint("/cgi-bin/template/get_all_private_template", method="GET", kinds=SERVICE, daily=DAILY)
def list_templates(call: Call) -> Answer:
    """The account's templates. Their fields stand only in `content`."""
    return {"template_list": [_as_json(template) for template in call.account.templates.private.values()]}


def _as_json(template: Template) -> dict[str, str]:
    return {
        "template_id": template.id,
        "title": template.title,
        "primary_industry": "",
        "deputy_industry": "",
        "content": template.content,
        "example": template.example,
    }


@endpoint("/cgi-bin/template/del_private_template", method="POST", kinds=SERVICE, daily=DAILY)
def delete_template(call: Call) -> Answer:
    """Give a template back."""
    template = call.account.templates.find(call.body.get("template_id"))
    del call.account.templates.private[template.id]
    call.platform.note("template", appid=call.account.appid, deleted=template.title)
    return dict(OK)


@endpoint("/cgi-bin/message/template/send", method="POST", kinds=SERVICE, daily=100_000, test_daily=10_000)
def send_template_message(call: Call) -> Answer:
    """Put a card into a follower's chat; what became of it is said by an event. A repeat changes nothing."""
    person = _receiver(call)
    template = call.account.templates.find(call.body.get("template_id"))
    rows = checked_values(template, call.body.get("data"))
    link = checked_link(call)
    client_msg_id = str(call.body.get("client_msg_id") or "")
    repeated = call.account.templates.repeated(person.openid, client_msg_id, call.now) if client_msg_id else None
    if repeated:
        return {**OK, "msgid": repeated}
    status = person.job_status or (BLOCKED if person.muted else "success")
    message = Sent(new_msgid(), person.openid, template.id, client_msg_id, call.now, status)
    call.account.templates.note(message)
    _deliver(call, person, message, {"title": template.title, "rows": rows, **link})
    return {**OK, "msgid": message.msgid}


def _receiver(call: Call) -> Person:
    """The follower that `touser` names. Raises ApiError 40003, 43004 or 43019."""
    person = person_of(call, call.body.get("touser"))
    if not person.follows:
        raise ApiError(43004)
    if person.blacklisted:
        raise ApiError(43019)
    return person


def checked_link(call: Call) -> dict[str, Any]:
    """Where the card leads: a mini program before a page. Raises ApiError 40039 or 40013."""
    url, program = call.body.get("url") or "", call.body.get("miniprogram")
    if not isinstance(url, str) or len(url.encode()) > LONGEST_URL:
        raise ApiError(40039)
    if not program:
        return {"url": url}
    if not isinstance(program, dict) or not program.get("appid"):
        raise ApiError(40013)
    return {"url": url, "miniprogram": str(program["appid"])}


def _deliver(call: Call, person: Person, message: Sent, card: dict[str, Any]) -> None:
    facts = {"appid": person.appid, "openid": person.openid, "msgid": message.msgid, "status": message.status}
    call.platform.counters["template_messages"] += 1
    call.platform.note("template", rid=call.rid, title=card["title"], message=call.body, **facts)
    if message.status == "success":
        call.platform.say(person, who="account", kind="template", via="template", **card)
    nodes: Nodes = [("Event", "TEMPLATESENDJOBFINISH"), ("MsgID", message.msgid), ("Status", message.status)]
    call.platform.announce(call.account, person, nodes)
