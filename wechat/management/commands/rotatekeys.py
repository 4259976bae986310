"""`manage.py rotatekeys` seals every secret with the first of FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from wechat.models import ConfigRow, SecondFactor
from wechat.registry import ROWS
from wechat.sealing import SealBroken, reseal


class Command(BaseCommand):
    help = (
        "Seals every secret with the first of FIELD_KEYS; then the others can be removed. Changes all of them or none."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        secret = [name for name, row in ROWS.items() if row.secret]
        with transaction.atomic():
            rows = ConfigRow.objects.select_for_update().filter(conf_name__in=secret).exclude(conf_value="")
            factors = SecondFactor.objects.select_for_update().all()
            try:
                for row in (*rows, *factors):
                    self._reseal(row)
            except SealBroken as error:
                raise CommandError(f"{row}: {error}") from None
        self.stdout.write(f"{len(rows) + len(factors)} secrets are sealed with the first of FIELD_KEYS.")

    def _reseal(self, row: ConfigRow | SecondFactor) -> None:
        field = "conf_value" if isinstance(row, ConfigRow) else "sealed"
        setattr(row, field, reseal(getattr(row, field)))
        row.save(update_fields=[field])
