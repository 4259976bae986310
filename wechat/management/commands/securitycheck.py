"""`manage.py securitycheck` lists what a manager should look at: old keys, logins without a second step, and the like."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from wechat.doctor import Finding, Level, access


class Command(BaseCommand):
    help = "Looks over settings, keys, logins and accounts. Exit status 1 when there is something to look at."

    def add_arguments(self, parser: CommandParser) -> None:
        languages = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=languages, help="of what it says; that of the site by default")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"] or translation.get_language()):
            found = list(access.examine())
            told = [finding for finding in found if finding.level is not Level.OK]
            for finding in told:
                self._show(finding)
            self.stdout.write(_("%d to look at.") % len(told) if told else _("All is well."))
        sys.exit(1 if told else 0)

    def _show(self, finding: Finding) -> None:
        mark = self.style.ERROR("✗") if finding.level is Level.BAD else self.style.WARNING("!")
        self.stdout.write(f"{mark} {finding.what}: {finding.text}")
        if finding.remedy:
            self.stdout.write(f"    {finding.remedy}")
