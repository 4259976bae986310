"""All followers of an account, read from the platform in small turns: whole, interrupted, refused, and beside pushes."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from callback import APPID, Callback, event
from django.db.models import Count
from django.utils import timezone

from wechat import people_sync
from wechat.models import Account, Follower, SyncRun, Tag
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db(transaction=True)
USERS, BATCH = "/cgi-bin/user/get", "/cgi-bin/user/info/batchget"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_sync, "PACE", 0.0)


def crowd(simulator: SimulatorServer, count: int, **fields: Any) -> list[str]:
    answer = requests.post(f"{simulator.url}/sim/api/followers", json={"count": count, **fields}, timeout=30)
    assert answer.status_code == 200, answer.text
    return list(simulator.platform.persons)


def fail(simulator: SimulatorServer, path: str, errcode: int, times: int = 1) -> None:
    order = {"kind": "errcode", "match": path, "remaining": times, "errcode": errcode}
    answer = requests.post(f"{simulator.url}/sim/api/faults", json=order, timeout=5)
    assert answer.status_code == 200, answer.text


def finish(run: SyncRun, turns: int = 500) -> SyncRun:
    for _turn in range(turns):
        if not people_sync.run():
            break
    run.refresh_from_db()
    return run


def test_12_000_followers_arrive_though_the_worker_dies_in_the_middle(
    account: Account, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    openids = crowd(simulator, 12_000)
    run = people_sync.start(account)
    monkeypatch.setattr(people_sync, "TURN", 0.0001)
    for _turn in range(60):  # one call each: tags, a page, batches
        people_sync.run()
    halfway = Follower.objects.count()
    assert 5_000 < halfway < 6_500
    assert not Follower.objects.filter(subscribed=False).exists()

    real = people_sync.take_infos

    def dies(*args: Any) -> int:
        real(*args)
        raise SystemExit  # stored, and killed before the run knows of it

    monkeypatch.setattr(people_sync, "take_infos", dies)
    with pytest.raises(SystemExit):
        people_sync.run()
    monkeypatch.setattr(people_sync, "take_infos", real)
    monkeypatch.setattr(people_sync, "TURN", 60.0)
    run = finish(run)
    assert (run.state, run.total, run.done, run.gone) == ("done", 12_000, 12_000, 0)
    assert set(Follower.objects.values_list("openid", flat=True)) == set(openids)
    assert not Follower.objects.filter(subscribed=False).exists()
    lists = [entry for entry in simulator.platform.journal.find(kind="call") if entry["endpoint"] == USERS]
    assert len(lists) <= 4  # the list may be read 500 times a day


def test_facts_are_taken_as_the_platform_has_them(account: Account, simulator: SimulatorServer) -> None:
    first, second = crowd(simulator, 2)
    registration = simulator.platform.accounts[APPID]
    number = registration.tags.create("已报价")
    person = simulator.platform.persons[first]
    person.subscribe_time, person.remark, person.tags = 1_760_000_000, "王先生 89平", [number, 2]
    person.qr_scene_str = "poster_7"
    simulator.platform.persons[second].qr_scene = 77
    mine = Tag.objects.create(account=account, name="VIP")
    worn = Tag.objects.create(account=account, name="已报价")
    old = Follower.objects.create(
        account=account, openid=second, first_seen=timezone.now(), last_seen=timezone.now(), remark="alt"
    )
    old.tags.add(mine, worn)
    finish(people_sync.start(account))
    row = Follower.objects.get(openid=first)
    assert (row.subscribed, row.source, row.remark) == (True, "poster_7", "王先生 89平")
    assert row.followed_at == datetime.fromtimestamp(1_760_000_000, UTC)
    assert [tag.platform_id for tag in row.tags.all()] == [number]
    other = Follower.objects.get(openid=second)
    assert (other.source, other.remark) == ("77", "")
    assert [tag.name for tag in other.tags.all()] == ["VIP"]  # ours stays; the platform's came off
    assert Tag.objects.count() == 2


def test_who_is_not_listed_any_more_is_marked_at_the_end_only(account: Account, simulator: SimulatorServer) -> None:
    openids = crowd(simulator, 3)
    for openid in openids:
        simulator.platform.persons[openid].subscribe_time = int(time.time()) - 600
    finish(people_sync.start(account))
    simulator.platform.persons[openids[0]].follows = False
    run = people_sync.start(account)
    fail(simulator, BATCH, 48001)
    finish(run)
    assert Follower.objects.filter(subscribed=True).count() == 3
    assert people_sync.start(account).pk == run.pk
    run = finish(run)
    assert (run.state, run.gone) == ("done", 1)
    assert not Follower.objects.get(openid=openids[0]).subscribed
    simulator.platform.persons[openids[0]].follows = True
    simulator.platform.persons[openids[0]].subscribe_time = int(time.time()) + 5
    finish(people_sync.start(account))
    assert Follower.objects.get(openid=openids[0]).subscribed


def test_a_younger_push_is_left_alone(account: Account, push: Callback, simulator: SimulatorServer) -> None:
    now = int(time.time())
    left, came = crowd(simulator, 2)
    for openid in (left, came):
        simulator.platform.persons[openid].subscribe_time = now - 600
    push(event("unsubscribe", created=now - 60, openid=left))
    push(event("subscribe", created=now - 30, openid=came, EventKey="qrscene_new"))
    run = people_sync.start(account)
    newcomer = "oNEWCOMER_0123456789abcdef"
    push(event("subscribe", created=now + 2, openid=newcomer))  # while it runs, after the list was read
    assert finish(run).state == "done"
    assert not Follower.objects.get(openid=left).subscribed
    assert (Follower.objects.get(openid=came).source, Follower.objects.get(openid=came).subscribed) == ("new", True)
    assert Follower.objects.get(openid=newcomer).subscribed


def test_who_leaves_between_list_and_facts_is_not_made(account: Account, simulator: SimulatorServer) -> None:
    openids = crowd(simulator, 2)
    run = people_sync.start(account)
    current = SyncRun.objects.get(pk=run.pk)
    people_sync._step(current)
    people_sync._step(current)
    simulator.platform.persons[openids[0]].follows = False
    assert finish(run).state == "done"
    assert [row.openid for row in Follower.objects.all()] == [openids[1]]


def test_a_block_list_of_several_pages_is_taken(account: Account, simulator: SimulatorServer) -> None:
    openids = crowd(simulator, 1_001)
    finish(people_sync.start(account))
    Follower.objects.filter(openid=openids[0]).update(blocked=True)
    for openid in openids[1:]:
        simulator.platform.persons[openid].blacklisted = True
    run = finish(people_sync.start(account))
    assert run.state == "done"
    assert list(Follower.objects.filter(blocked=False).values_list("openid", flat=True)) == openids[:1]
    assert SyncRun.objects.get(pk=run.pk).page == []


def test_an_account_without_the_permission_stops_and_says_why(account: Account, simulator: SimulatorServer) -> None:
    simulator.platform.accounts[APPID].kind = "service"
    run = finish(people_sync.start(account))
    assert run.state == "failed"
    assert " 48001 " in run.error
    assert people_sync.run() == 0
    refused = [entry for entry in simulator.platform.journal.find(kind="call") if entry["errcode"] == 48001]
    assert len(refused) == 1  # not asked again


def test_a_busy_platform_is_asked_again_and_a_used_up_quota_waits_for_the_day(
    account: Account, simulator: SimulatorServer
) -> None:
    crowd(simulator, 1)
    fail(simulator, USERS, -1)
    run = finish(people_sync.start(account))
    assert (run.state, run.failures) == ("running", 1)
    assert timezone.now() < run.due_at <= timezone.now() + timedelta(seconds=2)
    SyncRun.objects.update(due_at=timezone.now())
    fail(simulator, USERS, 45009)
    run = finish(run)
    assert run.state == "running"
    assert run.due_at - timezone.now() > timedelta(minutes=1) or timezone.now().hour == 15
    SyncRun.objects.update(due_at=timezone.now())
    assert finish(run).state == "done"


def test_it_gives_up_when_nothing_answers(account: Account, simulator: SimulatorServer) -> None:
    fail(simulator, "/cgi-bin/tags/get", -1, times=people_sync.MOST_FAILURES)
    run = people_sync.start(account)
    for _time in range(people_sync.MOST_FAILURES):
        SyncRun.objects.update(due_at=timezone.now())
        people_sync.run()
    run.refresh_from_db()
    assert run.state == "failed"


def test_a_stopped_run_stays_stopped(account: Account, simulator: SimulatorServer) -> None:
    crowd(simulator, 1)
    run = people_sync.start(account)
    current = SyncRun.objects.get(pk=run.pk)
    people_sync.stop(run)
    people_sync._step(current)  # a worker was in the middle of it
    assert current.state == "stopped"
    assert people_sync.run() == 0
    assert people_sync.start(account).pk != run.pk


def test_there_is_one_run_at_a_time(account: Account, simulator: SimulatorServer) -> None:
    assert people_sync.start(account).pk == people_sync.start(account).pk


def test_calls_keep_their_distance(
    account: Account, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_sync, "PACE", 0.1)
    monkeypatch.setattr(people_sync, "TURN", 0.3)
    crowd(simulator, 500)
    people_sync.start(account)
    began = time.monotonic()
    people_sync.run()
    people_sync.run()
    seconds = time.monotonic() - began
    calls = [entry for entry in simulator.platform.journal.find(kind="call") if "token" not in entry["endpoint"]]
    assert 1 < len(calls) <= seconds / 0.1 + 1


def test_tags_follow_the_platform_and_its_own_are_left_out(account: Account) -> None:
    renamed = Tag.objects.create(account=account, name="old", platform_id=101)
    gone = Tag.objects.create(account=account, name="gone", platform_id=102)
    Tag.objects.create(account=account, name="taken")
    told = [
        {"id": 2, "name": "星标组"},
        {"id": 101, "name": "new"},
        {"id": 103, "name": "fresh"},
        {"id": 104, "name": "taken"},
    ]
    people_sync.take_tags(account.pk, told)
    people_sync.take_tags(account.pk, told)
    stored = dict(Tag.objects.values_list("name", "platform_id"))
    assert stored == {"new": 101, "gone": None, "fresh": 103, "taken": 104}
    renamed.refresh_from_db()
    gone.refresh_from_db()
    assert (renamed.name, gone.platform_id) == ("new", None)


def test_an_odd_answer_makes_nobody(account: Account) -> None:
    run = people_sync.start(account)
    odd: list[dict[str, Any]] = [
        {"openid": "", "subscribe": 1},
        {"openid": "oA", "subscribe": 1, "subscribe_time": 10**20, "remark": None, "tagid_list": None},
        {"openid": "oB", "subscribe": 0},
    ]
    assert people_sync.take_infos(run, odd) == 1
    assert Follower.objects.aggregate(all=Count("pk")) == {"all": 1}
