"""The worker: sends what is due, and writes on each row what became of it."""

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from callback import OPENID, Callback, listen_again
from django.utils import timezone

from orders.models import Order
from wechat import attempts, circuit, conf, outbox, tokens, transport, worker
from wechat.conf import AccountConfig
from wechat.errors import Fate, fate_of, meanings
from wechat.models import Follower, Lease, OutgoingMessage
from wechat.simulator.accounts import Person
from wechat.simulator.server import SimulatorServer

SEND = "/cgi-bin/message/custom/send"
State = OutgoingMessage.State


@pytest.fixture
def person(simulator: SimulatorServer) -> Person:
    """Somebody who just wrote to the account."""
    [account] = simulator.platform.accounts.values()
    person = simulator.platform.add_person(account, openid=OPENID, follows=True)
    person.windows.open("user_msg", simulator.platform.clock.now())
    return person


@pytest.fixture
def message(push: Callback, order: Order, worker_alive: Lease, person: Person) -> OutgoingMessage:
    """The card of quote 77, due now."""
    push.scan("77")
    return OutgoingMessage.objects.get()


def send_due() -> list[OutgoingMessage]:
    """What a worker does at once with all that is due, without its threads."""
    claimed = outbox.claim(f"worker:{time.monotonic()}", 16, but_not=worker.on_hold())
    for one in claimed:
        attempts.attempt(one)
    return list(OutgoingMessage.objects.order_by("pk"))


def make_due() -> None:
    OutgoingMessage.objects.filter(state=State.WAITING).update(due_at=timezone.now())


def fail(simulator: SimulatorServer, kind: str, **options: object) -> None:
    simulator.platform.faults.set(kind=kind, match=SEND, **options)


def arrived(simulator: SimulatorServer) -> int:
    return simulator.platform.counters["messages"]


def test_a_due_message_is_sent(message: OutgoingMessage, simulator: SimulatorServer, person: Person) -> None:
    [sent] = send_due()
    assert (sent.state, sent.attempts, sent.errcode, sent.error, sent.holder) == (State.SENT, 1, 0, "", "")
    assert sent.sent_at
    [line] = [line for line in person.chat if line["who"] == "account"]
    assert (line["kind"], line["via"]) == ("news", "customer_service")
    assert send_due() == [sent]
    assert arrived(simulator) == 1


FATES = [
    (-1, State.WAITING),
    (45015, State.OWED),
    (45047, State.OWED),
    (40003, State.GIVEN_UP),
    (43004, State.GIVEN_UP),
    (50002, State.GIVEN_UP),
    (50005, State.GIVEN_UP),
    (40164, State.WAITING),
    (45009, State.WAITING),
    (45011, State.WAITING),
    (48001, State.WAITING),
    (48004, State.WAITING),
    (40007, State.SET_ASIDE),
    (45002, State.SET_ASIDE),
    (45008, State.SET_ASIDE),
    (47001, State.SET_ASIDE),
    (47003, State.SET_ASIDE),
]


@pytest.mark.parametrize(("code", "state"), FATES)
def test_a_return_code_decides_what_becomes_of_the_message(
    code: int, state: str, message: OutgoingMessage, simulator: SimulatorServer
) -> None:
    fail(simulator, "errcode", errcode=code)
    [after] = send_due()
    assert (after.state, after.errcode) == (state, code)
    assert str(code) in after.error
    assert arrived(simulator) == 0


@pytest.mark.parametrize("code", [code for code, state in FATES if state == State.WAITING and code != -1])
def test_what_concerns_the_whole_account_holds_its_messages(
    code: int, push: Callback, message: OutgoingMessage, simulator: SimulatorServer
) -> None:
    fail(simulator, "errcode", errcode=code)
    send_due()
    make_due()
    calls = simulator.platform.counters["calls"]
    assert [one.attempts for one in send_due()] == [1]
    assert simulator.platform.counters["calls"] == calls
    assert str(code) in Lease.objects.get(name=outbox.pause_name(message.account_id)).note
    assert push.scan("77").content != b"success"  # meanwhile the card goes as the answer


def test_every_code_of_the_dictionary_has_a_fate() -> None:
    assert all(isinstance(fate_of(code), Fate) for code in meanings())


@pytest.mark.parametrize("code", [43004, 50005])
def test_who_turns_out_to_have_left_no_longer_counts_as_a_follower(
    code: int, message: OutgoingMessage, simulator: SimulatorServer
) -> None:
    fail(simulator, "errcode", errcode=code)
    send_due()
    assert not Follower.objects.get().subscribed


