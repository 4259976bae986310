"""Web authorization (网页授权): asks WeChat who somebody is, and hears the answer once.

begin() takes a tap on one of our pages and gives the address of WeChat's consent page; finish() takes the browser that comes
back, and gives the clean address where it goes on. What a granted authorization means, other rooms say:

web_authorization.register("profile", Purpose(USERINFO, granted=keep, way_on=address))

The `state` in the address is good for ten minutes, once, and only in the browser that was sent away: a cookie holds the
other half. Claimed by one conditional UPDATE, its code is exchanged once; whoever comes again (the back button, a reload, a
prefetch) is answered from what is stored. Rows: Authorization. Source: wechat-api.md, section 11.
"""

import hashlib
import re
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from wechat.client import oauth
from wechat.conf import AccountConfig
from wechat.errors import CallFailed
from wechat.models import Authorization

BASE, USERINFO = "snsapi_base", "snsapi_userinfo"
VALID = timedelta(minutes=10)
KEPT = timedelta(days=1)  # for who comes back by the back button
MOST_OPEN = 20  # begun about one thing within VALID: nobody needs more, and a stranger must not fill a table
WAIT = 6.0  # seconds that a second request waits for what the first one hears
BATCH = 500
# The other half of the state.
COOKIE = "__Host-wxhub_way" if settings.SESSION_COOKIE_SECURE else "wxhub_way"
_ALPHABET = string.ascii_letters + string.digits  # all that a state may hold
_STATE = re.compile(r"[A-Za-z0-9]{32}")
_CODE = re.compile(r"[\x21-\x7e]{1,512}")

Outcome = Authorization.Outcome


class Invalid(Exception):
    """The way back is not one that we began in this browser, or it was begun too long ago."""


class TooMany(Exception):
    """It was begun too often within a few minutes."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who came back, and about what he was asked. Nickname and avatar are there with USERINFO only, as he wrote them."""

    account_id: int
    openid: str
    about: str
    nickname: str
    avatar: str
    session: SessionBase


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why somebody is asked. `granted` acts and says how it ended; `way_on` gives the path of ours to go on to."""

    scope: str
    granted: Callable[[Visitor], Outcome]
    way_on: Callable[[str, Outcome], str]


_purposes: dict[str, Purpose] = {}


def register(name: str, purpose: Purpose) -> None:
    """Say what an authorization of that name means."""
    _purposes[name] = purpose


def begin(request: HttpRequest, account: AccountConfig, *, purpose: str, about: str) -> tuple[str, str]:
    """Ask for an authorization. Returns the address of WeChat's page, and the other half for `remember`.

    Raises TooMany. `about` is what `granted` and `way_on` get, up to 100 characters.
    """
    mine = {"account_id": account.id, "purpose": purpose, "about": about}
    if Authorization.objects.filter(**mine, asked_at__gt=timezone.now() - VALID).count() >= MOST_OPEN:
        raise TooMany
    state, browser = _random(), request.COOKIES.get(COOKIE, "")
    if not _STATE.fullmatch(browser):  # one for all that are under way in this browser
        browser = _random()
    scope = _purposes[purpose].scope
    Authorization.objects.create(**mine, scope=scope, state_hash=_hash(state), browser_hash=_hash(browser))
    return authorize_url(account, scope=scope, state=state), browser


def remember(response: HttpResponse, browser: str) -> None:
    """Give the browser its half, for ten minutes. It is no session: that is for who was granted something."""
    response.set_cookie(
        COOKIE,
        browser,
        max_age=int(VALID.total_seconds()),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # the way back from WeChat is a link
    )


def authorize_url(account: AccountConfig, *, scope: str, state: str) -> str:
    """WeChat's consent page. The platform checks the order of the parameters, and that the last part is there."""
    back = settings.PUBLIC_URL + reverse("authorized", args=[account.slug])
    query = (
        ("appid", account.appid),
        ("redirect_uri", back),
        ("response_type", "code"),
        ("scope", scope),
        ("state", state),
    )
    return f"{settings.WECHAT_OPEN_BASE}/connect/oauth2/authorize?{_encoded(query)}#wechat_redirect"


