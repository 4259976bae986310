"""Group commit: what waits for the same lock shares a transaction, and nobody pays for another one's failure."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from callback import Callback, body
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.test import Client
from django.utils import timezone
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

    def go(self, name: str) -> None:
        """Let this one go."""
        self._may_go[name].set()

    def hold(self) -> None:
        """Let the first one have the turn."""
        self.add("first", partial(group_commit.commit, self._first))
        self.go("first")
        assert self._is_held.wait(20)

    def _first(self) -> None:
        self._is_held.set()
        assert self.free.wait(20)

    def enter(self, *names: str) -> None:
        """Let these go, each when the one before waits."""
        for name in names:
            before = len(group_commit._queue._waiting)
            self.go(name)
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


def test_a_database_error_is_its_own_only(threads: Threads) -> None:
    """SQLite calls a missing table operational, like a lock."""

    def fail() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM of_an_app_that_was_not_migrated")

    behind_one(threads, a=write("a"), b=fail, c=write("c"))
    threads.release()
    assert "no such table" in str(threads.outcomes["b"])
    assert written() == {"a", "c"}


def test_a_database_error_that_was_swallowed_is_its_own_only(threads: Threads) -> None:
    def swallow() -> None:
        with suppress(IntegrityError):
            Lease.objects.create(name="taken", holder="test", until=timezone.now())

    write("taken")()
    behind_one(threads, a=write("a"), b=swallow, c=write("c"))
    threads.release()
    assert isinstance(threads.outcomes["b"], transaction.TransactionManagementError)
    assert written() == {"a", "c", "taken"}


def test_a_lock_that_is_not_to_be_had_is_waited_for_once_by_all(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def atomic() -> None:
        asked.append(1)
        raise OperationalError("database is locked")

    behind_one(threads, a=write("a"), b=write("b"), c=write("c"))
    with monkeypatch.context() as patch:
        patch.setattr(group_commit.transaction, "atomic", atomic)
        threads.release()
    assert [str(threads.outcomes[name]) for name in "abc"] == ["database is locked"] * 3
    assert len({id(threads.outcomes[name]) for name in "abc"}) == 3
    assert asked == [1]
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


class Impatient:
    """The gate of a thread whose patience ends at the very moment when `moment` comes."""

    def __init__(self, moment: Callable[[], bool]) -> None:
        self._gate, self._moment, self._is_first = threading.Semaphore(0), moment, True

    def acquire(self, timeout: float | None = None) -> bool:
        if not self._is_first:
            return self._gate.acquire(timeout=20)
        self._is_first = False
        wait_until(self._moment, 20, "the moment")
        return False

    def release(self) -> None:
        assert self._gate._value == 0, "opened twice"
        self._gate.release()


def test_who_gives_up_as_it_is_to_lead_leads(threads: Threads) -> None:
    queue = group_commit._Queue()
    first, late, last = (group_commit._Turn(write(name)) for name in ("first", "late", "last"))
    late.gate = Impatient(lambda: late.leads)  # type: ignore[assignment]
    queue.enter(first)
    threads.add("late", lambda: (queue.enter(late), queue.lead(late)))
    threads.add("last", lambda: queue.enter(last))
    queue._take = lambda: [queue._waiting.popleft()]  # type: ignore[method-assign]
    threads.go("late")
    wait_until(lambda: late in queue._waiting, 20, "it waits")
    threads.go("last")
    wait_until(lambda: last in queue._waiting, 20, "it waits")
    queue.lead(first)
    del queue._take
    wait_until(lambda: "late" in threads.outcomes, 20, "it led")
    assert written() >= {"first", "late"}


def test_who_gives_up_as_it_is_done_hears_what_became_of_it(threads: Threads) -> None:
    queue = group_commit._Queue()
    first, late = group_commit._Turn(write("first")), group_commit._Turn(write("late"))
    late.gate = Impatient(lambda: not queue._waiting)  # type: ignore[assignment]
    queue.enter(first)
    threads.add("late", lambda: queue.enter(late))
    threads.go("late")
    wait_until(lambda: late in queue._waiting, 20, "it waits")
    queue.lead(first)
    threads.release()
    assert threads.outcomes["late"] is None, "it did not give up"
    assert (late.error, late.result) == (None, threading.get_ident())


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
