"""Access tokens of one account: the classic kind (each fetch makes a new one) and the stable kind.

Source: wechat-api.md, sections 3.2 and 16. The two kinds do not touch each other.
"""

import secrets
from dataclasses import dataclass
from datetime import date

from wechat.simulator.clock import beijing_day
from wechat.simulator.errors import ApiError

LIFETIME = 7200.0  # seconds
OVERLAP = 300.0  # seconds that a replaced token stays usable
FORCE_PAUSE = 30.0  # seconds between two forced refreshes; sooner ones do nothing
FORCE_PER_DAY = 20
TOKEN_BYTES = 102  # 136 characters of base64 behind the prefix: tokens of 137 to 157 characters were observed


@dataclass
class AccessToken:
    """One token; times are Unix seconds. `dead_at` is set once a newer token has replaced it."""

    value: str
    kind: str
    issued: float
    expires: float
    dead_at: float | None = None

    def refusal(self, now: float) -> int | None:
        """40001 when replaced or revoked, 42001 when expired, None while it is good."""
        if self.dead_at is not None and now >= self.dead_at:
            return 40001
        return 42001 if now >= self.expires else None


class Tokens:
    """Issues and checks the tokens of one account."""

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self.lifetime = lifetime
        self._all: dict[str, AccessToken] = {}
        self._current: dict[str, AccessToken] = {}
        self._forced_at = 0.0
        self._forced_day: date | None = None
        self._forced_today = 0

    def classic(self, now: float) -> AccessToken:
        """A new token at every call; the previous one stays usable for 300 s."""
        return self._replace("classic", now, overlap=OVERLAP)

    def stable(self, now: float, *, force: bool = False) -> AccessToken:
        """The same token until 300 s before it expires. `force` kills it at once: 20 a day, 30 s apart."""
        current = self._current.get("stable")
        if force:
            self._count_forced(now)
        if current is None or current.refusal(now) is not None:
            return self._replace("stable", now, overlap=0)
        if force and now - self._forced_at >= FORCE_PAUSE:
            self._forced_at = now
            return self._replace("stable", now, overlap=0)
        if current.expires - now > min(OVERLAP, self.lifetime / 2):
            return current
        return self._replace("stable", now, overlap=OVERLAP)

    def refusal(self, value: str, now: float) -> int | None:
        """The errcode a call with this token gets: 40014 unknown, 40001 replaced, 42001 expired, None when good."""
        token = self._all.get(value)
        return 40014 if token is None else token.refusal(now)

    def expire(self, now: float) -> None:
        """All tokens run out now (42001)."""
        for token in self._all.values():
            token.expires = min(token.expires, now)

    def revoke(self, now: float) -> None:
        """Somebody else took new tokens: all of ours answer 40001 from now on."""
        for token in self._all.values():
            token.dead_at = now

    def forget(self) -> None:
        """All tokens become unknown (40014)."""
        self._all.clear()
        self._current.clear()

    def lengthen(self, value: str, length: int) -> str:
        """Give the token `value` another value of `length` characters; the short one stays good too."""
        longer = value + secrets.token_urlsafe(length)[: max(0, length - len(value))]
        self._all[longer] = self._all[value]
        self._all[longer].value = longer
        return longer

    def as_json(self, now: float) -> list[dict[str, object]]:
        """The current tokens: kind, last characters, seconds left."""
        return [
            {
                "kind": kind,
                "ends_with": token.value[-6:],
                "seconds": round(token.expires - now),
                "errcode": token.refusal(now),
            }
            for kind, token in self._current.items()
        ]

    def _replace(self, kind: str, now: float, *, overlap: float) -> AccessToken:
        previous = self._current.get(kind)
        if previous and previous.dead_at is None:
            previous.dead_at = now + overlap
        value = f"92_{secrets.token_urlsafe(TOKEN_BYTES)}"
        token = AccessToken(value=value, kind=kind, issued=now, expires=now + self.lifetime)
        self._all[value] = self._current[kind] = token
        return token

    def _count_forced(self, now: float) -> None:
        today = beijing_day(now)
        if today != self._forced_day:
            self._forced_day, self._forced_today = today, 0
        if self._forced_today >= FORCE_PER_DAY:
            raise ApiError(45009)
        self._forced_today += 1
