"""The real thing on this machine for a measurement: a database, the simulator, web and worker processes, on free ports."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.request import Request, urlopen

import psycopg

from bench import pushes

GRANIAN = str(Path(sys.executable).with_name("granian"))
FIELD_KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SLUG, SECRET = "stand", "s" * 32


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stand:
    """Starts everything, hands out what is needed to drive and to check it, and ends everything."""

    def __init__(self, database: str = "", *, threads: int = 4, environment: Mapping[str, str] | None = None) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="wxhub-stand-")
        self.site, self.platform, self.threads = free_port(), free_port(), threads
        self.environment = {
            **os.environ,
            "DATABASE_URL": database or f"sqlite:///{Path(self.folder.name) / 'stand.sqlite3'}",
            "DEBUG": "false",
            "SECRET_KEY": "k" * 50,
            "FIELD_KEYS": FIELD_KEYS,
            "PUBLIC_URL": f"http://127.0.0.1:{self.site}",
            "LOG_LEVEL": "ERROR",
            "SPOOL_DIR": str(Path(self.folder.name) / "spool"),
            "MEDIA_ROOT": str(Path(self.folder.name) / "media"),
            **dict.fromkeys(
                ("WECHAT_API_BASE", "WECHAT_MP_BASE", "WECHAT_OPEN_BASE"), f"http://127.0.0.1:{self.platform}"
            ),
            **(environment or {}),
        }
        self.log = (Path(self.folder.name) / "log").open("ab")  # what the processes print
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.belongings = ExitStack()  # what goes when it ends

    def __enter__(self) -> Self:
        self.manage("migrate", "-v0")
        account = {"--appid": pushes.APPID, "--appsecret": SECRET, "--token": pushes.TOKEN, "--aes-key": pushes.AES_KEY}
        options = [part for pair in account.items() for part in pair] + ["--original-id", pushes.ORIGINAL_ID]
        self.manage("account", SLUG, *options)
        callback = f"http://127.0.0.1:{self.site}/wechat/{SLUG}/callback"
        self.start(
            "simulator", "manage.py", "simulator", "--port", str(self.platform), "--callback", callback, *options
        )
        self.start_web()
        self.start_worker()
        up = self.wait(lambda: self.simulator("counters") is not None)
        if not (up and self.wait(lambda: self.ask(f"http://127.0.0.1:{self.site}/readyz")["worker"])):
            printed = Path(self.log.name).read_text(errors="replace")[-2000:]
            self.__exit__()
            raise RuntimeError(f"the processes did not start: {printed}")
        return self

    def __exit__(self, *_exception: type[BaseException] | BaseException | TracebackType | None) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.belongings.close()
        self.log.close()
        self.folder.cleanup()

    def manage(self, *arguments: str) -> str:
        """Run one management command to its end; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed: {done.stderr[-2000:]}")
        return done.stdout

    def start(self, name: str, *command: str) -> None:
        """Start a process of ours under `name`, in place of the one before."""
        self._run(name, [sys.executable, *command])

    def start_web(self, name: str = "web") -> None:
        """One web process. A second one may listen beside it, on the same port."""
        options = ["--port", str(self.site), "--blocking-threads", str(self.threads), "--log-level", "error"]
        command = [GRANIAN, "--interface", "wsgi", "wxhub.wsgi:application", *options]
        self._run(name, command)

    def start_worker(self, name: str = "worker") -> None:
        """One worker process."""
        self._run(name, [sys.executable, "manage.py", "worker"])

    def _run(self, name: str, command: list[str]) -> None:
        # In a group of its own: what it starts itself ends with it.
        self.processes[name] = subprocess.Popen(
            command, env=self.environment, stdout=self.log, stderr=self.log, process_group=0
        )

    def kill(self, name: str) -> None:
        """End a process as a power failure would."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def simulator(self, path: str, body: dict[str, Any] | None = None, method: str = "") -> Any:
        """Ask or tell the simulator by REST."""
        return self.ask(f"http://127.0.0.1:{self.platform}/sim/api/{path}", body, method)

    def ask(self, url: str, body: dict[str, Any] | None = None, method: str = "") -> Any:
        """The JSON answer of an address, None while nobody answers there."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"}, method=method or ("POST" if data else "GET"))
        try:
            with urlopen(request, timeout=600) as response:
                return json.loads(response.read() or b"null")
        except (URLError, ConnectionError):
            return None

    def orders(self, numbers: range) -> None:
        """Create quotes with these order numbers."""
        self.shell(
            "from orders.models import Order; from wechat.models import Account; account = Account.objects.get(); "
            "Order.objects.bulk_create(Order(account=account, orderid=n, room_area=80, total_money=56000, saved_money=8000) "
            f"for n in range({numbers.start}, {numbers.stop}))"
        )

    def shell(self, code: str) -> str:
        """Run Python inside the project; what it printed."""
        return self.manage("shell", "-v0", "-c", code)

    def outbox(self) -> dict[str, int]:
        """How many outgoing messages are in each state, `unknown` for those that were repeated unsure."""
        return dict(
            json.loads(
                self.shell(
                    "import json; from django.db.models import Count; from wechat.models import OutgoingMessage as M; "
                    "states = dict(M.objects.order_by().values_list('state').annotate(Count('pk'))); "
                    "states['unknown'] = M.objects.filter(unknown_outcomes__gt=0).count(); "
                    "states['passive'] = M.objects.filter(route='passive').count(); print(json.dumps(states))"
                )
            )
        )

    def wait(self, condition: Callable[[], Any], seconds: float = 60) -> bool:
        """Wait until `condition` holds; False when it did not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return True
            except (TypeError, KeyError):
                pass  # not up yet
            time.sleep(0.2)
        return False


@contextmanager
def fresh_postgres(server: str) -> Iterator[str]:
    """A database of its own on a PostgreSQL server (`postgres://…/postgres`); its address."""

    name = f"wxhub_stand_{os.getpid()}_{secrets.token_hex(3)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield server.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def memory_of(pid: int) -> float:
    """Resident memory of a process, or of the largest that it started itself, in MB; 0 when it has ended."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid,rss"], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listing.splitlines()[1:]]
    return max((rss for own, parent, rss in rows if pid in (own, parent)), default=0) / 1024
