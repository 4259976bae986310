"""What was said between an account and a person, in order; and what staff add to it."""

import time
from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID, Callback, event
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from quotes import send_due

from wechat import conf, conversations
from wechat.models import Account, Follower, OutgoingMessage, Push
from wechat.notifications import MsgMenu
from wechat.replies import Text
from wechat.simulator.server import SimulatorServer


@pytest.fixture
def clerk(db: None) -> User:
    return User.objects.create_user("clerk", is_staff=True)


def partner() -> Follower:
    return Follower.objects.select_related("account").get(openid=OPENID)


def keys(page: conversations.Page) -> list[str]:
    return [turn.key for turn in page.turns]


def say(clerk: User, text: str = "好", number: str = "0123456789ab", **options: Any) -> OutgoingMessage:
    return conversations.answer(partner(), Text(text), author_id=clerk.pk, number=number, **options)


def test_lines_stand_in_the_order_of_time_and_what_a_push_caused_below_it(push: Callback, clerk: User) -> None:
    push.text("一")
    first = say(clerk, "二", "aaaaaaaa0001")
    push.text("三")
    second = say(clerk, "四", "aaaaaaaa0002")
    numbers = list(Push.objects.order_by("pk").values_list("pk", flat=True))
    assert keys(conversations.page(partner())) == [
        f"p{numbers[0]}",
        f"m{first.pk}",
        f"p{numbers[1]}",
        f"m{second.pk}",
    ]


def test_a_message_written_at_the_very_time_of_a_push_stands_below_it(push: Callback, account: Account) -> None:
    push.text("一")
    found = Push.objects.get()
    row = OutgoingMessage.objects.create(
        account=account,
        openid=OPENID,
        purpose="rule",
        content=Text("二").stored(),
        created_at=found.received_at,
        due_at=found.received_at,
        expires_at=found.received_at,
    )
    assert keys(conversations.page(partner())) == [f"p{found.pk}", f"m{row.pk}"]


def test_older_pages_have_everything_once_and_end(push: Callback, clerk: User) -> None:
    for number in range(40):
        push.text(f"第{number}句")
        if number % 3 == 0:
            row = say(clerk, f"答{number}", f"aaaaaaaa{number:04d}", may_wait=True)
            OutgoingMessage.objects.filter(pk=row.pk).update(state="sent", sent_at=timezone.now())
    pages, before = [], ""
    while True:
        page = conversations.page(partner(), before)
        assert len(page.turns) <= conversations.MOST
        pages.append(keys(page))
        if page.older is None:
            break
        before = page.older
    everything = [key for page in reversed(pages) for key in page]
    rows = OutgoingMessage.objects.exclude(route="passive").count()
    assert len(everything) == len(set(everything)) == 40 + rows
    moments = {f"p{push.pk}": push.received_at for push in Push.objects.all()}
    moments |= {f"m{row.pk}": row.created_at for row in OutgoingMessage.objects.all()}
    assert everything == sorted(everything, key=lambda key: moments[key])


@pytest.mark.parametrize("place", ["x", "1", "1.2.3", "-1.2", "１.２", "1.9" + "9" * 40, "' OR 1=1.--"])
def test_a_forged_place_is_refused(push: Callback, place: str) -> None:
    push.text("一")
    with pytest.raises(ValueError):  # noqa: PT011
        conversations.page(partner(), place)


def test_an_answer_to_the_push_stands_with_it_once(push: Callback, account: Account) -> None:
    conf.save(account, {"wechat_welcome_text": "欢迎"})
    Account.objects.update(delivery="passive")
    conf.forget()
    push.follow()
    (turn,) = conversations.page(partner()).turns
    assert turn.push
    assert "欢迎" in turn.push.answer


def test_of_other_people_and_accounts_nothing_is_seen(push: Callback, account: Account) -> None:
    push.text("一")
    push.text("别人的", "oSomebodyElse_0000000000001")
    other = Account.objects.create(slug="other", name="别家")
    Push.objects.create(
        account=other, key="k", received_at=timezone.now(), openid=OPENID, kind="text", raw="<xml></xml>"
    )
    assert len(conversations.page(partner()).turns) == 1


def test_the_stamp_changes_with_every_line_and_every_state(push: Callback, clerk: User) -> None:
    push.text("一")
    stamps = [conversations.page(partner()).stamp]
    row = say(clerk)
    stamps.append(conversations.page(partner()).stamp)
    OutgoingMessage.objects.filter(pk=row.pk).update(state="sent")
    stamps.append(conversations.page(partner()).stamp)
    assert len(set(stamps)) == 3
    assert conversations.page(partner()).stamp == stamps[-1]


