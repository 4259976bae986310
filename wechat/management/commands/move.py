"""`manage.py move postgres://…` moves a SQLite installation to PostgreSQL, and loses no push."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wechat.upkeep import Impossible, move


class Command(BaseCommand):
    help = (
        "Copies everything into an empty PostgreSQL database while the site runs (the workers do not), then closes the "
        "SQLite database. Restart the site with the new DATABASE_URL at once: what comes meanwhile waits in its spool."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", nargs="?", metavar="URL", help="postgres://…; - reads it from standard input")
        parser.add_argument("--undo", action="store_true", help="let the SQLite database take pushes again")

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["target"]
        if options["undo"] == bool(target):
            raise CommandError("Say where to: manage.py move postgres://…, or --undo.")
        try:
            if options["undo"]:
                moved = move.undo()
                self.stdout.write("It takes pushes again." if moved else "It had not been moved.")
                return
            total = move.run(sys.stdin.readline().strip() if target == "-" else target, self.stdout.write)
        except Impossible as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{total} rows are moved. Restart the site with the new DATABASE_URL now, then start the workers."
        )
