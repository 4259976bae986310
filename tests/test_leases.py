"""Leases: held by one at a time, over threads and crashes."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from wechat import leases
from wechat.models import Lease

pytestmark = pytest.mark.django_db


def run_out(name: str) -> None:
    Lease.objects.filter(name=name).update(until=timezone.now() - timedelta(seconds=1))


def test_a_lease_has_one_holder_until_it_ends() -> None:
    assert leases.claim("x", "a", 10)
    assert not leases.claim("x", "b", 10)
    run_out("x")
    assert not leases.is_held("x")
    assert leases.claim("x", "b", 10)
    assert Lease.objects.get().holder == "b"


def test_the_holder_can_prolong_it() -> None:
    leases.claim("x", "a", 10)
    before = Lease.objects.get().until
    assert leases.claim("x", "a", 100)
    assert Lease.objects.get().until > before


def test_only_the_holder_gives_it_back() -> None:
    leases.claim("x", "a", 10)
    assert not leases.release("x", "b")
    assert leases.is_held("x")
    assert leases.release("x", "a")
    assert leases.claim("x", "b", 10)


def test_anybody_can_extend_one_and_say_why() -> None:
    leases.extend("circuit:1", 60, note="x" * 1000)
    assert leases.is_held("circuit:1")
    assert len(Lease.objects.get().note) == 300
    assert leases.release("circuit:1")
    assert not leases.release("circuit:1")


def test_leases_of_other_names_do_not_matter() -> None:
    assert leases.claim("x", "a", 10)
    assert leases.claim("y", "b", 10)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["absent", "run out"])
def test_of_eight_threads_one_gets_it(state: str) -> None:
    if state == "run out":
        leases.claim("x", "dead", 10)
        run_out("x")
    start, winners = threading.Barrier(8), []

    def claim(holder: str) -> None:
        start.wait()
        try:
            if leases.claim("x", holder, 10):
                winners.append(holder)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim, args=(f"holder {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert winners == [Lease.objects.get().holder]
