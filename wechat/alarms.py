"""Faults of the installation reach staff: nobody sends, messages are stuck, a clock is wrong, WeChat does not answer.

Comes in: a look every ten seconds, by a worker; while none is alive, by a slow thread of the site's processes, which is on no
request's way. Goes out: a notice (wechat.notices) per fault and account, which is put away by itself when the fault is over.
However often a fault comes and goes, it makes at most five notices a day.
"""

import logging
import multiprocessing
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wechat import conf, leases, notices, outbox, sightings, webhooks
from wechat.models import Lease, Notice, Push
from wechat.notices import Kind, Level
from wechat.redaction import catch_the_rest

MOST_A_DAY = 5  # notices of one cause
SETTLED = 600  # seconds after which a fault that comes again is another one
LOOK_EVERY = 15.0  # seconds, of the site's own thread
ALONE = 45.0  # seconds without a worker before staff are told: a restart takes less
CLOCK_HOLDS = timedelta(minutes=3)  # a process notes it once a minute at most

WORKER, STUCK, CLOCK, API, PAUSED = "worker_gone", "sending_stuck", "clock_wrong", "api_silent", "sending_paused"
RESTORED = "restored"  # of wechat.upkeep; nobody but staff puts it away
notices.OURS.update(
    {
        WORKER: Kind(
            Level.DANGER,
            _("No worker is running"),
            _("Cards travel as the answer to the scan, everything else waits. Start the worker: manage.py worker"),
        ),
        STUCK: Kind(
            Level.DANGER,
            _("Messages wait for more than a minute"),
            _("Look at the overview: is a worker running, does WeChat answer, is the account paused?"),
        ),
        CLOCK: Kind(
            Level.DANGER,
            _("Pushes are refused because of the time they carry"),
            _(
                "Nothing of what people do in WeChat arrives. Set this machine's clock and keep it right (NTP). If the "
                "clock is right, somebody repeats an old request: then nothing has to be done."
            ),
        ),
        API: Kind(
            Level.WARNING,
            _("WeChat's interface does not answer"),
            _(
                "Cards travel as the answer to the scan, and it is tried again every five seconds. Is the network all right?"
            ),
        ),
        PAUSED: Kind(
            Level.WARNING,
            _("WeChat lets the account send nothing for now"),
            _(
                "The messages are kept. The reason says whether a quota has to turn, or a right or an address is missing."
            ),
        ),
        RESTORED: Kind(
            Level.WARNING,
            _("The database was restored from a backup"),
            _(
                "What waited to be sent then is set aside: look at the outgoing messages, and send again what did not "
                "arrive. A paused job goes on where it was then, so that some people would get it twice: cancel it if in "
                "doubt. What was entered or came in since the backup is not here. Everybody signs in anew."
            ),
        ),
    }
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fault:
    """What is wrong now; without an account it is the whole installation's."""

    kind: str
    account_id: int | None = None
    data: tuple[tuple[str, Any], ...] = ()


def look(*, alone: bool = False) -> int:
    """Raise what is wrong now, end what is over. `alone`: no worker has been alive for a while."""
    faults = [*_faults(alone=alone)]
    for fault in faults:
        report(fault)
    _end_others({(fault.kind, fault.account_id) for fault in faults})
    return 0


def report(fault: Fault) -> bool:
    """Make a notice of it, unless it has one; False when it had, or had enough of them today."""
    now = timezone.now()
    mine = Notice.objects.filter(kind=fault.kind)
    mine = mine.filter(account_id=fault.account_id) if fault.account_id else mine.filter(account__isnull=True)
    seconds = int(now.timestamp())
    last = mine.order_by("-pk").first()
    if last and (last.seen_at is None or seconds - int(last.data.get("last", 0)) < SETTLED):
        Notice.objects.filter(pk=last.pk).update(data={**last.data, **dict(fault.data), "last": seconds})
        return False
    if mine.filter(created_at__gt=now - timedelta(days=1)).count() >= MOST_A_DAY:
        return False
    data = {"began": seconds, **dict(fault.data), "last": seconds}
    level = notices.OURS[fault.kind].level
    Notice.objects.create(kind=fault.kind, account_id=fault.account_id, level=level, data=data, created_at=now)
    return True


def tell() -> int:
    """Mail what nobody was told of, and post it to the group chats."""
    notices.mail_due()
    webhooks.post_due()
    return 0


def _faults(*, alone: bool) -> Iterator[Fault]:
    now, snapshot = timezone.now(), conf.snapshot()
    if alone and snapshot.accounts:
        yield Fault(WORKER)
    if outbox.overdue(now) > outbox.STUCK:
        yield Fault(STUCK)
    known = {account.id for account in snapshot.accounts.values()}
    running = Lease.objects.filter(until__gt=now)
    for name, note in running.filter(name__startswith="circuit:").values_list("name", "note"):
        if (account_id := int(name.split(":")[1])) in known:
            yield Fault(API, account_id, (("failreason", note),))
    paused = dict(running.filter(name__startswith="paused:").values_list("name", "note"))
    for account_id, note in {int(name.split(":")[1]): note for name, note in paused.items()}.items():
        if account_id in known:
            yield Fault(PAUSED, account_id, (("failreason", note),))
    yield from _wrong_clocks(known)


def _wrong_clocks(account_ids: set[int]) -> Iterator[Fault]:
    """Where a rightly signed push was refused for its time, and none was taken after it."""
    for account_id in account_ids:
        seen = sightings.last(account_id, sightings.LATE)
        if seen is None or timezone.now() - seen.at > CLOCK_HOLDS:
            continue
        taken = Push.objects.filter(account_id=account_id).order_by("-pk").values_list("received_at", flat=True).first()
        if taken is None or taken < seen.at:
            yield Fault(CLOCK, account_id, (("skew", seen.address),))


def _end_others(wrong: set[tuple[str, int | None]]) -> None:
    """Put away what is over; staff still find it on the list."""
    for notice in Notice.objects.filter(kind__in=(WORKER, STUCK, CLOCK, API, PAUSED), seen_at=None):
        if (notice.kind, notice.account_id) not in wrong:
            Notice.objects.filter(pk=notice.pk, seen_at=None).update(seen_at=timezone.now())


class Watch:
    """The site's own look: it does nothing while a worker is alive, for that one looks. `look` never raises."""

    def __init__(self) -> None:
        self._alone_since: float | None = None
        self._holder = secrets.token_hex(8)

    def look(self) -> None:
        """One turn: when no worker has been alive for a while, tell staff."""
        try:
            close_old_connections()
            self._look()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("nobody could look whether all is well: %s", error)

    def _look(self) -> None:
        if conf.snapshot().holds("worker:"):
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        waited = time.monotonic() - self._alone_since >= ALONE
        if waited and leases.claim("chore:alarms", self._holder, 2 * LOOK_EVERY):
            look(alone=True)
            tell()


def watch() -> None:
    """Begin to look, in a thread of its own, where this process is one of a server's; elsewhere nothing happens."""
    if multiprocessing.parent_process() is not None:
        catch_the_rest()
        threading.Thread(target=_watch, name="watch", daemon=True).start()


def _watch() -> None:
    mine = Watch()
    while True:
        time.sleep(LOOK_EVERY)
        mine.look()
