"""Every class of error at every endpoint: what staff read, and that nothing is asked again that must not be.

The endpoints are the functions of wechat.client, whichever there are: a new one is covered as soon as SAMPLES knows its
arguments.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from html import unescape
from typing import Any

import pytest
from callback import OPENID, Callback
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from wechat import attempts, calls, client, conf, doctor, outbox, tokens, worker
from wechat.conf import AccountConfig
from wechat.errors import TOKEN_REFUSED, Fate, PlatformError, fate_of, is_known
from wechat.models import ApiCall, Lease, OutgoingMessage
from wechat.notifications import Subscription, Template
from wechat.replies import Text
from wechat.simulator.accounts import Person
from wechat.simulator.server import SimulatorServer

State = OutgoingMessage.State
SEND = "/cgi-bin/message/custom/send"
# What the functions of wechat.client are called with, by the names of their arguments.
SAMPLES: dict[str, Any] = {
    "openid": OPENID,
    "reply": Text("您好"),
    "typing": True,
    "message": Template("a-template", {"thing1": "报价"}),
    "client_msg_id": "wxhub-1",
    "notice": Subscription("a-template", {"thing1": "报价"}),
    "scene": 77,
    "expire_seconds": 600,
}
# One code of every fate and the special ones: what the platform says (None: its usual words), and what staff must read.
CLASSES: dict[int, tuple[str | None, tuple[str, ...]]] = {
    -1: (None, ("系统繁忙", "自动重试")),
    40001: (None, ("不是最新", "另一个程序", "stable_token")),
    40003: (None, ("openid", "另一个公众号")),
    40007: (None, ("素材", "重新上传")),
    40164: (None, ("127.0.0.1", "安全中心 › IP白名单")),
    43004: (None, ("没有关注",)),
    45009: (None, ("零点", "次数用完", "清零")),
    45011: (None, ("太频繁",)),
    45015: (None, ("互动", "不要重发", "模板消息")),
    45047: (None, ("条数", "不要重发")),
    47003: ("argument invalid! data.time3.value invalid", ("time3", "2026年1月5日")),
    48001: (None, ("权限", "微信认证")),
    89506: ("", ("拒绝", "管理员")),
    99999: ("a new refusal", ("未收录", "a new refusal", "rid")),
}
# How often a message goes to the platform while it is due again and again.
SENDINGS = {Fate.REPEAT: 4, Fate.OWE: 1, Fate.GIVE_UP: 1, Fate.PAUSE: 1, Fate.SET_ASIDE: 1}


def endpoints() -> list[Callable[..., Any]]:
    """What wechat.client offers and asks for an account."""
    return [
        function
        for name, function in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_")
        and function.__module__.startswith(client.__name__)
        and "account" in inspect.signature(function).parameters
    ]


def ask(function: Callable[..., Any], account: AccountConfig) -> None:
    needed = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "account" and parameter.default is parameter.empty
    ]
    unknown = [name for name in needed if name not in SAMPLES]
    assert not unknown, f"give SAMPLES a value for {unknown} of {function.__name__}"
    function(account, **{name: SAMPLES[name] for name in needed})


def fail(simulator: SimulatorServer, code: int, path: str) -> None:
    simulator.platform.faults.set(kind="errcode", match=path, errcode=code, errmsg=CLASSES[code][0])


def asked(simulator: SimulatorServer, path: str) -> int:
    return len(simulator.platform.journal.find(kind="call", endpoint=path))


@pytest.fixture
def person(simulator: SimulatorServer) -> Person:
    """Somebody who just wrote."""
    [account] = simulator.platform.accounts.values()
    person = simulator.platform.add_person(account, openid=OPENID, follows=True)
    person.windows.open("user_msg", simulator.platform.clock.now())
    return person


@pytest.fixture
def path_of(config: AccountConfig, simulator: SimulatorServer) -> Callable[[Callable[..., Any]], str]:
    """The path that a function asks: it is called once before anything is made to fail."""

    def find(function: Callable[..., Any]) -> str:
        tokens.get(config)
        before = simulator.platform.journal.seq
        with suppress(PlatformError):  # the samples need not mean anything to the simulator
            ask(function, config)
        call, *_more = simulator.platform.journal.find(kind="call", since=before)
        calls.forget()
        return str(call["endpoint"])

    return find


@pytest.mark.parametrize("code", CLASSES)
@pytest.mark.parametrize("function", endpoints(), ids=lambda function: function.__name__)
def test_staff_read_what_went_wrong_and_nothing_is_repeated(
    function: Callable[..., Any],
    code: int,
    path_of: Callable[[Callable[..., Any]], str],
    config: AccountConfig,
    simulator: SimulatorServer,
    person: Person,
    staff: Client,
) -> None:
    path = path_of(function)
    before = asked(simulator, path)
    fail(simulator, code, path)
    with pytest.raises(PlatformError) as caught:
        ask(function, config)
    assert caught.value.code == code
    assert asked(simulator, path) - before == (2 if code in TOKEN_REFUSED else 1)
    calls.flush()
    last = ApiCall.objects.filter(endpoint=path).latest("pk")
    assert (last.account_id, last.errcode, last.rid) == (config.id, code, caught.value.rid)
    for page in ("changelist", "change"):
        args = [last.pk] if page == "change" else []
        text = unescape(staff.get(reverse(f"admin:wechat_apicall_{page}", args=args)).content.decode())
        assert str(code) in text
        assert caught.value.rid in text
    for word in CLASSES[code][1]:
        assert word in text


@pytest.fixture
def message(push: Callback, order: Order, worker_alive: Lease, person: Person) -> OutgoingMessage:
    """The card of quote 77, due now."""
    push.scan("77")
    return OutgoingMessage.objects.get()


def send_again_and_again() -> OutgoingMessage:
    """What a worker does in four looks, with the message due at each."""
    for look in range(4):
        OutgoingMessage.objects.filter(state=State.WAITING).update(due_at=timezone.now())
        conf.forget()
        for one in outbox.claim(f"worker:{look}", 16, but_not=worker.on_hold()):
            attempts.attempt(one)
    return OutgoingMessage.objects.get()


@pytest.mark.parametrize("code", CLASSES)
def test_a_message_is_repeated_only_where_that_can_help_and_its_page_says_why(
    code: int, message: OutgoingMessage, simulator: SimulatorServer, staff: Client
) -> None:
    fail(simulator, code, SEND)
    after = send_again_and_again()
    sendings = SENDINGS[fate_of(code)] if is_known(code) else 2
    assert asked(simulator, SEND) == sendings + (code in TOKEN_REFUSED)
    assert (after.errcode, simulator.platform.counters["messages"]) == (code, 0)
    page = reverse("admin:wechat_outgoingmessage_change", args=[after.pk])
    text = unescape(staff.get(page).content.decode())
    for word in (str(code), *CLASSES[code][1]):
        assert word in text
    calls.flush()
    logged = ApiCall.objects.filter(endpoint=SEND)
    assert {call.message_id for call in logged} == {message.pk}
    assert logged.latest("pk").rid in text


@pytest.mark.parametrize("code", [code for code in CLASSES if fate_of(code) is Fate.PAUSE])
def test_a_pause_is_explained_on_the_first_page_on_the_account_and_in_the_log_file(
    code: int, message: OutgoingMessage, simulator: SimulatorServer, staff: Client, caplog: pytest.LogCaptureFixture
) -> None:
    fail(simulator, code, SEND)
    send_again_and_again()
    [first, *_rest] = CLASSES[code][1]
    pages = (reverse("admin:index"), reverse("admin:wechat_account_change", args=[message.account_id]))
    for page in pages:
        assert first in unescape(staff.get(page).content.decode())
    assert first in caplog.text


@pytest.mark.parametrize("code", [40164, 45009, 48001, 99999])
def test_the_doctor_says_the_same(code: int, config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, code, "/cgi-bin/getcallbackip")
    said = " ".join(finding.remedy for finding in doctor.examine() if not finding.fine)
    for word in (str(code), *CLASSES[code][1]):
        assert word in said


@pytest.mark.parametrize(("code", "seconds"), [(89507, 3600), (89506, 86_400)])
def test_an_address_that_was_shut_out_waits_as_long_as_it_was_told(
    code: int, seconds: int, message: OutgoingMessage, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", match="/cgi-bin/stable_token", errcode=code)
    send_again_and_again()
    assert asked(simulator, "/cgi-bin/stable_token") == 1
    pause = Lease.objects.get(name=outbox.pause_name(message.account_id))
    assert abs((pause.until - timezone.now()).total_seconds() - seconds) < 60
