"""What the platform says about the account itself reaches staff: a row in the transaction of the push, then a mail.

So does what is wrong with the installation (wechat.alarms), and a group chat hears of both (wechat.webhooks). The admin shows
the row as a banner on every page until somebody puts it away (wechat.admin.notices).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.models import Notice
from wechat.routing import Contact

MAIL_WITHIN = timedelta(days=3)  # an older notice is no news: nobody wants a year of them on the day mail is set up
REASON_LENGTH = 300  # characters of a reason that a banner or a mail shows

Level = Notice.Level
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """A kind of notice: what happened, and what it means for whom has to act."""

    level: Level
    title: str | Promise
    advice: str | Promise


KINDS: Mapping[str, Kind] = {  # by the handle of the push (资质认证, 名称认证, 年审)
    "qualification_verify_success": Kind(
        Level.GOOD,
        _("The account's qualification is verified"),
        _("WeChat opens its interfaces to the account from now on. Nothing has to be done."),
    ),
    "qualification_verify_fail": Kind(
        Level.WARNING,
        _("The account's qualification was not verified"),
        _("Correct what WeChat names and apply again in WeChat's console, under WeChat verification."),
    ),
    "naming_verify_success": Kind(
        Level.GOOD,
        _("The account's name is verified"),
        _("The account shows its tick from now on. Nothing has to be done."),
    ),
    "naming_verify_fail": Kind(
        Level.WARNING,
        _("The account's name was not verified"),
        _(
            "The interfaces stay open, but the account shows no tick. Choose another name or add the documents "
            "in WeChat's console, under WeChat verification."
        ),
    ),
    "annual_renew": Kind(
        Level.WARNING,
        _("The yearly verification is due"),
        _(
            "Renew it in time in WeChat's console, under WeChat verification: afterwards quote cards and codes with a "
            "number stop working."
        ),
    ),
    "verify_expired": Kind(
        Level.DANGER,
        _("The verification has expired"),
        _(
            "WeChat closes interfaces to the account: quote cards and codes with a number stop working. Renew the "
            "verification at once in WeChat's console, under WeChat verification."
        ),
    ),
}
STORING = "storing_failed"
OURS: dict[str, Kind] = {  # those of wechat.alarms too: what this installation says of itself; no push is called so
    STORING: Kind(
        Level.DANGER,
        _("Pushes could not be stored for a while"),
        _(
            "The database did not answer, or the disk was full. Everything that waited on the disk is handled as soon as "
            "the database works; who could not be kept was asked to try again. Look at the database and at the free space."
        ),
    ),
}
_UNKNOWN = Kind(Level.WARNING, _("WeChat reports something about the account"), "")


def give(contact: Contact) -> None:
    """Keep a notice of this push, one however often it is run. To be called in the push's transaction."""
    message = contact.message
    Notice.objects.get_or_create(
        account_id=contact.account.id,
        push_id=contact.push_id,
        kind=message.handle,
        defaults={
            "level": KINDS[message.handle].level,
            "data": {**message.fields["data"], "time": message.time},
            "created_at": contact.now,
        },
    )


def storing_failed(account_id: int, *, since: datetime, kept: int, lost: int) -> None:
    """Tell staff that pushes could not be stored for a while: `kept` of them waited on the disk, `lost` were not kept."""
    level = Level.DANGER if lost else Level.WARNING
    data = {"since": int(since.timestamp()), "kept": kept, "lost": lost}
    Notice.objects.create(account_id=account_id, kind=STORING, level=level, data=data, created_at=timezone.now())


def letter(notice: Notice) -> tuple[str, str]:
    """A subject and a text of it, in the site's language, for a mail or a chat."""
    with translation.override(settings.LANGUAGE_CODE):
        subject = " ".join(heading(notice).split())
        link = settings.PUBLIC_URL + reverse("admin:wechat_notice_change", args=[notice.pk])
        return subject, "\n\n".join([subject, *facts(notice), advice(notice), link])


def title(notice: Notice) -> str:
    """What happened, in words."""
    return str(_kind(notice).title)


