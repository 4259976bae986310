"""Marks on a SQLite database that is being moved: first it notes what changes, at the end it takes nothing any more.

Comes in: an open connection to the file. Goes out: triggers, which every program that writes to the file obeys; the site need
not know of them. What it cannot store after the move it keeps in its spool, and the new workers bring that in.
"""

import sqlite3
from collections.abc import Iterable

from django.db.models import Model

NOTED = "wxhub_move_changes"
MARK = "wxhub_move_"
MOVED = "this database has moved to PostgreSQL: restart with the new DATABASE_URL"

Table = type[Model]


def note(database: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """From now on note which rows change."""
    clear(database)
    database.execute("BEGIN IMMEDIATE")
    database.execute(f"CREATE TABLE {NOTED} (number INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL, pk)")
    for table in tables:
        name, key = table._meta.db_table, table._meta.pk.column
        for action, row in (("INSERT", "NEW"), ("DELETE", "OLD"), ("UPDATE", "OLD"), ("UPDATE", "NEW")):
            database.execute(
                f'CREATE TRIGGER "{MARK}{action}_{row}_{name}" AFTER {action} ON "{name}" BEGIN '
                f"INSERT INTO {NOTED} (tbl, pk) VALUES ('{name}', {row}.\"{key}\"); END"
            )
    database.execute("COMMIT")


def take(database: sqlite3.Connection) -> dict[str, list[object]]:
    """What was noted, by table, each row once; it is forgotten. Inside of a transaction."""
    found: dict[str, list[object]] = {}
    for name, key in database.execute(f"SELECT DISTINCT tbl, pk FROM {NOTED}"):
        found.setdefault(name, []).append(key)
    database.execute(f"DELETE FROM {NOTED}")
    return found


def seal(database: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """Take nothing any more, in the transaction that is open: what would be written now would be nowhere tomorrow."""
    _drop(database)
    for table in tables:
        name = table._meta.db_table
        for action in ("INSERT", "UPDATE", "DELETE"):
            database.execute(
                f'CREATE TRIGGER "{MARK}{action}_{name}" BEFORE {action} ON "{name}" BEGIN '
                f"SELECT RAISE(ABORT, '{MOVED}'); END"
            )


def clear(database: sqlite3.Connection) -> bool:
    """Take all marks away; whether there were any."""
    database.execute("BEGIN IMMEDIATE")
    there = _drop(database)
    database.execute("COMMIT")
    return there


def is_sealed(database: sqlite3.Connection) -> bool:
    """Whether the database has moved."""
    sql = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND sql LIKE ?"
    return bool(database.execute(sql, [f"%{MOVED}%"]).fetchone()[0])


def _drop(database: sqlite3.Connection) -> bool:
    sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE ?"
    names = [name for (name,) in database.execute(sql, [f"{MARK}%"]).fetchall()]
    for name in names:
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute(f"DROP TABLE IF EXISTS {NOTED}")
    return bool(names)
