"""`manage.py simulator`: starts soon, says what is wrong in one line, ends when told to."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parent.parent
SOON = 10.0  # seconds; it takes about one, but test machines are busy


def command(*options: str) -> list[str]:
    return [sys.executable, "manage.py", "simulator", *options]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    process = subprocess.Popen(command("--port", str(port), *options), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_it_serves_the_account_of_the_options_and_ends_cleanly() -> None:
    with running("--appid", "wxmine", "--mode", "safe", "--callback", "http://127.0.0.1:9/cb") as (process, url):
        [account] = requests.get(f"{url}/sim/api/accounts", timeout=5).json()["accounts"]
        assert (account["appid"], account["mode"], account["callback_url"]) == (
            "wxmine",
            "safe",
            "http://127.0.0.1:9/cb",
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SOON) == 0


def test_it_serves_several_accounts_of_a_file_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    accounts = [{"appid": appid, "secret": "s", "token": "t"} for appid in ("wxone", "wxtwo")]
    config = tmp_path / "accounts.json"
    config.write_text(json.dumps(accounts))
    with running("--config", str(config)) as (process, url):
        listed = requests.get(f"{url}/sim/api/accounts", timeout=5).json()["accounts"]
        assert [account["appid"] for account in listed] == ["wxone", "wxtwo"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=SOON) == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0"),
        (["--host", "example.test"], "example.test"),
        (["--aes-key", "short"], "43"),
        (["--config", "/nonexistent.json"], "/nonexistent.json"),
    ],
)
def test_a_wrong_option_is_named(options: list[str], named: str) -> None:
    with pytest.raises(CommandError, match=re.escape(named)):
        call_command("simulator", *options)


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(CommandError, match=port):
            call_command("simulator", "--port", port)
