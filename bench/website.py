"""One web process of the project, with the bare views of bench.urls beside its own, on a database that some code prepared."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stand import FIELD_KEYS, GRANIAN, free_port, memory_of

# A worker that is alive, as far as the callback can tell: the cards become rows, as in production.
ALIVE = """
from datetime import timedelta
from django.utils import timezone
from wechat.models import Lease
Lease.objects.create(name="worker:bench", holder="bench", until=timezone.now() + timedelta(days=1))
"""


@dataclass(frozen=True)
class Website:
    """Where it listens, and its process."""

    port: int
    pid: int

    def memory(self) -> float:
        """Its resident memory in MB."""
        return memory_of(self.pid)


@contextmanager
def website(prepare: str, *, database: str = "", threads: int = 16) -> Iterator[Website]:
    """Migrate the database (default: a fresh SQLite file), run `prepare` there, and serve it until the block ends."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="wxhub-bench-") as folder:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DATABASE_URL": database or f"sqlite:///{Path(folder) / 'bench.sqlite3'}",
            "DEBUG": "false",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SECRET_KEY": "k" * 50,
            "FIELD_KEYS": FIELD_KEYS,
            "LOG_LEVEL": "WARNING",
        }
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
        subprocess.run(
            [*manage, "shell", "-v0", "-c", prepare + ALIVE], env=environment, check=True, stdout=subprocess.DEVNULL
        )
        options = ["--port", str(port), "--blocking-threads", str(threads), "--log-level", "error"]
        process = subprocess.Popen(
            [GRANIAN, "--interface", "wsgi", "wxhub.wsgi:application", *options], env=environment
        )
        try:
            _wait(port)
            yield Website(port, process.pid)
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
