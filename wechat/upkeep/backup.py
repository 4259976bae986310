"""Makes one backup while everything runs: first the database, then the uploaded files, so that no row lacks its file."""

import re
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from wechat.upkeep import Impossible, archive, postgres, sqlite
from wechat.upkeep.archive import Manifest

NAME = re.compile(r"wxhub-\d{8}-\d{6}\.tar\.gz")


def make(target: Path) -> tuple[Path, Manifest]:
    """Write a backup to this file, or to a new one in this folder; where it is, and what it holds. Raises Impossible."""
    now = datetime.now(UTC)
    if target.is_dir():
        target = target / f"wxhub-{now:%Y%m%d-%H%M%S}.tar.gz"
    if target.exists():
        raise Impossible(f"{target} exists already; it is not overwritten.")
    if not target.parent.is_dir():
        raise Impossible(f"There is no folder {target.parent}.")
    migrations = sorted([app, name] for app, name in MigrationRecorder(connection).applied_migrations())
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=".wxhub-backup-"
    ) as folder:  # on the disk that must hold it
        copy = Path(folder) / archive.DATABASE
        counts = (sqlite if connection.vendor == "sqlite" else postgres).copy(copy)
        manifest = Manifest(connection.vendor, version(), now.isoformat(), migrations, counts)
        archive.write(target, manifest, copy, Path(settings.MEDIA_ROOT))
    return target, manifest


def rotate(folder: Path, keep: int) -> list[Path]:
    """Remove all backups of this folder but the newest `keep`; those that were named otherwise are left alone."""
    ours = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name) and path.is_file())
    gone = ours[:-keep]
    for path in gone:
        path.unlink()
    return gone


def version() -> str:
    """That of this program."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text("utf-8"))
    return str(project["project"]["version"])
