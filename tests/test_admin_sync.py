"""The pages that change people at WeChat: the synchronisation, remarks, tags, the block list."""

from typing import Any

import pytest
import requests
from callback import APPID
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wechat import people_sync
from wechat.models import Account, Follower, Lease, Membership, SyncRun, Tag
from wechat.simulator.accounts import Account as Registration
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db(transaction=True)
YES = {"_form_submitted": "True"}
LIST, TAGS, RUNS = "/admin/wechat/follower/", "/admin/wechat/tag/", "/admin/wechat/syncrun/"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_sync, "PACE", 0.0)


@pytest.fixture
def there(simulator: SimulatorServer) -> Registration:
    """The account as the platform has it."""
    return simulator.platform.accounts[APPID]


def crowd(simulator: SimulatorServer, account: Account, count: int) -> list[Follower]:
    """People who follow, there and here."""
    requests.post(f"{simulator.url}/sim/api/followers", json={"count": count}, timeout=30)
    now = timezone.now()
    return Follower.objects.bulk_create(
        Follower(account=account, openid=openid, first_seen=now, last_seen=now) for openid in simulator.platform.persons
    )


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:wechat_{row._meta.model_name}_{name}", args=[row.pk])


def choose(client: Client, action: str, people: list[Follower], **answer: Any) -> Any:
    chosen = {"action": action, "_selected_action": [each.pk for each in people]}
    return client.post(LIST, {**chosen, **answer}, follow=True)


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# The synchronisation.


def test_a_run_is_started_watched_and_done(
    account: Account, staff: Client, simulator: SimulatorServer, worker_alive: Lease
) -> None:
    requests.post(f"{simulator.url}/sim/api/followers", json={"count": 150}, timeout=30)
    assert staff.get(reverse("admin:wechat_syncrun_start_sync")).status_code == 200  # it asks first
    assert not SyncRun.objects.exists()
    staff.post(reverse("admin:wechat_syncrun_start_sync"), {**YES, "account": account.pk})
    run = SyncRun.objects.get()
    assert "data-running" in staff.get(page(run)).content.decode()
    while people_sync.run():
        pass
    shown = staff.get(page(run)).content.decode()
    assert 'value="150" max="150"' in shown
    assert "data-running" not in shown
    assert staff.get(RUNS).status_code == 200
    assert Follower.objects.filter(subscribed=True).count() == 150


def test_a_missing_permission_is_explained_and_it_goes_on_when_that_is_mended(
    account: Account, staff: Client, there: Registration
) -> None:
    there.kind = "service"
    staff.post(reverse("admin:wechat_syncrun_start_sync"), {**YES, "account": account.pk})
    people_sync.run()
    run = SyncRun.objects.get()
    shown = staff.get(page(run)).content.decode()
    assert "48001" in shown
    assert "rid" in shown
    there.kind = "verified_service"
    staff.post(page(run, "go_on"), YES)
    while people_sync.run():
        pass
    run.refresh_from_db()
    assert run.state == "done"
    staff.post(page(run, "go_on"), YES)
    assert SyncRun.objects.count() == 1


def test_a_run_can_be_stopped(account: Account, staff: Client, simulator: SimulatorServer) -> None:
    run = people_sync.start(account)
    assert staff.get(page(run)).status_code == 200
    staff.post(page(run, "stop_sync"), YES)
    run.refresh_from_db()
    assert run.state == "stopped"


def test_nobody_reads_the_followers_of_a_foreign_account(account: Account, simulator: SimulatorServer) -> None:
    other = Account.objects.create(slug="other")
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_syncrun", "change_syncrun"]))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    client.post(reverse("admin:wechat_syncrun_start_sync"), {**YES, "account": other.pk})
    assert not SyncRun.objects.exists()


# The remark.


def test_a_remark_is_changed_here_and_there(account: Account, staff: Client, simulator: SimulatorServer) -> None:
    (person,) = crowd(simulator, account, 1)
    staff.post(page(person, "edit_remark"), {**YES, "remark": " 王先生  89平 "})
    person.refresh_from_db()
    assert person.remark == simulator.platform.persons[person.openid].remark == "王先生 89平"
    assert "王先生 89平" in staff.get(LIST, {"q": "王先生"}).content.decode()
    staff.post(page(person, "edit_remark"), {**YES, "remark": "十" * 10})  # 30 bytes
    person.refresh_from_db()
    assert person.remark == "王先生 89平"
    simulator.platform.persons[person.openid].follows = False
    response = staff.post(page(person, "edit_remark"), {**YES, "remark": "neu"}, follow=True)
    person.refresh_from_db()
    assert person.remark == "王先生 89平"
    assert said(response)


# The block list.


