"""What comes and goes: the worker, the outbox, the last push, how many calls fail."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from wechat import calls
from wechat.conf import AccountConfig
from wechat.doctor.findings import Finding, bad, good, warn
from wechat.models import ApiCall, Lease, OutgoingMessage, Push

STUCK = timedelta(seconds=60)
HOUR = timedelta(hours=1)
FEW = 5  # failed calls of an hour that are no reason to worry
OFTEN = 0.2  # of all calls


def worker() -> Finding:
    """Somebody sends."""
    what = _("worker")
    alive = Lease.objects.filter(name__startswith="worker:", until__gt=timezone.now()).count()
    if alive:
        return good(what, _("%d running") % alive)
    text = _("None is alive: cards travel as answers only, everything else waits.")
    return bad(what, text, _("None is alive; cards travel as answers only. Run: manage.py worker"))


def outbox() -> Finding:
    """Nothing waits for long."""
    what, before = _("outgoing messages"), timezone.now() - STUCK
    waiting = OutgoingMessage.objects.filter(state=OutgoingMessage.State.WAITING, due_at__lt=before)
    oldest, stuck = waiting.order_by("due_at").values_list("due_at", flat=True).first(), waiting.count()
    if oldest is None:
        return good(what)
    text = _("The oldest waits for %(time)s.") % {"time": timesince(oldest)}
    remedy = _("%d messages wait for more than a minute. Is the worker alive, is the account paused?") % stuck
    return bad(what, text, remedy)


def of_account(account: AccountConfig) -> Iterator[Finding]:
    """What came last, and how many calls failed lately."""
    yield _last_push(account)
    yield _failures(account)


def _last_push(account: AccountConfig) -> Finding:
    what = _("last push")
    newest = Push.objects.filter(account_id=account.id).order_by("-pk").values_list("received_at", flat=True).first()
    if newest is None:
        text = _("Nothing has come from WeChat yet.")
        return warn(what, text, _("Write something to the account from a phone. Is the server configuration enabled?"))
    return good(what, _("%(time)s ago") % {"time": timesince(newest)})


def _failures(account: AccountConfig) -> Finding:
    what = _("failed calls of the last hour")
    calls.flush()
    recent = ApiCall.objects.filter(account_id=account.id, started_at__gt=timezone.now() - HOUR)
    counted = recent.aggregate(all=Count("pk"), failed=Count("pk", filter=Q(failed=True)))
    text = _("%(failed)d of %(all)d") % counted
    if counted["failed"] > FEW and counted["failed"] > OFTEN * counted["all"]:
        return warn(what, text, _("Look at the log of calls in the admin: each failure is explained there."))
    return good(what, text)
