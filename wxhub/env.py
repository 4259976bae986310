"""Reads the environment for settings.py, and refuses what must not reach production. `.env.example` explains each variable."""

import base64
import hashlib
import ipaddress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
PLACEHOLDERS = ("change", "placeholder", "example", "secret-key", "insecure", "your-", "todo", "xxxx")
SECRET_MIN_LENGTH = 32
WEBHOOKS = ("wecom", "dingtalk", "feishu", "json")

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def is_loopback(host: str | None) -> bool:
    """Whether `host` is this machine itself: `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def base_url(name: str, default: str) -> str:
    """An http(s) address without a trailing slash. Plain http is for loopback addresses only: secrets travel there."""
    return _checked(name, env.str(name, default))


def base_urls(name: str, default: list[str]) -> list[str]:
    """Several such addresses, with commas between them."""
    return [_checked(name, value) for value in env.list(name, default=[]) or default]


def _checked(name: str, value: str) -> str:
    value = value.strip().rstrip("/")
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ImproperlyConfigured(f"{name} must be an address such as https://www.example.com, not {value!r}.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ImproperlyConfigured(f"{name} must use https; plain http is allowed to a loopback address only.")
    return value


def secret(name: str, *, debug: bool, development: str) -> str:
    """A secret of at least 32 characters. Development may go without; production refuses to start, naming the variable."""
    value = env.str(name, "")
    if not value and debug:
        return development
    if len(value) < SECRET_MIN_LENGTH or any(mark in value.lower() for mark in PLACEHOLDERS):
        raise ImproperlyConfigured(
            f"{name} is missing, too short (under {SECRET_MIN_LENGTH} characters) or a placeholder. "
            f"Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return value


def required(name: str, *, debug: bool, development: str) -> str:
    """A value that production cannot guess."""
    value = env.str(name, "")
    if value or debug:
        return value or development
    raise ImproperlyConfigured(f"{name} must be set in production. See .env.example.")


def field_keys(*, debug: bool, secret_key: str) -> list[str]:
    """The Fernet keys that encrypt secrets at rest: the first encrypts, all decrypt (see `manage.py rotatekeys`)."""
    keys = env.list("FIELD_KEYS", default=[])
    if not keys and debug:
        return [base64.urlsafe_b64encode(hashlib.sha256(b"field:" + secret_key.encode()).digest()).decode()]
    for key in keys:
        try:
            valid = len(base64.urlsafe_b64decode(key)) == 32
        except ValueError:
            valid = False
        if not valid:
            raise ImproperlyConfigured("FIELD_KEYS holds something that is not a 32-byte base64 key.")
    if not keys:
        raise ImproperlyConfigured(
            "FIELD_KEYS is missing. Make a key with: "
            "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        )
    return keys


def mail() -> dict[str, Any]:
    """Django's settings of the mail server in EMAIL_URL. Without one, no mail is sent and nobody tries."""
    if not (url := env.str("EMAIL_URL", "")):
        return {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    try:
        return dict(env.email_url_config(url))
    except (ImproperlyConfigured, ValueError):  # it may hold a password: the message shows nothing of it
        raise ImproperlyConfigured(
            "EMAIL_URL must be an address such as smtp+tls://user:password@smtp.example.com:587."
        ) from None


def optional_secret(name: str) -> str:
    """A secret that may be absent; one that is too short to be one is refused in any case."""
    value = env.str(name, "")
    if value and (len(value) < SECRET_MIN_LENGTH or any(mark in value.lower() for mark in PLACEHOLDERS)):
        raise ImproperlyConfigured(f"{name} is too short (under {SECRET_MIN_LENGTH} characters) or a placeholder.")
    return value


def webhooks(name: str, *, debug: bool) -> list[str]:
    """Addresses of group chats, each a secret: the messages that refuse one show nothing of it. wechat.webhooks reads them."""
    found = [each for each in env.list(name, default=[]) if each]
    for number, url in enumerate(found, 1):
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        kind, _plus, scheme = parts.scheme.rpartition("+")
        plain = scheme == "http" and debug and is_loopback(parts.hostname)
        if not parts.hostname or kind not in ("", *WEBHOOKS) or not (scheme == "https" or plain):
            raise ImproperlyConfigured(
                f"{name}, number {number}, must be an https address, or one that begins with "
                f"{' or '.join(f'{each}+https://' for each in WEBHOOKS)}."
            )
    return found


def log_format() -> str:
    """How log lines look: `line` for people, `json` for programs."""
    return one_of("LOG_FORMAT", ("line", "json"))


def one_of(name: str, values: tuple[str, ...]) -> str:
    """One of these words; the first where nothing is set."""
    value = env.str(name, "") or values[0]
    if value not in values:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(values)}, not {value!r}.")
    return value
