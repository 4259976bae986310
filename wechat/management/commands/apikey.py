"""`manage.py apikey NAME` prints a new REST key, once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from wechat.models import ApiKey
from wechat.models.access import SCOPES


class Command(BaseCommand):
    help = "Makes a REST key and prints it. Only its hash is kept: it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who uses it, for example the firm's website")
        parser.add_argument("--scope", action="append", choices=sorted(SCOPES), help="may be repeated; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = sorted(set(options["scope"] or SCOPES))
        _row, key = ApiKey.objects.create_key(name=options["name"][:50], scopes=scopes)
        self.stderr.write(f"Send it as `Authorization: Api-Key …`. Scopes: {', '.join(scopes)}. It is shown this once:")
        self.stdout.write(key)
