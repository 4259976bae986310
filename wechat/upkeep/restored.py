"""What a restored database must not do: send again what went out after the backup was made.

Comes in: the moment of the backup. Goes out: a database whose workers may start. A message that waited, was being sent or was
owed then may have reached its person since, so that staff decide about it; a job may have gone on, so that it pauses. Leases,
access tokens and sessions are of another day and go. What had to be remembered of nonces is in the pushes themselves, and
counts for five minutes only.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.utils import timezone

from wechat import alarms, notices
from wechat.models import Account, ConfigRow, Follower, Lease, Notice, OutgoingMessage, SendJob

REASON = "restored from a backup of {moment} UTC; may have been sent since"
# Template messages carry their row's number, and the platform drops one that it had within ten minutes: none is given twice.
NUMBERS_SKIPPED = 100_000
CREDENTIALS = ("public_wechat_accesstoken", "public_wechat_jsapi_ticket")  # and when they expire

State = OutgoingMessage.State
DOUBTFUL = (State.WAITING, State.SENDING, State.OWED)


@dataclass(frozen=True)
class Held:
    """How much waits for staff."""

    messages: int
    jobs: int


@transaction.atomic
def hold(made_at: datetime) -> Held:
    """Hold all of it, and tell staff what to do."""
    reason = REASON.format(moment=f"{made_at:%Y-%m-%d %H:%M}")
    messages = OutgoingMessage.objects.filter(state__in=DOUBTFUL).update(state=State.SET_ASIDE, holder="", error=reason)
    Follower.objects.exclude(owed=0).update(owed=0)
    jobs = SendJob.objects.filter(state=SendJob.State.RUNNING).update(state=SendJob.State.PAUSED)
    Lease.objects.all().delete()
    Session.objects.all().delete()
    _forget_credentials()
    _skip_numbers()
    _tell(made_at, Held(messages, jobs))
    return Held(messages, jobs)


def _forget_credentials() -> None:
    of_these = models.Q()
    for name in CREDENTIALS:
        of_these |= models.Q(conf_name__startswith=name)
    ConfigRow.objects.filter(of_these).delete()
    Account.objects.update(stamp=models.F("stamp") + 1)


def _skip_numbers() -> None:
    table = OutgoingMessage._meta.db_table
    newest = OutgoingMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [NUMBERS_SKIPPED, table])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, newest + NUMBERS_SKIPPED])


def _tell(made_at: datetime, held: Held) -> None:
    """What was said then is said: only this is news."""
    now = timezone.now()
    Notice.objects.filter(mailed_at=None).update(mailed_at=now)
    Notice.objects.filter(posted_at=None).update(posted_at=now)
    data = {"made": int(made_at.timestamp()), "messages": held.messages, "jobs": held.jobs}
    level = notices.OURS[alarms.RESTORED].level
    Notice.objects.create(kind=alarms.RESTORED, level=level, data=data, created_at=now)
