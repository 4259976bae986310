"""`manage.py backup FILE` makes one backup while everything runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wechat.upkeep import Impossible, backup


class Command(BaseCommand):
    help = (
        "Writes the database and the uploaded files, as they are at one instant, into one .tar.gz that only its owner can "
        "read. FIELD_KEYS is not in it: without that key its secrets cannot be opened, so keep .env elsewhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", metavar="FILE", type=Path, help="a file that does not exist yet, or a folder")
        parser.add_argument("--keep", type=int, metavar="N", help="of a folder: remove all backups but the newest N")

    def handle(self, *args: Any, **options: Any) -> None:
        target, keep = options["target"], options["keep"]
        if keep is not None and (keep < 1 or not target.is_dir()):
            raise CommandError("--keep takes a number from 1 on, and a folder as FILE.")
        try:
            path, manifest = backup.make(target)
        except (Impossible, OSError) as error:
            raise CommandError(str(error)) from None
        gone = backup.rotate(path.parent, keep) if keep else []
        rows, files = sum(manifest.counts.values()), len(manifest.files) - 1
        size = path.stat().st_size / 1_000_000
        self.stdout.write(f"{path}: {rows} rows, {files} files, {size:.1f} MB.")
        if gone:
            self.stdout.write(f"Removed: {', '.join(each.name for each in gone)}.")
