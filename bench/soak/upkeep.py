"""What staff who run it do while it works: a backup that is restored elsewhere, the move to PostgreSQL."""

import os
import time
from pathlib import Path

import psycopg

from bench import pushes
from bench.soak.ground import Ground
from bench.soak.rows import SQLITE, Judged, row
from bench.stand import fresh_postgres

SERVER = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"


@row("C410", "a backup made in a burst is restored on an empty machine", threads=16)
def restored(ground: Ground) -> Judged:
    folder, scenes = Path(ground.folder.name), range(97_000, 97_300)
    driving = ground.meanwhile_scans(scenes, rate=30)
    time.sleep(4)
    began = time.monotonic()
    ground.manage("backup", str(folder / "night.tar.gz"))
    took = time.monotonic() - began
    driving.join()
    ground.wait(lambda: len(ground.accepted()) + ground.passive() >= len(scenes), 60)
    _stop(ground, "web", "worker")
    before, old = len(ground.accepted()), dict(ground.environment)
    ground.environment |= {"DATABASE_URL": _empty(ground), "MEDIA_ROOT": str(folder / "elsewhere")}
    ground.manage("restore", str(folder / "night.tar.gz"))
    ground.start_web()
    ground.start_worker()
    runs = ground.wait(lambda: ground.get("/readyz")[0] == 200) and ground.post(pushes.text("oRESTORED"))[0] == 200
    time.sleep(15)
    again, kept = len(ground.accepted()) - before, len(ground.facts()["pushes"])
    _stop(ground, "web", "worker")
    ground.environment = old  # what came in after the backup is there
    held = runs and not again and not driving.told["not_200"] and 0 < kept < len(scenes)
    return held, f"made in {took:.1f} s; {kept - 1} of {len(scenes)} pushes in it; {again} messages sent again"


@row("MOVE", "SQLite moves to PostgreSQL in a burst", only=SQLITE, threads=16)
def moved(ground: Ground) -> Judged:
    scenes = range(98_000, 98_600)
    try:
        target = ground.belongings.enter_context(fresh_postgres(SERVER))
    except psycopg.OperationalError as error:
        return False, f"needs a PostgreSQL server: {error}"
    driving = ground.meanwhile_scans(scenes, rate=20)
    time.sleep(4)
    _stop(ground, "worker")
    began = time.monotonic()
    ground.manage("move", target)
    took = time.monotonic() - began
    ground.environment["DATABASE_URL"] = target
    _stop(ground, "web")
    ground.start_web()
    ground.start_worker()
    driving.join()
    ground.wait(lambda: not ground.spooled(), 30)
    whole = ground.wait(lambda: len(ground.accepted()) + ground.passive() >= len(scenes), 70)
    told = driving.told
    figures = f"moved in {took:.1f} s; {len(ground.accepted())} + {ground.passive()} cards for {len(scenes)} scans"
    return whole, f"{figures}; answers p99 {told['ms']['p99']} ms, {told['outcomes']}"


def _stop(ground: Ground, *names: str) -> None:
    for name in names:
        ground.processes[name].terminate()
        ground.processes[name].wait()


def _empty(ground: Ground) -> str:
    """The address of an empty database of the same kind."""
    if ground.sqlite:
        return f"sqlite:///{Path(ground.folder.name) / 'elsewhere.sqlite3'}"
    return ground.belongings.enter_context(fresh_postgres(ground.database.rsplit("/", 1)[0] + "/postgres"))