def test_people_are_blocked_twenty_at_a_time_after_a_question(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    people = crowd(simulator, account, 25)
    assert choose(staff, "block_chosen", people).status_code == 200
    assert not Follower.objects.filter(blocked=True).exists()
    choose(staff, "block_chosen", people, answered="yes")
    assert Follower.objects.filter(blocked=True).count() == 25
    assert all(person.blacklisted for person in simulator.platform.persons.values())
    staff.post(page(people[0], "unblock_person"), YES)
    assert not Follower.objects.get(pk=people[0].pk).blocked
    choose(staff, "unblock_chosen", people[1:], answered="yes")
    assert not any(person.blacklisted for person in simulator.platform.persons.values())
    staff.post(page(people[0], "block_person"), YES)
    assert simulator.platform.persons[people[0].openid].blacklisted


def test_a_refused_block_changes_nobody_and_says_why(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    people = crowd(simulator, account, 2)
    simulator.platform.faults.set(
        kind="errcode", match="/cgi-bin/tags/members/batchblacklist", remaining=1, errcode=48001
    )
    assert said(choose(staff, "block_chosen", people, answered="yes"))
    assert not Follower.objects.filter(blocked=True).exists()


# Tags.


def test_a_tag_is_made_renamed_and_deleted_here_and_there(account: Account, staff: Client, there: Registration) -> None:
    staff.post(f"{TAGS}add/", {"account": account.pk, "name": "已报价"})
    tag = Tag.objects.get()
    assert there.tags.names == {tag.platform_id: "已报价"}
    staff.post(page(tag), {"name": "已下单"})
    assert list(there.tags.names.values()) == ["已下单"]
    staff.post(page(tag, "delete"), {"post": "yes"})
    assert there.tags.names == {}
    assert not Tag.objects.exists()


def test_what_wechat_refuses_of_a_tag_is_said_and_both_agree(
    account: Account, staff: Client, simulator: SimulatorServer, there: Registration
) -> None:
    staff.post(f"{TAGS}add/", {"account": account.pk, "name": "已报价"})
    tag = Tag.objects.get()
    for path, data, url in (
        ("update", {"name": "neu"}, page(tag)),
        ("delete", {"post": "yes"}, page(tag, "delete")),
        ("delete", {"action": "delete_selected", "_selected_action": [tag.pk], "post": "yes"}, TAGS),
    ):
        simulator.platform.faults.set(kind="errcode", match=f"/cgi-bin/tags/{path}", remaining=1, errcode=-1)
        assert said(staff.post(url, data, follow=True))
        tag.refresh_from_db()
        assert tag.name == "已报价"
    assert list(there.tags.names.values()) == ["已报价"]


def test_a_tag_stays_ours_where_the_account_may_not_and_is_made_later(
    account: Account, staff: Client, there: Registration
) -> None:
    there.kind = "service"
    staff.post(f"{TAGS}add/", {"account": account.pk, "name": "已报价"})
    tag = Tag.objects.get()
    assert tag.platform_id is None
    there.kind = "verified_service"
    staff.post(page(tag, "make_at_wechat"), YES)
    tag.refresh_from_db()
    assert tag.platform_id in there.tags.names


def test_a_tag_of_that_name_that_is_there_is_taken_and_the_systems_own_is_not(
    account: Account, staff: Client, there: Registration
) -> None:
    number = there.tags.create("已报价")
    staff.post(f"{TAGS}add/", {"account": account.pk, "name": "已报价"})
    staff.post(f"{TAGS}add/", {"account": account.pk, "name": "星标组"})
    assert dict(Tag.objects.values_list("name", "platform_id")) == {"已报价": number, "星标组": None}


def test_the_chosen_are_tagged_fifty_at_a_time_here_and_there(
    account: Account, staff: Client, simulator: SimulatorServer, there: Registration
) -> None:
    people = crowd(simulator, account, 60)
    choose(staff, "add_tag", people, answered="yes", name="已报价")
    tag = Tag.objects.get()
    assert tag.followers.count() == 60
    assert all(person.tags == [tag.platform_id] for person in simulator.platform.persons.values())
    choose(staff, "remove_tag", people[:55], answered="yes", tag=tag.pk)
    assert tag.followers.count() == 5
    assert sum(bool(person.tags) for person in simulator.platform.persons.values()) == 5
    staff.post(page(people[0], "choose_tags"), {**YES, "tags": [tag.pk]})
    assert simulator.platform.persons[people[0].openid].tags == [tag.platform_id]
    staff.post(page(people[0], "choose_tags"), {**YES, "tags": []})
    assert simulator.platform.persons[people[0].openid].tags == []


def test_who_has_twenty_tags_gets_no_more_and_staff_read_it(
    account: Account, staff: Client, simulator: SimulatorServer, there: Registration
) -> None:
    (person,) = crowd(simulator, account, 1)
    simulator.platform.persons[person.openid].tags = [there.tags.create(str(number)) for number in range(20)]
    tag = Tag.objects.create(account=account, name="more", platform_id=there.tags.create("more"))
    response = choose(staff, "add_tag", [person], answered="yes", tag=tag.pk)
    assert "more" in said(response)
    assert tag.followers.count() == 0


def test_half_of_a_batch_that_fails_stays_as_it_is_there(
    account: Account, staff: Client, simulator: SimulatorServer, there: Registration
) -> None:
    people = crowd(simulator, account, 60)
    tag = Tag.objects.create(account=account, name="t", platform_id=there.tags.create("t"))
    simulator.platform.persons[people[5].openid].tags = [there.tags.create(str(number)) for number in range(20)]
    choose(staff, "add_tag", sorted(people, key=lambda each: each.pk), answered="yes", tag=tag.pk)
    worn = {each.openid for each in tag.followers.all()}
    assert worn == {openid for openid, each in simulator.platform.persons.items() if tag.platform_id in each.tags}
    assert len(worn) == 50
