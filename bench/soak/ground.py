"""A stand whose insides can be looked at, and broken from outside."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psycopg

from bench import pushes
from bench.stand import SLUG, Stand

SEND = "/cgi-bin/message/custom/send"
LOCKED = ("wechat_push", "wechat_follower", "wechat_outgoingmessage", "orders_scan")


class Ground(Stand):
    """The real processes, what they left behind, and the ways to break what they stand on."""

    @property
    def database(self) -> str:
        """The address of the database."""
        return self.environment["DATABASE_URL"]

    @property
    def sqlite(self) -> Path | None:
        """The file of the database; None on PostgreSQL."""
        return Path(self.database.removeprefix("sqlite:///")) if self.database.startswith("sqlite") else None

    def facts(self) -> dict[str, Any]:
        """What the database holds (bench.soak.facts)."""
        command = [sys.executable, "-m", "bench.soak.facts"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    def pushes(self) -> list[dict[str, Any]]:
        """Every push the simulator sent, with its attempts and their answers."""
        return list(self.simulator("journal?kind=push&limit=100000")["entries"])

    def accepted(self) -> list[dict[str, Any]]:
        """Every message the simulator took."""
        return list(self.simulator("messages?limit=100000")["entries"])

    def spooled(self) -> int:
        """How many pushes wait on the disk."""
        return len(list(Path(self.environment["SPOOL_DIR"]).glob("*.push")))

    def printed(self) -> str:
        """What the processes printed."""
        return (Path(self.folder.name) / "log").read_text(errors="replace")

    def scans(self, scenes: range, **options: Any) -> dict[str, Any]:
        """Quotes of these numbers, each scanned once by a follower of its own; what the simulator measured."""
        self.orders(scenes)
        order = {"scenes": [*map(str, scenes)], "persons": len(scenes), "follows": True, **options}
        return dict(self.simulator("scans", order))

    def meanwhile_scans(self, scenes: range, **options: Any) -> "Driving":
        """The same in the background."""
        self.orders(scenes)
        order = {"scenes": [*map(str, scenes)], "persons": len(scenes), "follows": True, **options}
        return Driving(self, order)

    def fault(self, path: str, kind: str, **options: Any) -> None:
        """Let the platform misbehave."""
        self.simulator("faults", {"path": path, "kind": kind, **options})

    def well(self) -> None:
        """Let the platform behave again."""
        self.simulator("faults", method="DELETE")

    def post(self, body: str, *, safe: bool = False) -> tuple[int, bytes, float]:
        """One push of ours, freshly signed: status (0: no connection), answer and seconds."""
        path, content = (pushes.safe if safe else pushes.plain)(SLUG, body)
        request = Request(f"http://127.0.0.1:{self.site}{path}", content, {"Content-Type": "text/xml"})
        began = time.monotonic()
        try:
            with urlopen(request, timeout=10) as response:
                return response.status, response.read(), time.monotonic() - began
        except HTTPError as error:
            return error.code, error.read(), time.monotonic() - began
        except (URLError, ConnectionError, TimeoutError):
            return 0, b"", time.monotonic() - began

    def get(self, path: str) -> tuple[int, float]:
        """One page: its status (0: no connection) and seconds."""
        began = time.monotonic()
        try:
            with urlopen(f"http://127.0.0.1:{self.site}{path}", timeout=20) as response:
                response.read()
                return response.status, time.monotonic() - began
        except HTTPError as error:
            return error.code, time.monotonic() - began
        except (URLError, ConnectionError, TimeoutError):
            return 0, time.monotonic() - began

    def listening(self) -> int:
        """How many processes listen on the site's port."""
        listed = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(line[1].endswith(f":{self.site:04X}") and line[3] == "0A" for line in listed)

    def passive(self) -> int:
        """How many messages went out as the answer to a push."""
        return sum(message["route"] == "passive" for message in self.facts()["messages"])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program holds the database's write lock (SQLite), or the tables a push is written to (PostgreSQL)."""
        if self.sqlite:
            held: Any = sqlite3.connect(self.sqlite, isolation_level=None, timeout=10)
            held.execute("BEGIN EXCLUSIVE")
        else:
            held = psycopg.connect(self.database)
            held.execute(f"LOCK TABLE {', '.join(LOCKED)} IN ACCESS EXCLUSIVE MODE")
        try:
            yield
        finally:
            held.close()

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """A web process that died is started again at once, as a supervisor does."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.05):
                if self.processes["web"].poll() is not None:
                    self.start_web()

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one of our processes alone."""
        self.processes[name].send_signal(number)

    def copy_of_database(self, to: Path) -> Path:
        """The files of the SQLite database as they lie there at one instant: nothing runs while they are copied."""
        assert self.sqlite
        to.mkdir(parents=True)
        ours = [process.pid for name, process in self.processes.items() if name != "simulator"]
        for group in ours:
            os.killpg(group, signal.SIGSTOP)
        try:
            for file in self.sqlite.parent.glob(f"{self.sqlite.name}*"):
                if not file.name.endswith("-shm"):  # the next to open it makes that anew
                    shutil.copyfile(file, to / file.name)
        finally:
            for group in ours:
                os.killpg(group, signal.SIGCONT)
        return to / self.sqlite.name


class Driving(threading.Thread):
    """Scans in the background; `told` is what the simulator measured, after join()."""

    def __init__(self, ground: Ground, order: dict[str, Any]) -> None:
        super().__init__()
        self.ground, self.order, self.told = ground, order, dict[str, Any]()
        self.start()

    def run(self) -> None:
        """Drive them all."""
        self.told = self.ground.simulator("scans", self.order)
