"""`manage.py restore FILE` brings a backup back, and sends nothing twice."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wechat.upkeep import Impossible, restore


class Command(BaseCommand):
    help = (
        "Restores a backup into an empty database, with the site and the workers stopped. What may have been sent since "
        "the backup was made is not sent again: it is set aside for staff, and jobs are paused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE", type=Path)
        parser.add_argument(
            "--force",
            action="store_true",
            help="also where there is something already; SQLite's file and the uploaded files are put aside, "
            "PostgreSQL's tables are removed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest, held = restore.run(options["source"], force=options["force"])
        except (Impossible, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Restored: version {manifest.version} of {manifest.made_at}.")
        self.stdout.write(f"{held.messages} messages are set aside, {held.jobs} jobs are paused: see the admin.")
        self.stdout.write("Start the site and the workers now.")
