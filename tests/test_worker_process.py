"""Whole workers with their threads: they beat, share the work, survive a broken database, and end cleanly."""

import gc
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from callback import Callback
from django.db import connection, connections

from orders.models import Order
from wechat import circuit, conf, leases, tokens, worker
from wechat.models import Lease, OutgoingMessage
from wechat.simulator.server import SimulatorServer
from wechat.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
SEND = "/cgi-bin/message/custom/send"
State = OutgoingMessage.State


@pytest.fixture
def start() -> Iterator[Callable[[], Worker]]:
    """`start()`: a worker that runs in a thread of its own until the test ends."""
    running: list[tuple[Worker, threading.Thread]] = []

    def run(one: Worker) -> None:
        try:
            one.run()
        finally:
            connections.close_all()

    def begin() -> Worker:
        one = Worker()
        thread = threading.Thread(target=run, args=(one,))
        running.append((one, thread))
        thread.start()
        return one

    yield begin
    for one, _ in running:
        one.stopping.set()
    for _, thread in running:
        thread.join()
    gc.collect()  # closes the connections of the ended threads


@pytest.fixture
def people(push: Callback, order: Order, worker_alive: Lease, simulator: SimulatorServer) -> Callable[[int], None]:
    """`people(12)`: so many followers scan the code of quote 77."""
    [account] = simulator.platform.accounts.values()

    def scan(number: int) -> None:
        tokens.get(conf.account_by_id(order.account_id))
        for index in range(number):
            openid = f"oPerson{index:020}"
            person = simulator.platform.add_person(account, openid=openid, follows=True)
            person.windows.open("scan", simulator.platform.clock.now())
            push.scan("77", openid=openid)

    return scan


def wait_until(true: Callable[[], object], seconds: float = 10) -> float:
    """Wait for it; how long it took."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - started


def states() -> list[str]:
    return list(OutgoingMessage.objects.order_by("pk").values_list("state", flat=True))


def test_a_worker_says_that_it_lives_and_takes_the_sign_away(start: Callable[[], Worker]) -> None:
    one = start()
    wait_until(lambda: leases.is_held(f"worker:{one.id}"))
    one.stopping.set()
    assert wait_until(lambda: not Lease.objects.filter(name=f"worker:{one.id}").exists()) < 6


def test_two_workers_send_everything_once(
    start: Callable[[], Worker], people: Callable[[int], None], simulator: SimulatorServer
) -> None:
    people(40)
    start()
    start()
    wait_until(lambda: set(states()) == {State.SENT})
    sent = [entry["openid"] for entry in simulator.platform.journal.find(kind="message", limit=1000)]
    assert len(sent) == len(set(sent)) == 40
    assert set(OutgoingMessage.objects.values_list("attempts", "unknown_outcomes")) == {(1, 0)}


def test_slow_calls_run_side_by_side(
    start: Callable[[], Worker], people: Callable[[int], None], simulator: SimulatorServer
) -> None:
    people(16)
    simulator.platform.faults.set(kind="slow", match=SEND, seconds=0.5)
    start()
    assert wait_until(lambda: set(states()) == {State.SENT}) < 3


def test_who_is_free_goes_on_before_the_next_look(
    start: Callable[[], Worker],
    people: Callable[[int], None],
    simulator: SimulatorServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "TICK", 60)
    people(3 * worker.AT_ONCE)
    simulator.platform.faults.set(kind="slow", match=SEND, seconds=0.1)
    one = start()
    wait_until(lambda: set(states()) == {State.SENT}, 30)
    one.stopping.set()
    one._room.set()


def test_one_hanging_call_does_not_delay_the_others(
    start: Callable[[], Worker], people: Callable[[int], None], simulator: SimulatorServer
) -> None:
    people(6)
    simulator.platform.faults.set(kind="hang", match=SEND, seconds=1.5, remaining=1)
    start()
    assert wait_until(lambda: states().count(State.SENT) == 5) < 1.4


def test_a_bad_message_does_not_delay_the_others(
    start: Callable[[], Worker], people: Callable[[int], None], simulator: SimulatorServer
) -> None:
    people(4)
    first = OutgoingMessage.objects.earliest("pk")
    OutgoingMessage.objects.filter(pk=first.pk).update(content={"kind": "hologram"})
    start()
    assert wait_until(lambda: sorted(states()) == [State.SENT] * 3 + [State.SET_ASIDE]) < 3


def test_a_worker_survives_a_broken_database(
    start: Callable[[], Worker], people: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AFTER_ERROR", 0.05)
    people(1)
    table = OutgoingMessage._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            one = Worker()
            for _ in range(3):
                one.tick()
        finally:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")
    start()
    assert wait_until(lambda: states() == [State.SENT]) < 6


def test_a_worker_probes_and_goes_on_when_the_api_is_back(
    start: Callable[[], Worker], people: Callable[[int], None], simulator: SimulatorServer, order: Order
) -> None:
    people(2)
    leases.extend(circuit.name(order.account_id), 60)
    conf.forget()
    start()
    wait_until(lambda: states() == [State.SENT] * 2)
    assert not leases.is_held(circuit.name(order.account_id))


def test_a_stopped_worker_finishes_what_it_is_sending(
    start: Callable[[], Worker], people: Callable[[int], None], simulator: SimulatorServer
) -> None:
    people(3)
    simulator.platform.faults.set(kind="slow", match=SEND, seconds=0.5)
    one = start()
    wait_until(lambda: states() == [State.SENDING] * 3)
    one.stopping.set()
    assert wait_until(lambda: states() == [State.SENT] * 3, seconds=3) < 3
