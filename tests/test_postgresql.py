"""The backend for PostgreSQL: few trips, and no error or cut lost on the way."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callback import Callback
from django.conf import settings
from django.db import DataError, IntegrityError, InternalError, OperationalError, connection, transaction
from test_statements import a_push

from orders.models import Order, Scan
from wechat import statements
from wechat.models import Account, OutgoingMessage, Push

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL only"),
]


class Trips:
    """Counts how often the server was asked and waited for, whichever way; out of libpq's own trace of a connection."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace
        self._before = 0

    def begin(self) -> None:
        """Count from here."""
        self._before = self._answers()

    def count(self) -> int:
        """Since `begin`."""
        return self._answers() - self._before

    def _answers(self) -> int:
        return self._trace.read_text(errors="replace").count("ReadyForQuery")


@pytest.fixture
def trips(tmp_path: Path) -> Iterator[Trips]:
    """The trips of this test's connection; those of Django's own cursors count too."""
    connection.ensure_connection()
    with (tmp_path / "trace").open("wb") as trace:
        connection.connection.pgconn.trace(trace.fileno())
        try:
            yield Trips(tmp_path / "trace")
        finally:
            connection.connection.pgconn.untrace()


def backend() -> int:
    """The number of this connection's process on the server."""
    row = statements.run("SELECT pg_backend_pid()", [])
    assert row is not None
    return int(row[0])


def cut(number: int) -> None:
    """End that process, as a restart of the server would, and wait until it is gone."""
    address = {**connection.get_connection_params(), "autocommit": True}
    with psycopg.connect(
        **{key: address[key] for key in ("dbname", "user", "host", "port") if key in address}
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [number])


def test_the_installation_uses_it() -> None:
    assert settings.DATABASES["default"]["ENGINE"] == "wxhub.postgresql"


def test_a_text_takes_two_trips(push: Callback, account: Account, trips: Trips) -> None:
    push.text("one")
    trips.begin()
    assert push.text("two").status_code == 200
    assert trips.count() == 2


def test_a_scan_takes_two_trips(push: Callback, order: Order, worker_alive: Any, trips: Trips) -> None:
    push.scan("77", openid="oONE")
    trips.begin()
    assert push.scan("77", openid="oTWO").status_code == 200
    assert trips.count() == 2
    assert OutgoingMessage.objects.count() == 2
    assert [scan.message_id for scan in Scan.objects.order_by("pk")] == [
        message.pk for message in OutgoingMessage.objects.order_by("pk")
    ]


def test_a_cut_connection_is_an_operational_error(account: Account) -> None:
    @transaction.atomic
    def read() -> None:
        cut(backend())
        statements.run("SELECT 1", [])

    with pytest.raises(OperationalError):
        read()
    assert statements.run("SELECT 1", []) == (1,)


def test_a_cut_before_the_commit_loses_the_transaction_and_says_so(account: Account) -> None:
    @transaction.atomic
    def write() -> None:
        number = backend()
        statements.insert_later(a_push(account))
        cut(number)

    with pytest.raises(OperationalError):
        write()
    assert not Push.objects.exists()


def test_a_cut_before_the_first_statement_is_an_operational_error(account: Account) -> None:
    write = transaction.atomic(statements.insert)
    cut(backend())
    with pytest.raises(OperationalError):
        write(a_push(account))
    write(a_push(account))
    assert Push.objects.count() == 1


def test_the_first_error_of_a_trip_is_the_one_that_is_raised(account: Account) -> None:
    @transaction.atomic
    def divide(by: int) -> None:
        statements.run_later("SELECT 1 / %s::int", [by])
        statements.insert_later(a_push(account))

    with pytest.raises(DataError, match="division by zero"):
        divide(by=0)
    assert not Push.objects.exists()
    divide(by=1)
    assert Push.objects.count() == 1


def test_an_error_that_was_caught_spoils_the_transaction_as_ever(account: Account) -> None:
    with transaction.atomic():
        statements.insert_later(a_push(account))
        with pytest.raises(IntegrityError), transaction.atomic():
            statements.run(
                f"INSERT INTO {Push._meta.db_table} SELECT * FROM {Push._meta.db_table} WHERE key = %s", ["one"]
            )
    assert Push.objects.count() == 1


def test_a_commit_that_keeps_nothing_is_an_error(account: Account) -> None:
    @transaction.atomic
    def write() -> None:
        statements.insert(a_push(account))
        with suppress(DataError):
            statements.run("SELECT 1 / %s::int", [0])

    with pytest.raises(InternalError, match="caught"):
        write()
    assert not Push.objects.exists()
    assert statements.run("SELECT %s::int", [2]) == (2,)


def test_an_interrupted_trip_leaves_nothing_to_be_mistaken(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def register(self, *_args: Any) -> None: ...

        def poll(self) -> None:
            raise KeyboardInterrupt

    sleep, before = transaction.atomic(statements.run), backend()
    with monkeypatch.context() as patch:
        patch.setattr("wxhub.postgresql.base.poll", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            sleep("SELECT pg_sleep(%s)", [0.2])
    assert statements.run("SELECT %s::int", [2]) == (2,)
    assert backend() != before


def test_more_than_the_socket_takes_at_once_arrives(account: Account) -> None:
    large = "报" * 5_000_000
    with transaction.atomic():
        statements.run_later("SELECT length(%s::text)", [large])
        assert statements.run("SELECT length(%s::text)", [large]) == (5_000_000,)


def test_other_threads_run_while_one_waits(account: Account) -> None:
    turns, over = 0, threading.Event()

    def count() -> None:
        nonlocal turns
        while not over.is_set():
            turns += 1
            over.wait(0.001)

    other = threading.Thread(target=count)
    other.start()
    with transaction.atomic():
        statements.run("SELECT pg_sleep(%s)", [0.3])  # with the BEGIN
        statements.run("SELECT pg_sleep(%s)", [0.3])
    over.set()
    other.join()
    assert turns > 50


def test_what_psycopg_throws_away_does_not_matter(account: Account) -> None:
    question = (f"SELECT name FROM {Account._meta.db_table} WHERE id = %s", [account.pk])
    statements.run(*question)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE passing (id int)")
        cursor.execute("DROP TABLE passing")
    with pytest.raises(RuntimeError), transaction.atomic():
        raise RuntimeError
    assert statements.run(*question) == (account.name,)


def test_a_statement_that_a_migration_has_outdated_is_prepared_anew(account: Account) -> None:
    read = transaction.atomic(statements.run)
    question = ("SELECT text FROM passing WHERE id = %s", [1])
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE passing (id int, text varchar(10)); INSERT INTO passing VALUES (1, 'old')")
    try:
        assert read(*question) == ("old",)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE passing ALTER text TYPE varchar(20)")
        with pytest.raises(OperationalError, match="cached plan"):
            read(*question)
        assert read(*question) == ("old",)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE passing")


def test_a_transaction_begins_as_it_was_configured(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "isolation_level", psycopg.IsolationLevel.SERIALIZABLE)
    with transaction.atomic():
        assert statements.run("SHOW transaction_isolation", []) == ("serializable",)
