"""The way from us to the platform: the API and its allowlist, the clock, the quotas, the account's certification."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from wechat import client, notices
from wechat.client.quota import quota
from wechat.conf import AccountConfig
from wechat.doctor.findings import Finding, Level, bad, good, warn
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import Notice

WATCHED = ("/cgi-bin/message/custom/send", "/cgi-bin/message/template/send", "/cgi-bin/qrcode/create")
SLOW_CLOCK = 30  # seconds
LITTLE = 0.1  # of a daily quota
SECONDS = (2.0, 4.0)
VERIFIED = ("qualification_verify_success",)
ENDED = ("verify_expired", "annual_renew", *VERIFIED)


def examine(account: AccountConfig) -> Iterator[Finding]:
    """The API first: without it the quotas cannot be asked for."""
    api = _api(account)
    yield api
    yield _clock()
    if api.fine:
        yield _quotas(account)


def _api(account: AccountConfig) -> Finding:
    """A token is fetched and a call without effect is made: secret, allowlist and network at once."""
    what = _("API of WeChat")
    try:
        client.callback_addresses(account)
    except CallFailed as error:
        explained = explain_error(error)
        return bad(what, explained.title, explained.text())
    return good(what, _("A token is there, and our address is allowed."))


def _clock() -> Finding:
    """Our clock beside the one that stands in the platform's answers."""
    what = _("clock")
    try:
        # A call that is refused for want of a token: it tells the time and shows nothing.
        url = f"{settings.WECHAT_API_BASE}/cgi-bin/getcallbackip"
        response = requests.get(url, timeout=SECONDS, allow_redirects=False)
        theirs = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (requests.RequestException, KeyError, ValueError, TypeError):
        return warn(what, _("WeChat told no time to compare with."))
    ahead = time.time() - theirs
    if abs(ahead) < SLOW_CLOCK:
        return good(what)
    told = (
        _("This machine's clock is %(seconds)d s fast.")
        if ahead > 0
        else _("This machine's clock is %(seconds)d s slow.")
    )
    text = told % {"seconds": abs(ahead)}
    remedy = _("Set it right and keep it so (NTP): pushes are refused, and tokens end at the wrong time.")
    beyond = settings.WECHAT_TIMESTAMP_TOLERANCE and abs(ahead) > settings.WECHAT_TIMESTAMP_TOLERANCE / 2
    return bad(what, text, remedy) if beyond else warn(what, text, remedy)


def _quotas(account: AccountConfig) -> Finding:
    what, level, told = _("quota"), Level.OK, []
    for path in WATCHED:
        try:
            left = quota(account, path)
        except CallFailed as error:
            return warn(what, explain_error(error).brief())
        if left.daily and left.left < LITTLE * left.daily:
            level = Level.BAD if not left.left else max(level, Level.WARN, key=list(Level).index)
            told.append(_("%(path)s: %(left)d of %(daily)d left") % {"path": path, **vars(left)})
    if level is Level.OK:
        return good(what)
    remedy = _("It begins anew at midnight in Beijing; a manager can clear it on the quota page, ten times a month.")
    return Finding(what, level, "; ".join(told), remedy)


def certification(account: AccountConfig) -> Finding:
    """What the platform said last of the account's yearly verification."""
    what = _("certification")
    notice = Notice.objects.filter(account_id=account.id, kind__in=ENDED).order_by("-pk").first()
    if notice is None or notice.kind in VERIFIED:
        return good(what)
    text = " ".join([notices.title(notice), *notices.facts(notice)])
    finding = bad if notice.kind == "verify_expired" else warn
    return finding(what, text, notices.advice(notice))
