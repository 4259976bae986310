"""What the platform lends an account for a while (the access token, the ticket of web pages): kept in two rows of the
account's configuration, fetched by one process at a time.

Comes in: an account, and the call that fetches. Goes out: a value that is good now. It is good until 200 s before the platform
says it ends; those 200 s are for the processes that wait while one of them fetches.
"""

import secrets
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol

from wechat import conf, leases
from wechat.conf import AccountConfig
from wechat.errors import SHUT_OUT, CallFailed, PlatformError, Unreachable
from wechat.models import ConfigRow
from wechat.sealing import SealBroken, seal, unseal

EARLY = 200  # seconds (row A-14)
DEFAULT_VALIDITY = 7200  # seconds, when the answer does not say
SHORTEST_VALIDITY = 30  # seconds: an odd `expires_in` must not make a loop of fetches
FETCH_LEASE = 10.0  # seconds: a call is over after five
SHORT_PAUSE, LONG_PAUSE = 1.0, 60.0  # seconds after a fetch that failed, by whether repeating it can help

Owner = tuple[str, int, str, str]  # of which kind, and whose: another AppID or AppSecret has none of the old one's


@dataclass(frozen=True)
class Credential:
    """One as stored. `expires` is Unix time, already 200 s early."""

    value: str = field(repr=False)
    expires: float

    @property
    def fresh(self) -> bool:
        return bool(self.value) and time.time() < self.expires

    @property
    def alive(self) -> bool:
        """Past its early end, and good for a little longer: what serves while another process fetches."""
        return bool(self.value) and time.time() < self.expires + EARLY - 20


NONE = Credential("", 0)

_cache: dict[Owner, Credential] = {}
_fetching: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)  # no queue in the database
_refusals: dict[Owner, tuple[float, CallFailed]] = {}  # until when (monotonic) a failed fetch speaks for all


def forget() -> None:
    """Let this process remember nothing; the rows stay."""
    _cache.clear()
    _refusals.clear()


def lent(value: object, expires_in: object, *, what: str) -> Credential:
    """What the platform's answer gives. Raises Unreachable when there is no value in it."""
    if not isinstance(value, str) or not value:
        raise Unreachable(what, f"the answer holds no {what}")
    return Credential(value, time.time() + max(_validity(expires_in) - EARLY, SHORTEST_VALIDITY))


def _validity(expires_in: object) -> float:
    if isinstance(expires_in, int | float) and not isinstance(expires_in, bool) and 0 < expires_in <= 86_400:
        return float(expires_in)
    return DEFAULT_VALIDITY


class Ask(Protocol):
    """The call that fetches. `force` wants another one than the platform would repeat. Raises CallFailed."""

    def __call__(self, account: AccountConfig, *, force: bool) -> Credential: ...


@dataclass(frozen=True)
class Kind:
    """One kind of credential: its lease, its name in errors, its rows, and how it is fetched.

    `wait` is how many seconds a caller stands by while somebody else fetches.
    """

    name: str
    what: str
    row: str
    expires_row: str
    ask: Ask
    wait: float

    def get(self, account: AccountConfig) -> str:
        """One that is good now. Raises CallFailed when none can be had."""
        known = _cache.get(self._owner(account))
        if known and known.fresh:
            return known.value
        current = self.stored(account)
        return self.keep(account, current if current.fresh else self.fetch_once(account, current))

    def keep(self, account: AccountConfig, current: Credential) -> str:
        """Remember `current` in this process; its value."""
        _cache[self._owner(account)] = current
        return current.value

    def try_again(self, account: AccountConfig) -> None:
        """Forget that a fetch failed a moment ago: somebody has just put right what was wrong."""
        _refusals.pop(self._owner(account), None)

    def stored(self, account: AccountConfig) -> Credential:
        """What is in the rows; nothing when there is none, or when it was made unreadable by hand."""
        rows = dict(
            ConfigRow.objects.filter(account_id=account.id, conf_name__in=(self.row, self.expires_row)).values_list(
                "conf_name", "conf_value"
            )
        )
        try:
            return Credential(unseal(rows.get(self.row, "")), float(rows.get(self.expires_row) or 0))
        except (SealBroken, ValueError):
            return NONE

    def store(self, account: AccountConfig, credential: Credential) -> None:
        """Write the rows, which other processes read."""
        for name, value in ((self.row, seal(credential.value)), (self.expires_row, str(int(credential.expires)))):
            ConfigRow.objects.update_or_create(account_id=account.id, conf_name=name, defaults={"conf_value": value})
        _cache.pop(self._owner(account), None)

    def fetch_once(self, account: AccountConfig, old: Credential, *, refused: str = "") -> Credential:
        """Fetch, or stand by while somebody does; `old` serves meanwhile if it is alive. Raises CallFailed."""
        lock = _fetching[self.name, account.id]
        if not (lock.acquire(blocking=False) if old.alive else lock.acquire(timeout=self.wait)):
            if old.alive:
                return old
            raise self._busy()
        try:
            current = self.stored(account)  # somebody may have finished while we waited
            if current.fresh and current.value != refused:
                return current
            return self._fetch_or_refuse(account, old, refused)
        finally:
            lock.release()

    def _fetch_or_refuse(self, account: AccountConfig, old: Credential, refused: str) -> Credential:
        until, failure = _refusals.get(self._owner(account), (0.0, None))
        try:
            if failure and time.monotonic() < until:
                raise failure.with_traceback(None)
            return self._fetch_leased(account, old, refused)
        except CallFailed as error:
            if error is not failure:
                pause = SHORT_PAUSE if error.may_repeat else SHUT_OUT.get(_code(error), LONG_PAUSE)
                _refusals[self._owner(account)] = (time.monotonic() + pause, error)
            if old.alive:
                return old
            raise

    def _fetch_leased(self, account: AccountConfig, old: Credential, refused: str) -> Credential:
        lease, holder, deadline = f"{self.name}:{account.id}", secrets.token_hex(8), time.monotonic() + self.wait
        while not leases.claim(lease, holder, FETCH_LEASE):
            if old.alive:
                return old
            if time.monotonic() > deadline:
                raise self._busy()
            time.sleep(0.05)
            current = self.stored(account)
            if current.fresh and current.value != refused:
                return current
        try:
            current = self.stored(account)  # the holder before us may have finished between our look and our claim
            return current if current.fresh and current.value != refused else self._fetch(account, refused)
        finally:
            leases.release(lease, holder)

    def _fetch(self, account: AccountConfig, refused: str) -> Credential:
        fetched = self.ask(account, force=False)
        if refused and fetched.value == refused:  # the platform repeats one that it still believes in
            fetched = self.ask(account, force=True)
        if self._owner(conf.account_by_id(account.id)) != self._owner(account):
            raise Unreachable(self.what, f"the account was changed while its {self.what} was fetched")
        self.store(account, fetched)
        return fetched

    def _owner(self, account: AccountConfig) -> Owner:
        return self.name, account.id, account.appid, account.get("public_wechat_appsecret")

    def _busy(self) -> Unreachable:
        return Unreachable(self.what, f"another process fetches the {self.what} and does not finish")


def _code(error: CallFailed) -> int:
    return error.code if isinstance(error, PlatformError) else 0
