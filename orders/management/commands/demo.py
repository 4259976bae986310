"""`manage.py demo` runs the whole thing on this machine: site, worker and a simulator of WeChat, on its own SQLite file."""

import json
import os
import secrets
import signal
import socket
import string
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from orders import samples
from orders.models import Order

HOST = "127.0.0.1"
START_SECONDS = 30


class Command(BaseCommand):
    help = _("Runs a demonstration: the site, a worker and a simulator of WeChat. Ctrl-C ends all of it.")
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the site")
        parser.add_argument("--simulator-port", type=int, default=8100, help="of the simulator with its phone")
        parser.add_argument(
            "--folder", type=Path, default=settings.BASE_DIR / ".demo", help="where the demo keeps its data"
        )
        parser.add_argument(
            "--seed", action="store_true", help="only fill the demo's database; used by the demo itself"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if options["seed"]:
            call_command("migrate", verbosity=0)
            samples.seed(**_secrets(folder)["account"], password=_secrets(folder)["password"])
            numbers = [quote["orderid"] for quote in samples.QUOTES]
            for order in Order.objects.filter(orderid__in=numbers).order_by("orderid"):
                self.stdout.write(order.get_absolute_url())
            return
        site, simulator = options["port"], options["simulator_port"]
        for port, variable in ((site, "PORT"), (simulator, "SIMULATOR_PORT")):
            if not _is_free(port):
                message = _("Port %(port)d is in use. Choose another one: make demo %(variable)s=%(other)d")
                raise CommandError(message % {"port": port, "variable": variable, "other": port + 10})
        folder.mkdir(mode=0o700, exist_ok=True)
        self._run(folder, site, simulator)

    def _run(self, folder: Path, site: int, simulator: int) -> None:
        environment = _environment(folder, site, simulator)
        pages = _output([*_manage(), "demo", "--seed", "--folder", str(folder)], environment).split()
        for number in (
            signal.SIGINT,
            signal.SIGTERM,
            signal.SIGHUP,
        ):  # a shell's background job ignores SIGINT by default
            signal.signal(number, signal.default_int_handler)
        # Each in a group of its own: a Ctrl-C that reaches granian's processes beside ours can make it hang.
        children = [
            subprocess.Popen(command, env=environment, process_group=0)  # noqa: S603  # our own commands
            for command in _commands(folder, site, simulator)
        ]
        try:
            _wait_for(f"http://{HOST}:{site}/readyz", f"http://{HOST}:{simulator}/sim/api/counters", children=children)
            self._greet(folder, site, simulator, pages)
            while all(child.poll() is None for child in children):
                time.sleep(0.3)
            raise CommandError(_("A part of the demo has ended by itself; the lines above say why."))
        except KeyboardInterrupt:
            self.stdout.write(_("\nThe demo ends."))
        finally:
            _end(children)

    def _greet(self, folder: Path, site: int, simulator: int, pages: list[str]) -> None:
        lines = [
            "",
            _("WxHub is running. Three quotes to try:"),
            *(f"    http://{HOST}:{site}{page}" for page in pages),
            _("The phone (click a quote's code, or scan it there):"),
            f"    http://{HOST}:{simulator}/",
            _("The admin, as admin with the password %(password)s:") % {"password": _secrets(folder)["password"]},
            f"    http://{HOST}:{site}/admin/",
            _("Ctrl-C ends it. The data stay in %(folder)s.") % {"folder": folder},
            "",
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _secrets(folder: Path) -> dict[str, Any]:
    """The demo's own secrets, made at its first start and kept readable for their owner only."""
    path = folder / "secrets.json"
    if not path.exists():
        letters = string.ascii_letters + string.digits
        made = {
            "password": secrets.token_urlsafe(9),
            "secret_key": secrets.token_urlsafe(48),
            "field_key": Fernet.generate_key().decode(),
            "account": {
                "appid": f"wx{secrets.token_hex(8)}",
                "appsecret": secrets.token_hex(16),
                "token": secrets.token_hex(16),
                "aes_key": "".join(secrets.choice(letters) for _ in range(42)) + "A",
                "original_id": f"gh_{secrets.token_hex(6)}",
            },
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(made, indent=2))
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def _environment(folder: Path, site: int, simulator: int) -> dict[str, str]:
    known, platform = _secrets(folder), f"http://{HOST}:{simulator}"
    return {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": known["secret_key"],
        "FIELD_KEYS": known["field_key"],
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "REDIS_URL": "",
        "PUBLIC_URL": f"http://{HOST}:{site}",
        "ALLOWED_HOSTS": "",
        "WECHAT_API_BASE": platform,
        "WECHAT_MP_BASE": platform,
        "WECHAT_OPEN_BASE": platform,
        "WECHAT_AVATAR_ORIGINS": platform,
        "WECHAT_JSSDK_URL": f"{platform}/open/js/jweixin-1.6.0.js",
        "FRAME_ANCESTORS": platform,
        "LOG_LEVEL": "WARNING",
    }


def _commands(folder: Path, site: int, simulator: int) -> list[list[str]]:
    known = _secrets(folder)["account"]
    account = {
        **{name: value for name, value in known.items() if name != "appsecret"},
        "secret": known["appsecret"],
        "mode": "safe",
        "name": samples.ACCOUNT_NAME,
        "callback_url": f"http://{HOST}:{site}/wechat/{samples.SLUG}/callback",
    }
    config = folder / "simulator.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps([account]))
    granian, options = (
        str(Path(sys.executable).with_name("granian")),
        ["--blocking-threads", "16", "--log-level", "error"],
    )
    return [
        [*_manage(), "simulator", "--port", str(simulator), "--config", str(config)],
        [granian, "--interface", "wsgi", "wxhub.wsgi:application", "--port", str(site), *options],
        [*_manage(), "worker"],
    ]


def _manage() -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py")]


def _output(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _wait_for(*addresses: str, children: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    for address in addresses:
        while True:
            if any(child.poll() is not None for child in children):
                raise CommandError(_("A part of the demo did not start; the lines above say why."))
            try:
                with urlopen(address, timeout=2):  # noqa: S310  # our own loopback address
                    break
            except OSError:
                if time.monotonic() > deadline:
                    raise CommandError(_("The demo did not start within %d seconds.") % START_SECONDS) from None
                time.sleep(0.1)


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=8)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # with the processes it started itself
            child.wait()
