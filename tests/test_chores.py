"""The worker's periodic work: each chore in its turn, by one worker at a time, and never in the way of sending."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import pytest
from django.db import connections

from wechat import chores, leases
from wechat.chores import CHORES, Chore, Rota
from wechat.models import Lease
from wechat.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Rota]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "BREATH", 0.01)


@pytest.fixture
def rota() -> Iterator[Start]:
    """`rota(chore, …, holder="a")`: the chores of a worker of that name, as long as the test runs."""
    made: list[Rota] = []

    def make(*listed: Chore, holder: str = "a") -> Rota:
        made.append(Rota(holder, [Chore(one.name, one.every, _closing(one.work)) for one in listed]))
        return made[-1]

    yield make
    for one in made:
        one.close()
    gc.collect()  # closes the connections of the ended threads


def _closing(work: Callable[[], int]) -> Callable[[], int]:
    """PostgreSQL cannot drop the test's database while a thread of the pool is connected."""

    def turn() -> int:
        try:
            return work()
        finally:
            connections.close_all()

    return turn


def look_until(rotas: Rota | Sequence[Rota], done: Callable[[], bool], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not done() and time.monotonic() < ends:
        for one in [rotas] if isinstance(rotas, Rota) else rotas:
            one.look()
        time.sleep(0.005)


def look_for(rotas: Rota | Sequence[Rota], seconds: float) -> None:
    look_until(rotas, lambda: False, seconds)


def test_a_chore_is_done_every_so_often(rota: Start) -> None:
    turns: list[float] = []
    look_until(rota(Chore("sweep", 0.2, lambda: turns.append(time.monotonic()) or 0)), lambda: len(turns) == 4)
    assert len(turns) == 4
    assert all(after - before >= 0.2 for before, after in pairwise(turns))


def test_a_chore_goes_on_at_once_while_there_is_more(rota: Start) -> None:
    left = iter([3, 2, 1, 0, 0])
    look_for(rota(Chore("empty", 60, lambda: next(left))), 1.0)
    assert next(left) == 0  # four turns, and then a pause


def test_looking_never_waits_for_a_slow_chore(rota: Start) -> None:
    hold = threading.Event()
    one = rota(Chore("slow", 0.1, lambda: int(hold.wait(5)) * 0), Chore("quick", 0.05, lambda: 0))
    began = time.monotonic()
    look_for(one, 0.3)
    assert time.monotonic() - began < 0.6
    hold.set()


def test_a_slow_chore_delays_no_other(rota: Start) -> None:
    hold, turns = threading.Event(), []
    one = rota(Chore("slow", 0.1, lambda: int(hold.wait(5)) * 0), Chore("quick", 0.05, lambda: turns.append(1) or 0))
    look_until(one, lambda: len(turns) == 3, 4)  # the slow one is held up for longer
    hold.set()
    assert len(turns) == 3


def test_one_worker_does_a_chore_at_a_time(rota: Start) -> None:
    done: list[str] = []
    hers = rota(Chore("sweep", 0.05, lambda: done.append("a") or 0), holder="a")
    his = rota(Chore("sweep", 0.05, lambda: done.append("b") or 0), holder="b")
    look_for([hers, his], 0.5)
    assert len(done) >= 3
    assert len(set(done)) == 1


def test_another_worker_goes_on_after_one_that_stopped(rota: Start) -> None:
    done: list[str] = []
    first = rota(Chore("sweep", 0.05, lambda: done.append("a") or 0), holder="a")
    look_until(first, lambda: "a" in done)
    first.close()
    look_until(rota(Chore("sweep", 0.05, lambda: done.append("b") or 0), holder="b"), lambda: "b" in done)
    assert done[0] == "a"
    assert done[-1] == "b"


def test_another_worker_goes_on_after_one_that_died(rota: Start) -> None:
    done: list[str] = []
    look_until(rota(Chore("sweep", 0.05, lambda: done.append("a") or 0), holder="a"), lambda: "a" in done)
    Lease.objects.filter(name__in=["leader", "chore:sweep"]).update(until="2000-01-01T00:00Z")
    look_until(rota(Chore("sweep", 0.05, lambda: done.append("b") or 0), holder="b"), lambda: "b" in done)
    assert done[-1] == "b"


def test_a_failure_is_logged_and_tried_again(rota: Start, caplog: pytest.LogCaptureFixture) -> None:
    turns: list[int] = []

    def broken() -> int:
        turns.append(1)
        raise KeyError("of the chore")

    with caplog.at_level(logging.ERROR):
        look_for(rota(Chore("broken", 0.1, broken), Chore("sound", 0.1, lambda: turns.append(0) or 0)), 0.5)
    assert turns.count(1) >= 2
    assert turns.count(0) >= 2
    assert "the chore broken failed" in caplog.text
    assert "KeyError: 'of the chore'" in caplog.text


def test_a_worker_does_its_chores_while_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def turn() -> int:
        connections.close_all()
        done.set()
        return 0

    monkeypatch.setattr(chores, "CHORES", (Chore("sweep", 60, turn),))
    one = Worker()
    thread = threading.Thread(target=lambda: (one.run(), connections.close_all()))
    thread.start()
    assert done.wait(5)
    one.stopping.set()
    thread.join()
    assert not leases.is_held("chore:sweep")


def test_what_a_worker_does_is_on_the_list() -> None:
    names = {
        "codes",
        "channel tags",
        "spool",
        "digest",
        "retention",
        "web authorizations",
        "notices",
        "alarms",
        "housekeeping",
        "calls",
        "jobs",
        "delivery reports",
        "materials",
        "people",
    }
    of_quotes = {"journeys"}
    assert {chore.name for chore in CHORES} == names | of_quotes
