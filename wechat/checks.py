"""Misconfiguration speaks at start-up, with an id and a hint."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ValidationError

from wechat.registry import ROWS


@register()
def sqlite_can_take_writers(**_options: Any) -> list[CheckMessage]:
    """SQLite without WAL and IMMEDIATE transactions loses most of several callbacks at once."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return []
    options = database.get("OPTIONS", {})
    if options.get("transaction_mode") == "IMMEDIATE" and "journal_mode=WAL" in options.get("init_command", ""):
        return []
    return [
        Error(
            "SQLite runs without WAL or IMMEDIATE transactions.", id="wechat.E001", hint="Keep OPTIONS of settings.py."
        )
    ]


@register()
def connections_are_kept(**_options: Any) -> list[CheckMessage]:
    """A new connection per push costs a factor of ten on PostgreSQL."""
    if settings.DATABASES["default"].get("CONN_MAX_AGE"):
        return []
    return [Caution("Database connections are not kept.", id="wechat.W001", hint="Set CONN_MAX_AGE to 600.")]


@register()
def defaults_of_rows_are_valid(**_options: Any) -> list[CheckMessage]:
    """A default out of the environment passes the check of its row."""
    problems: list[CheckMessage] = []
    for row in ROWS.values():
        try:
            row.clean(row.default())
        except ValidationError as error:
            problems.append(Error(f"The default of {row.name} is refused: {error.messages[0]}", id="wechat.E002"))
    return problems
