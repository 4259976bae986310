"""Compares what a push costs beside a great many stored ones with what it costs beside few, alternately, in one run.

    .venv/bin/python -m bench.stored [--rows 1000000] [--rounds 5] [--requests 2000] [--database postgres://…/postgres]

Two web processes on two databases that differ in nothing else: 50,000 followers, 2,000 quotes. Prints answers per second, and
the cost beside many as a ratio of the cost beside few. Exit status 1 when an answer was wrong, or a ratio above 1.1.
"""

import argparse
import statistics
import sys
from contextlib import ExitStack

from bench import load, pushes
from bench.stand import fresh_postgres
from bench.website import website

FEW = 1000
MOST = 1.1  # aim
SLUG = "big"
PREPARE = "from bench import inbox_rows; inbox_rows.make({rows})"
# As in bench.inbox_rows, which cannot be imported outside of the project.
PEOPLE, ORDERID, ORDERS = 50_000, 20_000_000, 1_999


def main() -> int:
    """Fill two databases, measure, print."""
    options = _arguments()
    with ExitStack() as stack:
        ports = {}
        for rows in (FEW, options.rows):
            database = stack.enter_context(fresh_postgres(options.database)) if options.database else ""
            site = stack.enter_context(website(PREPARE.format(rows=rows), database=database, threads=options.threads))
            ports[rows] = site.port
        held = [_compare(kind, ports, options) for kind in ("text", "scan")]
    return int(not all(held))


def _compare(kind: str, ports: dict[int, int], options: argparse.Namespace) -> bool:
    """One kind of push on both, in turns."""
    rates: dict[int, list[float]] = {rows: [] for rows in ports}
    for round_ in range(-1, options.rounds):  # the first round warms up
        for rows, port in ports.items():
            requests = [load.request(*_push(kind, n), host=f"127.0.0.1:{port}") for n in range(options.requests)]
            outcome = load.run(requests, port=port, connections=options.connections, is_right=load.is_success)
            if outcome.wrong:
                print(f"WRONG {kind}: {outcome.wrong[0][:200]!r}")
                return False
            if round_ >= 0:
                rates[rows].append(outcome.rate)
    few, many = rates.values()
    ratio = statistics.median(before / after for before, after in zip(few, many, strict=True))
    told = ", ".join(f"{statistics.median(series):.0f}/s beside {rows} pushes" for rows, series in rates.items())
    print(f"{kind}: {told}; cost {ratio:.2f} ×", flush=True)
    return ratio <= MOST


def _push(kind: str, number: int) -> tuple[str, bytes]:
    person = f"oBENCH{number * 7919 % PEOPLE:022d}"
    return pushes.plain(SLUG, pushes.text(person) if kind == "text" else pushes.scan(person, ORDERID + number % ORDERS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--database", help="a PostgreSQL server, postgres://…/postgres; default: SQLite")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
