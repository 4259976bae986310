"""Compares the callback doing all of its work with a bare Django view, alternately, in one run, on the same server.

    .venv/bin/python -m bench.callback [--rounds 5] [--requests 4000] [--threads 4] [--database URL]

Prints answers per second and their ratio to the bare view: "site" is the bare view behind the site's middleware, "lean"
the same view without any. Exit status 1 when an answer was wrong.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import load, pushes

PEOPLE, ORDERS = 200, 200
SLUG_PLAIN, SLUG_SAFE = "bench", "safe"

Make = Callable[[int], tuple[str, bytes]]

KINDS: dict[str, Make] = {
    "bare, site": lambda number: ("/bare", pushes.text("o").encode()),
    "bare, lean": lambda number: ("/wechat/bare", pushes.text("o").encode()),
    "text": lambda number: pushes.plain(SLUG_PLAIN, pushes.text(f"oBENCH{number % PEOPLE:022d}")),
    "scan": lambda number: pushes.plain(SLUG_PLAIN, scan_of(number)),
    "text, encrypted": lambda number: pushes.safe(SLUG_SAFE, pushes.text(f"oBENCH{number % PEOPLE:022d}")),
    "scan, encrypted": lambda number: pushes.safe(SLUG_SAFE, scan_of(number)),
}

PREPARE = f"""
from django.core.management import call_command
from django.utils import timezone
from datetime import timedelta
from orders.models import Order
from wechat.models import Account, Lease
from bench import pushes
call_command("migrate", verbosity=0)
for slug, mode in (("{SLUG_PLAIN}", "plain"), ("{SLUG_SAFE}", "safe")):
    call_command("account", slug, appid=pushes.APPID, appsecret="s" * 32, token=pushes.TOKEN, aes_key=pushes.AES_KEY,
                 mode=mode, original_id=pushes.ORIGINAL_ID)
    account = Account.objects.get(slug=slug)
    base = account.pk * 1000
    Order.objects.bulk_create(Order(account=account, orderid=base + n, room_area=80, total_money=56000, saved_money=8000)
                              for n in range({ORDERS}))
# A worker that is alive, as far as the callback can tell: the cards become rows, as in production.
Lease.objects.create(name="worker:bench", holder="bench", until=timezone.now() + timedelta(days=1))
"""


def scan_of(number: int) -> str:
    """The scan of one of the orders of either account by one of the people."""
    account = 1 + (_scans_in_safe and 1)
    return pushes.scan(f"oBENCH{number % PEOPLE:022d}", account * 1000 + number % ORDERS)


_scans_in_safe = False


def main() -> int:
    """Run the comparison and print it."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder, _server(options, Path(folder)) as (port, process):
        _warm_up(options, port)
        bare = _memory(process.pid)
        rates, wrong = _measure(options, port)
        memory = _memory(process.pid)
    _print(rates)
    print(f"memory of the web process: {memory:.0f} MB, {memory / bare:.2f} × what it was with the bare view alone")
    for kind, answers in wrong.items():
        print(f"WRONG {kind}: {len(answers)} answers, the first {answers[0][:200]!r}")
    return 1 if wrong else 0


def _warm_up(options: argparse.Namespace, port: int) -> None:
    requests = [load.request("/bare", pushes.text("o").encode(), host=f"127.0.0.1:{port}")] * options.requests
    load.run(requests, port=port, connections=options.connections, is_right=_is_success)


def _measure(options: argparse.Namespace, port: int) -> tuple[dict[str, list[float]], dict[str, list[bytes]]]:
    global _scans_in_safe
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    wrong: dict[str, list[bytes]] = {}
    for round_ in range(-1, options.rounds):  # the first round warms up
        for kind, make in KINDS.items():
            _scans_in_safe = "encrypted" in kind
            start = (round_ + 1) * options.requests
            requests = [
                load.request(*make(number), host=f"127.0.0.1:{port}")
                for number in range(start, start + options.requests)
            ]
            outcome = load.run(requests, port=port, connections=options.connections, is_right=_is_success)
            if outcome.wrong:
                wrong.setdefault(kind, []).extend(outcome.wrong)
            if round_ >= 0:
                rates[kind].append(outcome.rate)
    return rates, wrong


def _is_success(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\nsuccess")


def _print(rates: dict[str, list[float]]) -> None:
    print(f"{'':18}{'answers/s':>10}{'ratio to bare, site':>22}{'ratio to bare, lean':>22}")
    for kind, series in rates.items():
        ratios = [
            statistics.median(rate / bare for rate, bare in zip(series, rates[base], strict=True))
            for base in ("bare, site", "bare, lean")
        ]
        print(f"{kind:18}{statistics.median(series):10.0f}{ratios[0]:22.2f}{ratios[1]:22.2f}")


@contextmanager
def _server(options: argparse.Namespace, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DATABASE_URL": options.database or f"sqlite:///{folder / 'bench.sqlite3'}",
        "DEBUG": "false",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "k" * 50,
        "FIELD_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "LOG_LEVEL": "WARNING",
    }
    subprocess.run([sys.executable, "manage.py", "shell", "-v0", "-c", PREPARE], env=environment, check=True)
    server = [str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "wxhub.wsgi:application"]
    arguments = ["--port", str(port), "--blocking-threads", str(options.threads), "--log-level", "error"]
    process = subprocess.Popen([*server, *arguments], env=environment)
    try:
        _wait(port)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int) -> None:
    for _ in range(150):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def _memory(pid: int) -> float:
    """Resident memory of the largest process of the server, in MB."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid,rss"], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listing.splitlines()[1:]]
    return max(rss for own, parent, rss in rows if pid in (own, parent)) / 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000, help="of each kind in a round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--threads", type=int, default=4, help="blocking threads of the web process, as `make run` has")
    parser.add_argument("--database", help="default: a fresh SQLite file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
