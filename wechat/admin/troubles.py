"""What went wrong in the last hour, in words: refused and unanswered calls, and messages that will not go out by themselves.

Comes in: a user. Goes out: one Trouble per kind of error, the most frequent first, of his accounts. An index finds the calls;
among messages, the newest are looked at.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from wechat.admin.scope import only
from wechat.explanations import Explanation, explain, explain_silence, explain_stored
from wechat.models import ApiCall, OutgoingMessage

LATELY = timedelta(hours=1)
RECENT = 500  # the newest messages among which those that ended badly are looked for
SHOWN = 5

State = OutgoingMessage.State


@dataclass
class Trouble:
    """An error in words, how often it came, and where to look at it."""

    title: str
    what_to_do: str
    url: str
    calls: int = 0
    messages: int = 0

    @property
    def count(self) -> int:
        """How often at least: a call that failed may be that of a message."""
        return max(self.calls, self.messages)


def lately(user: Any) -> list[Trouble]:
    """The errors of the last hour that this person may know of."""
    found: dict[str, Trouble] = {}
    if user.has_perm("wechat.view_apicall"):
        _add_calls(found, user)
    if user.has_perm("wechat.view_outgoingmessage"):
        _add_messages(found, user)
    return sorted(found.values(), key=lambda trouble: -trouble.count)[:SHOWN]


def _add_calls(found: dict[str, Trouble], user: Any) -> None:
    failed = only(ApiCall.objects.all(), user).filter(failed=True, started_at__gte=timezone.now() - LATELY)
    groups = failed.order_by().values("errcode", "endpoint").annotate(times=Count("pk"), newest=Max("pk"))
    counts = dict(groups.values_list("newest", "times"))
    url = f"{reverse('admin:wechat_apicall_changelist')}?result=failed"
    for call in ApiCall.objects.filter(pk__in=counts):
        said = explain_silence(call.error)
        if call.errcode is not None:
            said = explain(call.errcode, call.error, call.endpoint)
        _of(found, said, url).calls += counts[call.pk]


def _add_messages(found: dict[str, Trouble], user: Any) -> None:
    newest = only(OutgoingMessage.objects.all(), user).order_by("-pk")
    since = timezone.now() - LATELY
    for state, created_at, errcode, error in newest.values_list("state", "created_at", "errcode", "error")[:RECENT]:
        if state in (State.GIVEN_UP, State.SET_ASIDE) and created_at >= since:
            url = f"{reverse('admin:wechat_outgoingmessage_changelist')}?state__exact={state}"
            _of(found, explain_stored(errcode, error), url).messages += 1


def _of(found: dict[str, Trouble], said: Explanation | None, url: str) -> Trouble:
    title = said.title if said else _("A message was not sent")
    what_to_do = said.what_to_do if said else _("Open it: its page says why, and sends it once more.")
    return found.setdefault(title, Trouble(title, what_to_do, url))