def test_an_unknown_code_is_tried_twice_and_then_left_to_staff(
    message: OutgoingMessage, simulator: SimulatorServer
) -> None:
    fail(simulator, "errcode", errcode=99999)
    [after] = send_due()
    assert after.state == State.WAITING
    make_due()
    [after] = send_due()
    assert (after.state, after.attempts, after.errcode) == (State.SET_ASIDE, 2, 99999)


def test_a_busy_platform_gets_the_message_a_little_later(message: OutgoingMessage, simulator: SimulatorServer) -> None:
    fail(simulator, "errcode", errcode=-1, remaining=3)
    for _ in range(4):
        make_due()
        [after] = send_due()
    assert (after.state, after.attempts, arrived(simulator)) == (State.SENT, 4, 1)


def test_attempts_come_quickly_at_first_and_end_with_the_window(
    message: OutgoingMessage, simulator: SimulatorServer
) -> None:
    fail(simulator, "errcode", errcode=-1)
    created, offsets = message.created_at, []
    with time_machine.travel(created, tick=False) as clock:
        while (current := OutgoingMessage.objects.get()).state == State.WAITING:
            clock.move_to(min(current.due_at, current.expires_at))
            offsets.append((timezone.now() - created).total_seconds())
            if not outbox.close_windows():
                conf.forget()
                Lease.objects.update(until=timezone.now() + timedelta(hours=1))
                send_due()
    *tried, closed = offsets
    assert tried[:9] == pytest.approx([0, 1, 2, 4, 8, 15, 25, 35, 45], rel=0.12)
    assert max(tried) < closed == 55
    assert (current.state, current.attempts) == (State.OWED, len(tried))


@pytest.mark.parametrize("kind", ["status", "html", "empty", "cut", "list", "bytes", "redirect", "huge"])
def test_garbage_is_never_taken_for_sent(kind: str, message: OutgoingMessage, simulator: SimulatorServer) -> None:
    fail(simulator, kind, remaining=1)
    [after] = send_due()
    assert (after.state, after.errcode, after.unknown_outcomes) == (State.WAITING, None, 0)
    assert 0.9 < (after.due_at - timezone.now()).total_seconds() < 1.2
    make_due()
    assert [one.state for one in send_due()] == [State.SENT]


def test_a_lost_answer_is_repeated_once_and_marked(message: OutgoingMessage, simulator: SimulatorServer) -> None:
    fail(simulator, "lost", remaining=1)
    [after] = send_due()
    assert (after.state, after.unknown_outcomes) == (State.WAITING, 1)
    make_due()
    [after] = send_due()
    assert (after.state, after.unknown_outcomes, arrived(simulator)) == (State.SENT, 1, 2)


def test_an_answer_lost_twice_is_given_up(message: OutgoingMessage, simulator: SimulatorServer) -> None:
    fail(simulator, "lost")
    send_due()
    make_due()
    [after] = send_due()
    assert (after.state, after.unknown_outcomes, arrived(simulator)) == (State.GIVEN_UP, 2, 2)
    assert outbox.LOST in after.error


def test_a_refused_connection_is_no_unknown_outcome(message: OutgoingMessage, simulator: SimulatorServer) -> None:
    tokens.get(conf.account_by_id(message.account_id))
    transport._local.session.close()  # a kept connection that dies in this very moment would be another case
    simulator.stop_listening()
    for _ in range(3):
        make_due()
        [after] = send_due()
    assert (after.state, after.unknown_outcomes, after.attempts) == (State.WAITING, 0, 3)
    listen_again(simulator)
    make_due()
    assert [one.state for one in send_due()] == [State.SENT]


def test_a_token_that_somebody_else_replaced_costs_one_fetch_and_no_attempt(
    message: OutgoingMessage, simulator: SimulatorServer
) -> None:
    tokens.get(conf.account_by_id(message.account_id))
    [account] = simulator.platform.accounts.values()
    account.tokens.revoke(simulator.platform.clock.now())
    [after] = send_due()
    assert (after.state, after.attempts) == (State.SENT, 1)
    assert simulator.platform.counters["token_fetches"] == 2


