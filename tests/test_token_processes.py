"""A cold start of four processes with sixteen threads each: one fetch of the access token (C201)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from wechat.conf import AccountConfig
from wechat.simulator.server import SimulatorServer

SCRIPT = Path(__file__).parent / "token_process.py"
PROCESSES = 4


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    login = f"{values['USER']}:{values['PASSWORD']}".rstrip(":")
    return f"postgres://{login}@{values['HOST']}:{values['PORT'] or 5432}/{values['NAME']}"


def start(base: str) -> "subprocess.Popen[str]":
    root = str(SCRIPT.parent.parent)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "wxhub.settings",
        "DATABASE_URL": database_url(),
        "WECHAT_API_BASE": base,
        "PYTHONPATH": root,
    }
    return subprocess.Popen(
        [sys.executable, str(SCRIPT)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )


@pytest.mark.django_db(transaction=True)
def test_a_cold_start_of_four_processes_fetches_once(
    config: AccountConfig, simulator: SimulatorServer, request: Any
) -> None:
    simulator.platform.faults.set(kind="slow", match="/cgi-bin/stable_token", seconds=1.0)
    processes = [start(simulator.url) for _ in range(PROCESSES)]
    request.addfinalizer(lambda: [process.kill() for process in processes])
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    got = {process.communicate(timeout=30)[0].strip() for process in processes}
    assert len(got) == 1
    assert got != {""}
    assert simulator.platform.counters["token_fetches"] == 1
    assert simulator.platform.counters["fetch_peak"] == 1
