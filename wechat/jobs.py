"""One template message to many: a job feeds the outbox a few hundred messages at a time, and can be paused and cancelled.

Comes in: a SendJob, which staff or a program made. Goes out: rows of the outbox, one per person. How far a job has come is
written in the transaction that adds the rows: a worker that dies feeds nobody twice and leaves nobody out. Another room adds
an audience of its own:

@jobs.audience("order", _("The people who scanned a quote"), asks=_("order number"), values=values_of)
def scanned(account_id: int, spec: Spec) -> QuerySet[Follower]: ...
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wechat import placeholders, templating
from wechat.models import Follower, MessageTemplate, OutgoingMessage, SendJob
from wechat.notifications import Subscription, Template
from wechat.outbox import TEMPLATE_WINDOW
from wechat.replies import Nodes

LOW, BATCH = 300, 300  # messages under way below which a job gets more, and how many at once
PURPOSE = "template"
CANCELLED = "the job was cancelled"

State, Route = OutgoingMessage.State, OutgoingMessage.Route
JobState = SendJob.State
UNDER_WAY = (State.WAITING, State.SENDING)
Spec = Mapping[str, Any]
Values = Mapping[str, str]
Words = str | Promise
People = Callable[[int, Spec], QuerySet[Follower]]
ValuesOf = Callable[[int, Spec, list[str]], Mapping[str, Values]]


@dataclass(frozen=True, slots=True)
class Audience:
    """To whom a job may go. `people` are followers of the account; `values_of` fills the placeholders, by openid."""

    label: Words
    people: People
    placeholders: Mapping[str, Words] = field(default_factory=dict)
    values_of: ValuesOf = lambda _account_id, _spec, _openids: {}
    asks: Words = ""  # what has to be said to find them, which stands in the spec as `about`


audiences: dict[str, Audience] = {}


def audience(
    name: str,
    label: Words,
    *,
    asks: Words = "",
    placeholders: Mapping[str, Words] | None = None,
    values: ValuesOf | None = None,
) -> Callable[[People], People]:
    """Register an audience. `asks` names what staff must say to find it; `values` knows the placeholders of some people."""

    def register(people: People) -> People:
        more = {"values_of": values} if values else {}
        audiences[name] = Audience(label, people, placeholders or {}, asks=asks, **more)
        return people

    return register


@audience("followers", gettext_lazy("All followers"))
def _followers(account_id: int, _spec: Spec) -> QuerySet[Follower]:
    return Follower.objects.filter(account_id=account_id, subscribed=True)


@audience("tag", gettext_lazy("Followers with a tag"))
def _tagged(account_id: int, spec: Spec) -> QuerySet[Follower]:
    return _followers(account_id, spec).filter(tags=int(spec["tag"]), tags__account_id=account_id)


@audience("openids", gettext_lazy("A list of followers"))
def _listed(account_id: int, spec: Spec) -> QuerySet[Follower]:
    return _followers(account_id, spec).filter(openid__in=list(spec["openids"]))


def people_of(account_id: int, spec: Spec) -> QuerySet[Follower]:
    """Who belongs to the audience of `spec` now. Raises KeyError for one that nobody registered."""
    return audiences[str(spec["kind"])].people(account_id, spec)


def start(
    template: MessageTemplate, content: Template | Subscription, spec: Spec, *, name: str, by: Any = None
) -> SendJob:
    """Make a job; the worker begins within a second."""
    return SendJob.objects.create(
        account_id=template.account_id,
        template=template,
        name=name[:60],
        audience=dict(spec),
        content=content.stored(),
        total=people_of(template.account_id, spec).count(),
        created_at=timezone.now(),
        created_by=by,
    )


def send_one(
    template: MessageTemplate, openid: str, content: Template | Subscription, *, about: str = "", by: Any = None
) -> OutgoingMessage:
    """One message to one person, without a job."""
    now = timezone.now()
    person = Follower.objects.filter(account_id=template.account_id, openid=openid).first()
    values = _common(person.nickname if person else "", now)
    row = _row(template.account_id, openid, _Letter(template, content.stored()).to(values), now)
    row.about, row.written_by = about[:64], by
    row.save()
    return row


def content_of(template: MessageTemplate, data: Values, *, url: str = "", appid: str = "", pagepath: str = "") -> Any:
    """The message of this template: a subscription notice or a template message."""
    if template.kind == MessageTemplate.Kind.SUBSCRIPTION:
        return Subscription(template.template_id, dict(data), page=url)
    return Template(template.template_id, dict(data), url, appid, pagepath)


def pause(job: SendJob) -> bool:
    """Feed no more, and hold what waits; what is being sent at this moment still goes out."""
    return bool(SendJob.objects.filter(pk=job.pk, state=JobState.RUNNING).update(state=JobState.PAUSED))


def resume(job: SendJob) -> bool:
    """Go on. What waited has its whole day again."""
    with transaction.atomic():
        if not SendJob.objects.filter(pk=job.pk, state=JobState.PAUSED).update(state=JobState.RUNNING):
            return False
        now = timezone.now()
        _waiting(job.pk).update(due_at=now, expires_at=now + TEMPLATE_WINDOW)
    return True


def cancel(job: SendJob) -> bool:
    """Send nothing more. What waits is given up."""
    living = SendJob.objects.filter(pk=job.pk, state__in=[JobState.RUNNING, JobState.PAUSED])
    with transaction.atomic():
        if not living.update(state=JobState.CANCELLED, finished_at=timezone.now()):
            return False
        _waiting(job.pk).update(state=State.GIVEN_UP, error=CANCELLED)
    return True


def feed() -> int:
    """One turn of the worker's chore: every running job gets more messages when few of it are under way."""
    for number in SendJob.objects.filter(state=JobState.RUNNING).order_by("pk").values_list("pk", flat=True):
        _feed(number)
    # What came back from an attempt after its job was cancelled.
    stray = OutgoingMessage.objects.filter(state=State.WAITING, job__state=JobState.CANCELLED)
    recent = SendJob.objects.filter(state=JobState.CANCELLED).order_by("-pk")[:20]
    stray = stray.filter(job__in=[job.pk for job in recent])
    if numbers := list(stray.values_list("pk", flat=True)):
        OutgoingMessage.objects.filter(pk__in=numbers, state=State.WAITING).update(
            state=State.GIVEN_UP, error=CANCELLED
        )
    return 0


