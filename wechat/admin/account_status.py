"""How an account stands, in words: what its kind cannot do, what is paused, whether its access token is valid."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import circuit, conf, outbox, tokens
from wechat.explanations import explain_stored
from wechat.models import Account, Lease

# The leases that hold up an account: all of it, what needs a window, what needs none.
HOLDS = (circuit.name, outbox.pause_name, partial(outbox.pause_name, patient=True))

NO_MESSAGES = _(
    "WeChat takes customer-service messages from verified accounts only. "
    "Quote cards travel as the answer to the scan instead."
)
NO_CODES = _(
    "WeChat makes QR codes with a number for verified service accounts only. "
    "The quote page cannot show a code for this account."
)
PLAIN = _(
    "Pushes come unencrypted. Choose the safe mode in WeChat's console and here, and enter the EncodingAESKey: "
    "then nobody else can read or forge them."
)


@dataclass(frozen=True)
class Notice:
    """One box above the form; `level` is error, warning or info."""

    level: str
    text: str | Promise


def callback_url(account: Account) -> str:
    """The address to enter in WeChat's console."""
    return f"{settings.PUBLIC_URL}{reverse('callback', args=[account.slug])}"


def notices(account: Account) -> list[Notice]:
    """What staff must know of this account now."""
    return [*_stops(account), *_limits(account)]


def stops(account_ids: list[int]) -> list[tuple[int, str]]:
    """What holds up the messages of these accounts at this moment: account id and reason. One query."""
    names = {name(key): key for key in account_ids for name in HOLDS}
    running = Lease.objects.filter(name__in=names, until__gt=timezone.now())
    return [(names[lease.name], in_words(lease)) for lease in running]


def in_words(lease: Lease) -> str:
    """What a running pause or open circuit means."""
    if lease.name.startswith("circuit:"):
        return gettext("WeChat's API does not answer. Cards travel as the answer to the scan until it does.")
    explained = explain_stored(None, lease.note)
    reason = explained.brief() if explained else lease.note
    until = date_format(timezone.localtime(lease.until), "DATETIME_FORMAT")
    if lease.name.endswith(":patient"):
        text = gettext("Template messages are paused until %(until)s: %(reason)s")
        return text % {"until": until, "reason": reason}
    return gettext("Sending is paused until %(until)s: %(reason)s") % {"until": until, "reason": reason}


def token_in_words(account: Account) -> str:
    """Until when the access token is valid; never the token."""
    try:
        token = tokens.stored(conf.account_by_id(account.pk))
    except KeyError:
        return ""
    if not token.alive:
        return gettext("None now; one is fetched as soon as it is needed.")
    until = datetime.fromtimestamp(token.expires, tz=timezone.get_current_timezone())
    return gettext("Valid until %(until)s.") % {"until": date_format(until, "DATETIME_FORMAT")}


def _stops(account: Account) -> Iterator[Notice]:
    for _account_id, reason in stops([account.pk]):
        yield Notice("error", reason)


def _limits(account: Account) -> Iterator[Notice]:
    if not account.may_make_codes:
        yield Notice("warning", NO_CODES)
    if not account.may_send_customer_service:
        yield Notice("warning", NO_MESSAGES)
    if account.mode == Account.Mode.PLAIN:
        yield Notice("warning", PLAIN)
