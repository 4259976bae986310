"""`manage.py simulator`: plays WeChat on this machine until it is told to stop."""

import json
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from wechat.simulator.accounts import KINDS, MODES, Account
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import DEFAULT_ACCOUNT, Platform

# Options of one account, and the fields they set.
FIELDS = {
    "callback": "callback_url",
    "appid": "appid",
    "appsecret": "secret",
    "token": "token",
    "aes_key": "aes_key",
    "mode": "mode",
    "original_id": "original_id",
    "kind": "kind",
    "name": "name",
}


class Command(BaseCommand):
    help = _("Play WeChat: its API, its pushes, and a phone in the browser. For development and tests; loopback only.")
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One account by options, or several by a file."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8100)
        parser.add_argument(
            "--config", type=Path, help=_("JSON file: a list of accounts, with the fields of the REST API")
        )
        parser.add_argument("--callback", help=_("address that pushes go to"))
        parser.add_argument("--appid")
        parser.add_argument("--appsecret")
        parser.add_argument("--token", help=_("callback token"))
        parser.add_argument("--aes-key", help=_("EncodingAESKey, 43 characters"))
        parser.add_argument("--mode", choices=MODES)
        parser.add_argument("--original-id", help="gh_…")
        parser.add_argument("--kind", choices=KINDS)
        parser.add_argument("--name", help=_("name of the account in WeChat"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        platform = Platform(*_accounts(options))
        try:
            server = SimulatorServer(platform, host=options["host"], port=options["port"])
            server.listen()
        except ValueError as error:
            raise CommandError(
                _("The simulator listens on this machine only: %(reason)s") % {"reason": error}
            ) from error
        except OSError as error:
            message = _("Cannot listen on port %(port)d: %(reason)s. Choose another one with --port.")
            raise CommandError(message % {"port": options["port"], "reason": error.strerror}) from error
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(_("WeChat is being played at %(url)s (API, phone, /sim/api/).") % {"url": server.url})
        self.stdout.flush()
        stop.wait()
        server.close()


def _accounts(options: dict[str, Any]) -> list[Account]:
    """The accounts of the file, and the one of the options; without either the default one."""
    given = {field: options[option] for option, field in FIELDS.items() if options[option] is not None}
    try:
        listed = json.loads(options["config"].read_text()) if options["config"] else []
        rows = [*listed, {**DEFAULT_ACCOUNT, **given}] if given or not listed else listed
        return [Account(**row) for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise CommandError(_("The account cannot be used: %(reason)s") % {"reason": error}) from error
