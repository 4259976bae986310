"""A SQLite database as one thing: copied while it is written to, put in the place of another."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection

from wechat.upkeep import Impossible

TELLING = ("auth_user", "wechat_account", "wechat_push", "orders_order")  # a database without rows in these is empty
BUSY_SECONDS = 10.0


def path() -> Path:
    """Where the database lies."""
    return Path(str(connection.settings_dict["NAME"]))


def copy(target: Path) -> dict[str, int]:
    """Copy the database as it is at this instant, whoever writes to it meanwhile; how many rows each table has.

    In one step: the copy is a single reader of the write-ahead log, which holds up nobody, and is held up by nobody.
    """
    target.touch(mode=0o600)
    with closing(sqlite3.connect(path(), timeout=BUSY_SECONDS)) as source, closing(sqlite3.connect(target)) as copied:
        source.backup(copied)
        copied.execute("PRAGMA journal_mode=DELETE")
        [answer] = copied.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise Impossible(f"The database is damaged: {answer}")
        return counts(copied)


def counts(database: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    names = [name for (name,) in tables.fetchall()]
    return {name: int(database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in sorted(names)}


def is_empty() -> bool:
    """Whether there is no database yet, or nothing in it."""
    if not path().exists():
        return True
    with closing(sqlite3.connect(path(), timeout=BUSY_SECONDS)) as database:
        found = counts(database)
    return not any(found.get(name) for name in TELLING)


def stand_alone() -> None:
    """Bring the write-ahead log into the file. Raises Impossible when another program has the database open."""
    connection.close()
    if not path().exists():
        return
    try:
        with closing(sqlite3.connect(path(), timeout=1.0)) as database:
            database.execute("PRAGMA journal_mode=DELETE")  # only who is alone may leave the write-ahead log
    except sqlite3.OperationalError:
        raise Impossible("The database is in use. Stop the site and the workers first.") from None


def put_in_place(made: Path, stamp: str) -> Path | None:
    """Make this file the database, in one step. Returns where the one before lies now, if there was one."""
    here, before = path(), None
    if here.exists():
        before = here.with_name(f"{here.name}.before-{stamp}")
        here.replace(before)
    made.replace(here)
    descriptor = os.open(here.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return before
