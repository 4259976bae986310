"""Brings a backup back, into an empty database; what it would send again is held (wechat.upkeep.restored).

Everything is made ready beside the database first. On SQLite the finished file then takes its place in one step; PostgreSQL
is filled in one transaction.
"""

import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from wechat import conf
from wechat.upkeep import Impossible, archive, postgres, restored, sqlite
from wechat.upkeep.archive import Manifest
from wechat.upkeep.restored import Held


def run(source: Path, *, force: bool) -> tuple[Manifest, Held]:
    """Restore it. `force`: the database and the uploaded files that are there now are put aside, or removed."""
    local = connection.vendor == "sqlite"
    beside = sqlite.path().parent if local else Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=beside, prefix=".wxhub-restore-") as name:
        folder = Path(name)
        manifest = archive.unpack(source, folder)
        _check(manifest, force=force)
        stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        made_at = datetime.fromisoformat(manifest.made_at)
        if local:
            held = _into_sqlite(folder / archive.DATABASE, made_at, stamp)
        else:
            held = _into_postgres(folder / archive.DATABASE, made_at)
        _put_media(folder / archive.MEDIA, stamp)
    conf.forget()
    return manifest, held


def _check(manifest: Manifest, *, force: bool) -> None:
    """Raises Impossible where this installation cannot take the backup, before anything is changed."""
    if manifest.vendor != connection.vendor:
        raise Impossible(
            f"This backup is of {manifest.vendor}, the database is {connection.vendor}. Restore it where DATABASE_URL is of "
            f"its kind, then move: manage.py move"
        )
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    if newer := [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]:
        raise Impossible(
            f"This backup is of a newer version ({manifest.version}), it knows {newer[0]}. Install that one, or a newer."
        )
    database = sqlite if connection.vendor == "sqlite" else postgres
    if not force and not database.is_empty():
        raise Impossible("The database is not empty. With --force the backup takes its place.")
    media = Path(settings.MEDIA_ROOT)
    if not force and media.is_dir() and any(media.iterdir()):
        raise Impossible(f"There are files in {media} already. With --force those of the backup take their place.")
    database.stand_alone()


def _into_sqlite(made: Path, made_at: datetime, stamp: str) -> Held:
    here = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(made)
    try:
        held = _bring_up_to_date(made_at)
        sqlite.stand_alone()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = here
    sqlite.put_in_place(made, stamp)
    return held


def _into_postgres(dump: Path, made_at: datetime) -> Held:
    postgres.drop_tables()
    postgres.fill(dump)
    return _bring_up_to_date(made_at)


def _bring_up_to_date(made_at: datetime) -> Held:
    call_command("migrate", verbosity=0, interactive=False)
    return restored.hold(made_at)


def _put_media(made: Path, stamp: str) -> None:
    here = Path(settings.MEDIA_ROOT)
    here.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = here.with_name(f"{here.name}.before-{stamp}")
    if any(here.iterdir()):
        before.mkdir(mode=0o700)
        for path in list(here.iterdir()):  # the folder itself may be a volume
            path.rename(before / path.name)
    with suppress(FileNotFoundError):
        for path in list(made.iterdir()):
            _carry(path, here / path.name)


def _carry(source: Path, target: Path) -> None:
    """Move a file or a folder; the media may lie on another disk than the database."""
    if source.is_dir():
        target.mkdir(mode=0o700)
        for path in list(source.iterdir()):
            _carry(path, target / path.name)
    else:
        target.write_bytes(source.read_bytes())
        target.chmod(0o600)
