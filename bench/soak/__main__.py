"""Makes the faults of reliability rows C1 … C4 for real, on SQLite and on PostgreSQL, and prints what came of each.

    .venv/bin/python -m bench.soak [C101 C3 …] [--only SQLite] [--server postgres://…/postgres] [--quick] [--report FILE]

A row is named by its number or by how it begins. PostgreSQL is left out, and that is said, where no server answers. After
each, the invariants are checked over the whole database and the simulator's journal. Exit status 1 when something did not hold.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg

from bench.soak import intake, pages, sending, tokens, upkeep
from bench.soak.ground import Ground
from bench.soak.invariants import broken
from bench.soak.rows import POSTGRES, SQLITE, Judged, Row, rows, run_tests
from bench.stand import fresh_postgres

SERVER = "postgres://postgres@127.0.0.1:5432/postgres"
PARTS = (intake, tokens, sending, pages, upkeep)  # they fill `rows`


def judge(row: Row, server: str) -> Judged:
    """Make one fault on a stand of its own."""
    if row.run is None:
        return run_tests(row.tests, server)
    options: dict[str, Any] = dict(row.stand)
    with (
        fresh_postgres(server) if server else nullcontext("") as database,
        Ground(database, **options) as ground,
    ):
        held, figures = row.run(ground)
        unheld = broken(ground)
    return held and not unheld, "; ".join([figures, *unheld])


def chosen(wanted: list[str], *, quick: bool) -> Iterator[Row]:
    """The rows of these names, in their order."""
    for row in sorted(rows.values(), key=lambda each: each.id):
        if (not wanted or any(row.id.startswith(each) for each in wanted)) and not (quick and row.slow):
            yield row


def run(wanted: list[str], servers: list[str], *, quick: bool) -> Iterator[str]:
    """Run them on these databases ("" is SQLite); a line of a table for each."""
    for row in chosen(wanted, quick=quick):
        for server in servers:
            name = POSTGRES if server else SQLITE
            if row.only not in ("", name):
                yield f"| {row.id} | {name} | – | {row.fault} | {row.only} only |"
                continue
            began = time.monotonic()
            held, figures = judge(row, server)
            verdict = "holds" if held else "**broken**"
            yield f"| {row.id} | {name} | {verdict} | {row.fault} | {figures} ({time.monotonic() - began:.0f} s) |"


def _servers(only: str | None, server: str) -> list[str]:
    """The databases to run on; "" is SQLite."""
    if only != SQLITE:
        try:
            psycopg.connect(server, connect_timeout=3).close()
        except psycopg.OperationalError as error:
            print(f"Without PostgreSQL: {error}", file=sys.stderr)
            server = ""
    found = {SQLITE: "", POSTGRES: server}
    return [found[name] for name in (SQLITE, POSTGRES) if only in (None, name) and (name == SQLITE or found[name])]


def main() -> int:
    """Print the table, and keep it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="numbers, or how they begin; default: all")
    parser.add_argument("--server", default=SERVER, help=f"of PostgreSQL; default: {SERVER}")
    parser.add_argument("--only", choices=(SQLITE, POSTGRES), help="one of the two databases")
    parser.add_argument("--quick", action="store_true", help="without the rows that take minutes")
    parser.add_argument("--report", type=Path, help="a file for the table")
    options = parser.parse_args()
    servers = _servers(options.only, options.server)
    lines = ["| row | database | | fault | figures |", "| --- | --- | --- | --- | --- |"]
    print(*lines, sep="\n", flush=True)
    for line in run(options.rows, servers, quick=options.quick):
        print(line, flush=True)
        lines.append(line)
    if options.report:
        options.report.write_text("\n".join(lines) + "\n")
    return int(any("**broken**" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