def heading(notice: Notice) -> str:
    """Which account, if it is about one, and what happened."""
    if notice.account is None:
        return title(notice)
    return gettext("%(account)s: %(title)s") % {"account": notice.account, "title": title(notice)}


def advice(notice: Notice) -> str:
    """What it means and what to do."""
    return str(_kind(notice).advice)


def _kind(notice: Notice) -> Kind:
    return OURS.get(notice.kind) or KINDS.get(notice.kind, _UNKNOWN)


def facts(notice: Notice) -> list[str]:
    """What the platform said of it: until when, since when, why."""
    told = []
    if ends := _moment(notice, "expiredtime"):
        over = notice.kind == "verify_expired"
        told.append((gettext("Expired on %(time)s.") if over else gettext("Valid until %(time)s.")) % {"time": ends})
    if since := _moment(notice, "since"):
        numbers = {"time": since, "kept": notice.data["kept"], "lost": notice.data["lost"]}
        told.append(gettext("Since %(time)s: %(kept)s waited on the disk, %(lost)s were not kept.") % numbers)
    if made := _moment(notice, "made"):
        numbers = {"time": made, "messages": notice.data["messages"], "jobs": notice.data["jobs"]}
        told.append(gettext("Backup of %(time)s: %(messages)s messages set aside, %(jobs)s jobs paused.") % numbers)
    if skew := str(notice.data.get("skew", "")):
        told.append(gettext("WeChat's clock and ours differ by %(seconds)s s.") % {"seconds": skew})
    if began := _moment(notice, "began"):
        told.append(gettext("Since %(time)s.") % {"time": began})
    if failed := _moment(notice, "failtime"):
        told.append(gettext("Refused on %(time)s.") % {"time": failed})
    if reason := " ".join(str(notice.data.get("failreason", "")).split()):
        told.append(gettext("Reason: %(reason)s") % {"reason": reason[:REASON_LENGTH]})
    return told


def mail_due() -> int:
    """Mail every notice that nobody was told of yet, each at most once. Returns how many went out.

    To be called by one worker now and then; without mail in the configuration it does nothing. Where the mail server
    fails, the rest waits for the next time.
    """
    if not settings.SENDS_MAIL:
        return 0
    since = timezone.now() - MAIL_WITHIN
    due = Notice.objects.filter(mailed_at=None, seen_at=None, created_at__gte=since).select_related("account")
    sent = 0
    try:
        for notice in due.order_by("pk"):
            sent += _mail(notice)
    except OSError as error:  # that of smtplib is one too
        logger.warning("a notice could not be mailed, it is tried again: %s: %s", type(error).__name__, error)
    return sent


def recipients(notice: Notice) -> list[str]:
    """The addresses of those who can do something about it: active staff who may change this account, or superusers."""
    able = get_user_model()._default_manager.with_perm(  # type: ignore[attr-defined]
        "wechat.change_account", backend="django.contrib.auth.backends.ModelBackend"
    )
    ours = Q(is_superuser=True)
    if notice.account_id:
        ours |= Q(memberships__account=notice.account_id)
    staff = able.filter(ours, is_staff=True).exclude(email="")
    return sorted(set(staff.values_list("email", flat=True)))


def _mail(notice: Notice) -> bool:
    """Claim the notice, mail it, and give it back where that failed: two workers must not both mail it."""
    to = recipients(notice)
    mine = Notice.objects.filter(pk=notice.pk)
    if not to or not mine.filter(mailed_at=None).update(mailed_at=timezone.now()):
        return False
    sent = False
    try:
        subject, body = letter(notice)
        EmailMessage(subject=f"[WxHub] {subject}", body=body, to=to).send()
        sent = True
    finally:
        if not sent:
            mine.update(mailed_at=None)
    return True


def _moment(notice: Notice, name: str) -> str:
    """A moment of the push's data in words; empty when there is none, or none that can be."""
    stored = str(notice.data.get(name, ""))
    if not (stored.isascii() and stored.isdigit() and 0 < int(stored[:12]) < 10**11 and len(stored) <= 11):
        return ""
    moment = datetime.fromtimestamp(int(stored), UTC)
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
