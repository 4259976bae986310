"""`manage.py doctor` checks the installation and says what to do."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from wechat import doctor
from wechat.doctor import Finding, Level


class Command(BaseCommand):
    help = "Checks the installation: database, secrets, worker, and for each account its settings, callback and API."

    def add_arguments(self, parser: CommandParser) -> None:
        languages = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=languages, help="of what it says; that of the site by default")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"] or translation.get_language()):
            wrong = sum(self._show(finding) for finding in doctor.examine())
            self.stdout.write(_("All is well.") if not wrong else _("%d to look at.") % wrong)
        sys.exit(1 if wrong else 0)

    def _show(self, finding: Finding) -> bool:
        """Print it; whether it is a fault."""
        marks = {
            Level.OK: self.style.SUCCESS("✓"),
            Level.WARN: self.style.WARNING("!"),
            Level.BAD: self.style.ERROR("✗"),
        }
        beside = f"  {finding.text}" if finding.level is Level.OK and finding.text else ""
        self.stdout.write(f"{marks[finding.level]} {finding.what}{beside}")
        for line in (finding.text, finding.remedy) if finding.level is not Level.OK else ():
            if line:
                self.stdout.write(f"    {line}")
        return not finding.fine
