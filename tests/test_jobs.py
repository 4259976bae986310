"""Jobs: one template message to many, fed to the outbox bit by bit; nobody twice, nobody left out, whatever dies when."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order, Scan
from wechat import attempts, conf, job_progress, jobs, outbox, privacy, template_catalogue
from wechat.models import Account, Follower, MessageTemplate, OutgoingMessage, SendJob, Tag
from wechat.simulator.server import SimulatorServer

State, JobState = OutgoingMessage.State, SendJob.State
DATA = {"thing1": "整装报价", "amount2": "86500.00元", "time3": "2026年1月5日 15:01", "number4": "89"}
SEND = "/cgi-bin/message/template/send"


@pytest.fixture
def template(account: Account, simulator: SimulatorServer) -> MessageTemplate:
    """The simulator's template of a quote, synchronised."""
    template_catalogue.synchronise(conf.account_by_id(account.pk))
    return MessageTemplate.objects.get(title="报价生成通知")


@pytest.fixture
def people(account: Account, simulator: SimulatorServer) -> Callable[..., list[Follower]]:
    """`people(200)`: so many followers, here and on the platform; `tag` is put on all of them."""

    def make(count: int, tag: Tag | None = None) -> list[Follower]:
        [registered] = simulator.platform.accounts.values()
        now = timezone.now()
        made = []
        for number in range(count):
            openid = f"oJob{number:024}"
            simulator.platform.add_person(registered, openid=openid, follows=True)
            made.append(Follower.objects.create(account=account, openid=openid, first_seen=now, last_seen=now))
        if tag:
            tag.followers.add(*made)
        return made

    return make


def start(template: MessageTemplate, spec: dict[str, Any] | None = None, **data: str) -> SendJob:
    content = jobs.content_of(template, {**DATA, **data})
    return jobs.start(template, content, spec or {"kind": "followers"}, name="测试")


def send_due(limit: int = 1000) -> int:
    claimed = outbox.claim(f"test:{timezone.now()}", limit, patient=True)
    for one in claimed:
        attempts.attempt(one)
    return len(claimed)


def run(job: SendJob) -> None:
    """What the worker does until the job has ended."""
    for _ in range(50):
        jobs.feed()
        send_due()
        job.refresh_from_db()
        if job.state != JobState.RUNNING:
            return
    raise AssertionError("the job does not end")


def got(simulator: SimulatorServer) -> list[str]:
    [account] = simulator.platform.accounts.values()
    return [sent.openid for sent in account.templates.sent]


def test_a_job_to_a_tag_of_200_reaches_each_of_them_once(
    template: MessageTemplate, people: Callable[..., list[Follower]], simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="slow", match=SEND, seconds=0.002)
    tag = Tag.objects.create(account=template.account, name="装修")
    tagged = people(200, tag)
    now = timezone.now()
    Follower.objects.create(account=template.account, openid="oWithoutTag", first_seen=now, last_seen=now)
    job = start(template, {"kind": "tag", "tag": tag.pk})
    assert job.total == 200
    run(job)
    assert sorted(got(simulator)) == [one.openid for one in tagged]
    progress = job_progress.progress_of(job)
    assert (job.state, progress.sent, progress.remaining, progress.percent) == (JobState.DONE, 200, 0, 100)
    assert progress.per_second > 0 or job.state == JobState.DONE


