"""The database out of the environment, with what this installation needs of it."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from wxhub.env import env

# SQLite waits for the disk: FULL at every commit, EXTRA even more; NORMAL now and then, and the last commits are lost with the
# power; OFF never.
SYNCHRONOUS = ("FULL", "EXTRA", "NORMAL", "OFF")


def database(file: Path) -> dict[str, Any]:
    """DATABASE_URL as Django's settings, a SQLite `file` without it."""
    url = env.str("DATABASE_URL", "") or f"sqlite:///{file}"
    settings: dict[str, Any] = env.db_url_config(url)
    settings["CONN_MAX_AGE"] = 600  # a connection per request costs a factor of ten on PostgreSQL
    if settings["ENGINE"].endswith("sqlite3"):
        settings["OPTIONS"] = _sqlite(Path(settings["NAME"]))
    elif settings["ENGINE"].endswith("postgresql"):
        settings["ENGINE"] = "wxhub.postgresql"
        settings["OPTIONS"] = _postgresql() | settings.get("OPTIONS", {})
    return settings


def _sqlite(file: Path) -> dict[str, Any]:
    synchronous = env.str("SQLITE_SYNCHRONOUS", "").upper() or "FULL"
    if synchronous not in SYNCHRONOUS:
        raise ImproperlyConfigured(f"SQLITE_SYNCHRONOUS must be one of {', '.join(SYNCHRONOUS)}, not {synchronous!r}.")
    # A new file can give room back a little at a time (wechat.housekeeping); it must be said before there is a table, and then
    # no more: it writes, and a connection must open while the database is locked or the disk full.
    is_new = not file.exists() or not file.stat().st_size
    pragmas = (
        *(["auto_vacuum=INCREMENTAL"] if is_new else []),
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "cache_size=-16000",  # 16 MB
        "wal_autocheckpoint=4000",  # pages: 16 MB of log between checkpoints
    )
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": 4,  # seconds; the platform hangs up after five
        "init_command": " ".join(f"PRAGMA {pragma};" for pragma in pragmas),
    }


def _postgresql() -> dict[str, Any]:
    return {
        "connect_timeout": 3,  # seconds
        # The platform hangs up after five seconds; a migration gives way to the pushes too. And a host that was cut off
        # holds no lock for long.
        "options": "-c lock_timeout=4s -c idle_in_transaction_session_timeout=20s",
    }
