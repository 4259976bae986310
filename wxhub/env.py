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
    value = env.str(name, default).rstrip("/")
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