def test_only_some_hundred_wait_at_a_time(
    template: MessageTemplate, people: Callable[..., list[Follower]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LOW", 10)
    monkeypatch.setattr(jobs, "BATCH", 10)
    people(35)
    job = start(template)
    for _ in range(5):
        jobs.feed()
    assert OutgoingMessage.objects.count() == 10
    run(job)
    assert OutgoingMessage.objects.filter(state=State.SENT).count() == 35


def test_a_feeding_that_dies_feeds_nobody_twice_and_leaves_nobody_out(
    template: MessageTemplate,
    people: Callable[..., list[Follower]],
    simulator: SimulatorServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "LOW", 10)
    monkeypatch.setattr(jobs, "BATCH", 10)
    people(25)
    job = start(template)
    jobs.feed()

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    send_due()
    with monkeypatch.context() as patch:
        patch.setattr(SendJob, "save", dies)  # after the rows were written, before the position is
        with pytest.raises(KeyboardInterrupt):
            jobs.feed()
    run(job)
    assert len(got(simulator)) == len(set(got(simulator))) == 25


def test_a_message_lost_with_its_worker_goes_out_again_under_its_own_number(
    template: MessageTemplate, people: Callable[..., list[Follower]], simulator: SimulatorServer
) -> None:
    people(3)
    job = start(template)
    jobs.feed()
    simulator.platform.faults.set(kind="lost", match=SEND, remaining=2)
    for _ in range(3):
        send_due()
        OutgoingMessage.objects.filter(state=State.WAITING).update(due_at=timezone.now())
    for _ in range(3):  # killed three times between the call and its outcome
        OutgoingMessage.objects.filter(openid=f"oJob{0:024}").update(
            state=State.SENDING, holder="dead", due_at=timezone.now() - timedelta(seconds=1)
        )
        assert outbox.give_up_lost() == 0
        send_due()
    run(job)
    assert len(got(simulator)) == 3
    assert set(OutgoingMessage.objects.values_list("state", flat=True)) == {State.SENT}


def test_pausing_holds_what_waits_and_resuming_lets_it_go(
    template: MessageTemplate, people: Callable[..., list[Follower]], simulator: SimulatorServer
) -> None:
    people(12)
    job = start(template)
    jobs.feed()
    send_due(limit=5)
    assert jobs.pause(job)
    assert not jobs.pause(job)
    jobs.feed()
    assert send_due() == 0
    OutgoingMessage.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    assert outbox.close_windows() == 0
    assert jobs.resume(job)
    run(job)
    assert len(got(simulator)) == len(set(got(simulator))) == 12


def test_a_cancelled_job_sends_nothing_more(
    template: MessageTemplate, people: Callable[..., list[Follower]], simulator: SimulatorServer
) -> None:
    people(6)
    job = start(template)
    jobs.feed()
    [one, *_rest] = outbox.claim("busy", 1, patient=True)
    assert jobs.cancel(job)
    outbox.settle(one, State.WAITING)  # it came back from an attempt after that
    jobs.feed()
    assert send_due() == 0
    assert set(OutgoingMessage.objects.values_list("state", "error")) == {(State.GIVEN_UP, jobs.CANCELLED)}
    assert not jobs.resume(job)
    assert job_progress.progress_of(SendJob.objects.get()).not_sent == 6


def test_who_cannot_be_reached_is_counted_with_the_reason(
    template: MessageTemplate, people: Callable[..., list[Follower]], simulator: SimulatorServer
) -> None:
    first, second, *_rest = people(4)
    simulator.platform.persons[first.openid].follows = False
    simulator.platform.persons[second.openid].blacklisted = True
    job = start(template)
    run(job)
    progress = job_progress.progress_of(job)
    assert (job.state, progress.sent, progress.not_sent) == (JobState.DONE, 2, 2)
    assert sorted(trouble.count for trouble in progress.troubles) == [1, 1]
    assert all(trouble.title and trouble.what_to_do for trouble in progress.troubles)


def test_placeholders_are_filled_for_each_person_and_cut_to_fit(
    template: MessageTemplate, people: Callable[..., list[Follower]]
) -> None:
    named, unnamed = people(2)
    Follower.objects.filter(pk=named.pk).update(nickname="非常非常长的名字一二三四五六七八九十\n王")
    start(template, thing1="##NICKNAME##您好，报价更新")
    jobs.feed()
    values = dict(OutgoingMessage.objects.values_list("openid", "content"))
    assert values[named.openid]["data"]["thing1"] == "非常非常长的名字一二三四五六七八九十 …"
    assert values[unnamed.openid]["data"]["thing1"].endswith("您好，报价更新")


def test_a_value_that_does_not_fit_once_filled_is_set_aside(
    template: MessageTemplate, people: Callable[..., list[Follower]]
) -> None:
    [person] = people(1)
    Follower.objects.filter(pk=person.pk).update(nickname="王女士")
    job = start(template, number4="##NICKNAME##")
    run(job)
    row = OutgoingMessage.objects.get()
    assert row.state == State.SET_ASIDE
    assert row.error.startswith("number4: ")


def test_the_people_of_a_quote_are_those_who_scanned_it_and_get_their_own_link(
    template: MessageTemplate, people: Callable[..., list[Follower]], order: Order
) -> None:
    first, second, _other = people(3)
    now = timezone.now()
    scanned = {"account": order.account, "order": order, "scene": "77", "kind": "scan", "scanned_at": now}
    scans = [
        Scan.objects.create(push_id=number, openid=one.openid, **scanned)
        for number, one in enumerate([first, first, second], 1)
    ]
    revoked = Scan.objects.create(push_id=9, openid=_other.openid, revoked=True, **scanned)
    spec = {"kind": "order", "about": "77"}
    content = jobs.content_of(template, {**DATA, "amount2": "##TOTALBUDGET##元"}, url="##LINK##")
    job = jobs.start(template, content, spec, name="改价")
    assert job.total == 2
    jobs.feed()
    links = {row.openid: row.content["url"] for row in OutgoingMessage.objects.all()}
    assert set(links) == {first.openid, second.openid}
    assert links[first.openid].endswith(scans[1].get_absolute_url())
    assert links[second.openid].endswith(scans[2].get_absolute_url())
    assert OutgoingMessage.objects.first().content["data"]["amount2"] == "56000元"  # type: ignore[union-attr]
    assert revoked.openid not in links


def test_several_people_of_a_job_can_be_erased(
    template: MessageTemplate, people: Callable[..., list[Follower]], simulator: SimulatorServer
) -> None:
    first, second, _third = people(3)
    job = start(template)
    jobs.feed()
    for one in (first, second):
        privacy.erase(one.account_id, one.openid)
    run(job)
    assert len(got(simulator)) == 1
    assert job_progress.progress_of(job).not_sent == 2


@pytest.mark.parametrize("about", ["", "abc", "0", "-1", "9" * 30, "78", "７７"])
def test_an_unknown_quote_has_no_people(account: Account, order: Order, about: str) -> None:
    assert jobs.people_of(account.pk, {"kind": "order", "about": about}).count() == 0
