"""The first page: how things stand, in words, and what waits for somebody, at the accounts of whoever looks.

Every question is answered by an index.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wechat import pushes
from wechat.admin.account_status import stops
from wechat.admin.scope import accounts_of, only
from wechat.models import Account, Lease, OutgoingMessage, Push

SLOW = 60  # seconds a message may wait before the page calls it late
RECENT = 500  # the last messages among which the page looks for those set aside

State = OutgoingMessage.State
UNDER_WAY = "state IN ('waiting', 'sending')"  # literally: SQLite finds the index outgoing_due by this text alone


@dataclass(frozen=True)
class Fact:
    """One line of the page; `level` is good, warning, bad or plain, `url` leads to what it speaks of."""

    level: str
    title: str
    text: str
    url: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD["DASHBOARD_CALLBACK"]: the facts this person may know."""
    facts: list[Fact] = []
    user: Any = request.user
    if accounts_of(user) == frozenset():
        return {**context, "title": _("Overview"), "facts": facts}
    if user.has_perm("wechat.view_account"):
        facts += [_worker(), *_stops(user)]
    if user.has_perm("wechat.view_push"):
        facts += [_last_push(user), _failed(user)]
    if user.has_perm("wechat.view_outgoingmessage"):
        facts += [_waiting(user), _owed(user), _set_aside(user)]
    return {**context, "title": _("Overview"), "facts": facts}


def _worker() -> Fact:
    alive = Lease.objects.filter(name__startswith="worker:", until__gt=timezone.now()).count()
    if alive:
        text = ngettext("%(count)d is running.", "%(count)d are running.", alive) % {"count": alive}
        return Fact("good", _("Worker"), text)
    text = _("None is running: cards travel as the answer to the scan, and everything else waits. Start one.")
    return Fact("bad", _("Worker"), text)


def _stops(user: Any) -> Iterator[Fact]:
    accounts = {account.pk: account for account in only(Account.objects.all(), user)}
    if not accounts:
        yield Fact("warning", _("Official Account"), _("There is none yet."), reverse("admin:wechat_account_add"))
    for account_id, reason in stops(list(accounts)):
        url = reverse("admin:wechat_account_change", args=[account_id])
        yield Fact("bad", str(accounts[account_id]), reason, url)


def _last_push(user: Any) -> Fact:
    newest = only(Push.objects.all(), user).order_by("-pk").values_list("pk", flat=True).first()
    received = Push.objects.filter(pk=newest or 0).values_list("received_at", flat=True).first()
    url = reverse("admin:wechat_push_changelist")
    if received is None:
        return Fact("plain", _("Last push"), _("Nothing has come from WeChat yet."), url)
    return Fact("plain", _("Last push"), _("%(time)s ago") % {"time": timesince(received)}, url)


def _failed(user: Any) -> Fact:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    failed = pushes.failed(only(Push.objects.all(), user)).filter(received_at__gte=midnight).count()
    url = f"{reverse('admin:wechat_push_changelist')}?fate=failed"
    if not failed:
        return Fact("good", _("Failed pushes today"), _("None."), url)
    text = ngettext("%(count)d failed. Look at it and run it again.", "%(count)d failed. Run them again.", failed)
    return Fact("bad", _("Failed pushes today"), text % {"count": failed}, url)


def _waiting(user: Any) -> Fact:
    under_way = only(OutgoingMessage.objects.all(), user).extra(where=[UNDER_WAY]).order_by("due_at")  # noqa: S610
    oldest: datetime | None = under_way.values_list("created_at", flat=True).first()
    url = f"{reverse('admin:wechat_outgoingmessage_changelist')}?state__exact={State.WAITING.value}"
    if oldest is None:
        return Fact("good", _("Waiting messages"), _("None."), url)
    late = (timezone.now() - oldest).total_seconds() > SLOW
    text = _("The oldest waits for %(time)s.") % {"time": timesince(oldest)}
    return Fact("warning" if late else "good", _("Waiting messages"), text, url)


def _owed(user: Any) -> Fact:
    owed = only(OutgoingMessage.objects.all(), user).filter(state=State.OWED).count()
    url = f"{reverse('admin:wechat_outgoingmessage_changelist')}?state__exact={State.OWED.value}"
    if not owed:
        return Fact("good", _("Messages owed"), _("None."), url)
    text = ngettext("%(count)d goes out at the person's next contact.", "%(count)d go out at the next contact.", owed)
    return Fact("warning", _("Messages owed"), text % {"count": owed}, url)


def _set_aside(user: Any) -> Fact:
    recent = only(OutgoingMessage.objects.all(), user).order_by("-pk").values_list("state", flat=True)[:RECENT]
    count = list(recent).count(State.SET_ASIDE)
    url = f"{reverse('admin:wechat_outgoingmessage_changelist')}?state__exact={State.SET_ASIDE.value}"
    if not count:
        return Fact("good", _("Set aside for staff"), _("None lately."), url)
    text = ngettext("%(count)d message waits for a decision.", "%(count)d messages wait for a decision.", count)
    return Fact("bad", _("Set aside for staff"), text % {"count": count}, url)
