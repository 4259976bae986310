"""The circuit breaker of an account's API: after 5 failures in 10 s nothing is sent, and one probe every 5 s finds out
when it works again. Open circuits are leases, so that every process knows: the callback then answers with the card itself.
"""

import logging
import threading
import time
from collections import defaultdict, deque

from wechat import conf, leases

FAILURES, WITHIN = 5, 10.0  # so many failures in so many seconds open the circuit
PROBE_EVERY = 5.0  # seconds
STALE = 60.0  # seconds: an open circuit that nobody probes any more closes by itself

logger = logging.getLogger(__name__)
_failures: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=FAILURES))
_lock = threading.Lock()


def name(account_id: int) -> str:
    """The lease that runs while the circuit of this account is open."""
    return f"circuit:{account_id}"


def failed(account_id: int) -> None:
    """A call brought no usable answer. Opens the circuit when that was one too many."""
    now = time.monotonic()
    with _lock:
        recent = _failures[account_id]
        recent.append(now)
        opens = len(recent) == FAILURES and now - recent[0] <= WITHIN
        if opens:
            recent.clear()
    if opens:
        logger.error("account %s: WeChat's API does not answer; cards go as answers to the push", account_id)
        leases.extend(f"probe:{account_id}", PROBE_EVERY)
        still_failing(account_id)


def worked(account_id: int) -> None:
    """A call was answered. Closes the circuit."""
    with _lock:
        _failures.pop(account_id, None)
    if conf.snapshot().holds(name(account_id)) and leases.release(name(account_id)):
        logger.warning("account %s: WeChat's API answers again", account_id)
        conf.forget()


def still_failing(account_id: int) -> None:
    """A probe failed: the circuit stays open."""
    leases.extend(name(account_id), STALE, note="The API of WeChat does not answer.")
    conf.forget()


def may_probe(account_id: int, holder: str) -> bool:
    """Whether this worker is the one that probes now: one probe every 5 s over all workers."""
    return leases.claim(f"probe:{account_id}", f"{holder}:{time.monotonic():.3f}", PROBE_EVERY)
