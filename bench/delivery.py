"""From a scan to the card that the platform took, and how many cards a second one worker sends while the platform is slow.

    .venv/bin/python -m bench.delivery [--scans 600] [--cards 1500] [--database postgres://…/postgres]

The real site, worker and simulator. `--scans` come at 20 a second, each of another person and quote, at 0 and at 100 ms of
latency of the platform. Then `--cards` wait while the worker is stopped, and it sends them all at 50 and at 100 ms. Prints
milliseconds, cards a second and each process's memory; exit status 1 when a card was missing, or an aim was missed.
"""

import argparse
import signal
import statistics
import sys
import time
from contextlib import nullcontext

from bench.soak.ground import SEND, Ground
from bench.stand import fresh_postgres, memory_of

RATE = 20  # scans a second
MIDDLE, SLOWEST = 0.3, 1.0  # seconds from scan to card, aims for p50 and p99
CARDS_A_SECOND = 150  # aim, at 100 ms


def main() -> int:
    """Measure, and print it."""
    options = _arguments()
    with (
        fresh_postgres(options.database) if options.database else nullcontext("") as database,
        Ground(database, threads=16) as ground,
    ):
        ground.scans(range(1, 41), rate=RATE)  # warm
        held = [_waits(ground, latency, options.scans, 1000 * number) for number, latency in enumerate((0.0, 0.1), 1)]
        held += [
            _speed(ground, latency, options.cards, 10_000 * number) for number, latency in enumerate((0.05, 0.1), 1)
        ]
        _memory(ground)
    return int(not all(held))


def _waits(ground: Ground, latency: float, scans: int, first: int) -> bool:
    """Scans at RATE, and how long each waited for its card by the simulator's clock."""
    before = len(ground.accepted())
    ground.fault(SEND, "slow", seconds=latency)
    told = ground.scans(range(first, first + scans), rate=RATE)
    whole = ground.wait(lambda: len(ground.accepted()) >= before + scans)
    ground.well()
    scanned = {push["openid"]: push["time"] for push in ground.pushes()}
    waits = sorted(each["time"] - scanned[each["openid"]] for each in ground.accepted()[before:])
    centiles = statistics.quantiles(waits, n=100)
    p50, p95, p99 = centiles[49], centiles[94], centiles[98]
    ms = told["ms"]
    print(
        f"{scans} scans at {RATE} a second, platform {1000 * latency:.0f} ms: answered after p50 {ms['p50']:.0f}, "
        f"p99 {ms['p99']:.0f} ms; card after p50 {1000 * p50:.0f}, p95 {1000 * p95:.0f}, p99 {1000 * p99:.0f} ms",
        flush=True,
    )
    return whole and p50 <= MIDDLE and p99 <= SLOWEST


def _speed(ground: Ground, latency: float, cards: int, first: int) -> bool:
    """Cards that have come to wait while the worker stood still, and how fast they go then."""
    before = len(ground.accepted())
    ground.fault(SEND, "slow", seconds=latency)
    ground.orders(range(first, first + cards))
    scenes = [*map(str, range(first, first + cards))]
    people = ground.simulator("persons", {"count": cards, "follows": True})["persons"]
    openids = [person["openid"] for person in people]
    ground.signal("worker", signal.SIGSTOP)
    for start in range(0, cards, 500):  # short enough that the worker still counts as alive
        ground.simulator("scans", {"scenes": scenes[start : start + 500], "openids": openids[start : start + 500]})
    ground.signal("worker", signal.SIGCONT)
    began = time.monotonic()
    whole = ground.wait(lambda: len(ground.accepted()) + ground.passive() >= before + cards)
    ground.well()
    sent = sorted(each["time"] for each in ground.accepted()[before:])
    tenth = len(sent) // 10
    rate = (len(sent) - 2 * tenth) / (sent[-tenth] - sent[tenth])
    print(
        f"{len(sent)} cards at {1000 * latency:.0f} ms: {rate:.0f} a second ({time.monotonic() - began:.0f} s in all, "
        f"{ground.passive()} went as the answer)",
        flush=True,
    )
    return whole and (latency < 0.1 or rate >= CARDS_A_SECOND)


def _memory(ground: Ground) -> None:
    told = ", ".join(f"{name} {memory_of(process.pid):.0f} MB" for name, process in ground.processes.items())
    print(f"memory: {told}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=600)
    parser.add_argument("--cards", type=int, default=1500)
    parser.add_argument("--database", help="a PostgreSQL server, postgres://…/postgres; default: SQLite")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
