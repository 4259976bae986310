"""How the installation is doing, in numbers: for /readyz, for /metrics, and for who raises alarms.

Comes in: nothing. Goes out: Figures, about a second old. Every question is answered by an index or by the newest rows
of a table, so that they cost the same at a thousand rows and at a million; nothing in them is a secret or names a person.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from wechat import conf, inbox, outbox, sightings, tokens
from wechat.chores import CHORES
from wechat.models import Account, ApiCall, ConfigRow, Lease, OutgoingMessage, Push

RECENT = timedelta(minutes=1)  # what "lately" means
NEWEST = 1000  # the newest rows of a table among which is looked
PATIENT_SENDS = ("/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/bizsend")  # as wechat.client calls them

State = OutgoingMessage.State
_UNDER_WAY = OutgoingMessage.objects.extra(where=["state IN ('waiting', 'sending')"])  # literally: see wechat.outbox
_OWED = OutgoingMessage.objects.extra(where=["state = 'owed'"])


@dataclass(frozen=True, slots=True)
class TokenAge:
    """Of one account's access token, in seconds: how long ago it was fetched, and how long it is good for."""

    slug: str
    age: float
    valid: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it, at `at`. Ages are in seconds; None where there is nothing to have an age."""

    at: datetime
    queue_age: float  # how long the message that waits longest is overdue; 0 when none is
    messages: Mapping[str, int]  # by state; those set aside among the newest only
    sends: Mapping[str, int]  # calls of the last minute that send, by result: ok, refused, unreachable
    pushes: int  # of the last minute; at most NEWEST are counted
    failed_pushes: int
    milliseconds: Sequence[int] = field(repr=False)  # that these pushes took, in order
    last_push: float | None
    last_sent: float | None
    tokens: Sequence[TokenAge]
    skew: float  # seconds that the platform's clock is ahead of ours, where that is a minute or more
    workers: int
    circuits: int  # accounts whose API fails
    paused: int  # accounts that may not send
    chores: Mapping[str, float]  # how long ago a worker last had each of them

    @property
    def stuck(self) -> bool:
        """Whether something that may go out has not gone out for more than a minute."""
        return self.queue_age > outbox.STUCK


_kept: tuple[conf.Snapshot, Figures] | None = None
_reading = threading.Lock()


def read() -> Figures:
    """The figures, as old as wechat.conf's snapshot: about a second, however many ask. Raises django.db.DatabaseError."""
    global _kept
    with _reading:
        snapshot = conf.snapshot()
        if _kept is None or _kept[0] is not snapshot:
            _kept = (snapshot, measure())
        return _kept[1]


def measure() -> Figures:
    """The figures of this moment."""
    now, snapshot = timezone.now(), conf.snapshot()
    pushes = _recent_pushes(now)
    running = [name for name, until in snapshot.leases.items() if until > now.timestamp()]
    by_kind = Counter(name.partition(":")[0] for name in running)
    last_push = Push.objects.order_by("-pk").values_list("received_at", flat=True).first()
    return Figures(
        at=now,
        queue_age=outbox.overdue(now),
        messages=_messages(),
        sends=_sends(now),
        pushes=len(pushes),
        failed_pushes=sum(state == Push.State.FAILED for _ms, state in pushes),
        milliseconds=sorted(
            inbox.QUICK if ms is None else ms for ms, _state in pushes
        ),  # none is written of a quick one
        last_push=_ago(last_push, now),
        last_sent=_ago(_last_sent(), now),
        tokens=_tokens(now),
        skew=sightings.skew([account.id for account in snapshot.accounts.values()]),
        workers=by_kind["worker"],
        circuits=by_kind["circuit"],
        paused=len({name.split(":")[1] for name in running if name.startswith("paused:")}),
        chores=_chores(now),
    )


def _ago(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def _messages() -> dict[str, int]:
    counted = dict(_UNDER_WAY.values_list("state").annotate(Count("pk")).order_by())
    newest = Counter(OutgoingMessage.objects.order_by("-pk").values_list("state", flat=True)[:NEWEST])
    return {
        State.WAITING.value: counted.get(State.WAITING, 0),
        State.SENDING.value: counted.get(State.SENDING, 0),
        State.OWED.value: _OWED.count(),
        State.SET_ASIDE.value: newest[State.SET_ASIDE],
    }


def _send_calls() -> tuple[str, ...]:
    """The calls that send a message, as the log names them."""
    return (urlsplit(settings.WECHAT_SEND_MESSAGE).path, *PATIENT_SENDS)


def _sends(now: datetime) -> dict[str, int]:
    """From the log of calls, which is about a second behind."""
    lately = ApiCall.objects.filter(endpoint__in=_send_calls(), started_at__gt=now - RECENT)
    results = {"ok": 0, "refused": 0, "unreachable": 0}
    for failed, errcode, count in lately.values_list("failed", "errcode").annotate(Count("pk")).order_by():
        results["ok" if not failed else "unreachable" if errcode is None else "refused"] += count
    return results


def _recent_pushes(now: datetime) -> list[tuple[int | None, str]]:
    newest = Push.objects.order_by("-pk").values_list("received_at", "milliseconds", "state")[:NEWEST]
    since = now - RECENT
    return [(ms, state) for _at, ms, state in takewhile(lambda row: row[0] > since, newest)]


def _last_sent() -> datetime | None:
    """By the API as the log of calls says it, or as the answer to a push."""
    sent = [
        ApiCall.objects.filter(endpoint=each, failed=False).order_by("-started_at").values_list("started_at").first()
        for each in _send_calls()
    ]
    newest = OutgoingMessage.objects.order_by("-pk").values_list("sent_at", flat=True)[:NEWEST]
    return max([row[0] for row in sent if row] + [at for at in newest if at], default=None)


def _tokens(now: datetime) -> list[TokenAge]:
    slugs = dict(Account.objects.values_list("pk", "slug"))
    names = (tokens.TOKEN_ROW, tokens.EXPIRES_ROW)
    fetched: dict[int, datetime] = {}
    expires: dict[int, float] = {}
    rows = ConfigRow.objects.filter(account_id__in=slugs, conf_name__in=names).exclude(conf_value="")
    for account_id, name, value, updated_at in rows.values_list("account_id", "conf_name", "conf_value", "updated_at"):
        if name == tokens.TOKEN_ROW:
            fetched[account_id] = updated_at
        elif value.replace(".", "", 1).isdigit():
            expires[account_id] = float(value)
    return [
        TokenAge(slugs[key], _ago(at, now) or 0.0, max(0.0, expires.get(key, 0.0) - now.timestamp()))
        for key, at in sorted(fetched.items())
    ]


def _chores(now: datetime) -> dict[str, float]:
    """From the leases: each is taken anew for every turn."""
    held = dict(Lease.objects.filter(name__in=[f"chore:{each.name}" for each in CHORES]).values_list("name", "until"))
    return {
        each.name: max(0.0, (now - held[f"chore:{each.name}"]).total_seconds() + each.lease)
        for each in CHORES
        if f"chore:{each.name}" in held
    }
