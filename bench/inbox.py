"""Fills a database of its own with pushes, and measures what staff wait for: lists, filters, searches, a push's page.

    .venv/bin/python -m bench.inbox [--rows 1000000] [--database postgres://…/postgres]

A fresh SQLite file by default; on a PostgreSQL server a database is made and dropped. Then retention removes half of the rows
while pushes come in. Exit status 1 when a page took a second or more.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.stand import FIELD_KEYS, fresh_postgres

MEASURE = "import sys; from bench.inbox_pages import run; sys.exit(not run({rows}))"


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", help="a PostgreSQL server's address; default: a fresh SQLite file")
    options = parser.parse_args()
    with database(options.database) as address:
        environment = {
            **os.environ,
            "DATABASE_URL": address,
            "DEBUG": "false",
            "SECRET_KEY": "k" * 50,
            "FIELD_KEYS": FIELD_KEYS,
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "ALLOWED_HOSTS": "testserver",
            "LOG_LEVEL": "ERROR",
        }
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
        command = [*manage, "shell", "-v0", "-c", MEASURE.format(rows=options.rows)]
        return subprocess.run(command, env=environment, check=False).returncode


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """The address of a fresh database, gone at the end: on that PostgreSQL server, or an SQLite file."""
    if server:
        with fresh_postgres(server) as address:
            yield address
        return
    with tempfile.TemporaryDirectory(prefix="wxhub-inbox-") as folder:
        yield f"sqlite:///{Path(folder) / 'inbox.sqlite3'}"


if __name__ == "__main__":
    sys.exit(main())
