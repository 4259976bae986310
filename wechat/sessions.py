"""How long a member of staff stays signed in, where he is, and how he is signed out everywhere.

A session notes when it began, when it was last used, and when its owner last proved who he is; and for the list of one's own
sessions, from where. The rows of the session table are read only when somebody looks at that list or ends sessions.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from axes.helpers import get_client_ip_address
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

BEGAN, SEEN, PROVED, ASKS, FROM = "began", "seen", "proved", "asks", "from"
NOTED_EVERY = 60  # seconds between two notes that a session is in use: each costs a write
PROOF = 15 * 60  # seconds for which a proof opens the most sensitive pages
PROOF_TO_SEND = 60 * 60  # seconds within which what was filled in there is taken
AGENT = 200  # characters


@dataclass(frozen=True)
class SignedIn:
    """One session of a person; `name` stands for it on a page, where its key must not be."""

    name: str
    began: datetime
    seen: datetime
    address: str
    agent: str
    is_this: bool


def begin(request: HttpRequest, *, asks: bool) -> None:
    """Note the beginning of a session that a password has just opened. `asks`: the second step has still to be taken."""
    now = int(time.time())
    agent = str(request.META.get("HTTP_USER_AGENT", ""))[:AGENT]
    come_from = {"address": str(get_client_ip_address(request) or ""), "agent": agent}
    request.session.update({BEGAN: now, SEEN: now, PROVED: now, ASKS: asks, FROM: come_from})


def prove(session: SessionBase) -> None:
    """Its owner has just proved who he is."""
    session[PROVED] = int(time.time())


def is_proved(session: SessionBase, *, seconds: float) -> bool:
    """Whether he did within so many seconds."""
    return bool(time.time() - session.get(PROVED, 0) <= seconds)


def is_over(session: SessionBase) -> bool:
    """Whether this session was idle for too long, or lasts too long altogether."""
    now = time.time()
    idle = now - session.get(SEEN, now) > settings.SESSION_IDLE_SECONDS
    return bool(idle or now - session.get(BEGAN, now) > settings.SESSION_ABSOLUTE_SECONDS)


def note_use(session: SessionBase) -> None:
    """It is in use now."""
    now = int(time.time())
    session.setdefault(BEGAN, now)
    if now - session.get(SEEN, 0) >= NOTED_EVERY:
        session[SEEN] = now


def of(user: Any, *, current: str = "") -> list[SignedIn]:
    """Where this person is signed in, the newest first. `current` is the key of the session that asks."""
    found = [_described(key, data, current) for key, data in _open(user) if not is_over(data)]
    return sorted(found, key=lambda one: one.seen, reverse=True)


def end(user: Any, *, name: str = "", keep: str = "") -> int:
    """End this person's sessions: all, or that of this `name`, but for the one whose key is to `keep`. Returns how many."""
    keys = [key for key, _data in _open(user) if key != keep and (not name or name_of(key) == name)]
    return Session.objects.filter(session_key__in=keys).delete()[0]


def name_of(key: str) -> str:
    """What stands for a session on a page."""
    return salted_hmac("wechat.sessions", key, algorithm="sha256").hexdigest()[:32]


def _open(user: Any) -> Iterator[tuple[str, Any]]:
    for row in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        data = row.get_decoded()
        if data.get(SESSION_KEY) == str(user.pk):
            yield row.session_key, data


def _described(key: str, data: Any, current: str) -> SignedIn:
    now, come_from = int(time.time()), data.get(FROM, {})
    return SignedIn(
        name=name_of(key),
        began=datetime.fromtimestamp(data.get(BEGAN, now), UTC),
        seen=datetime.fromtimestamp(data.get(SEEN, now), UTC),
        address=come_from.get("address", ""),
        agent=come_from.get("agent", ""),
        is_this=key == current,
    )
