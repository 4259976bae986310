"""The ledger of a person's windows: what opens them, what uses them up, what closes them."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from callback import OPENID, Callback, body, event
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from quotes import send_due

from wechat import outbox, windows
from wechat.models import Account, Follower, OutgoingMessage, Push
from wechat.simulator.server import SimulatorServer
from wechat.windows import FOLLOW, MENU, MESSAGE, SCAN, Ledger


def ledger(now: datetime | None = None) -> Ledger:
    return windows.of(Follower.objects.select_related("account").get(openid=OPENID), now)


def lefts(now: datetime | None = None) -> dict[str, int]:
    return {window.trigger: window.left for window in ledger(now).windows}


def sent(account: Account, at: datetime | None = None, **fields: Any) -> OutgoingMessage:
    """A message that went out at that time."""
    at = at or timezone.now()
    usual = {"state": "sent", "sent_at": at, "purpose": "staff", "content": {"kind": "text", "content": "好"}}
    times = {"created_at": at, "due_at": at, "expires_at": at + timedelta(hours=1)}
    return OutgoingMessage.objects.create(account=account, openid=OPENID, **{**usual, **times, **fields})


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        (lambda push: push.text("您好"), {MESSAGE: 5}),
        (lambda push: push(body("image", PicUrl="http://a.test/1", MediaId="m")), {MESSAGE: 5}),
        (lambda push: push.click("PRICES"), {MENU: 3}),
        (lambda push: push.scan("nothing"), {SCAN: 3}),
        (lambda push: push.follow(), {FOLLOW: 3}),
        (lambda push: push(body("text", Content="满意", bizmsgmenuid="101")), {MENU: 3}),
    ],
    ids=["text", "picture", "menu", "scan", "follow", "tap on a choice"],
)
def test_each_contact_opens_its_own_window(push: Callback, deed: Any, expected: dict[str, int]) -> None:
    push.follow()
    Push.objects.all().delete()
    OutgoingMessage.objects.all().delete()
    deed(push)
    assert lefts() == expected


def test_a_position_a_menu_link_or_silence_opens_none(push: Callback) -> None:
    push.follow()
    Push.objects.all().delete()
    Follower.objects.update(event_at=None)
    assert ledger().closed_because == "silent"
    push(body("event", Event="VIEW", EventKey="https://a.test/"))
    assert ledger().closed_because == "silent"


def test_what_ends_first_is_used_first(push: Callback, account: Account) -> None:
    push.text("您好")
    push.scan("nothing")
    OutgoingMessage.objects.all().delete()
    for expected in ({SCAN: 2, MESSAGE: 5}, {SCAN: 1, MESSAGE: 5}, {SCAN: 0, MESSAGE: 5}, {SCAN: 0, MESSAGE: 4}):
        sent(account)
        assert lefts() == expected
    assert ledger().left == 4
    assert [window.trigger for window in ledger().windows] == [SCAN, MESSAGE]


def test_a_minute_and_two_days_are_not_forgotten(push: Callback) -> None:
    push.text("您好")
    push.click("PRICES")
    now = timezone.now()
    assert lefts(now) == {MENU: 3, MESSAGE: 5}
    assert lefts(now + timedelta(seconds=56)) == {MESSAGE: 5}
    almost = now + timedelta(hours=47, minutes=58)
    assert lefts(almost) == {MESSAGE: 5}
    assert ledger(almost).until
    assert (ledger(almost).until or now) < now + timedelta(hours=48)
    assert ledger(now + timedelta(hours=48)).closed_because == "silent"


def test_five_messages_use_it_up_and_a_new_word_opens_it_again(push: Callback, account: Account) -> None:
    push.text("您好")
    for _each in range(5):
        sent(account)
    assert (ledger().left, ledger().until, ledger().closed_because) == (0, None, "used_up")
    push.text("还在吗")
    assert ledger().left == 5


@pytest.mark.parametrize("fields", [{"state": "waiting", "sent_at": None}, {"state": "sending", "sent_at": None}])
def test_what_is_on_its_way_counts_already(push: Callback, account: Account, fields: dict[str, Any]) -> None:
    push.text("您好")
    sent(account, **fields)
    assert ledger().left == 4


@pytest.mark.parametrize(
    "fields", [{"route": "passive"}, {"route": "template"}, {"openid": "oSomebodyElse"}, {"state": "set_aside"}]
)
def test_answers_templates_and_what_did_not_go_out_cost_nothing(
    push: Callback, account: Account, fields: dict[str, Any]
) -> None:
    push.text("您好")
    row = sent(account)
    OutgoingMessage.objects.filter(pk=row.pk).update(**fields)
    assert ledger().left == 5


@pytest.mark.parametrize("code", [45015, 45047])
def test_a_refusal_of_the_platform_closes_what_is_open(push: Callback, account: Account, code: int) -> None:
    push.text("您好")
    sent(account, state="owed", sent_at=None, errcode=code, due_at=timezone.now() + outbox.LEASE)
    assert ledger().closed_because == "refused"
    push.text("还在吗")
    assert ledger().left == 5, "his next word opens it again"
    for _each in range(5):
        sent(account)
    assert ledger().closed_because == "used_up", "the refusal was about the window before"


def test_who_left_gets_nothing_and_who_came_back_only_what_following_opens(push: Callback) -> None:
    push.text("您好")
    push(event("unsubscribe", created=int(time.time()) + 5))
    assert ledger().closed_because == "unfollowed"
    push(event("subscribe", created=int(time.time()) + 9))
    assert lefts() == {FOLLOW: 3}


def test_an_account_without_these_messages_has_no_window(push: Callback, account: Account) -> None:
    push.text("您好")
    Account.objects.update(kind=Account.Kind.SUBSCRIPTION)
    assert (ledger().left, ledger().closed_because) == (0, "account")


def test_it_agrees_with_the_platform_after_every_step(
    push: Callback, account: Account, simulator: SimulatorServer, worker_alive: object
) -> None:
    person = simulator.platform.add_person(
        next(iter(simulator.platform.accounts.values())), openid=OPENID, follows=True
    )
    names = {"user_msg": MESSAGE, "menu": MENU, "scan": SCAN, "follow": FOLLOW}

    def platforms() -> dict[str, int]:
        now = simulator.platform.clock.now()
        return {names[kind]: int(bucket["left"]) for kind, bucket in person.windows.as_json(now).items()}

    def say(count: int) -> None:
        for _each in range(count):
            sent(account, state="waiting", sent_at=None)
        send_due()

    steps = [
        (lambda: push.text("您好", OPENID), "user_msg", 2),
        (lambda: push.click("NOTHING", OPENID), "menu", 4),
        (lambda: push.scan("none", OPENID), "scan", 5),
        (lambda: push.text("再问", OPENID), "user_msg", 6),
    ]
    for deed, kind, count in steps:
        deed()
        send_due()
        OutgoingMessage.objects.filter(state="waiting").delete()
        with simulator.platform.lock:
            person.windows.open(kind, simulator.platform.clock.now())
        say(count)
        assert ledger().left == sum(platforms().values())
        OutgoingMessage.objects.filter(state="owed").update(state="given_up")


def test_it_costs_two_queries_and_none_for_who_was_silent(push: Callback) -> None:
    push.follow()
    for number in range(8):
        push.text(f"第{number}句")
    follower = Follower.objects.select_related("account").get()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        windows.of(follower)
    assert len(queries) == 2
    with CaptureQueriesContext(connection) as queries:
        windows.of(follower, timezone.now() + timedelta(days=3))
    assert len(queries) == 0


def test_a_body_that_was_erased_opens_nothing(push: Callback) -> None:
    push.text("您好")
    Push.objects.update(raw="")
    assert ledger().closed_because == "silent"


def test_time_runs_out_by_itself(push: Callback) -> None:
    push.click("PRICES")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert ledger().closed_because == "silent"
