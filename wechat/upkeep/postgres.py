"""A PostgreSQL database as one thing: pg_dump copies it while it is written to, pg_restore fills another with it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections

from wechat.upkeep import Impossible
from wechat.upkeep.sqlite import TELLING

PARAMETERS = ("host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")
COMMON = ("--no-owner", "--no-privileges")


def copy(target: Path) -> dict[str, int]:
    """Dump the database as it is at one instant; how many rows each table has then."""
    dump = _program("pg_dump")
    snapshot = connections.create_connection(DEFAULT_DB_ALIAS)  # a transaction of its own, beside that of whoever calls
    try:
        with snapshot.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            name = str(cursor.fetchone()[0])
            target.touch(mode=0o600)
            _run([dump, "--format=custom", "--compress=0", *COMMON, f"--snapshot={name}", f"--file={target}"])
            return _counts(cursor)
    finally:
        snapshot.close()


def fill(dump: Path) -> None:
    """Fill the database, which has no tables, with what was dumped: all of it or nothing."""
    connection.close()
    _run([_program("pg_restore"), *COMMON, "--exit-on-error", "--single-transaction", str(dump)])


def is_empty() -> bool:
    """Whether there are no tables yet, or nothing in them."""
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for name in there & set(TELLING):
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})")
            if cursor.fetchone()[0]:
                return False
    return True


def stand_alone() -> None:
    """Raises Impossible when another program is connected to the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        if cursor.fetchone()[0]:
            raise Impossible("The database is in use. Stop the site and the workers first.")


def drop_tables() -> None:
    """Remove every table of the schema: what is restored brings its own."""
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)} CASCADE")


def _counts(cursor: Any) -> dict[str, int]:
    names = sorted(table.name for table in connection.introspection.get_table_list(cursor) if table.type == "t")
    found = {}
    for name in names:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")
        found[name] = int(cursor.fetchone()[0])
    return found


def _program(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise Impossible(f"{name} is not to be found. Install PostgreSQL's client programs (Debian: postgresql-client).")


def _run(command: list[str]) -> None:
    """Run it on our database; the password travels in the environment, where no list of processes shows it."""
    given = connection.get_connection_params()
    database = " ".join(f"{name}='{_quoted(given[name])}'" for name in PARAMETERS if given.get(name))
    environment = {**os.environ, **({"PGPASSWORD": str(given["password"])} if given.get("password") else {})}
    done = subprocess.run(  # noqa: S603  # our own arguments
        [*command, f"--dbname={database}"], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Impossible(f"{Path(command[0]).name} failed: {done.stderr.strip()[-500:]}")


def _quoted(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("'", "\\'")
