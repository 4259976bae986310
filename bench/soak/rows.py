"""The table of faults: each row makes one of them on a stand of its own, and judges what came of it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.soak.ground import Ground

Judged = tuple[bool, str]  # whether it held, and the figures
Run = Callable[[Ground], Judged]
SQLITE, POSTGRES = "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class Row:
    """One row of C1 … C4. `only` names the one database that can have the fault; `stand` are options of its Stand.

    A row without `run` is held by `tests`, which need no processes of their own: they are run on the same database.
    """

    id: str
    fault: str
    run: Run | None = None
    tests: tuple[str, ...] = ()
    only: str = ""
    slow: bool = False
    stand: Mapping[str, object] = field(default_factory=dict)


rows: dict[str, Row] = {}


def row(id: str, fault: str, *, only: str = "", slow: bool = False, **stand: object) -> Callable[[Run], Run]:  # noqa: A002
    """Register the function that makes this fault. `slow`: it takes minutes."""

    def register(run: Run) -> Run:
        rows[id] = Row(id, fault, run, only=only, slow=slow, stand=stand)
        return run

    return register


def held_by(id: str, fault: str, *tests: str, only: str = "") -> None:  # noqa: A002
    """Register a row that these tests hold, named as pytest names them."""
    rows[id] = Row(id, fault, tests=tests, only=only)


def run_tests(tests: tuple[str, ...], server: str) -> Judged:
    """Run these tests on SQLite, or on that PostgreSQL server."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = {**os.environ, "TEST_DATABASE_URL": server}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return done.returncode == 0, "; ".join(failed[:3]) or f"{len(tests)} tests or groups of tests"
