"""`manage.py resetfactor USERNAME` takes away the second step of somebody who lost phone and backup codes."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from wechat import second_factor


class Command(BaseCommand):
    help = "Takes away the second step of signing in of a member of staff, and signs him out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is nobody of the name {options['username']}.")
        if not second_factor.remove(user):
            raise CommandError(f"{user.username} has no second step.")
        self.stdout.write(f"{user.username} signs in with the password alone until a second step is set up anew.")
