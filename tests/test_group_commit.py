"""Group commit: what waits for the same lock shares a transaction, and nobody pays for another one's failure."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from callback import Callback, body
from django.db import OperationalError, connection, connections, transaction
from django.test import Client
from quotes import wait_until

from wechat import group_commit, leases, routing
from wechat.models import Account, Lease, Push
from wechat.routing import Contact, Handled

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="other databases gather their commits themselves"),
]


class Threads:
    """Threads that each do one thing behind a first one, which has the turn until `release`."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Any] = {}
        self._may_go: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._is_held, self.free = threading.Event(), threading.Event()

    def add(self, name: str, do: Callable[[], Any]) -> None:
        """A thread that will do this; it has its connection already."""
        connected, may_go = threading.Event(), threading.Event()

        def run() -> None:
            connection.ensure_connection()
            connected.set()
            assert may_go.wait(20)
            try:
                self.outcomes[name] = do()
            except Exception as error:
                self.outcomes[name] = error
            finally:
                connections.close_all()

        self._may_go[name] = may_go
        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()
        assert connected.wait(20)

    def hold(self) -> None:
        """Let the first one have the turn."""
        self.add("first", partial(group_commit.commit, self._first))
        self._may_go["first"].set()
        assert self._is_held.wait(20)

    def _first(self) -> None:
        self._is_held.set()
        assert self.free.wait(20)

    def enter(self, *names: str) -> None:
        """Let these go, each when the one before waits."""
        for name in names:
            before = len(group_commit._queue._waiting)
            self._may_go[name].set()
            wait_until(lambda before=before: len(group_commit._queue._waiting) > before, 20, f"{name} waits")

    def release(self) -> None:
        """Let the first one go on, and wait for all."""
        for event in (self.free, *self._may_go.values()):
            event.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def threads() -> Iterator[Threads]:
    connection.ensure_connection()  # none is to be had while another one writes
    made = Threads()
    yield made
    made.release()


def behind_one(threads: Threads, **works: Callable[[], Any]) -> None:
    """These works are committed as soon as the first one lets them."""
    for name, work in works.items():
        threads.add(name, partial(group_commit.commit, work))
    threads.hold()
    threads.enter(*works)


def write(name: str) -> Callable[[], int]:
    """A work that writes one row, and returns the thread that did it."""

    def work() -> int:
        leases.claim(name, "test", 60)
        return threading.get_ident()

    return work


def written() -> set[str]:
    return set(Lease.objects.filter(holder="test").values_list("name", flat=True))


def test_who_waits_shares_one_transaction(threads: Threads) -> None:
    others_did, looked = threading.Event(), threading.Event()

    def last() -> int:
        others_did.set()
        assert looked.wait(20)
        return write("d")()

    behind_one(threads, a=write("a"), b=write("b"), c=write("c"), d=last)
    threads.free.set()
    assert others_did.wait(20)
    assert written() == set()  # not one before all of them
    looked.set()
    threads.release()
    assert written() == set("abcd")
    assert len({threads.outcomes[name] for name in "abcd"}) == 1


def test_many_take_several_turns(threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST", 2)
    behind_one(threads, **{name: write(name) for name in "abcde"})
    threads.release()
    assert written() == set("abcde")
    by = [threads.outcomes[name] for name in "abcde"]
    assert by[0] == by[1] != by[2] == by[3] != by[4]


def test_a_failure_is_its_own_only(threads: Threads) -> None:
    def fail() -> None:
        write("b")()
        raise LookupError("broken template")

    behind_one(threads, a=write("a"), b=fail, c=write("c"))
    threads.release()
    assert isinstance(threads.outcomes["b"], LookupError)
    assert written() == {"a", "c"}


def test_what_fails_alone_is_not_tried_again() -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise LookupError("broken template")

    with pytest.raises(LookupError):
        group_commit.commit(fail)
    assert calls == [1]


def test_a_database_that_fails_is_asked_once_for_all(threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST", 2)
    calls = []

    def fail() -> None:
        calls.append(1)
        raise OperationalError("database is locked")

    behind_one(threads, a=fail, b=fail, c=fail)
    threads.release()
    assert [str(threads.outcomes[name]) for name in "abc"] == ["database is locked"] * 3
    assert calls == [1]
    group_commit.commit(write("afterwards"))
    assert written() == {"afterwards"}


def test_nobody_waits_for_ever(threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    threads.add("b", partial(group_commit.commit, write("b")))
    monkeypatch.setattr(group_commit, "PATIENCE", 0.3)
    behind_one(threads, a=write("a"))
    wait_until(lambda: "a" in threads.outcomes, 20, "its patience ends")
    monkeypatch.setattr(group_commit, "PATIENCE", 20.0)
    threads.enter("b")
    threads.release()
    assert isinstance(threads.outcomes["a"], OperationalError)
    assert written() == {"b"}


def test_a_push_that_fails_takes_no_other_with_it(
    threads: Threads, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(contact: Contact) -> Handled | None:
        if contact.message.fields["content"] == "crash":
            raise LookupError("broken template")
        return None

    monkeypatch.setitem(routing._handlers, "text", [handler])
    for text in ("one", "crash", "two"):
        threads.add(text, partial(Callback(Client()), body("text", Content=text)))
    threads.hold()
    threads.enter("one", "crash", "two")
    threads.release()
    assert [threads.outcomes[text].content for text in ("one", "crash", "two")] == [b"success"] * 3
    errors = {push.raw.partition("Content><![CDATA[")[2][:5]: push.error for push in Push.objects.all()}
    assert len(errors) == 3
    assert "broken template" in errors.pop("crash")
    assert not any(errors.values())


def test_within_a_transaction_the_work_belongs_to_it() -> None:
    with transaction.atomic():
        group_commit.commit(write("a"))
        transaction.set_rollback(True)
    assert written() == set()
