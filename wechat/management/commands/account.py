"""`manage.py account SLUG …` creates an account, or changes the one of that name."""

import sys
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from wechat import conf
from wechat.models import Account, ConfigRow

ROW_OPTIONS = {
    "appid": "public_wechat_appid",
    "appsecret": "public_wechat_appsecret",
    "token": "public_wechat_token",
    "aes_key": "public_wechat_aes_key",
}
MOST_HOURS = 30 * 24
FIELD_OPTIONS = ("mode", "original_id", "kind", "delivery", "name")


class Command(BaseCommand):
    help = "Creates an Official Account, or changes it. A value of - is read from standard input, one line each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name; part of the callback address")
        parser.add_argument("--name", help="the account's name, as visitors know it")
        parser.add_argument("--appid")
        parser.add_argument("--appsecret", help="- reads it from standard input")
        parser.add_argument("--token", help="of the server configuration page; - reads it from standard input")
        parser.add_argument(
            "--keep-token",
            type=int,
            metavar="HOURS",
            help="with --token: the old one is accepted for so long beside it",
        )
        parser.add_argument("--aes-key", help="EncodingAESKey, 43 characters; - reads it from standard input")
        parser.add_argument("--mode", choices=Account.Mode.values)
        parser.add_argument("--original-id", help="gh_…")
        parser.add_argument("--kind", choices=Account.Kind.values)
        parser.add_argument("--delivery", choices=Account.Delivery.values)

    def handle(self, *args: Any, **options: Any) -> None:
        values = {name: sys.stdin.readline().strip() if value == "-" else value for name, value in options.items()}
        fields = {name: values[name] for name in FIELD_OPTIONS if values[name] is not None}
        rows = {row: values[name] for name, row in ROW_OPTIONS.items() if values[name] is not None}
        rows |= self._kept(options["slug"], rows, options["keep_token"])
        try:
            with transaction.atomic():
                account, created = self._save(options["slug"], fields, rows)
        except ValidationError as error:
            raise CommandError("\n".join(self._lines(error))) from None
        self.stdout.write(f"Account {account.slug} {'created' if created else 'changed'}.")
        self.stdout.write(f"Callback address: {settings.PUBLIC_URL}{reverse('callback', args=[account.slug])}")

    def _kept(self, slug: str, rows: dict[str, str], hours: int | None) -> dict[str, str]:
        """The rows that keep the old token valid for a while."""
        if hours is None:
            return {}
        old = ConfigRow.objects.filter(account__slug=slug, conf_name="public_wechat_token").first()
        if old is None or "public_wechat_token" not in rows or not 0 < hours <= MOST_HOURS:
            raise CommandError(
                f"--keep-token takes 1 to {MOST_HOURS} hours, with a new --token for an account that has one."
            )
        until = timezone.localtime() + timedelta(hours=hours)
        return {
            "public_wechat_token_previous": conf.open_row(old),
            "public_wechat_token_previous_until": until.strftime("%Y-%m-%d %H:%M"),
        }

    def _save(self, slug: str, fields: dict[str, str], rows: dict[str, str]) -> tuple[Account, bool]:
        account = Account.objects.filter(slug=slug).first() or Account(slug=slug)
        created = account.pk is None
        if created and not {"public_wechat_appid", "public_wechat_appsecret", "public_wechat_token"} <= rows.keys():
            raise ValidationError("A new account needs --appid, --appsecret and --token.")
        for name, value in fields.items():
            setattr(account, name, value)
        account.full_clean()
        account.save()
        conf.save(account, rows)
        conf.require_key(account)
        return account, created

    def _lines(self, error: ValidationError) -> list[str]:
        options = {row: "--" + name.replace("_", "-") for name, row in ROW_OPTIONS.items()}
        if not hasattr(error, "error_dict"):
            return error.messages
        return [
            f"{options.get(name, name)}: {' '.join(reasons)}" for name, reasons in sorted(error.message_dict.items())
        ]
