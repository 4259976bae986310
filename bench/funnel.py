"""Fills a database of its own with a made-up year of quotes, and measures what staff wait for: the first page, its tables, CSV.

    .venv/bin/python -m bench.funnel [--events 1000000] [--database postgres://…/postgres]

A fresh SQLite file by default; on a PostgreSQL server a database is made and dropped. The worker's own code follows the quotes,
and every figure is compared with one counted in plain Python. Exit status 1 when one differs, or a page took 300 ms or more.
"""

import argparse
import sys

from bench.rig import inside


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--database", help="a PostgreSQL server's address; default: a fresh SQLite file")
    options = parser.parse_args()
    return inside("bench.funnel_pages.run", options.events, server=options.database)


if __name__ == "__main__":
    sys.exit(main())
