"""How a job stands: what was sent, delivered and refused, what is left, how fast it goes, and what went wrong, in words."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from wechat.explanations import explain_stored
from wechat.models import OutgoingMessage, SendJob

OVER = timedelta(seconds=10)  # over which the speed is measured
REASONS = 8

State, Delivery = OutgoingMessage.State, OutgoingMessage.Delivery


@dataclass(frozen=True)
class Trouble:
    """One reason why messages did not go out: how many, what it is, and what to do."""

    count: int
    title: str
    what_to_do: str = ""


@dataclass(frozen=True)
class Progress:
    """The numbers of a job. All but `total` and `per_second` count messages."""

    total: int
    remaining: int
    under_way: int
    sent: int
    delivered: int
    blocked: int
    undelivered: int
    not_sent: int
    per_second: float
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        return 100 if not self.total else min(100, 100 * (self.sent + self.not_sent) // self.total)

    @property
    def seconds_left(self) -> int | None:
        """How long it will take at this speed; None while nothing moves."""
        left = self.remaining + self.under_way
        return round(left / self.per_second) if self.per_second and left else None


def progress_of(job: SendJob) -> Progress:
    """As of now."""
    messages = OutgoingMessage.objects.filter(job_id=job.pk)
    counted: Counter[tuple[str, str]] = Counter()
    for state, delivery, count in messages.order_by().values_list("state", "delivery").annotate(Count("pk")):
        counted[state, delivery] += count
    by_state: Counter[str] = Counter()
    for (state, _delivery), count in counted.items():
        by_state[state] += count
    by_delivery = {each: sum(n for (_s, d), n in counted.items() if d == each) for each in Delivery.values}
    fed, ended = sum(by_state.values()), job.state in (SendJob.State.DONE, SendJob.State.CANCELLED)
    recent = messages.filter(state=State.SENT, sent_at__gte=timezone.now() - OVER)
    return Progress(
        total=max(job.total, fed),
        remaining=0 if ended else max(0, job.total - fed),
        under_way=by_state[State.WAITING] + by_state[State.SENDING],
        sent=by_state[State.SENT],
        delivered=by_delivery[Delivery.DELIVERED],
        blocked=by_delivery[Delivery.BLOCKED],
        undelivered=by_delivery[Delivery.FAILED],
        not_sent=sum(by_state[state] for state in (State.GIVEN_UP, State.SET_ASIDE, State.OWED)),
        per_second=0.0 if ended else round(recent.count() / OVER.total_seconds(), 1),
        troubles=_troubles(job),
    )


def _troubles(job: SendJob) -> list[Trouble]:
    """What stands on the messages that are not through, the most frequent first."""
    rows = OutgoingMessage.objects.filter(job_id=job.pk).exclude(state=State.SENT).exclude(error="")
    grouped: Counter[tuple[str, str]] = Counter()
    sample: dict[int | None, str] = {}
    counts = rows.order_by().values_list("errcode", "state").annotate(Count("pk"))
    for code, _state, _count in counts:
        if code is not None and code not in sample:
            sample[code] = rows.filter(errcode=code).values_list("error", flat=True).first() or ""
    for code, _state, count in counts:
        if code is not None:
            explained = explain_stored(code, sample[code])
            if explained:
                grouped[explained.title, explained.what_to_do] += count
    others = rows.filter(errcode=None).values_list("error").annotate(times=Count("pk")).order_by("-times")[:REASONS]
    for error, count in others:
        explained = explain_stored(None, error)
        grouped[(explained.title, explained.what_to_do) if explained else (error[:200], "")] += count
    return [Trouble(count, *words) for words, count in grouped.most_common(REASONS)]
