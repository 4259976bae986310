"""A whole installation of its own, in a folder: its commands and its site run as processes, with their real environment."""

import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psycopg

ROOT = Path(__file__).parent.parent
SERVER = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
GRANIAN = str(Path(sys.executable).with_name("granian"))


class Installation:
    """`manage` runs a command; `site` runs the web process while the block lasts."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "wxhub.sqlite3"
        self.environment = {
            **{name: value for name, value in os.environ.items() if "WECHAT" not in name},
            "DEBUG": "true",
            "DATABASE_URL": database or f"sqlite:///{self.file}",
            "SECRET_KEY": "a-key-for-the-tests-only-0123456789-abcdefghij",
            "FIELD_KEYS": "dGVzdHMtb25seS1maWVsZC1rZXktb2YtMzItYnl0ZXM=",
            "MEDIA_ROOT": str(folder / "media"),
            "SPOOL_DIR": str(folder / "spool"),
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "WECHAT_API_BASE": "http://127.0.0.1:9",
            "LOG_LEVEL": "ERROR",
        }

    def manage(self, *arguments: str, told: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), *arguments]
        return subprocess.run(
            command,
            env={**self.environment, **environment},
            input=told,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )

    def done(self, *arguments: str, **options: str) -> str:
        """What a command printed that must succeed."""
        done = self.manage(*arguments, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, code: str) -> Any:
        """Run Python with the installation set up; `told` of it, as JSON."""
        script = f"import json\ntold = None\n{code}\nprint('\\n' + json.dumps(told, default=str))"
        return json.loads(self.done("shell", "-v0", "-c", script).splitlines()[-1])

    @contextmanager
    def site(self) -> Iterator[str]:
        """The web process; its address."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            GRANIAN,
            "--interface",
            "wsgi",
            "wxhub.wsgi:application",
            "--port",
            str(port),
            "--blocking-threads",
            "8",
        ]
        process = subprocess.Popen(
            [*command, "--log-level", "error"],
            env={**self.environment, "LOG_LEVEL": "CRITICAL"},
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/healthz")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:  # it has not even begun
                process.kill()
                process.wait()

    def query(self, sql: str) -> list[Any]:
        """Ask the SQLite file itself."""
        with closing(sqlite3.connect(self.file, timeout=5)) as database:
            return database.execute(sql).fetchall()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(url, timeout=2).close()
            return
        except (URLError, OSError):
            assert time.monotonic() < deadline, url
            time.sleep(0.1)


def has_server() -> bool:
    """Whether a PostgreSQL answers."""
    try:
        psycopg.connect(SERVER, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh PostgreSQL database; its address."""
    name = f"wxhub_{os.getpid()}_{secrets.token_hex(3)}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{SERVER.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