def test_a_message_that_breaks_our_own_code_is_set_aside_and_the_next_goes_out(
    push: Callback, message: OutgoingMessage, simulator: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    push.scan("77")
    OutgoingMessage.objects.filter(pk=message.pk).update(content={"kind": "hologram"})
    poisoned, good = send_due()
    assert (poisoned.state, good.state) == (State.SET_ASIDE, State.SENT)
    assert "KeyError" in poisoned.error


@pytest.mark.parametrize("content", [{}, {"kind": "text"}, {"kind": "news", "articles": []}, {"kind": "news"}, []])
def test_any_broken_content_is_set_aside(content: object, message: OutgoingMessage) -> None:
    OutgoingMessage.objects.update(content=content)
    assert [one.state for one in send_due()] == [State.SET_ASIDE]


def test_a_message_of_a_deleted_account_is_set_aside(message: OutgoingMessage) -> None:
    [claimed] = outbox.claim("a", 1)
    claimed.account_id += 1
    attempts.attempt(claimed)
    assert OutgoingMessage.objects.get().state == State.SET_ASIDE


def test_no_token_stands_on_the_rows(message: OutgoingMessage, simulator: SimulatorServer) -> None:
    token = tokens.get(conf.account_by_id(message.account_id))
    for kind in ("errcode", "html", "close"):
        fail(simulator, kind, remaining=1)
        make_due()
        [after] = send_due()
        assert token not in after.error


@pytest.fixture
def failing(message: OutgoingMessage, simulator: SimulatorServer) -> OutgoingMessage:
    """The circuit is open: five calls in ten seconds brought no answer."""
    tokens.get(conf.account_by_id(message.account_id))
    fail(simulator, "html")
    for _ in range(circuit.FAILURES):
        make_due()
        send_due()
    return message


def is_open(account_id: int) -> bool:
    conf.forget()
    return conf.snapshot().holds(circuit.name(account_id))


def test_after_five_failures_nothing_is_sent(failing: OutgoingMessage, simulator: SimulatorServer) -> None:
    assert is_open(failing.account_id)
    calls = simulator.platform.counters["calls"]
    make_due()
    send_due()
    assert simulator.platform.counters["calls"] == calls
    assert OutgoingMessage.objects.get().attempts == circuit.FAILURES


def test_while_the_api_fails_the_card_goes_as_the_answer(failing: OutgoingMessage, push: Callback) -> None:
    assert b"<ArticleCount>1</ArticleCount>" in push.scan("77").content


def test_four_failures_or_slow_ones_do_not_open_the_circuit(
    account: object, config: AccountConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(circuit.FAILURES - 1):
        circuit.failed(config.id)
    assert not is_open(config.id)
    circuit.worked(config.id)
    monkeypatch.setattr(circuit, "WITHIN", -1.0)
    for _ in range(circuit.FAILURES):
        circuit.failed(config.id)
    assert not is_open(config.id)


def test_one_worker_probes_at_a_time(failing: OutgoingMessage) -> None:
    account_id = failing.account_id
    assert not circuit.may_probe(account_id, "a")
    Lease.objects.filter(name=f"probe:{account_id}").update(until=timezone.now())
    assert [circuit.may_probe(account_id, holder) for holder in ("a", "b", "c")] == [True, False, False]


def test_a_probe_closes_the_circuit_when_the_api_answers_again(
    failing: OutgoingMessage, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.clear()
    simulator.platform.faults.set(kind="html", match="/cgi-bin/getcallbackip", remaining=1)
    worker.probe(failing.account_id)
    assert is_open(failing.account_id)
    worker.probe(failing.account_id)
    assert not is_open(failing.account_id)
    make_due()
    assert [one.state for one in send_due()] == [State.SENT]


def test_a_refusal_is_an_answer_too(failing: OutgoingMessage, simulator: SimulatorServer) -> None:
    simulator.platform.faults.clear()
    simulator.platform.faults.set(kind="errcode", match="/cgi-bin/getcallbackip", errcode=45009)
    worker.probe(failing.account_id)
    assert not is_open(failing.account_id)


@pytest.mark.parametrize(
    ("code", "now", "seconds"),
    [
        (45009, datetime(2026, 1, 1, 15, 0, tzinfo=UTC), 3600),
        (45009, datetime(2026, 1, 1, 16, 0, tzinfo=UTC), 86_400),
        (45011, datetime(2026, 1, 1, 15, 0, 45, tzinfo=UTC), 15),
        (40001, datetime(2026, 1, 1, tzinfo=UTC), 30),
        (48001, datetime(2026, 1, 1, tzinfo=UTC), 60),
    ],
)
def test_a_pause_lasts_until_the_quota_turns(code: int, now: datetime, seconds: float) -> None:
    assert attempts.pause_seconds(code, now) == seconds


def test_a_worker_that_lost_its_lease_while_sending_changes_nothing(message: OutgoingMessage) -> None:
    [stale] = outbox.claim("slow", 1)
    OutgoingMessage.objects.update(due_at=timezone.now())
    [taken] = outbox.claim("alive", 1)
    attempts.attempt(stale)
    current = OutgoingMessage.objects.get()
    assert (current.state, current.holder) == (State.SENDING, taken.holder)


def test_a_failing_api_raises_one_alarm(
    message: OutgoingMessage, simulator: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    tokens.get(conf.account_by_id(message.account_id))
    fail(simulator, "html")
    for _ in range(3 * circuit.FAILURES):
        make_due()
        send_due()
    alarms = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.name for record in alarms] == ["wechat.circuit"]
