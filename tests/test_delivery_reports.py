"""Reports of delivery reach their message, whatever comes first; the spelling of the status does not matter."""

from datetime import timedelta

import pytest
import time_machine
from callback import OPENID, Callback, event, xml
from django.utils import timezone

from wechat import attempts, delivery_reports
from wechat.models import Account, Cursor, OutgoingMessage, Push

State, Delivery, Route = OutgoingMessage.State, OutgoingMessage.Delivery, OutgoingMessage.Route
MSGID = "3428411849815982087"  # beyond what a floating number holds


def message(account: Account, **values: object) -> OutgoingMessage:
    now = timezone.now()
    usual = {"purpose": "template", "route": Route.TEMPLATE, "state": State.SENT, "msgid": MSGID}
    content = {"kind": "template", "template_id": "T", "data": {}, "url": "", "appid": "", "pagepath": ""}
    times = {"created_at": now, "due_at": now, "expires_at": now + timedelta(days=1)}
    return OutgoingMessage.objects.create(
        account=account, **{"openid": OPENID, "content": content, **times, **usual, **values}
    )


def report(status: str, msgid: str = MSGID, openid: str = OPENID) -> str:
    return event("TEMPLATESENDJOBFINISH", openid, MsgID=msgid, Status=status)


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("success", Delivery.DELIVERED),
        ("failed:user block", Delivery.BLOCKED),
        ("failed: user block", Delivery.BLOCKED),
        ("failed:  User Block ", Delivery.BLOCKED),
        ("failed: system failed", Delivery.FAILED),
        ("failed:freq limit", Delivery.FAILED),
        ("", Delivery.FAILED),
    ],
)
def test_a_report_says_what_became_of_the_message(account: Account, push: Callback, status: str, delivery: str) -> None:
    row = message(account)
    assert push(report(status)).content == b"success"
    row.refresh_from_db()
    assert (row.delivery, row.delivery_text) == (delivery, status.strip())
    assert Push.objects.get().state == Push.State.DONE


def test_a_report_of_somebody_elses_message_changes_nothing(account: Account, push: Callback) -> None:
    mine, unnumbered = message(account), message(account, msgid="", openid="oOther")
    other = message(Account.objects.create(slug="other", name="x"), openid="oThird")
    push(report("success", msgid="1"))
    push(report("success", openid="oOther"))
    push(report("success", msgid="", openid="oOther"))
    for row in (mine, unnumbered, other):
        row.refresh_from_db()
        assert row.delivery == ""


def test_a_report_that_came_before_the_number_was_written_is_not_lost(account: Account, push: Callback) -> None:
    row = message(account, msgid="", state=State.SENDING)
    push(report("failed:user block"))
    OutgoingMessage.objects.filter(pk=row.pk).update(msgid=MSGID, state=State.SENT)
    assert delivery_reports.reconcile() == 0
    row.refresh_from_db()
    assert row.delivery == ""  # too fresh: the number may still be on its way
    with time_machine.travel(timezone.now() + delivery_reports.SETTLED):
        delivery_reports.reconcile()
    row.refresh_from_db()
    assert row.delivery == Delivery.BLOCKED
    assert Cursor.objects.get(name=delivery_reports.NAME).position == Push.objects.get().pk


def test_a_repeated_message_finds_the_report_of_its_first_attempt(
    account: Account, push: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = message(account, msgid="", state=State.SENDING, attempts=2, holder="x")
    push(report("success"))
    monkeypatch.setattr(attempts, "_call", lambda *_: MSGID)
    row.refresh_from_db()
    attempts.attempt(row)
    row.refresh_from_db()
    assert (row.state, row.msgid, row.delivery) == (State.SENT, MSGID, Delivery.DELIVERED)


def notice_report(code: str, template: str = "T") -> str:
    inner = (
        f"<SubscribeMsgSentEvent><List><TemplateId>{template}</TemplateId><MsgID>1</MsgID>"
        f"<ErrorCode>{code}</ErrorCode><ErrorStatus>x</ErrorStatus></List></SubscribeMsgSentEvent>"
    )
    return event("subscribe_msg_sent_event").replace("</xml>", f"{inner}</xml>")


@pytest.mark.parametrize(
    ("code", "delivery"), [("0", Delivery.DELIVERED), ("43101", Delivery.BLOCKED), ("7", "failed")]
)
def test_a_notice_is_found_by_its_template(account: Account, push: Callback, code: str, delivery: str) -> None:
    other = message(account, route=Route.SUBSCRIPTION, msgid="", content={"kind": "subscription", "template_id": "S"})
    row = message(account, route=Route.SUBSCRIPTION, msgid="", content={"kind": "subscription", "template_id": "T"})
    push(notice_report(code))
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.delivery, other.delivery) == (delivery, "")


@pytest.mark.parametrize(
    "body",
    [
        event("subscribe_msg_popup_event"),
        event("subscribe_msg_change_event"),
        event("subscribe_msg_sent_event"),
        event("subscribe_msg_sent_event", SubscribeMsgSentEvent="x"),
        event("TEMPLATESENDJOBFINISH"),
        xml(
            ToUserName="g", FromUserName=OPENID, CreateTime=1, MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID="x"
        ),
    ],
)
def test_an_odd_report_does_no_harm(account: Account, push: Callback, body: str) -> None:
    row = message(account)
    assert push(body).content == b"success"
    assert Push.objects.get().state == Push.State.DONE
    row.refresh_from_db()
    assert row.delivery == ""
