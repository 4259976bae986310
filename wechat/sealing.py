"""Secrets at rest: sealed with the first of FIELD_KEYS, opened with any of them, so that keys can be rotated."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBroken(Exception):
    """A sealed value that none of FIELD_KEYS opens: a key was lost, or the value was tampered with."""


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(text: str) -> str:
    """`text` encrypted. The empty string stays empty: there is nothing to hide."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """The text inside. Raises SealBroken when no key fits."""
    if not sealed:
        return ""
    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealBroken(
            "A secret cannot be read with any of FIELD_KEYS. Put the key it was sealed with back."
        ) from error


def reseal(sealed: str) -> str:
    """The same secret, sealed with the first key. Raises SealBroken."""
    return seal(unseal(sealed))


def is_old(sealed: str) -> bool:
    """Whether the first of FIELD_KEYS does not open it: an older key is still needed."""
    if not sealed:
        return False
    try:
        Fernet(settings.FIELD_KEYS[0]).decrypt(sealed.encode())
    except InvalidToken:
        return True
    return False


def is_broken(sealed: str) -> bool:
    """Whether none of FIELD_KEYS opens it."""
    try:
        unseal(sealed)
    except SealBroken:
        return True
    return False
