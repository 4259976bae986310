"""The few statements of the callback, built once from the models and run without the ORM and without Django's cursors.

Both cost several times the database's own work, and a push must cost little: `make bench` measures it. Values are converted
as the fields would convert them, so that every database stores what the ORM would store. PostgreSQL is spared trips beside
that (wxhub.postgresql). Where somebody listens (queries are logged, or wrapped), Django's cursor is used after all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

Convert = Callable[[Any], Any]
Row = tuple[Any, ...]


class Insert(NamedTuple):
    """A row to insert. `values` go by attribute name (`account_id`).

    `on_conflict` is SQL after ON CONFLICT, such as `DO NOTHING`; it may name the row that stands by its table.
    """

    model: type[models.Model]
    values: Mapping[str, Any]
    on_conflict: str = ""
    returning: str = "id"


def insert(row: Insert) -> Row | None:
    """Insert one row; what it returns, None when a conflict kept it out."""
    connection = connections[DEFAULT_DB_ALIAS]
    sql, converters = _insert(_shape(row), connection.vendor)
    return _run(connection, sql, _converted(converters, row.values.values()))


def insert_pair(first: Insert, second: Insert) -> tuple[Row | None, Row | None]:
    """Insert a row and, unless a conflict kept it out, a second one: in one trip where the database can. What each returns."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":  # a trip costs nothing there, and it takes no INSERT inside of a WITH
        row = insert(first)
        return row, insert(second) if row else None
    row = _run(connection, *_pair(first, second, connection.vendor))
    if row is None:
        return None, None
    width = first.returning.count(",") + 1
    return row[:width], row[width:] if row[width] is not None else None


def insert_later(row: Insert) -> None:
    """Insert one row that nobody reads back in this transaction; see `run_later`."""
    connection = connections[DEFAULT_DB_ALIAS]
    sql, converters = _insert(_shape(row), connection.vendor)
    _run_later(connection, sql, _converted(converters, row.values.values()))


def insert_pair_later(first: Insert, second: Insert, *, link: str) -> None:
    """Insert two rows, of which the second refers to the first by its attribute `link`; see `run_later`."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        if row := insert(first):
            insert(second._replace(values={**second.values, link: row[0]}))
    else:
        _run_later(connection, *_pair(first, second, connection.vendor, link))


def run(sql: str, params: Sequence[Any]) -> Row | None:
    """Run one statement with `%s` for its parameters; the first row it returns, if any."""
    return _run(connections[DEFAULT_DB_ALIAS], sql, params)


def run_later(sql: str, params: Sequence[Any]) -> None:
    """Run one statement whose result nobody needs: with the next one or with the commit, where that spares a trip.

    Then it is those that raise what it raises.
    """
    _run_later(connections[DEFAULT_DB_ALIAS], sql, params)


def ask_ahead(sql: str, params: Sequence[Any]) -> None:
    """Ask now what `run` will want to know in this transaction, with the same words, where that spares a trip.

    The answer is as of the next statement: not for what the transaction itself changes.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "sqlite" and not _is_heard(connection):
        connection.ask_ahead(sql, params)  # type: ignore[attr-defined]


def _run(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> Row | None:
    if _is_heard(connection):
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone() if cursor.description else None
    if connection.vendor != "sqlite":
        return connection.run_prepared(sql, params)  # type: ignore[attr-defined,no-any-return]
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = connection.connection.execute(_question_marks(sql), params)
        return cursor.fetchone()  # type: ignore[no-any-return]


def _run_later(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> None:
    if connection.vendor == "sqlite" or _is_heard(connection):
        _run(connection, sql, params)
    else:
        connection.put_off(sql, params)  # type: ignore[attr-defined]


def _is_heard(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.queries_logged or connection.execute_wrappers)


@cache
def _question_marks(sql: str) -> str:
    return sql.replace("%s", "?")


@lru_cache(maxsize=64)  # one push stores one moment many times
def _moment(moment: datetime) -> Any:
    return connections[DEFAULT_DB_ALIAS].ops.adapt_datetimefield_value(moment)


class _Shape(NamedTuple):
    """What is the same for all rows of a kind: its statement is built once."""

    model: type[models.Model]
    names: tuple[str, ...]
    on_conflict: str
    returning: str


def _shape(row: Insert) -> _Shape:
    return _Shape(row.model, tuple(row.values), row.on_conflict, row.returning)


@cache
def _insert(shape: _Shape, vendor: str) -> tuple[str, list[Convert | None]]:
    return _sql(shape, f"VALUES ({_marks(shape)})"), _converters(shape)


def _pair(first: Insert, second: Insert, vendor: str, link: str = "") -> tuple[str, list[Any]]:
    sql, converters = _insert_pair(_shape(first), _shape(second), link, vendor)
    return sql, _converted(converters, chain(first.values.values(), second.values.values()))


@cache
def _insert_pair(first: _Shape, second: _Shape, link: str, vendor: str) -> tuple[str, list[Convert | None]]:
    linked = second._replace(names=(*second.names, link)) if link else second
    source = f"SELECT {_marks(second)}{', one.id' if link else ''} FROM one"
    sql = (
        f"WITH one AS ({_insert(first, vendor)[0]}), two AS ({_sql(linked, source)}) "
        "SELECT * FROM one LEFT JOIN two ON true"
    )
    return sql, _converters(first) + _converters(second)


def _sql(shape: _Shape, source: str) -> str:
    columns = ", ".join(connections[DEFAULT_DB_ALIAS].ops.quote_name(str(field.column)) for field in _fields(shape))
    conflict = f" ON CONFLICT {shape.on_conflict}" if shape.on_conflict else ""
    return f"INSERT INTO {shape.model._meta.db_table} ({columns}) {source}{conflict} RETURNING {shape.returning}"


def _marks(shape: _Shape) -> str:
    return ", ".join(["%s"] * len(shape.names))


def _fields(shape: _Shape) -> "list[models.Field[Any, Any]]":
    by_name = {field.attname: field for field in shape.model._meta.local_concrete_fields}
    return [by_name[name] for name in shape.names]


def _converters(shape: _Shape) -> list[Convert | None]:
    return [_converter(field, connections[DEFAULT_DB_ALIAS]) for field in _fields(shape)]


def _converted(converters: Iterable[Convert | None], values: Iterable[Any]) -> list[Any]:
    return [
        convert(value) if convert and value is not None else value
        for convert, value in zip(converters, values, strict=True)
    ]


def _converter(field: "models.Field[Any, Any]", connection: BaseDatabaseWrapper) -> Convert | None:
    """How values of this field reach the database; None for numbers and truth values, which go as they are."""
    if isinstance(field, models.CharField | models.TextField):
        return str  # also turns a choice into its value
    if isinstance(field, models.DateTimeField):
        return _moment
    if isinstance(field, models.JSONField):
        return lambda value: connection.ops.adapt_json_value(value, field.encoder)
    return None
