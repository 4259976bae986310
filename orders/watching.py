"""What open pages ask again and again: how far their quotes are. Many pages cost hardly more queries than one.

The first page that asks when the last look is a second old looks for all pages that were open lately, in one query; each of
the others is handed what that look brought, once. So nobody gets an answer older than LOOK_LASTS, nobody the same look
twice, and a page that asks alone always gets what is true now.
"""

import threading
import time

from orders.progress import Progress, progress_of_all

LOOK_LASTS = 1.0  # seconds
OPEN = 20.0  # seconds since a page asked last: it is taken for open
MOST = 1000  # pages in one look; any others ask for themselves

_lock = threading.Lock()
_asked: dict[str, float] = {}  # when, by the quote's key, the longest ago first
_seen: dict[str, Progress] = {}  # what the last look brought and nobody was handed yet
_looked_at = 0.0


def watch(key: str) -> Progress | None:
    """The progress of the quote with that page key, at most a second old; None when there is no such quote."""
    global _looked_at
    now = time.monotonic()
    with _lock:
        known = _asked.pop(key, None) is not None
        fresh = now - _looked_at < LOOK_LASTS
        if known and fresh and (seen := _seen.pop(key, None)):
            _asked[key] = now
            return seen
        looks = known and not fresh
        if looks:
            _looked_at = now
            _seen.clear()
            _forget_closed(now)
        others = list(_asked)[-MOST:] if looks else []
        _asked[key] = now
    found = progress_of_all([key, *others])
    with _lock:
        mine = found.pop(key, None)
        if mine is None:
            _asked.pop(key, None)
        if looks and _looked_at == now:
            _seen.update(found)
    return mine


def forget() -> None:
    """Begin anew, without any page."""
    global _looked_at
    with _lock:
        _asked.clear()
        _seen.clear()
        _looked_at = 0.0


def _forget_closed(now: float) -> None:
    for key, at in list(_asked.items()):
        if now - at < OPEN:
            break
        del _asked[key]
