"""Fills a database of its own with pushes, and measures what staff wait for: lists, filters, searches, a push's page.

    .venv/bin/python -m bench.inbox [--rows 1000000] [--database postgres://…/postgres]

A fresh SQLite file by default; on a PostgreSQL server a database is made and dropped. Then retention removes half of the rows
while pushes come in. Exit status 1 when a page took a second or more.
"""

import argparse
import sys

from bench.rig import inside


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", help="a PostgreSQL server's address; default: a fresh SQLite file")
    options = parser.parse_args()
    return inside("bench.inbox_pages.run", options.rows, server=options.database)


if __name__ == "__main__":
    sys.exit(main())
