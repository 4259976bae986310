"""Templates and send jobs in the admin: synchronising, the form that a template makes, sending, and watching it arrive."""

from datetime import timedelta
from typing import Any

import pytest
from callback import Callback, event
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Scan
from wechat import attempts, conf, jobs, outbox, template_catalogue
from wechat.models import Account, Follower, MessageTemplate, OutgoingMessage, SendJob, Tag
from wechat.simulator.server import SimulatorServer

State = OutgoingMessage.State
VALUES = {
    "field_thing1": "整装报价",
    "field_amount2": "86500.00元",
    "field_time3": "2026年1月5日 15:01",
    "field_number4": "89",
}
LIST = "/cgi-bin/template/get_all_private_template"


def address(name: str, *arguments: Any) -> str:
    return reverse(f"admin:wechat_{name}", args=arguments)


def text(response: HttpResponse) -> str:
    return response.content.decode()


@pytest.fixture
def template(account: Account, simulator: SimulatorServer) -> MessageTemplate:
    """The simulator's template of a quote, synchronised."""
    template_catalogue.synchronise(conf.account_by_id(account.pk))
    return MessageTemplate.objects.get(title="报价生成通知")


def synchronise(staff: Client) -> str:
    url = address("messagetemplate_synchronise")
    assert staff.get(url).status_code == 200  # it asks first
    return text(staff.post(url, {"_form_submitted": "True"}, follow=True))


def test_synchronising_stores_both_kinds_and_marks_what_is_gone(
    staff: Client, account: Account, simulator: SimulatorServer
) -> None:
    synchronise(staff)
    assert MessageTemplate.objects.filter(kind="template").count() == 3
    assert MessageTemplate.objects.filter(kind="subscription").count() == 1
    [registered] = simulator.platform.accounts.values()
    registered.templates.private.pop(next(iter(registered.templates.private)))
    synchronise(staff)
    gone = MessageTemplate.objects.exclude(gone_at=None).get()
    assert gone.title == "报价生成通知"
    page = staff.get(address("messagetemplate_change", gone.pk))
    assert address("messagetemplate_send_it", gone.pk) not in text(page)
    assert staff.get(address("messagetemplate_send", gone.pk)).status_code == 404


def test_an_account_without_the_right_is_told_so_politely(
    staff: Client, account: Account, simulator: SimulatorServer
) -> None:
    [registered] = simulator.platform.accounts.values()
    registered.kind = "verified_subscription"
    page = synchronise(staff)
    assert page.count("48001") == 0
    assert "示例" in page
    assert not MessageTemplate.objects.exists()


def test_a_failure_is_explained_and_costs_nothing(
    staff: Client, template: MessageTemplate, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=40164, match=LIST)
    synchronise(staff)
    assert MessageTemplate.objects.filter(gone_at=None).count() == 4


def test_the_form_has_a_box_for_each_field_with_its_limit(staff: Client, template: MessageTemplate) -> None:
    page = text(staff.get(address("messagetemplate_send", template.pk)))
    for name, most in (("field_thing1", 20), ("field_amount2", 16), ("field_time3", 64), ("field_number4", 32)):
        assert f'name="{name}"' in page
        assert f'data-most="{most}"' in page
    assert "项目名称" in page


def test_mistakes_stand_at_their_fields_and_nothing_typed_is_lost(staff: Client, template: MessageTemplate) -> None:
    wrong = {
        **VALUES,
        "field_time3": "昨天",
        "field_thing1": "十" * 21,
        "to": "one",
        "openid": "",
        "url": "javascript:1",
    }
    response = staff.post(address("messagetemplate_send", template.pk), wrong)
    form = response.context["form"]
    assert form.errors.keys() == {"field_time3", "field_thing1", "openid", "url"}
    assert "昨天" in text(response)
    assert not OutgoingMessage.objects.exists()


