"""What the tests of the quotes side share: quotes, REST keys, a worker's one look, and the running demo."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from callback import answer
from django.http import HttpResponse
from django.test import Client

from orders.models import Order, Scan
from wechat import outbox
from wechat.attempts import attempt
from wechat.models import Account, ApiKey, Lease

ROOT = Path(__file__).resolve().parent.parent
QUOTE = {"room_area": "88.50", "total_money": 56000, "saved_money": 8000}


def quote(account: Account, orderid: int = 77, **fields: Any) -> Order:
    """A stored quote: 56,000 yuan for 80 m², 8,000 saved, unless `fields` say otherwise."""
    usual = {"room_area": Decimal(80), "total_money": Decimal(56000), "saved_money": Decimal(8000)}
    return Order.objects.create(account=account, orderid=orderid, **{**usual, **fields})


def newest_scan() -> Scan:
    """The scan that came last."""
    scan = Scan.objects.select_related("order", "message").order_by("-pk").first()
    assert scan is not None
    return scan


def passive_article(response: HttpResponse) -> dict[str, str]:
    """The one article of a card that came as the answer to a push."""
    tree = answer(response)
    assert tree is not None
    assert (tree["MsgType"], tree["ArticleCount"]) == ("news", "1")
    (article,) = tree["Articles"]["item"]
    return dict(article)


def send_due() -> int:
    """What a worker does in one look: send everything that is due. Returns how many messages that were."""
    messages = outbox.claim("test", 100)
    for message in messages:
        attempt(message)
    return len(messages)


def bury_worker() -> None:
    """The worker died and its sign of life has run out."""
    Lease.objects.filter(name__startswith="worker:").delete()


class Api:
    """The firm's website: calls the REST interface with a key of these scopes."""

    def __init__(self, *scopes: str) -> None:
        self.row, self.key = ApiKey.objects.create_key(name="website", scopes=list(scopes))
        self.client = Client(raise_request_exception=False)
        self.header = {"authorization": f"Api-Key {self.key}"}

    def create(self, data: Any = None, **fields: Any) -> HttpResponse:
        """POST /api/quotes/ with the usual quote changed by `fields`, or with `data` as it is."""
        content = {**QUOTE, **fields} if data is None else data
        return self.client.post("/api/quotes/", content, content_type="application/json", headers=self.header)

    def read(self, orderid: int | str) -> HttpResponse:
        return self.client.get(f"/api/quotes/{orderid}/", headers=self.header)


def free_port() -> int:
    """A port of this machine that nobody uses, in the range the tests may take."""
    for port in range(8220 + os.getpid() % 30, 8291):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise OSError("no port is free")


@dataclass
class Demo:
    """A running `manage.py demo`: what it printed, and where its parts are."""

    process: "subprocess.Popen[str]"
    printed: str
    site: str
    simulator: str
    folder: Path

    @property
    def quotes(self) -> list[str]:
        """The addresses of the three quotes, as printed."""
        return re.findall(rf"{self.site}/quotes/\S+", self.printed)

    def parts(self) -> set[int]:
        """The processes that belong to it now."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        parents = {int(pid): int(parent) for pid, parent in map(str.split, listed.splitlines())}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """Runs the demo with its data in `folder`, on free ports, in a process group of its own."""
    site, simulator = free_port(), 0
    while simulator in (0, site):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            simulator = probe.getsockname()[1]
    ports = ["--port", str(site), "--simulator-port", str(simulator)]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", *ports, "--folder", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    running = Demo(process, "", f"http://127.0.0.1:{site}", f"http://127.0.0.1:{simulator}", folder)
    try:
        running.printed = _greeting(process)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(12)
        except subprocess.TimeoutExpired:
            for pid in running.parts():
                os.kill(pid, signal.SIGKILL)


def _greeting(process: "subprocess.Popen[str]") -> str:
    """What the demo says until it says how to end it. Raises AssertionError when it ends before."""
    lines: list[str] = []
    timer = threading.Timer(120, process.kill)
    timer.start()
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            timer.cancel()
            threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop the demo
            return "".join(lines)
    raise AssertionError("the demo ended by itself:\n" + "".join(lines))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Any, seconds: float, what: str) -> float:
    """Wait until `condition()` holds; fail after `seconds`. Returns the seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - started