def finish(request: HttpRequest, account: AccountConfig) -> str:
    """Hear the answer of the browser that came back, and say at which path it goes on. Raises Invalid."""
    row = _row(request, account)
    purpose = _purposes.get(row.purpose)
    if purpose is None:
        raise Invalid
    if not _claim(row):
        return purpose.way_on(row.about, Outcome(_settled(row)))
    outcome = _hear(request, row, account=account, purpose=purpose)
    Authorization.objects.filter(pk=row.pk).update(outcome=outcome)
    return purpose.way_on(row.about, outcome)


def prune() -> int:
    """Remove what is older than it is kept. Returns how many rows it removed when there may be more, else 0."""
    old = Authorization.objects.filter(asked_at__lt=timezone.now() - KEPT)
    numbers = list(old.order_by("asked_at").values_list("pk", flat=True)[:BATCH])
    Authorization.objects.filter(pk__in=numbers).delete()
    return len(numbers) if len(numbers) == BATCH else 0


def _row(request: HttpRequest, account: AccountConfig) -> Authorization:
    """What was begun with this state, in this browser. A finished one may be as old as rows are kept."""
    state, browser = _only(request, "state"), request.COOKIES.get(COOKIE, "")
    if not (_STATE.fullmatch(state) and _STATE.fullmatch(browser)):
        raise Invalid
    row = Authorization.objects.filter(state_hash=_hash(state), account_id=account.id).first()
    if row is None or not secrets.compare_digest(row.browser_hash, _hash(browser)):
        raise Invalid
    if row.used_at is None and row.asked_at <= timezone.now() - VALID:
        raise Invalid
    return row


def _claim(row: Authorization) -> bool:
    """Whether this request is the one that uses the state up: of many at once, one."""
    now = timezone.now()
    unused = Authorization.objects.filter(pk=row.pk, used_at=None, asked_at__gt=now - VALID)
    return bool(unused.update(used_at=now))


def _hear(request: HttpRequest, row: Authorization, *, account: AccountConfig, purpose: Purpose) -> Outcome:
    """Exchange the code and act on it. What went wrong stands in the log of calls, in words."""
    code = _only(request, "code")
    if not _CODE.fullmatch(code):
        return Outcome.REFUSED  # WeChat sends somebody back without a code when he did not agree
    try:
        grant = oauth.exchange(account, code)
        if grant.snapshot:
            return Outcome.SNAPSHOT
        shown = oauth.userinfo(account, grant) if row.scope == USERINFO else oauth.UserInfo("", "")
    except CallFailed:
        return Outcome.FAILED
    visitor = Visitor(account.id, grant.openid, row.about, shown.nickname, shown.avatar, request.session)
    outcome = purpose.granted(visitor)
    if outcome is Outcome.GRANTED:
        request.session.cycle_key()  # whoever knew the session before must not be in it now
    return outcome


def _settled(row: Authorization) -> str:
    """How the request that came first ended; FAILED when it does not say, such as that of a killed process."""
    ends = time.monotonic() + WAIT
    while True:
        row.refresh_from_db(fields=["outcome", "used_at"])
        under_way = row.used_at is not None and timezone.now() - row.used_at < timedelta(seconds=2 * WAIT)
        if row.outcome or not under_way or time.monotonic() >= ends:
            return row.outcome or Outcome.FAILED
        time.sleep(0.1)


def _only(request: HttpRequest, name: str) -> str:
    """The parameter, when it stands there exactly once."""
    values = request.GET.getlist(name)
    return values[0] if len(values) == 1 else ""


def _random() -> str:
    """32 letters and digits: 190 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _number in range(32))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    return urlencode(query, quote_via=quote, safe="")
