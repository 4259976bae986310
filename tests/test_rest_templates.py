"""Sending templates by REST: to one, to a tag, to the people of a quote; a repeat is harmless; refusals name their field."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from quotes import Api

from orders.models import Order, Scan
from wechat.models import Account, Follower, MessageTemplate, OutgoingMessage, SendJob, SendRequest, Tag

DATA = {"thing1": "整装报价", "amount2": "86500.00元"}


@pytest.fixture
def template(account: Account) -> MessageTemplate:
    return MessageTemplate.objects.create(
        account=account,
        template_id="T1",
        title="报价",
        content="项目:{{thing1.DATA}}\n金额:{{amount2.DATA}}",
        synced_at=timezone.now(),
    )


@pytest.fixture
def api(template: MessageTemplate) -> Api:
    return Api("templates:send")


def send(api: Api, **fields: Any) -> HttpResponse:
    content = {"template_id": "T1", "openid": "oSomebody", "data": DATA, **fields}
    content = {name: value for name, value in content.items() if value is not None}
    return api.client.post("/api/templates/send/", content, content_type="application/json", headers=api.header)


def test_a_message_is_queued(api: Api) -> None:
    response = send(api, url="https://example.com/q")
    assert response.status_code == 202
    row = OutgoingMessage.objects.get()
    told = response.json()
    assert (told["message"], told["job"], told["state"], told["repeated"]) == (row.pk, None, "waiting", False)
    assert row.content["data"] == DATA
    assert row.content["url"] == "https://example.com/q"


def test_the_same_number_of_one_key_is_one_message(api: Api) -> None:
    first, again = send(api, client_msg_id="a-1"), send(api, client_msg_id="a-1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["repeated"] is True
    assert first.json()["message"] == again.json()["message"]
    assert OutgoingMessage.objects.count() == 1
    OutgoingMessage.objects.update(state="sent", delivery="blocked")
    assert send(api, client_msg_id="a-1").json()["delivery"] == "blocked"
    assert send(api, client_msg_id="a-2").status_code == 202
    assert send(Api("templates:send"), client_msg_id="a-1").status_code == 202, "another key has numbers of its own"
    assert OutgoingMessage.objects.count() == 3


def test_a_number_for_another_message_is_refused(api: Api) -> None:
    send(api, client_msg_id="a-1")
    response = send(api, client_msg_id="a-1", openid="oOther")
    assert (response.status_code, list(response.json())) == (400, ["client_msg_id"])
    assert OutgoingMessage.objects.count() == 1


def test_a_number_survives_its_message(api: Api) -> None:
    send(api, client_msg_id="a-1")
    OutgoingMessage.objects.all().delete()
    assert send(api, client_msg_id="a-1").json()["state"] is None
    assert not OutgoingMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_number_send_one_message(api: Api) -> None:
    start, codes = threading.Barrier(2), []

    def ask() -> None:
        try:
            start.wait()
            codes.append(send(api, client_msg_id="a-1").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 202]
    assert OutgoingMessage.objects.count() == SendRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"template_id": "T2"}, "template_id"),
        ({"template_id": None}, "template_id"),
        ({"openid": "o p"}, "openid"),
        ({"openid": None}, "openid"),
        ({"tag": "装修"}, "openid"),
        ({"openid": None, "tag": "没有"}, "tag"),
        ({"openid": None, "orderid": 5}, "orderid"),
        ({"openid": None, "orderid": 0}, "orderid"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"data": {}}, "data"),
        ({"data": "x"}, "data"),
        ({"data": {**DATA, "thing9": "x"}}, "data"),
        ({"data": {**DATA, "amount2": "很贵"}}, "data"),
        ({"data": {**DATA, "thing1": {"value": "x"}}}, "data"),
        ({"client_msg_id": "x" * 65}, "client_msg_id"),
        ({"client_msg_id": ""}, "client_msg_id"),
        ({"touser": "x"}, "touser"),
        ({"account": "nobody"}, "account"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_sent(api: Api, fields: dict[str, Any], named: str) -> None:
    response = send(api, **fields)
    assert (response.status_code, list(response.json())) == (400, [named])
    assert not OutgoingMessage.objects.exists()
    assert not SendJob.objects.exists()


def test_the_keys_of_bad_values_are_named(api: Api) -> None:
    wrong = send(api, data={"thing1": "十" * 21, "thing9": "x"}).json()["data"]
    assert wrong.keys() == {"thing1", "amount2", "thing9"}


def test_a_tag_and_the_people_of_a_quote_become_jobs(api: Api, order: Order) -> None:
    now = timezone.now()
    tag = Tag.objects.create(account=order.account, name="装修")
    people = [
        Follower.objects.create(account=order.account, openid=f"o{number}", first_seen=now, last_seen=now)
        for number in range(3)
    ]
    tag.followers.add(*people[:2])
    Scan.objects.create(
        push_id=1, account=order.account, order=order, openid="o2", scene="77", kind="scan", scanned_at=now
    )
    told = send(api, openid=None, tag="装修", client_msg_id="j-1").json()
    assert (told["message"], told["state"], told["total"]) == (None, "running", 2)
    assert send(api, openid=None, tag="装修", client_msg_id="j-1").json()["job"] == told["job"]
    quote = send(api, openid=None, orderid=77).json()
    assert quote["total"] == 1
    assert SendJob.objects.count() == 2


@pytest.mark.parametrize("scopes", [(), ("quotes:write",)])
def test_the_scope_is_needed(template: MessageTemplate, scopes: tuple[str, ...]) -> None:
    assert send(Api(*scopes)).status_code == 403
    assert Client().post("/api/templates/send/", {}, content_type="application/json").status_code in (401, 403)


def test_the_list_says_what_each_template_asks_for(api: Api) -> None:
    [listed] = api.client.get("/api/templates/", headers=api.header).json()
    assert (listed["template_id"], listed["account"]) == ("T1", "demo")
    assert [field["key"] for field in listed["data"]] == ["thing1", "amount2"]
    assert listed["data"][0]["most"] == 20
