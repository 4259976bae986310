"""The access token: read from its row, fetched by one process at a time, renewed when the platform refuses it.

The token is good until 200 s before the platform says it ends; those 200 s are for the processes that wait while one of
them fetches. Source: 获取稳定版接口调用凭据, https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
"""

import secrets
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction

from wechat import conf, leases, transport
from wechat.conf import AccountConfig
from wechat.errors import SHUT_OUT, CallFailed, PlatformError, Unreachable
from wechat.models import ConfigRow
from wechat.sealing import SealBroken, seal, unseal

EARLY = 200  # seconds (row A-14)
DEFAULT_VALIDITY = 7200  # seconds, when the answer does not say
SHORTEST_VALIDITY = 30  # seconds: an odd `expires_in` must not make a loop of fetches
FETCH_LEASE = 10.0  # seconds: a call is over after five
WAIT = 8.0  # seconds to wait for another process's fetch
RENEW_EVERY = 30.0  # seconds between two renewals of a refused token
SHORT_PAUSE, LONG_PAUSE = 1.0, 60.0  # seconds after a fetch that failed, by whether repeating it can help

TOKEN_ROW, EXPIRES_ROW = "public_wechat_accesstoken", "public_wechat_accesstoken_expires"


@dataclass(frozen=True)
class Token:
    """A token as stored. `expires` is Unix time, already 200 s early."""

    value: str = field(repr=False)
    expires: float

    @property
    def fresh(self) -> bool:
        return bool(self.value) and time.time() < self.expires

    @property
    def alive(self) -> bool:
        """Past its early end, and good for a little longer: what serves while another process fetches."""
        return bool(self.value) and time.time() < self.expires + EARLY - 20


_cache: dict[tuple[int, str, str], Token] = {}
_fetching: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)  # threads need not queue in the database
_refusals: dict[
    tuple[int, str, str], tuple[float, CallFailed]
] = {}  # until when (monotonic) a failed fetch speaks for all


def get(account: AccountConfig) -> str:
    """A token that is valid now. Raises CallFailed when none can be had."""
    token = _cache.get(_identity(account))
    if token and token.fresh:
        return token.value
    token = stored(account)
    if not token.fresh:
        token = _fetch_once(account, token)
    _cache[_identity(account)] = token
    return token.value


def renew(account: AccountConfig, refused: str) -> str:
    """Another token than the one the platform just refused. Raises CallFailed when there is none to be had.

    Fetches only if the stored token is still the refused one, and at most once in 30 s: with a wrong secret, or another
    program that fetches all the time, more would only make it worse.
    """
    token = stored(account)
    if token.value == refused and token.fresh:
        _discard(account, refused)
        token = stored(account)  # now without validity, or already another one
        if token.value == refused and token.fresh:
            raise PlatformError(40001, "the token is refused, and it was renewed less than 30 s ago", "access token")
    if not token.fresh:
        token = _fetch_once(account, Token("", 0), refused=refused)
    _cache[_identity(account)] = token
    return token.value


def try_again(account: AccountConfig) -> None:
    """Forget that a fetch failed a moment ago: somebody has just put right what was wrong."""
    _refusals.pop(_identity(account), None)


def _discard(account: AccountConfig, refused: str) -> None:
    # One transaction: who finds the lease taken must also find the token discarded, and not a reason to give up.
    with transaction.atomic():
        if leases.claim(f"renewed:{account.id}", secrets.token_hex(8), RENEW_EVERY):
            _store(account, Token(refused, 0))


def _identity(account: AccountConfig) -> tuple[int, str, str]:
    """Whose token it is: another AppID or AppSecret has none of the old one's."""
    return account.id, account.appid, account.get("public_wechat_appsecret")


