"""Compares the callback doing all of its work with a bare Django view, alternately, in one run, on the same server.

    .venv/bin/python -m bench.callback [--rounds 5] [--requests 4000] [--threads 16] [--database postgres://…/postgres]

Prints answers per second and their ratio to the bare view: "site" is the bare view behind the site's middleware, "lean"
the same view without any. Exit status 1 when an answer was wrong.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from contextlib import nullcontext

from bench import load, pushes
from bench.stand import fresh_postgres
from bench.website import Website, website

PEOPLE, ORDERS = 200, 200
SLUG_PLAIN, SLUG_SAFE = "bench", "safe"  # the first account and the second
FIRST = {SLUG_PLAIN: 1000, SLUG_SAFE: 2000}  # number of its first quote

Make = Callable[[int], tuple[str, bytes]]

KINDS: dict[str, Make] = {
    "bare, site": lambda number: ("/bare", pushes.text("o").encode()),
    "bare, lean": lambda number: ("/wechat/bare", pushes.text("o").encode()),
    "text": lambda number: pushes.plain(SLUG_PLAIN, pushes.text(_person(number))),
    "scan": lambda number: pushes.plain(SLUG_PLAIN, pushes.scan(_person(number), _quote(SLUG_PLAIN, number))),
    "follow by scan": lambda number: pushes.plain(
        SLUG_PLAIN, pushes.follow(f"oNEW{number:024d}", _quote(SLUG_PLAIN, number))
    ),
    "text, encrypted": lambda number: pushes.safe(SLUG_SAFE, pushes.text(_person(number))),
    "scan, encrypted": lambda number: pushes.safe(SLUG_SAFE, pushes.scan(_person(number), _quote(SLUG_SAFE, number))),
}

PREPARE = f"""
from django.core.management import call_command
from orders.models import Order
from wechat.models import Account
from bench import pushes
for slug, first in {FIRST}.items():
    call_command("account", slug, appid=pushes.APPID, appsecret="s" * 32, token=pushes.TOKEN, aes_key=pushes.AES_KEY,
                 mode="safe" if slug == "{SLUG_SAFE}" else "plain", original_id=pushes.ORIGINAL_ID)
    account = Account.objects.get(slug=slug)
    Order.objects.bulk_create(Order(account=account, orderid=first + n, room_area=80, total_money=56000, saved_money=8000)
                              for n in range({ORDERS}))
"""


def _person(number: int) -> str:
    return f"oBENCH{number % PEOPLE:022d}"


def _quote(slug: str, number: int) -> int:
    return FIRST[slug] + number % ORDERS


def main() -> int:
    """Run the comparison and print it."""
    options = _arguments()
    with (
        fresh_postgres(options.database) if options.database else nullcontext("") as database,
        website(PREPARE, database=database, threads=options.threads) as site,
    ):
        _warm_up(options, site)
        bare = site.memory()
        rates, wrong = _measure(options, site)
        memory = site.memory()
    _print(rates)
    print(f"memory of the web process: {memory:.0f} MB, {memory / bare:.2f} × what it was with the bare view alone")
    for kind, answers in wrong.items():
        print(f"WRONG {kind}: {len(answers)} answers, the first {answers[0][:200]!r}")
    return 1 if wrong else 0


def _warm_up(options: argparse.Namespace, site: Website) -> None:
    requests = [load.request("/bare", pushes.text("o").encode(), host=f"127.0.0.1:{site.port}")] * options.requests
    load.run(requests, port=site.port, connections=options.connections, is_right=load.is_success)


def _measure(options: argparse.Namespace, site: Website) -> tuple[dict[str, list[float]], dict[str, list[bytes]]]:
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    wrong: dict[str, list[bytes]] = {}
    for round_ in range(-1, options.rounds):  # the first round warms up
        for kind, make in KINDS.items():
            start = (round_ + 1) * options.requests
            requests = [
                load.request(*make(number), host=f"127.0.0.1:{site.port}")
                for number in range(start, start + options.requests)
            ]
            outcome = load.run(requests, port=site.port, connections=options.connections, is_right=load.is_success)
            if outcome.wrong:
                wrong.setdefault(kind, []).extend(outcome.wrong)
            if round_ >= 0:
                rates[kind].append(outcome.rate)
    return rates, wrong


def _print(rates: dict[str, list[float]]) -> None:
    print(f"{'':18}{'answers/s':>10}{'ratio to bare, site':>22}{'ratio to bare, lean':>22}")
    for kind, series in rates.items():
        ratios = [
            statistics.median(rate / bare for rate, bare in zip(series, rates[base], strict=True))
            for base in ("bare, site", "bare, lean")
        ]
        print(f"{kind:18}{statistics.median(series):10.0f}{ratios[0]:22.2f}{ratios[1]:22.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000, help="of each kind in a round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument(
        "--threads", type=int, default=16, help="blocking threads of the web process, as it is delivered"
    )
    parser.add_argument("--database", help="a PostgreSQL server, postgres://…/postgres; default: SQLite")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
