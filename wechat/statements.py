"""The few statements of the callback, built once from the models and run without the ORM and without Django's cursors.

Both cost several times the database's own work, and a push must cost little: `make bench` measures it. Values are converted
as the fields would convert them, so that every database stores what the ORM would store. Where somebody listens (queries
are logged, or wrapped), Django's cursor is used after all.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

Convert = Callable[[Any], Any]
Row = tuple[Any, ...]


def insert(
    model: type[models.Model], values: Mapping[str, Any], *, on_conflict: str = "", returning: str = "id"
) -> Row | None:
    """Insert one row. `values` go by attribute name (`account_id`). None when a conflict kept it out.

    `on_conflict` is SQL after ON CONFLICT, such as `DO NOTHING`; it may name the row that stands by its table.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    sql, converters = _insert(model, tuple(values), on_conflict, returning, connection.vendor)
    params = [
        convert(value) if convert and value is not None else value
        for convert, value in zip(converters, values.values(), strict=True)
    ]
    return _run(connection, sql, params)


def run(sql: str, params: Sequence[Any]) -> Row | None:
    """Run one statement with `%s` for its parameters; the first row it returns, if any."""
    return _run(connections[DEFAULT_DB_ALIAS], sql, params)


def _run(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> Row | None:
    if connection.queries_logged or connection.execute_wrappers:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone() if cursor.description else None
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor == "sqlite":
            cursor = connection.connection.execute(_question_marks(sql), params)
            return cursor.fetchone()  # type: ignore[no-any-return]
        # psycopg's own cursor: parameters travel apart from the statement, which the server parses only once. It is asked for
        # the columns of its raw result: `description` would describe each of them.
        database: Any = connection
        cursor = database.Database.Cursor(database.connection).execute(sql, params, prepare=True)
        return cursor.fetchone() if cursor.pgresult.nfields else None  # type: ignore[no-any-return]


@cache
def _question_marks(sql: str) -> str:
    return sql.replace("%s", "?")


@lru_cache(maxsize=64)  # one push stores one moment many times
def _moment(moment: datetime) -> Any:
    return connections[DEFAULT_DB_ALIAS].ops.adapt_datetimefield_value(moment)


@cache
def _insert(
    model: type[models.Model], names: tuple[str, ...], on_conflict: str, returning: str, vendor: str
) -> tuple[str, list[Convert | None]]:
    connection = connections[DEFAULT_DB_ALIAS]
    by_name = {field.attname: field for field in model._meta.local_concrete_fields}
    fields = [by_name[name] for name in names]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    conflict = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    sql = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks}){conflict} RETURNING {returning}"
    return sql, [_converter(field, connection) for field in fields]


def _converter(field: "models.Field[Any, Any]", connection: BaseDatabaseWrapper) -> Convert | None:
    """How values of this field reach the database; None for numbers and truth values, which go as they are."""
    if isinstance(field, models.CharField | models.TextField):
        return str  # also turns a choice into its value
    if isinstance(field, models.DateTimeField):
        return _moment
    if isinstance(field, models.JSONField):
        return lambda value: connection.ops.adapt_json_value(value, field.encoder)
    return None
