"""Carries rows from SQLite to PostgreSQL as they are: through the fields of the models for their types, past everything that
would change them (dates of saving, history, signals), and by COPY for the speed.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.models import Model

from wechat.upkeep import Impossible

BATCH = 2000  # rows read at once
SOME = 500  # numbers of rows in one question
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

Table = type[Model]
Values = tuple[Any, ...]


def tables() -> list[Table]:
    """All of them, those between two others included."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def everything(table: Table, alias: str) -> Iterator[Values]:
    """All rows of a table, in the order of their primary key."""
    position: Any = None
    while True:
        rows = table._base_manager.using(alias).order_by("pk")
        found = list((rows if position is None else rows.filter(pk__gt=position)).values_list(*_names(table))[:BATCH])
        yield from found
        if len(found) < BATCH:
            return
        position = found[-1][_names(table).index(table._meta.pk.attname)]


def these(table: Table, alias: str, keys: Sequence[object]) -> Iterator[Values]:
    """The rows of these primary keys, as far as they are there."""
    for start in range(0, len(keys), SOME):
        yield from (
            table._base_manager.using(alias).filter(pk__in=keys[start : start + SOME]).values_list(*_names(table))
        )


def put(table: Table, alias: str, rows: Iterable[Values]) -> int:
    """Add the rows; how many there were."""
    connection = connections[alias]
    fields = table._meta.local_concrete_fields
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    sql = f"COPY {connection.ops.quote_name(table._meta.db_table)} ({columns}) FROM STDIN"
    convert, count = [_converter(field) for field in fields], 0
    with connection.cursor() as cursor, cursor.copy(sql) as stream:
        for row in rows:
            stream.write_row([each(value) for each, value in zip(convert, row, strict=True)])
            count += 1
    return count


def remove(table: Table, alias: str, keys: Sequence[object]) -> None:
    """Remove the rows of these primary keys, and nothing that points to them: who removed them there has seen to it."""
    for start in range(0, len(keys), SOME):
        chosen = table._base_manager.using(alias).filter(pk__in=keys[start : start + SOME])
        chosen._raw_delete(alias)


def empty(alias: str) -> None:
    """Remove what a migration has put into fresh tables: the rows that come are the same, with their own numbers."""
    connection = connections[alias]
    names = ", ".join(connection.ops.quote_name(table._meta.db_table) for table in tables())
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names}")


def go_on_counting(source: sqlite3.Connection, alias: str) -> None:
    """Let the numbers of new rows go on where they were, those of removed rows included."""
    used = dict(source.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    with connections[alias].cursor() as cursor:
        for table in tables():
            key, name = table._meta.pk, table._meta.db_table
            if isinstance(key, models.AutoField) and used.get(name):
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [name, key.column, used[name]])


def compare(source: sqlite3.Connection, alias: str) -> int:
    """How many rows there are in all. Raises Impossible when a table has fewer or more there than here."""
    total = 0
    with connections[alias].cursor() as cursor:
        for table in tables():
            name = table._meta.db_table
            here = int(source.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
            cursor.execute(f"SELECT count(*) FROM {connections[alias].ops.quote_name(name)}")
            there = int(cursor.fetchone()[0])
            if here != there:
                raise Impossible(f"{name} has {here} rows here and {there} there: nothing was moved.")
            total += here
    return total


def _names(table: Table) -> list[str]:
    return [str(field.attname) for field in table._meta.local_concrete_fields]


def _converter(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    """How a value travels. PostgreSQL takes no NUL, neither in a text nor in JSON."""
    if isinstance(field, models.JSONField):
        return lambda value: None if value is None else _NUL.sub(r"\1", json.dumps(value, cls=field.encoder))
    if isinstance(field, models.CharField | models.TextField):
        return lambda value: value.replace("\0", "") if value else value
    return lambda value: value
