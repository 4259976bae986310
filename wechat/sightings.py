"""What the callback saw last of each account: a handshake, a push with a wrong signature, one that no key opens.

Comes in: that it was seen, from the callback. Goes out: when it was last, for the doctor and for whoever connects an account.
A stranger must not fill a table: there is one lease per account and kind (`seen:<account>:<kind>`), which a process writes
once a minute at most, and nothing of the request is kept but the address it came from.
"""

import hashlib
import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone

from wechat import leases
from wechat.conf import AccountConfig
from wechat.models import Lease

HANDSHAKE, SIGNATURE, KEY, PLAIN = "handshake", "signature", "key", "plain"
# Signed rightly, with a time that is far from ours: the push was taken all the same, or refused for it.
SKEWED, LATE = "skewed", "late"
# A handshake with ourselves has an echostr that begins so; it proves nothing about the platform's console.
OURS = "wxhub-self-"
EVERY = 60.0  # seconds
SKEW_TOLD = 60.0  # seconds: a repeat of the platform is some 15 s old
SKEW_COUNTS = timedelta(minutes=10)  # a clock that was set right is forgotten after it
KEPT = 7 * 86_400.0  # seconds

logger = logging.getLogger(__name__)
_written: dict[tuple[int, str, str], float] = {}  # when (monotonic), by account, kind and token
_lock = threading.Lock()


@dataclass(frozen=True)
class Sighting:
    """When it was last seen, and from which address; of a clock, by how many seconds it was off."""

    at: datetime
    address: str


def note(account: AccountConfig, kind: str, address: str) -> None:
    """It was seen now, from this address (or by so many seconds). Never fails: no answer to a push depends on it."""
    # A changed token begins anew: who corrects it wants to see that at once.
    key, now = (account.id, kind, hashlib.sha256(account.token.encode()).hexdigest()), time.monotonic()
    with _lock:
        if now - _written.get(key, -EVERY) < EVERY:
            return
        _written[key] = now
    try:
        with transaction.atomic():
            leases.extend(_name(account.id, kind), KEPT, note=address[:45])
    except DatabaseError as error:
        logger.warning("account %s: that it saw a %s is not kept: %s", account.slug, kind, error)


def last(account_id: int, kind: str) -> Sighting | None:
    """When this was last seen within the last seven days, about a minute's accuracy."""
    found = Lease.objects.filter(name=_name(account_id, kind)).first()
    return Sighting(found.until - timedelta(seconds=KEPT), found.note) if found else None


def skew(account_ids: list[int]) -> float:
    """By how many seconds the platform's clock was ahead of ours (negative: behind) in the last ten minutes, where that was a
    minute or more; 0 otherwise. Of several, the largest.
    """
    names = [_name(number, kind) for number in account_ids for kind in (SKEWED, LATE)]
    since = timezone.now() + timedelta(seconds=KEPT) - SKEW_COUNTS
    notes = Lease.objects.filter(name__in=names, until__gt=since).values_list("note", flat=True)
    return max((float(note) for note in notes if note), key=abs, default=0.0)


def forget() -> None:
    """Note the next one in any case."""
    with _lock:
        _written.clear()


def _name(account_id: int, kind: str) -> str:
    return f"seen:{account_id}:{kind}"
