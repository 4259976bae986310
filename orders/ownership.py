"""Whose quote a shared page shows: the person who scanned its code, and nobody who merely has the link.

WeChat says who somebody is (wechat.web_authorization), this module what it means: who scanned the code may show his avatar
and nickname on the page, take them back, and end the link. The session keeps which scans are his: numbers, no openid.
"""

from dataclasses import dataclass
from functools import partial

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.urls import reverse

from orders import profiles
from orders.links import Link
from orders.models import Profile, Scan
from wechat import web_authorization
from wechat.browsers import in_wechat
from wechat.web_authorization import BASE, USERINFO, Outcome, Purpose, Visitor

SHOW, PROVE = "show profile", "prove ownership"
PURPOSES = (SHOW, PROVE)
_OWN = "scans"  # in the session
MOST = 50  # scans in one session


@dataclass(frozen=True)
class Standing:
    """What a shared page says of its owner, and what it offers to who looks at it now."""

    profile: Profile | None
    is_owner: bool  # the session knows it
    may_ask: bool  # WeChat can tell us who looks at the page

    @property
    def offers_profile(self) -> bool:
        """Whether to ask: he may be the owner, and nothing is shown yet."""
        return self.may_ask and self.profile is None

    @property
    def has_page(self) -> bool:
        """Whether there is a way to the owner's own page."""
        return self.may_ask or self.is_owner


def standing(request: HttpRequest, link: Link) -> Standing:
    """How whoever looks at the page stands to it. On a link that was passed on nobody is asked."""
    profile = profiles.profile_of(link.scan)
    if not link.is_own:
        return Standing(profile, is_owner=False, may_ask=False)
    order = link.scan.order
    able = order is not None and order.account.may_authorize
    return Standing(profile, is_owner=is_owner(request, link.scan), may_ask=able and in_wechat(request))


def is_owner(request: HttpRequest, scan: Scan) -> bool:
    """Whether this browser has shown that the scan is its visitor's."""
    return scan.pk in request.session.get(_OWN, [])


def _remember(session: SessionBase, scan: Scan) -> None:
    others = [number for number in session.get(_OWN, []) if number != scan.pk]
    session[_OWN] = [*others, scan.pk][-MOST:]


def _prove(visitor: Visitor) -> Outcome:
    """He is the owner only if WeChat says he is who scanned."""
    scan = _scan(visitor.about)
    if scan is None or (scan.account_id, scan.openid) != (visitor.account_id, visitor.openid):
        return Outcome.STRANGER
    _remember(visitor.session, scan)
    return Outcome.GRANTED


def _show(visitor: Visitor) -> Outcome:
    """The owner agreed to be shown. What somebody else shows of himself is not even looked at."""
    outcome, scan = _prove(visitor), _scan(visitor.about)
    if outcome is Outcome.GRANTED and scan is not None:
        profiles.keep(scan, nickname=visitor.nickname, avatar=visitor.avatar)
    return outcome


def _scan(about: str) -> Scan | None:
    """The scan that was asked about, as long as its link lives."""
    return Scan.objects.filter(pk=int(about), revoked=False, order__isnull=False).first()


def _way_on(about: str, outcome: Outcome, *, page: str) -> str:
    scan = _scan(about)
    if scan is None:
        return reverse("home")
    if outcome is Outcome.GRANTED:
        return reverse(page, args=[scan.code])
    return reverse("owner-answer", args=[scan.code, outcome.value])


web_authorization.register(SHOW, Purpose(USERINFO, granted=_show, way_on=partial(_way_on, page="shared")))
web_authorization.register(PROVE, Purpose(BASE, granted=_prove, way_on=partial(_way_on, page="owner")))
