"""Questions to the table of pushes, each in the form that finds its index, in a table of a million rows and more.

Comes in: the pushes somebody may see. Goes out: those of them that he asks for. What has no index of its own (an account, a
common kind, who answered) is looked for in the narrow `push_in_brief`, from the newest on; it serves whoever asks for primary
keys alone, and reads the rows by these.
"""

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from wechat.models import Push
from wechat.models.pushes import COMMON_KINDS

SEARCHED = 20_000  # the newest pushes, in whose bodies a text is looked for
# What a person says or taps, and waits for an answer: a menu link or a position is not left unanswered.
SPOKEN = ("text", "voice", "click", "scancode_waitmsg")

State, AnsweredBy = Push.State, Push.AnsweredBy
Pushes = QuerySet[Push]
M = TypeVar("M", bound=Model)

# The conditions of partial indexes. Literally, not as parameters: only then does SQLite see that the index serves.
_TABLE = Push._meta.db_table
_IS_FAILED = f"{_TABLE}.state = '{State.FAILED.value}'"
_IS_RARE = f"NOT ({_TABLE}.kind IN ({', '.join(repr(kind) for kind in COMMON_KINDS)}))"


def failed(pushes: Pushes) -> Pushes:
    """Those whose handler failed. In the order of `received_at`, index `push_failed`."""
    return pushes.extra(where=[_IS_FAILED])  # noqa: S610


def of_kind(pushes: Pushes, kind: str) -> Pushes:
    """Those of a kind (a Message's handle). Of a rare one, index `push_of_rare_kind`."""
    chosen = pushes.filter(kind=kind)
    return chosen if kind in COMMON_KINDS else chosen.extra(where=[_IS_RARE])  # noqa: S610


def of_rule(pushes: Pushes, rule_id: int) -> Pushes:
    """Those that this rule answered, index `push_of_rule`."""
    return pushes.filter(rule_id=rule_id)


def of_person(pushes: Pushes, openid: str) -> Pushes:
    """Those of the person with this openid, index `push_of_person`."""
    return pushes.filter(openid=openid)


def unanswered(pushes: Pushes) -> Pushes:
    """Those that got the default reply only, or were said to us and got none at all."""
    silence = Q(state=State.NOTHING, answered_by="", kind__in=SPOKEN)
    return pushes.filter(Q(answered_by=AnsweredBy.DEFAULT) | silence)


def containing(pushes: Pushes, text: str) -> Pushes:
    """Those of the newest pushes of the table whose body holds this text."""
    newest = Push.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return pushes.filter(pk__gt=newest - SEARCHED, raw__icontains=text)


def received_since(pushes: Pushes, moment: datetime) -> Pushes:
    """Those received at that moment or later."""
    return pushes.filter(pk__gte=first_since(Push.objects.all(), "received_at", moment))


def first_since(rows: QuerySet[M], field: str, moment: datetime) -> int:
    """The primary key from which on `field` is that moment or later; one beyond the last when there is none.

    Both grow together, so halving finds it without an index. Rows written at the same time may stand the other way round,
    by some milliseconds: a day may lose or gain as much.
    """
    keys = rows.order_by("pk").values_list("pk", field)
    first, last = keys.first(), keys.last()
    if first is None or last is None:
        return 0
    low, high = int(first[0]), int(last[0]) + 1
    while low < high:
        middle = (low + high) // 2
        found: tuple[Any, ...] | None = keys.filter(pk__gte=middle).first()
        if found is None or found[1] >= moment:
            high = middle
        else:
            low = int(found[0]) + 1
    return low