def test_one_follower_gets_it_at_once(staff: Client, template: MessageTemplate) -> None:
    data = {**VALUES, "to": "one", "openid": "oSomebody", "url": "https://example.com/q"}
    response = staff.post(address("messagetemplate_send", template.pk), data)
    row = OutgoingMessage.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == address("outgoingmessage_change", row.pk)
    assert (row.openid, row.route, row.state, row.job) == ("oSomebody", "template", State.WAITING, None)
    assert row.written_by is not None
    assert row.content["data"] == {name.removeprefix("field_"): value for name, value in VALUES.items()}


def tagged(account: Account, simulator: SimulatorServer, count: int) -> Tag:
    [registered] = simulator.platform.accounts.values()
    tag, now = Tag.objects.create(account=account, name="装修"), timezone.now()
    for number in range(count):
        openid = f"oTagged{number:021}"
        simulator.platform.add_person(registered, openid=openid, follows=True)
        tag.followers.add(Follower.objects.create(account=account, openid=openid, first_seen=now, last_seen=now))
    return tag


def test_many_are_counted_and_confirmed_first(
    staff: Client, template: MessageTemplate, simulator: SimulatorServer
) -> None:
    tag = tagged(template.account, simulator, 3)
    url, data = address("messagetemplate_send", template.pk), {**VALUES, "to": "tag", "tag": tag.pk}
    asked = staff.post(url, data)
    assert asked.context["ask"] == 3
    assert not SendJob.objects.exists()
    tagged_later = Follower.objects.create(
        account=template.account, openid="oLater", first_seen=timezone.now(), last_seen=timezone.now()
    )
    tag.followers.add(tagged_later)
    assert staff.post(url, {**data, "confirmed": "3"}).context["ask"] == 4, "it is not what was confirmed"
    done = staff.post(url, {**data, "confirmed": "4"})
    job = SendJob.objects.get()
    assert done.headers["Location"] == address("sendjob_change", job.pk)
    assert (job.total, job.audience) == (4, {"kind": "tag", "tag": tag.pk})


def test_a_job_to_200_shows_that_one_of_them_refuses(
    staff: Client, template: MessageTemplate, simulator: SimulatorServer, push: Callback
) -> None:
    tag = tagged(template.account, simulator, 200)
    simulator.platform.faults.set(kind="slow", match="/cgi-bin/message/template/send", seconds=0.002)
    simulator.platform.persons["oTagged" + "0" * 21].muted = True
    data = {**VALUES, "to": "tag", "tag": tag.pk, "confirmed": "200"}
    staff.post(address("messagetemplate_send", template.pk), data)
    job = SendJob.objects.get()
    jobs.feed()
    for message in outbox.claim("test", 300, patient=True):
        attempts.attempt(message)
    [registered] = simulator.platform.accounts.values()
    for sent in registered.templates.sent:
        push(event("TEMPLATESENDJOBFINISH", sent.openid, MsgID=sent.msgid, Status=sent.status))
    jobs.feed()
    shown = text(staff.get(address("sendjob_change", job.pk)))
    assert "200 / 200" in shown
    assert f"job__id__exact={job.pk}&amp;delivery=blocked" in shown
    assert str(OutgoingMessage.Delivery.BLOCKED.label) in shown
    blocked = staff.get(f"{address('outgoingmessage_changelist')}?job__id__exact={job.pk}&delivery=blocked")
    assert [row.openid for row in blocked.context["cl"].queryset] == ["oTagged" + "0" * 21]
    assert OutgoingMessage.objects.filter(delivery="delivered").count() == 199


def test_a_job_is_paused_resumed_and_cancelled_after_a_question(
    staff: Client, template: MessageTemplate, simulator: SimulatorServer
) -> None:
    tag = tagged(template.account, simulator, 2)
    content = jobs.content_of(template, {"thing1": "x"})
    job = jobs.start(template, content, {"kind": "tag", "tag": tag.pk}, name="x")
    for button, state in (("pause_job", "paused"), ("resume_job", "running"), ("cancel_job", "cancelled")):
        page = text(staff.get(address("sendjob_change", job.pk)))
        url = address(f"sendjob_{button}", job.pk)
        assert url in page
        staff.get(url)
        job.refresh_from_db()
        assert job.state != state, "only the answer acts"
        staff.post(url, {"_form_submitted": "True"})
        job.refresh_from_db()
        assert job.state == state
    assert address("sendjob_pause_job", job.pk) not in text(staff.get(address("sendjob_change", job.pk)))


