"""Fills a database of its own with a made-up year of quotes, and measures what staff wait for: the first page, its tables, CSV.

    .venv/bin/python -m bench.funnel [--events 1000000] [--database postgres://…/postgres]

A fresh SQLite file by default; on a PostgreSQL server a database is made and dropped. The worker's own code follows the quotes,
and every figure is compared with one counted in plain Python. Exit status 1 when one differs, or a page took 300 ms or more.
"""

import argparse
import os
import subprocess
import sys

from bench.inbox import database
from bench.stand import FIELD_KEYS

MEASURE = "import sys; from bench.funnel_pages import run; sys.exit(not run({events}))"


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
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
        command = [*manage, "shell", "-v0", "-c", MEASURE.format(events=options.events)]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