def test_a_page_costs_few_queries_however_long_it_is(push: Callback, clerk: User) -> None:
    for number in range(12):
        push.text(f"第{number}句")
    follower = partner()
    with CaptureQueriesContext(connection) as queries:
        conversations.page(follower)
    assert len(queries) <= 4


def test_both_lists_are_read_by_the_openid(push: Callback) -> None:
    push.text("一")
    if connection.vendor != "sqlite":
        pytest.skip("the plan of SQLite")
    with CaptureQueriesContext(connection) as queries:
        conversations.page(partner())
    for query in queries.captured_queries[1:]:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
        assert "SCAN wechat_push " not in plan
        assert "SCAN wechat_outgoingmessage" not in plan


# Answering.


def test_an_answer_is_a_message_of_the_outbox_and_arrives(
    push: Callback, clerk: User, simulator: SimulatorServer, worker_alive: object
) -> None:
    platform = simulator.platform
    person = platform.add_person(next(iter(platform.accounts.values())), openid=OPENID, follows=True)
    person.windows.open("user_msg", platform.clock.now())
    push.text("您好")
    OutgoingMessage.objects.all().delete()
    row = say(clerk, "马上为您查", agent="anna@wxhub")
    assert (row.state, row.route, row.purpose, row.written_by_id) == ("waiting", "customer_service", "staff", clerk.pk)
    assert timedelta(hours=47) < row.expires_at - timezone.now() < timedelta(hours=48)
    send_due()
    row.refresh_from_db()
    assert (row.state, row.errcode) == ("sent", 0)
    assert person.chat[-1]["text"] == "马上为您查"
    assert person.chat[-1]["agent"] == "客服小安"


def test_an_answer_in_the_minute_after_a_tap_ends_with_the_minute(push: Callback, clerk: User) -> None:
    push.click("PRICES")
    assert say(clerk).expires_at <= timezone.now() + timedelta(seconds=55)


def test_the_same_number_is_written_once(push: Callback, clerk: User) -> None:
    push.text("您好")
    first = say(clerk, "好")
    assert say(clerk, "好").pk == first.pk
    assert OutgoingMessage.objects.filter(purpose="staff").count() == 1


def test_a_closed_window_refuses_and_writes_nothing_unless_it_may_wait(push: Callback, clerk: User) -> None:
    push.text("您好")
    for number in range(5):
        say(clerk, number=f"aaaaaaaa{number:04d}")
    with pytest.raises(conversations.Closed):
        say(clerk, "第六条")
    assert OutgoingMessage.objects.filter(purpose="staff").count() == 5
    row = say(clerk, "第六条", may_wait=True)
    assert row.state == "owed"
    assert partner().owed == 1


def test_two_answers_that_wait_both_go_out_at_the_next_word(push: Callback, clerk: User, worker_alive: object) -> None:
    push.text("您好")
    Push.objects.update(received_at=timezone.now() - timedelta(days=3))
    Follower.objects.update(message_at=timezone.now() - timedelta(days=3))
    rows = [say(clerk, text, number, may_wait=True) for text, number in (("甲", "aaaaaaaa01"), ("乙", "aaaaaaaa02"))]
    assert [row.state for row in rows] == ["owed", "owed"]
    push.text("我回来了")
    assert [OutgoingMessage.objects.get(pk=row.pk).state for row in rows] == ["waiting", "waiting"]
    assert partner().owed == 0


def test_who_left_is_not_written_to_at_all(push: Callback, clerk: User) -> None:
    push.text("您好")
    push(event("unsubscribe", created=int(time.time()) + 5))
    with pytest.raises(conversations.Closed):
        say(clerk, may_wait=True)


def test_choices_wait_for_a_push_they_can_follow_and_are_not_lost_in_an_answer(push: Callback, clerk: User) -> None:
    push.text("您好")
    for number in range(5):
        say(clerk, number=f"aaaaaaaa{number:04d}")
    OutgoingMessage.objects.filter(purpose="staff").update(state="sent", sent_at=timezone.now())
    menu = MsgMenu((("101", "满意"),), "满意吗？")
    row = conversations.answer(partner(), menu, author_id=clerk.pk, number="bbbbbbbb01", may_wait=True)
    push.text("没有工作进程的时候")  # nobody sends now: what is owed can only travel as the answer to this very push
    row.refresh_from_db()
    assert row.state == "owed", "an answer to a push cannot be a list of choices"
    assert partner().owed == 1
