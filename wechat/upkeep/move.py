"""Moves a SQLite installation to PostgreSQL while the site goes on taking pushes, and loses none.

1. The workers are stopped: nothing is being sent, cards travel as the answer to the scan. The site runs.
2. What changes is noted from now on (wechat.upkeep.changes), and everything is copied as it is at one instant.
3. What was noted is copied after it, until little is left.
4. With the write lock of SQLite held: the last of it is copied, all tables are counted on both sides, PostgreSQL keeps it,
   and SQLite takes nothing any more. A push that comes now is kept in the site's spool, on the disk.
5. Site and workers start anew with the new DATABASE_URL, and bring in what the spool holds.

Until step 4 is done, nothing has changed for anybody; what went wrong can be done again.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from wechat.models import Lease
from wechat.upkeep import Impossible, changes, rows, sqlite
from wechat.upkeep.sqlite import TELLING

SOURCE, TARGET = "move-source", "move-target"
LITTLE = 200  # changed rows that those who write may wait for
ROUNDS = 20
WRITE_SECONDS = 10.0  # that we wait for the write lock

Say = Callable[[str], object]


def run(url: str, say: Say) -> int:
    """Move everything to the empty database of `url`; how many rows there are. Raises Impossible, then nothing has changed."""
    _check_source()
    _open(url)
    try:
        _check_target()
        with closing(_writer()) as writer:
            try:
                return _move(writer, say)
            finally:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                if not changes.is_sealed(writer):
                    changes.clear(writer)
    except DatabaseError as error:
        raise Impossible(f"The databases do not agree: {error}") from None
    finally:
        for alias in (SOURCE, TARGET):
            connections[alias].close()


def undo() -> bool:
    """Let the SQLite database take pushes again; whether it had been moved. What PostgreSQL took since stays there."""
    _need_sqlite()
    with closing(_writer()) as writer:
        return changes.clear(writer)


def _writer() -> sqlite3.Connection:
    return sqlite3.connect(sqlite.path(), timeout=WRITE_SECONDS, isolation_level=None)


def _move(writer: sqlite3.Connection, say: Say) -> int:
    tables = rows.tables()
    changes.note(writer, tables)
    with transaction.atomic(using=TARGET):
        rows.empty(TARGET)
        with transaction.atomic(using=SOURCE):  # one instant for all tables
            for table in tables:
                if count := rows.put(table, TARGET, rows.everything(table, SOURCE)):
                    say(f"{table._meta.db_table}: {count}")
        for _round in range(ROUNDS):
            if _catch_up(writer) <= LITTLE:
                break
        writer.execute("BEGIN IMMEDIATE")  # from here on nobody writes
        _carry(changes.take(writer))
        total = rows.compare(writer, TARGET)
        rows.go_on_counting(writer, TARGET)
        changes.seal(writer, tables)
    writer.execute("COMMIT")  # after PostgreSQL's: a database that took everything, and another that takes nothing
    return total


def _catch_up(writer: sqlite3.Connection) -> int:
    """Copy what changed since the last look, as it is at one instant; how many rows it was."""
    with transaction.atomic(using=SOURCE):
        writer.execute("BEGIN IMMEDIATE")
        with connections[SOURCE].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM wechat_lease")  # what we read is of this instant from here on
        changed = changes.take(writer)
        writer.execute("COMMIT")
        _carry(changed)
    return sum(len(keys) for keys in changed.values())


def _carry(changed: dict[str, list[object]]) -> None:
    """Bring these rows to where they are here: first away with all of them, so that none is in another's way."""
    tables = [table for table in rows.tables() if table._meta.db_table in changed]
    for table in tables:
        rows.remove(table, TARGET, changed[table._meta.db_table])
    for table in tables:
        rows.put(table, TARGET, rows.these(table, SOURCE, changed[table._meta.db_table]))


def _need_sqlite() -> None:
    if connection.vendor != "sqlite":
        raise Impossible(
            "DATABASE_URL is not of SQLite: there is nothing to move. (DATABASE_URL=sqlite:///… manage.py move …)"
        )
    if not sqlite.path().exists():
        raise Impossible(f"There is no database {sqlite.path()}.")


def _check_source() -> None:
    _need_sqlite()
    with closing(_writer()) as writer:
        if changes.is_sealed(writer):
            raise Impossible("This database has moved already. To use it again all the same: manage.py move --undo")
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Impossible("The database is of an older version. Run first: manage.py migrate")
    if Lease.objects.filter(name__startswith="worker:", until__gt=timezone.now()).exists():
        raise Impossible("A worker is running. Stop all workers first; the site may run, and cards travel as answers.")


def _open(url: str) -> None:
    """Both databases under names of their own, for readers that do not write and for the one that is filled."""
    try:
        found: dict[str, Any] = environ.Env.db_url_config(url)
    except (ImproperlyConfigured, ValueError, KeyError):
        found = {}
    if not str(found.get("ENGINE", "")).endswith("postgresql"):
        raise Impossible("The target must be an address such as postgres://user:password@127.0.0.1:5432/wxhub.")
    here = connections.settings["default"]
    calm = {"transaction_mode": "DEFERRED", "timeout": WRITE_SECONDS}
    connections.settings[SOURCE] = {**here, "OPTIONS": calm}
    there = {**found, "OPTIONS": {"connect_timeout": 5, **found.get("OPTIONS", {})}}
    connections.settings[TARGET] = {**here, **there, "CONN_MAX_AGE": None, "TEST": {**here["TEST"]}}


def _check_target() -> None:
    try:
        there = set(connections[TARGET].introspection.table_names())
    except DatabaseError:
        raise Impossible("PostgreSQL does not answer at that address, or does not let this user in.") from None
    with connections[TARGET].cursor() as cursor:
        for name in there & set(TELLING):
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {connections[TARGET].ops.quote_name(name)})")
            if cursor.fetchone()[0]:
                raise Impossible("That database is not empty. Make a new one.")
    call_command("migrate", database=TARGET, verbosity=0, interactive=False)
