"""`manage.py apikey NAME` prints a new REST key, once. `--rotate` makes it in place of the one of that name."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from wechat.models import ApiKey
from wechat.models.access import SCOPES

MOST_DAYS = 3650


class Command(BaseCommand):
    help = "Makes a REST key and prints it. Only its hash is kept: it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who uses it, for example the firm's website")
        parser.add_argument("--scope", action="append", choices=sorted(SCOPES), help="may be repeated; default: all")
        parser.add_argument(
            "--expires", type=int, metavar="DAYS", help="the key ends after so many days; default: never"
        )
        parser.add_argument("--rotate", action="store_true", help="in place of the key of that name, with its scopes")
        parser.add_argument(
            "--overlap",
            type=int,
            default=7,
            metavar="DAYS",
            help="with --rotate: the old key serves so long; default: 7",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("expires", "overlap"):
            if not 0 <= (options[name] or 0) <= MOST_DAYS:
                raise CommandError(f"--{name} takes 0 to {MOST_DAYS} days.")
        row, key = self._rotated(options) if options["rotate"] else self._made(options)
        scopes = ", ".join(row.scopes)
        self.stderr.write(f"Send it as `Authorization: Api-Key …`. Scopes: {scopes}. It is shown this once:")
        self.stdout.write(key)

    def _made(self, options: dict[str, Any]) -> tuple[ApiKey, str]:
        days = options["expires"]
        expires = None if days is None else timezone.now() + timedelta(days=days)
        return ApiKey.make(options["name"], set(options["scope"] or SCOPES), expires=expires)

    def _rotated(self, options: dict[str, Any]) -> tuple[ApiKey, str]:
        if options["scope"] or options["expires"] is not None:
            raise CommandError("--rotate keeps the scopes, and sets no end; leave --scope and --expires out.")
        valid = ApiKey.objects.filter(Q(expiry_date=None) | Q(expiry_date__gt=timezone.now()), revoked=False)
        old = valid.filter(name=options["name"]).order_by("-created").first()
        if old is None:
            raise CommandError(f"There is no valid key of the name {options['name']}.")
        made: tuple[ApiKey, str] = old.replace(overlap=timedelta(days=options["overlap"]))
        self.stderr.write(f"The key {old.prefix}… ends at {timezone.localtime(old.expiry_date):%Y-%m-%d %H:%M}.")
        return made
