"""The environment: development starts with nothing set, production refuses what matters, naming the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from wxhub import env

ROOT = Path(__file__).parent.parent
GOOD = {
    "DEBUG": "false",
    "SECRET_KEY": "Zx8-" + "q7Rw" * 12,
    "FIELD_KEYS": Fernet.generate_key().decode(),
    "PUBLIC_URL": "https://quotes.firm.cn",
}
NAMES = {*GOOD, "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}


def start(
    code: str = "import wxhub.settings as s; print(s.DEBUG, s.PUBLIC_URL)", **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Import the settings in a process of its own; an empty variable counts as absent, and hides a .env file's."""
    kept = {name: value for name, value in os.environ.items() if name not in NAMES and "WECHAT" not in name}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_development_starts_with_nothing_set() -> None:
    done = start(DEBUG="true", SECRET_KEY="", FIELD_KEYS="", PUBLIC_URL="http://127.0.0.1:8000")
    assert done.returncode == 0, done.stderr


def test_production_starts_when_all_is_well() -> None:
    done = start(**GOOD)
    assert done.stdout == "False https://quotes.firm.cn\n", done.stderr


def test_the_example_starts_with_nothing_but_its_secrets_filled_in() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text("utf-8").splitlines() if line and line[0] != "#"]
    example = dict(line.split("=", 1) for line in lines)
    assert not [name for name in GOOD if name not in example]
    done = start("import django; django.setup()", **{**example, **GOOD, "DJANGO_SETTINGS_MODULE": "wxhub.settings"})
    assert done.returncode == 0, done.stderr


def test_sqlite_waits_for_the_disk_unless_it_is_told_not_to() -> None:
    code = "import wxhub.settings as s; print(s.DATABASES['default']['OPTIONS']['init_command'])"
    assert "synchronous=FULL;" in start(code, **GOOD, DATABASE_URL="", SQLITE_SYNCHRONOUS="").stdout
    assert "synchronous=NORMAL;" in start(code, **GOOD, DATABASE_URL="", SQLITE_SYNCHRONOUS="NORMAL").stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "q7Rw"),
        ("SECRET_KEY", "django-insecure-" + "x7" * 30),
        ("SECRET_KEY", "change-me-" + "x7" * 30),
        ("FIELD_KEYS", ""),
        ("FIELD_KEYS", "not-a-key"),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://quotes.firm.cn"),
        ("PUBLIC_URL", "quotes.firm.cn"),
        ("WECHAT_API_BASE", "http://api.weixin.qq.com"),
        ("WECHAT_API_BASE", "ftp://api.weixin.qq.com"),
        ("SQLITE_SYNCHRONOUS", "normal; DROP"),
    ],
)
def test_production_refuses_and_names_the_variable(name: str, value: str) -> None:
    done = start(**{**GOOD, name: value})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert name in last
    assert not value or "KEY" not in name or value not in last


def test_debug_is_refused_at_a_public_address() -> None:
    done = start(**{**GOOD, "DEBUG": "true"})
    assert "DEBUG" in done.stderr


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.evil.cn", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback_is_this_machine_only(host: str | None, loopback: bool) -> None:
    assert env.is_loopback(host) == loopback


def test_plain_http_is_for_the_simulator_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECHAT_API_BASE", "http://127.0.0.1:9000/")
    assert env.base_url("WECHAT_API_BASE", "") == "http://127.0.0.1:9000"
    monkeypatch.setenv("WECHAT_API_BASE", "http://192.168.1.4:9000")
    with pytest.raises(ImproperlyConfigured, match="WECHAT_API_BASE"):
        env.base_url("WECHAT_API_BASE", "")


def test_several_field_keys_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    monkeypatch.setenv("FIELD_KEYS", ",".join(keys))
    assert env.field_keys(debug=False, secret_key="") == keys
    monkeypatch.setenv("FIELD_KEYS", f"{keys[0]},broken")
    with pytest.raises(ImproperlyConfigured, match="FIELD_KEYS"):
        env.field_keys(debug=True, secret_key="")
