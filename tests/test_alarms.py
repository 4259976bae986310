"""Faults of the installation reach staff, by mail and in a group chat: each once, at most five times a day, and no secret."""

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from callback import Callback
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wechat import alarms, circuit, conf, leases, notices, outbox, sightings, webhooks
from wechat.alarms import Fault, Watch
from wechat.models import Account, Lease, Membership, Notice, OutgoingMessage
from wechat.webhooks import Hook, NotTaken
from wxhub import env


class Chat:
    """A group chat's robot: keeps what it gets, answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.status, self.answer = 200, b'{"errcode": 0, "errmsg": "ok", "code": 0}'
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                chat.got.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(chat.status)
                self.send_header("Content-Length", str(len(chat.answer)))
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(chat.answer)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def chat(settings: Any) -> Iterator[Chat]:
    """A robot of the kind `json`, and the only one of the settings."""
    made = Chat()
    threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True).start()
    settings.DEBUG, settings.ALARM_WEBHOOKS = True, [f"json+http://{made.address}/hook/a-secret-of-the-chat"]
    webhooks._complained.clear()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def boss(settings: Any, db: None) -> User:
    """Gets mail."""
    settings.SENDS_MAIL = True
    return User.objects.create_superuser("boss", email="boss@firm.cn")


def kinds() -> list[str]:
    return list(Notice.objects.filter(seen_at=None).order_by("pk").values_list("kind", flat=True))


def late(account: Account, seconds: int = 70) -> OutgoingMessage:
    now = timezone.now()
    due, later = now - timedelta(seconds=seconds), now + timedelta(hours=1)
    return OutgoingMessage.objects.create(
        account=account, openid="o", purpose="card", content={}, created_at=due, due_at=due, expires_at=later
    )


def twenty_minutes_off(push: Callback) -> None:
    response = push.text("在吗", timestamp=str(int(time.time()) - 1200))
    assert response.status_code == 403


def test_a_clock_that_is_twenty_minutes_off_is_told_at_once(push: Callback, boss: User, chat: Chat) -> None:
    twenty_minutes_off(push)
    alarms.look()
    alarms.tell()
    assert kinds() == [alarms.CLOCK]
    assert "NTP" in mail.outbox[0].body or "时" in mail.outbox[0].body
    assert len(chat.got) == len(mail.outbox) == 1


def test_a_repeated_old_address_is_no_wrong_clock_while_pushes_come_in(push: Callback) -> None:
    twenty_minutes_off(push)
    push.text("在吗")
    alarms.look()
    assert kinds() == []


def test_a_wrong_signature_with_an_old_time_raises_nothing(push: Callback) -> None:
    assert push.text("在吗", timestamp="1000000000", signature="0" * 40).status_code == 403
    alarms.look()
    assert kinds() == []


def test_the_alarm_ends_when_the_clock_is_right_again(push: Callback, account: Account) -> None:
    twenty_minutes_off(push)
    alarms.look()
    push.text("在吗")
    alarms.look()
    assert kinds() == []
    assert Notice.objects.get().seen_by is None


def test_stuck_messages_are_told_and_put_away_when_they_go_out(account: Account, boss: User) -> None:
    message = late(account)
    alarms.look()
    assert kinds() == [alarms.STUCK]
    OutgoingMessage.objects.filter(pk=message.pk).update(state="sent")
    alarms.look()
    assert kinds() == []
    alarms.tell()
    assert mail.outbox == [], "what is over is no news"


def test_a_silent_interface_and_a_pause_are_told_with_their_reason(account: Account, staff: Client) -> None:
    circuit.still_failing(account.pk)
    leases.extend(outbox.pause_name(account.pk, patient=True), 60, note="45009 reach max api daily quota limit")
    alarms.look()
    assert sorted(kinds()) == [alarms.API, alarms.PAUSED]
    page = staff.get(reverse("admin:index")).content.decode()
    assert "45009 reach max api daily quota limit" in page
    assert str(account) in page


def test_a_thousand_equal_faults_are_one_notice(account: Account, boss: User, chat: Chat) -> None:
    for _number in range(1000):
        alarms.report(Fault(alarms.PAUSED, account.pk, (("failreason", "48001"),)))
        if _number % 100 == 0:
            alarms.tell()
    assert (Notice.objects.count(), len(mail.outbox), len(chat.got)) == (1, 1, 1)


def test_a_fault_that_comes_and_goes_all_day_makes_five_notices(account: Account, boss: User, chat: Chat) -> None:
    for _number in range(100):
        alarms.report(Fault(alarms.STUCK))
        alarms.tell()
        for notice in Notice.objects.filter(seen_at=None):  # it was over, and long ago
            Notice.objects.filter(pk=notice.pk).update(seen_at=timezone.now(), data={**notice.data, "last": 0})
    assert (Notice.objects.count(), len(mail.outbox), len(chat.got)) == (5, 5, 5)
    Notice.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert alarms.report(Fault(alarms.STUCK)), "the next day is another one"


def test_who_put_an_alarm_away_is_not_told_again_while_it_lasts(account: Account, boss: User) -> None:
    late(account)
    alarms.look()
    Notice.objects.update(seen_at=timezone.now(), seen_by=boss)
    alarms.look()
    assert Notice.objects.count() == 1


def test_the_site_tells_that_no_worker_is_alive(account: Account, boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "ALONE", 0.2)
    site, other = Watch(), Watch()
    for _turn in range(2):
        for each in (site, other):
            each.look()
        assert kinds() == [], "a restart is no fault"
    time.sleep(0.25)
    for each in (site, other):
        each.look()
    assert kinds() == [alarms.WORKER]
    assert [message.to for message in mail.outbox] == [["boss@firm.cn"]]


def test_the_site_leaves_it_to_a_living_worker(
    account: Account, worker_alive: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "ALONE", 0)
    late(account)
    Watch().look()
    assert kinds() == []
    worker_alive.delete()
    conf.forget()
    Watch().look()
    assert sorted(kinds()) == [alarms.STUCK, alarms.WORKER]
    alarms.look()  # the worker is back
    assert kinds() == [alarms.STUCK]


def test_what_is_wrong_with_the_installation_is_for_superusers(account: Account, boss: User, settings: Any) -> None:
    clerk = User.objects.create_user("clerk", email="clerk@firm.cn", is_staff=True)
    Membership.objects.create(user=clerk, account=account)
    alarms.report(Fault(alarms.WORKER))
    assert notices.recipients(Notice.objects.get()) == ["boss@firm.cn"]
    client = Client()
    client.force_login(clerk)
    assert client.get(reverse("admin:wechat_notice_change", args=[Notice.objects.get().pk])).status_code in (302, 403)


def test_the_pages_show_an_alarm_without_an_account(staff: Client) -> None:
    alarms.report(Fault(alarms.WORKER))
    [notice] = Notice.objects.all()
    for page in (reverse("admin:index"), reverse("admin:wechat_notice_changelist"), notices_page(notice)):
        shown = staff.get(page)
        assert shown.status_code == 200
        assert notices.title(notice) in shown.content.decode()
        assert "None:" not in shown.content.decode()


def notices_page(notice: Notice) -> str:
    return reverse("admin:wechat_notice_change", args=[notice.pk])


def notice(account: Account | None = None) -> Notice:
    alarms.report(Fault(alarms.PAUSED, account.pk if account else None, (("failreason", "access_token=abcdefgh1234"),)))
    return Notice.objects.latest("pk")


def test_a_program_gets_json(chat: Chat, account: Account) -> None:
    alarm = notice(account)
    assert webhooks.post_due() == 1
    [(path, headers, body)] = chat.got
    assert path == "/hook/a-secret-of-the-chat"
    assert headers["Host"] == chat.address
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert (body["kind"], body["level"], body["account"]) == (alarms.PAUSED, "warning", "demo")
    assert notices_page(alarm) in body["text"]
    assert body["time"] == alarm.created_at.isoformat()
    assert webhooks.post_due() == 0, "once"


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu"])
def test_the_robots_get_a_text(kind: str, chat: Chat, account: Account, settings: Any) -> None:
    settings.ALARM_WEBHOOKS = [f"{kind}+http://{chat.address}/send?key=abc"]
    notice(account)
    assert webhooks.post_due() == 1
    [(path, _headers, body)] = chat.got
    assert path == "/send?key=abc"
    said = body["content"]["text"] if kind == "feishu" else body["text"]["content"]
    assert "示例" in said
    assert "abcdefgh1234" not in said
    assert body["msg_type" if kind == "feishu" else "msgtype"] == "text"


def test_dingtalk_is_signed_in_the_address(chat: Chat, account: Account, settings: Any) -> None:
    settings.ALARM_WEBHOOKS = [f"dingtalk+http://{chat.address}/robot/send?access_token=t#SECabc"]
    notice(account)
    webhooks.post_due()
    query = parse_qs(urlsplit(chat.got[0][0]).query)
    [moment], [sign] = query["timestamp"], query["sign"]
    expected = base64.b64encode(hmac.digest(b"SECabc", f"{moment}\nSECabc".encode(), hashlib.sha256)).decode()
    assert sign == expected
    assert abs(int(moment) / 1000 - time.time()) < 10
    assert query["access_token"] == ["t"]


def test_feishu_is_signed_in_the_body(chat: Chat, account: Account, settings: Any) -> None:
    settings.ALARM_WEBHOOKS = [f"feishu+http://{chat.address}/hook/x#secret"]
    notice(account)
    webhooks.post_due()
    body = chat.got[0][2]
    key = f"{body['timestamp']}\nsecret".encode()
    assert body["sign"] == base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()


def test_the_host_says_which_robot_it_is(settings: Any) -> None:
    settings.ALARM_WEBHOOKS = [
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
        "https://oapi.dingtalk.com/robot/send?access_token=t#SEC1",
        "https://open.feishu.cn/open-apis/bot/v2/hook/x",
        "https://alerts.firm.cn/wxhub",
    ]
    assert [hook.kind for hook in webhooks.hooks()] == ["wecom", "dingtalk", "feishu", "json"]
    assert webhooks.hooks()[1].secret == "SEC1"
    assert "SEC1" not in webhooks.hooks()[1].url.geturl()


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, b""), (302, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"errcode": 93000, "errmsg": "invalid webhook"}')],
)
def test_a_chat_that_fails_is_tried_three_times_and_logged_once(
    status: int, answer: bytes, chat: Chat, account: Account, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALARM_WEBHOOKS = [f"wecom+http://{chat.address}/send?key=the-secret-key"]
    chat.status, chat.answer = status, answer
    notice(account)
    with caplog.at_level(logging.INFO):
        for _turn in range(6):
            webhooks.post_due()
    assert len(chat.got) == 3
    said = [record.getMessage() for record in caplog.records if record.name == "wechat.webhooks"]
    assert len(said) == 1
    assert "the-secret-key" not in caplog.text
    assert {path for path, *_rest in chat.got} == {"/send?key=the-secret-key"}, "no redirect is followed"


def test_one_dead_chat_does_not_keep_the_news_from_another(chat: Chat, account: Account, settings: Any) -> None:
    settings.ALARM_WEBHOOKS = ["json+http://127.0.0.1:9/none", f"json+http://{chat.address}/ok"]
    notice(account)
    assert webhooks.post_due() == 1
    assert webhooks.post_due() == 0
    assert len(chat.got) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "192.168.1.1"])
def test_nothing_goes_to_a_private_address(host: str, account: Account, settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(NotTaken, match="private"):
        webhooks.post(Hook("json", urlsplit(f"https://{host}:9/x"), ""), notice(account))


@pytest.mark.parametrize(
    "value", ["http://alerts.firm.cn/x", "ftp+https://x.cn/", "https:///x", "telegram+https://x.cn/", "alerts.firm.cn"]
)
def test_an_address_that_is_not_https_is_refused_at_the_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALARM_WEBHOOKS", f"https://ok.firm.cn/,{value}")
    with pytest.raises(ImproperlyConfigured, match="number 2") as refused:
        env.webhooks("ALARM_WEBHOOKS", debug=False)
    assert value not in str(refused.value)


def test_sightings_of_the_clock_are_one_row(push: Callback, account: Account) -> None:
    for _number in range(20):
        twenty_minutes_off(push)
    assert Lease.objects.filter(name__endswith=sightings.LATE).count() == 1
