"""A measurement inside of the project: a fresh database, migrated, and a function that is run there."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.stand import FIELD_KEYS, fresh_postgres


def inside(function: str, *arguments: object, server: str | None = None) -> int:
    """Call `bench.module.function` with these in a process of the project; 0 when it was true, else 1.

    The database is an SQLite file, or one on that PostgreSQL server (`postgres://…/postgres`), and gone at the end.
    """
    module, _dot, name = function.rpartition(".")
    code = f"import sys; from {module} import {name}; sys.exit(not {name}({', '.join(map(repr, arguments))}))"
    with _database(server) as address:
        environment = {
            **os.environ,
            "DATABASE_URL": address,
            "DEBUG": "false",
            "SECRET_KEY": "k" * 50,
            "FIELD_KEYS": FIELD_KEYS,
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "ALLOWED_HOSTS": "testserver",
            "LOG_LEVEL": "ERROR",
            "REDIS_URL": "",
        }
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
        return subprocess.run([*manage, "shell", "-v0", "-c", code], env=environment, check=False).returncode


@contextmanager
def _database(server: str | None) -> Iterator[str]:
    if server:
        with fresh_postgres(server) as address:
            yield address
        return
    with tempfile.TemporaryDirectory(prefix="wxhub-bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
