"""Web authorizations: what a person has allowed, and the code and tokens that stand for it.

Source: wechat-api.md, section 11. The caller holds the platform's lock.
"""

import secrets
from dataclasses import dataclass

from wechat.simulator.errors import ApiError

CODE_LIFETIME = 300.0  # seconds, once
REFRESH_LIFETIME = 30 * 86400.0


@dataclass
class Grant:
    """One consent. `code_expires` and `refresh_expires` are Unix seconds; `snapshot` marks a virtual visitor."""

    appid: str
    openid: str
    scope: str
    snapshot: bool
    code: str
    refresh_token: str
    code_expires: float
    refresh_expires: float
    used: bool = False


class Grants:
    """All consents: by code, by refresh_token, by token."""

    def __init__(self) -> None:
        self._by_code: dict[str, Grant] = {}
        self._by_refresh: dict[str, Grant] = {}
        self._by_token: dict[str, tuple[Grant, float]] = {}

    def give(self, *, appid: str, openid: str, scope: str, snapshot: bool, now: float) -> Grant:
        """The person consents: a grant with a fresh code."""
        grant = Grant(
            appid=appid,
            openid=openid,
            scope=scope,
            snapshot=snapshot,
            code=f"0{secrets.token_urlsafe(23)}",
            refresh_token=f"92_{secrets.token_urlsafe(64)}",
            code_expires=now + CODE_LIFETIME,
            refresh_expires=now + REFRESH_LIFETIME,
        )
        self._by_code[grant.code] = self._by_refresh[grant.refresh_token] = grant
        return grant

    def redeem(self, code: str, *, appid: str, now: float) -> Grant:
        """Use a code up. Raises ApiError 40029 (unknown, or another account's), 40163 (used), 42003 (expired)."""
        grant = self._by_code.get(code)
        if grant is None or grant.appid != appid:
            raise ApiError(40029)
        if grant.used:
            raise ApiError(40163)
        if now >= grant.code_expires:
            raise ApiError(42003)
        grant.used = True
        return grant

    def refreshed(self, refresh_token: str, *, appid: str, now: float) -> Grant:
        """The grant of a refresh_token. Raises ApiError 40030 or 42002."""
        grant = self._by_refresh.get(refresh_token)
        if grant is None or grant.appid != appid:
            raise ApiError(40030)
        if now >= grant.refresh_expires:
            raise ApiError(42002)
        return grant

    def issue(self, grant: Grant, token: str, *, expires: float) -> str:
        """Let `token` stand for `grant` until `expires`."""
        self._by_token[token] = (grant, expires)
        return token

    def of_token(self, token: str, *, now: float) -> Grant:
        """The grant of an OAuth token. Raises ApiError 40001 or 42001."""
        grant, expires = self._by_token.get(token, (None, 0.0))
        if grant is None:
            raise ApiError(40001)
        if now >= expires:
            raise ApiError(42001)
        return grant