def stored(account: AccountConfig) -> Token:
    """The token in the rows; an empty one when there is none, or when it was made unreadable by hand."""
    rows = dict(
        ConfigRow.objects.filter(account_id=account.id, conf_name__in=(TOKEN_ROW, EXPIRES_ROW)).values_list(
            "conf_name", "conf_value"
        )
    )
    try:
        return Token(unseal(rows.get(TOKEN_ROW, "")), float(rows.get(EXPIRES_ROW) or 0))
    except (SealBroken, ValueError):
        return Token("", 0)


def _fetch_once(account: AccountConfig, old: Token, *, refused: str = "") -> Token:
    lock = _fetching[account.id]
    if not lock.acquire(blocking=not old.alive):
        return old
    try:
        current = stored(account)  # somebody may have finished while we waited
        if current.fresh and current.value != refused:
            return current
        until, failure = _refusals.get(_identity(account), (0.0, None))
        try:
            if failure and time.monotonic() < until:
                raise failure.with_traceback(None)
            return _fetch_leased(account, old, refused)
        except CallFailed as error:
            if error is not failure:
                pause = SHORT_PAUSE if error.may_repeat else SHUT_OUT.get(_code(error), LONG_PAUSE)
                _refusals[_identity(account)] = (time.monotonic() + pause, error)
            if old.alive:
                return old
            raise
    finally:
        lock.release()


def _code(error: CallFailed) -> int:
    return error.code if isinstance(error, PlatformError) else 0


def _fetch_leased(account: AccountConfig, old: Token, refused: str) -> Token:
    lease, holder, deadline = f"token:{account.id}", secrets.token_hex(8), time.monotonic() + WAIT
    while not leases.claim(lease, holder, FETCH_LEASE):
        if old.alive:
            return old
        if time.monotonic() > deadline:
            raise Unreachable("access token", "another process fetches the token and does not finish")
        time.sleep(0.05)
        current = stored(account)
        if current.fresh and current.value != refused:
            return current
    try:
        current = stored(account)  # the holder before us may have finished between our look and our claim
        return current if current.fresh and current.value != refused else _fetch(account, refused)
    finally:
        leases.release(lease, holder)


def _fetch(account: AccountConfig, refused: str) -> Token:
    token = _ask(account)
    if refused and token.value == refused:  # the stable call repeats a token that it still believes in
        token = _ask(account, force=True)
    if _identity(conf.account_by_id(account.id)) != _identity(account):
        raise Unreachable("access token", "the account was changed while its token was fetched")
    _store(account, token)
    return token


def _ask(account: AccountConfig, *, force: bool = False) -> Token:
    way = account.get("public_wechat_token_call")
    appid, secret = account.appid, account.get("public_wechat_appsecret")
    credentials = {"grant_type": "client_credential", "appid": appid, "secret": secret}
    if way == "stable":
        url = f"{settings.WECHAT_API_BASE}/cgi-bin/stable_token"
        answer = transport.call("POST", url, {**credentials, "force_refresh": force}, account_id=account.id)
    elif way == "post":
        url = f"{settings.WECHAT_API_BASE}/cgi-bin/token"
        answer = transport.call("POST", url, credentials, account_id=account.id)
    else:
        url = transport.fill(settings.WECHAT_PUBLIC_GET_ACCESS_TOKEN, APPID=appid, APPSECRET=secret)
        answer = transport.call("GET", url, account_id=account.id)
    value = answer.get("access_token")
    if not isinstance(value, str) or not value:
        raise Unreachable("access token", "the answer holds no access_token")
    return Token(value, time.time() + max(_validity(answer.get("expires_in")) - EARLY, SHORTEST_VALIDITY))


def _validity(expires_in: object) -> float:
    if isinstance(expires_in, int | float) and not isinstance(expires_in, bool) and 0 < expires_in <= 86_400:
        return float(expires_in)
    return DEFAULT_VALIDITY


def _store(account: AccountConfig, token: Token) -> None:
    for name, value in ((TOKEN_ROW, seal(token.value)), (EXPIRES_ROW, str(int(token.expires)))):
        ConfigRow.objects.update_or_create(account_id=account.id, conf_name=name, defaults={"conf_value": value})
    _cache.pop(_identity(account), None)
