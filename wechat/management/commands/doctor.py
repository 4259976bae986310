"""`manage.py doctor` checks the installation and says what to do."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from wechat import doctor


class Command(BaseCommand):
    help = "Checks the installation: database, secrets, worker, and for each account its settings, callback and API."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for finding in doctor.examine():
            mark = self.style.SUCCESS("✓") if finding.fine else self.style.ERROR("✗")
            self.stdout.write(f"{mark} {finding.what}")
            if not finding.fine:
                wrong += 1
                self.stdout.write(f"    {finding.remedy}")
        self.stdout.write(_("All is well.") if not wrong else _("%d to look at.") % wrong)
        sys.exit(1 if wrong else 0)