def test_the_preview_shows_what_stands_in_the_boxes_and_foreign_text_is_text(
    staff: Client, template: MessageTemplate
) -> None:
    hostile = '<img src=x onerror="alert(1)">'
    url = address("messagetemplate_preview", template.pk)
    page = text(staff.post(url, {**VALUES, "field_thing1": hostile, "to": "followers"}))
    assert "&lt;img src=x" in page
    assert "<img src=x" not in page
    assert "86500.00元" in page
    assert text(staff.post(url, {})).count("<dt") == 4
    named = text(staff.post(url, {"field_thing1": "##NICKNAME##", "field_number4": "##NOBODY##", "to": "followers"}))
    assert "##NICKNAME##" not in named
    assert "##NOBODY##" in named


def test_an_unknown_placeholder_is_not_sent(staff: Client, template: MessageTemplate) -> None:
    data = {**VALUES, "field_thing1": "##LINK##", "to": "one", "openid": "oSomebody"}
    assert staff.post(address("messagetemplate_send", template.pk), data).status_code == 200
    assert not OutgoingMessage.objects.exists()


def test_a_quote_changed_after_its_scan_offers_to_tell_who_scanned(
    staff: Client, template: MessageTemplate, simulator: SimulatorServer, order: Order
) -> None:
    page, button = reverse("admin:orders_order_change", args=[order.pk]), f"/{order.pk}/tell-scanners"
    assert button not in text(staff.get(page)), "nobody has scanned it"
    now = timezone.now()
    [registered] = simulator.platform.accounts.values()
    simulator.platform.add_person(registered, openid="oScanner", follows=True)
    Follower.objects.create(account=order.account, openid="oScanner", first_seen=now, last_seen=now)
    Scan.objects.create(
        push_id=1, account=order.account, order=order, openid="oScanner", scene="77", kind="scan", scanned_at=now
    )
    url = reverse("admin:orders_order_tell_scanners", args=[order.pk])
    assert url not in text(staff.get(page)), "it has not changed since"
    Scan.objects.update(scanned_at=now - timedelta(hours=1))
    assert url in text(staff.get(page))
    chosen = staff.get(url, follow=True)
    send = f"{address('messagetemplate_send', template.pk)}?to=order&amp;about=77&amp;url=%23%23LINK%23%23"
    assert send in text(chosen)
    form = staff.get(send.replace("&amp;", "&")).context["form"]
    assert (form["to"].value(), form["about"].value(), form["url"].value()) == ("order", "77", "##LINK##")
    data = {**VALUES, "field_amount2": "##TOTALBUDGET##元", "url": "##LINK##", "to": "order", "about": "77"}
    staff.post(address("messagetemplate_send", template.pk), {**data, "confirmed": "1"})
    jobs.feed()
    row = OutgoingMessage.objects.get()
    assert (row.openid, row.content["data"]["amount2"]) == ("oScanner", "56000元")
    assert row.content["url"].startswith("http://127.0.0.1:8000/")


def test_a_persons_page_leads_to_a_template_for_him(staff: Client, template: MessageTemplate) -> None:
    now = timezone.now()
    person = Follower.objects.create(account=template.account, openid="oSomebody", first_seen=now, last_seen=now)
    url = address("follower_send_template", person.pk)
    assert url in text(staff.get(address("follower_change", person.pk)))
    send = f"{address('messagetemplate_send', template.pk)}?to=one&amp;openid=oSomebody"
    assert send in text(staff.get(url, follow=True))
