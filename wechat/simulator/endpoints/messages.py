"""Customer-service messages: may this account write to this person now, and is the message well formed?

Source: wechat-api.md, sections 6 and 16.
"""

from typing import Any

from wechat.simulator.accounts import Person
from wechat.simulator.calls import OK, VERIFIED, Answer, Call, endpoint
from wechat.simulator.endpoints.message_shapes import checked_content
from wechat.simulator.errors import ApiError

EXCHANGE = 30.0  # seconds since the last contact within which typing may be shown


@endpoint("/cgi-bin/message/custom/send", method="POST", kinds=VERIFIED, daily=500_000, test_daily=50_000)
def send_custom_message(call: Call) -> Answer:
    """Put a message into a follower's chat, if a window is open."""
    person = _receiver(call)
    refusal = person.windows.refusal(call.now)
    if refusal is not None:
        raise ApiError(refusal)
    kind, content = checked_content(call.body, lambda media_id: call.account.file(media_id, call.now))
    signature = _signature(call)
    person.windows.consume(call.now)
    person.typing = False
    person.last_contact = call.now
    call.platform.counters["messages"] += 1
    call.platform.note("message", appid=person.appid, openid=person.openid, rid=call.rid, message=call.body)
    call.platform.say(person, who="account", kind=kind, via="customer_service", **content, **signature)
    return dict(OK)


def _signature(call: Call) -> dict[str, Any]:
    """Whose name stands above the message, and whether a grey line says that a machine wrote it. 65401, 40035."""
    shown: dict[str, Any] = {}
    service, context = call.body.get("customservice"), call.body.get("aimsgcontext")
    if service is not None:
        agent = call.account.desk.agent(service.get("kf_account") if isinstance(service, dict) else None)
        shown["agent"] = agent.nickname
    if context is not None:
        flag = context.get("is_ai_msg", 0) if isinstance(context, dict) else None
        if flag not in (0, 1):
            raise ApiError(40035)
        shown["by_machine"] = bool(flag)
    return shown


def _receiver(call: Call) -> Person:
    """The follower that `touser` names. Raises ApiError 40003, 45015, 43019 or 48002."""
    openid = call.body.get("touser")
    person = call.platform.persons.get(openid) if isinstance(openid, str) else None
    if person is None or person.appid != call.account.appid:
        raise ApiError(40003)
    if not person.follows:
        raise ApiError(45015)
    if person.blacklisted:
        raise ApiError(43019)
    if person.muted:
        raise ApiError(48002)
    return person


@endpoint("/cgi-bin/message/custom/typing", method="POST", kinds=VERIFIED)
def show_typing(call: Call) -> Answer:
    """Show or hide that somebody is typing: only within 30 s of the last exchange."""
    person = _receiver(call)
    command = call.body.get("command")
    if command not in ("Typing", "CancelTyping"):
        raise ApiError(45072)
    if call.now - person.last_contact > EXCHANGE:
        raise ApiError(45080)
    starts = command == "Typing"
    if starts and person.typing:
        raise ApiError(45081)
    person.typing = starts
    call.platform.note("typing", appid=person.appid, openid=person.openid, typing=starts)
    return dict(OK)
