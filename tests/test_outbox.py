"""An outgoing message is a row: which way it travels, who may take it, when it is owed, handed over or given up."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from callback import OPENID, Callback, answer, event
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order
from wechat import circuit, conf, inbox, leases, outbox
from wechat.conf import AccountConfig
from wechat.models import Account, Follower, Lease, OutgoingMessage, Push

State, Route = OutgoingMessage.State, OutgoingMessage.Route


def rows() -> list[tuple[str, str]]:
    """What each message is about and what became of it, in the order of writing."""
    return list(OutgoingMessage.objects.order_by("pk").values_list("about", "state"))


def close_window() -> None:
    """The minute is over."""
    past = timezone.now() - timedelta(seconds=1)
    OutgoingMessage.objects.filter(state__in=[State.WAITING, State.SENDING]).update(due_at=past, expires_at=past)
    outbox.close_windows()


@pytest.fixture
def second_order(order: Order) -> Order:
    return Order.objects.create(account=order.account, orderid=78, total_money=1)


@pytest.fixture
def owed(push: Callback, order: Order, worker_alive: Lease) -> OutgoingMessage:
    """The card of quote 77, which could not be sent in its minute. The worker is alive."""
    push.scan("77")
    close_window()
    return OutgoingMessage.objects.get()


def no_worker() -> None:
    Lease.objects.filter(name__startswith="worker:").delete()
    conf.forget()


def test_with_a_living_worker_the_card_goes_by_the_api(push: Callback, order: Order, worker_alive: Lease) -> None:
    assert answer(push.scan("77")) is None
    message = OutgoingMessage.objects.get()
    assert (message.state, message.route, message.purpose, message.about) == (
        "waiting",
        "customer_service",
        "quote",
        "77",
    )
    assert (message.openid, message.push) == (OPENID, Push.objects.get())
    assert message.due_at == message.created_at
    assert message.expires_at - message.created_at == timedelta(seconds=55)


def open_circuit(config: AccountConfig) -> None:
    leases.extend(circuit.name(config.id), 60)


def pause(config: AccountConfig) -> None:
    leases.extend(outbox.pause_name(config.id), 60)


def choose_passive(config: AccountConfig) -> None:
    Account.objects.update(delivery="passive")
    conf.touch(Account.objects.get())


def lose_verification(config: AccountConfig) -> None:
    Account.objects.update(kind="service", delivery="customer_service")
    conf.touch(Account.objects.get())


@pytest.mark.parametrize(
    "hindrance",
    [lambda _config: no_worker(), open_circuit, pause, choose_passive, lose_verification],
    ids=["no worker", "circuit open", "paused", "chosen", "not verified"],
)
def test_where_the_api_does_not_serve_the_card_is_the_answer_itself(
    hindrance: Callable[[AccountConfig], None], push: Callback, order: Order, worker_alive: Lease, config: AccountConfig
) -> None:
    hindrance(config)
    conf.forget()
    card = answer(push.scan("77"))
    assert card
    assert card["MsgType"] == "news"
    message = OutgoingMessage.objects.get()
    assert (message.state, message.route, message.attempts) == (State.SENT, Route.PASSIVE, 0)
    assert message.sent_at


def test_a_follow_by_scan_gets_the_card_by_the_api_and_the_welcome_as_answer(
    push: Callback, order: Order, worker_alive: Lease
) -> None:
    conf.save(order.account, {"wechat_welcome_text": "欢迎"})
    assert answer(push.follow("77"))["Content"] == "欢迎"  # type: ignore[index]
    assert rows() == [("77", State.WAITING)]


def test_a_follow_by_scan_without_a_worker_gets_the_card_and_no_welcome(push: Callback, order: Order) -> None:
    conf.save(order.account, {"wechat_welcome_text": "欢迎"})
    assert answer(push.follow("77"))["MsgType"] == "news"  # type: ignore[index]


def test_the_scan_of_an_unknown_quote_is_answered_with_words(push: Callback, worker_alive: Lease) -> None:
    for scene in ("404", "4294967295"):
        assert answer(push.scan(scene))["MsgType"] == "text"  # type: ignore[index]
    for scene in ("0", "4294967296", "x", "７７"):
        assert answer(push.scan(scene)) is None
    assert rows() == []


def test_what_could_not_be_sent_in_its_minute_is_owed(owed: OutgoingMessage) -> None:
    assert owed.state == State.OWED
    assert "window" in owed.error
    assert Follower.objects.get().owed == 1


@pytest.mark.parametrize("contact", ["text", "click", "scan", "follow"])
def test_an_owed_card_goes_by_the_api_at_the_next_contact(contact: str, push: Callback, owed: OutgoingMessage) -> None:
    contacts = {"text": "在吗", "click": "K", "scan": "elsewhere", "follow": ""}
    getattr(push, contact)(contacts[contact])
    owed.refresh_from_db()
    assert (owed.state, owed.attempts, owed.push) == (State.WAITING, 0, Push.objects.latest("pk"))
    assert owed.due_at <= timezone.now()
    seconds = (owed.expires_at - owed.due_at).total_seconds()
    assert seconds == (172_740 if contact == "text" else 55)
    assert Follower.objects.get().owed == 0


@pytest.mark.parametrize("contact", ["text", "click"])
def test_an_owed_card_is_the_answer_when_no_worker_is_alive(
    contact: str, push: Callback, owed: OutgoingMessage
) -> None:
    no_worker()
    assert answer(getattr(push, contact)("K"))["MsgType"] == "news"  # type: ignore[index]
    owed.refresh_from_db()
    assert (owed.state, owed.route) == (State.SENT, Route.PASSIVE)
    assert Follower.objects.get().owed == 0
    assert answer(push.text("and again")) is None


def test_an_owed_card_comes_before_any_text(push: Callback, owed: OutgoingMessage) -> None:
    conf.save(owed.account, {"wechat_default_reply": "您好", "wechat_welcome_text": "欢迎"})
    no_worker()
    assert answer(push.text("在吗"))["MsgType"] == "news"  # type: ignore[index]
    assert answer(push.text("在吗"))["Content"] == "您好"  # type: ignore[index]


def test_a_contact_that_opens_no_window_hands_nothing_over(push: Callback, owed: OutgoingMessage) -> None:
    push(event("LOCATION", Latitude="1"))
    push(event("VIEW", EventKey="https://example.com"))
    assert rows() == [("77", State.OWED)]


def test_a_new_scan_of_the_same_quote_replaces_the_owed_card(push: Callback, owed: OutgoingMessage) -> None:
    push.scan("77")
    assert rows() == [("77", State.GIVEN_UP), ("77", State.WAITING)]
    assert Follower.objects.get().owed == 0


@pytest.mark.usefixtures("second_order")
def test_with_a_new_scan_the_owed_card_goes_along(push: Callback, owed: OutgoingMessage) -> None:
    push.scan("78")
    assert rows() == [("77", State.WAITING), ("78", State.WAITING)]


@pytest.mark.usefixtures("second_order")
def test_an_answer_carries_one_card_and_the_other_stays_owed(push: Callback, owed: OutgoingMessage) -> None:
    no_worker()
    push.scan("78")
    assert rows() == [("77", State.OWED), ("78", State.SENT)]
    assert Follower.objects.get().owed == 1
    assert answer(push.text("在吗"))["MsgType"] == "news"  # type: ignore[index]
    assert rows() == [("77", State.SENT), ("78", State.SENT)]


def test_no_more_than_three_owed_cards_go_at_once(push: Callback, account: Account, worker_alive: Lease) -> None:
    for orderid in range(1, 6):
        Order.objects.create(account=account, orderid=orderid, total_money=1)
        push.scan(str(orderid))
        OutgoingMessage.objects.update(state=State.OWED)
    Follower.objects.update(owed=5)
    push.click("K")
    assert [state for _, state in rows()] == [State.OWED] * 2 + [State.WAITING] * 3
    assert Follower.objects.get().owed == 2


def test_what_others_are_owed_is_not_touched(push: Callback, owed: OutgoingMessage) -> None:
    push.text("hi", openid="oSomebodyElse")
    assert rows() == [("77", State.OWED)]


def test_who_unfollows_gets_nothing_that_waits_or_is_owed(
    push: Callback, owed: OutgoingMessage, second_order: Order
) -> None:
    no_worker()
    push.scan("78", openid="oOther")
    OutgoingMessage.objects.filter(openid="oOther").update(state=State.WAITING)
    push.unfollow()
    assert rows() == [("77", State.GIVEN_UP), ("78", State.WAITING)]
    assert "unfollowed" in OutgoingMessage.objects.get(pk=owed.pk).error
    assert Follower.objects.get(openid=OPENID).owed == 0
    push.unfollow(openid="oOther")
    assert rows() == [("77", State.GIVEN_UP), ("78", State.GIVEN_UP)]


def test_a_push_run_again_sends_by_the_api_what_an_answer_could_not_carry(push: Callback, order: Order) -> None:
    push.scan("77")
    inbox.run_again(Push.objects.get())
    assert rows() == [("77", State.SENT), ("77", State.WAITING)]
    choose_passive(conf.account_by_id(order.account_id))
    inbox.run_again(Push.objects.get())
    assert rows()[2] == ("77", State.OWED)
    assert Follower.objects.get().owed == 1


@pytest.fixture
def waiting(push: Callback, order: Order, worker_alive: Lease) -> OutgoingMessage:
    """The card of quote 77, due now."""
    push.scan("77")
    return OutgoingMessage.objects.get()


def lose_lease() -> None:
    OutgoingMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_claimed_message_is_nobody_elses(waiting: OutgoingMessage) -> None:
    [claimed] = outbox.claim("a", 16)
    assert (claimed.state, claimed.holder, claimed.attempts) == (State.SENDING, "a", 1)
    assert 9 < (claimed.due_at - timezone.now()).total_seconds() <= 10
    assert outbox.claim("b", 16) == []


def test_only_what_is_due_and_in_its_window_is_claimed(waiting: OutgoingMessage) -> None:
    now = timezone.now()
    OutgoingMessage.objects.update(due_at=now + timedelta(seconds=1))
    assert outbox.claim("a", 16) == []
    OutgoingMessage.objects.update(due_at=now, expires_at=now)
    assert outbox.claim("a", 16) == []


@pytest.mark.parametrize("state", [State.SENT, State.OWED, State.GIVEN_UP, State.SET_ASIDE])
def test_what_is_finished_is_never_claimed(state: str, waiting: OutgoingMessage) -> None:
    OutgoingMessage.objects.update(state=state)
    assert outbox.claim("a", 16) == []


def test_accounts_on_hold_are_left_alone_and_the_limit_is_kept(push: Callback, waiting: OutgoingMessage) -> None:
    assert outbox.claim("a", 16, but_not=[waiting.account_id]) == []
    push.scan("77")
    assert len(outbox.claim("a", 1)) == 1
    assert len(outbox.claim("a:2", 1)) == 1


def test_a_lost_lease_is_taken_over_once_and_marked(waiting: OutgoingMessage) -> None:
    outbox.claim("dead", 16)
    lose_lease()
    [taken] = outbox.claim("alive", 16)
    assert (taken.holder, taken.attempts, taken.unknown_outcomes) == ("alive", 2, 1)
    lose_lease()
    assert outbox.claim("third", 16) == []
    assert outbox.give_up_lost() == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == (State.GIVEN_UP, outbox.LOST)


def test_who_lost_his_lease_settles_nothing(waiting: OutgoingMessage) -> None:
    [stale] = outbox.claim("slow", 16)
    lose_lease()
    [taken] = outbox.claim("alive", 16)
    assert not outbox.settle(stale, State.SENT)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.holder) == (State.SENDING, "alive")
    assert outbox.settle(taken, State.SENT)
    assert not outbox.settle(taken, State.GIVEN_UP)


def test_a_worker_that_dies_at_the_end_of_the_window_leaves_a_marked_debt(waiting: OutgoingMessage) -> None:
    outbox.claim("dead", 16)
    close_window()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.unknown_outcomes, waiting.holder) == (State.OWED, 1, "")


def test_a_window_does_not_close_over_what_is_being_sent(waiting: OutgoingMessage) -> None:
    outbox.claim("alive", 16)
    OutgoingMessage.objects.update(expires_at=timezone.now())
    assert outbox.close_windows() == 0


def test_a_look_at_the_outbox_reads_the_index_and_not_the_table(waiting: OutgoingMessage) -> None:
    with CaptureQueriesContext(connection) as captured:
        outbox.close_windows()
        outbox.give_up_lost()
        OutgoingMessage.objects.update(due_at=timezone.now() + timedelta(seconds=9))
        outbox.claim("a", 16)
    looks = [query["sql"] for query in captured if "IN ('waiting', 'sending')" in query["sql"]]
    assert len(looks) == 3
    if connection.vendor == "sqlite":
        for look in looks:
            [(*_, plan), *_rest] = connection.cursor().execute(f"EXPLAIN QUERY PLAN {look}").fetchall()
            assert "USING INDEX outgoing_due" in plan


@pytest.mark.django_db(transaction=True)
def test_four_workers_that_claim_at_once_share_the_messages(push: Callback, order: Order, worker_alive: Lease) -> None:
    for number in range(12):
        push.scan("77", openid=f"oPerson{number:020}")
    start, claimed = threading.Barrier(4), []

    def work(name: str) -> None:
        start.wait()
        try:
            for turn in range(6):
                claimed.extend(message.pk for message in outbox.claim(f"{name}:{turn}", 2))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == list(OutgoingMessage.objects.order_by("pk").values_list("pk", flat=True))


def test_a_card_that_was_handed_over_in_vain_is_owed_again(push: Callback, owed: OutgoingMessage) -> None:
    push.text("hi")
    close_window()
    assert rows() == [("77", State.OWED)]
    assert Follower.objects.get().owed == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite shares the transaction")
def test_an_outcome_costs_one_round_trip(account: Account) -> None:
    message = OutgoingMessage(pk=1, account=account, openid="oX", holder="me", state=State.SENDING)
    with CaptureQueriesContext(connection) as asked:
        outbox.settle(message, State.SENT)
    assert len(asked) == 1