def _feed(number: int) -> None:
    under_way = OutgoingMessage.objects.filter(job_id=number, state__in=UNDER_WAY).count()
    if under_way >= LOW:
        return
    with transaction.atomic():
        job = SendJob.objects.select_for_update().filter(pk=number, state=JobState.RUNNING).first()
        if job is None:
            return
        following = people_of(job.account_id, job.audience).filter(pk__gt=job.position).order_by("pk")
        people = list(following.values_list("pk", "openid", "nickname")[:BATCH])
        if people:
            OutgoingMessage.objects.bulk_create(_rows(job, people), ignore_conflicts=True)
            job.position = people[-1][0]
        elif not under_way:
            job.state, job.finished_at = JobState.DONE, timezone.now()
        else:
            return
        job.save(update_fields=["position", "state", "finished_at"])


def _rows(job: SendJob, people: Iterable[tuple[int, str, str]]) -> list[OutgoingMessage]:
    """One message per person, its placeholders filled."""
    people, now = list(people), timezone.now()
    letter = _Letter(job.template, job.content)
    values: Mapping[str, Values] = {}
    if letter.placeholders:
        known = audiences[str(job.audience["kind"])]
        values = known.values_of(job.account_id, job.audience, [openid for _pk, openid, _name in people])
    rows = []
    for _pk, openid, nickname in people:
        row = _row(
            job.account_id, openid, letter.to({**_common(nickname, now), **values.get(openid, {})}), now, job=job
        )
        row.about = str(job.pk)
        rows.append(row)
    return rows


COMMON = {"NICKNAME": gettext_lazy("the person's nickname, if he agreed to show it"), "DATE": gettext_lazy("today")}


def _common(nickname: str, now: datetime) -> Values:
    return {"NICKNAME": nickname or _("Customer"), "DATE": timezone.localtime(now).strftime("%Y-%m-%d")}


@dataclass(frozen=True, slots=True)
class _Filled:
    """The message for one person; `wrong` says why it cannot be sent to him."""

    content: Nodes
    wrong: str = ""


class _Letter:
    """A message of a template, of which one after the other is filled."""

    def __init__(self, template: MessageTemplate, content: Nodes) -> None:
        self.content = content
        self.notice = template.kind == MessageTemplate.Kind.SUBSCRIPTION
        self.fields = {field.key: field for field in templating.fields_of(template.content)}
        texts = {**content["data"], "": content.get("url") or content.get("page") or ""}
        self.placeholders = bool(templating.placeholders_in(texts))

    def to(self, values: Values) -> _Filled:
        if not self.placeholders:
            return _Filled(self.content)
        data = {key: self._value(key, text, values) for key, text in self.content["data"].items()}
        wrong = templating.check(self.fields.values(), data, notice=self.notice)
        links = {
            name: placeholders.substitute(self.content[name], values)
            for name in ("url", "page", "pagepath")
            if self.content.get(name)
        }
        return _Filled(
            {**self.content, "data": data, **links}, "; ".join(f"{key}: {why}" for key, why in wrong.items())
        )

    def _value(self, key: str, text: str, values: Values) -> str:
        filled = placeholders.substitute(text, values)
        known = self.fields.get(key)
        return templating.fit(known, filled) if known and filled != text else filled


def _row(
    account_id: int, openid: str, filled: _Filled, now: datetime, *, job: SendJob | None = None
) -> OutgoingMessage:
    notice = filled.content["kind"] == Subscription.kind
    return OutgoingMessage(
        account_id=account_id,
        openid=openid,
        purpose=PURPOSE,
        content=filled.content,
        route=Route.SUBSCRIPTION if notice else Route.TEMPLATE,
        state=State.SET_ASIDE if filled.wrong else State.WAITING,
        error=filled.wrong,
        created_at=now,
        due_at=now,
        expires_at=now + TEMPLATE_WINDOW,
        job=job,
    )


def _waiting(number: int) -> QuerySet[OutgoingMessage]:
    return OutgoingMessage.objects.filter(job_id=number, state=State.WAITING)
