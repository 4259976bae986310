"""Channel codes: what their scans do and cost, how their tags reach people, and what is kept of a person."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from callback import APPID, OPENID, Callback, answer, event
from django.utils import timezone
from quotes import quote

from orders.making import free_orderid
from orders.models import ASSIGNED, Order, Scan
from wechat import channel_tags, conf, inbox, privacy
from wechat.client import people
from wechat.models import Account, ChannelCode, ChannelScan, Follower, OutgoingMessage, Push, Rule, Tag
from wechat.simulator.accounts import Account as Registration
from wechat.simulator.server import SimulatorServer

TAGGING = "/cgi-bin/tags/members/batchtagging"
_numbers = itertools.count(1)


def channel(account: Account, scene: str = "spring", **fields: Any) -> ChannelCode:
    return ChannelCode.objects.create(account=account, **{"name": "春季活动", "scene": scene, **fields})


def rule(account: Account, text: str, **fields: Any) -> Rule:
    answers = [{"kind": "text", "content": text}]
    return Rule.objects.create(account=account, **{"name": text, "keywords": [], "answers": answers, **fields})


def said(response: Any) -> str:
    tree = answer(response)
    return str(tree["Content"]) if tree else ""


@pytest.fixture
def code(account: Account) -> ChannelCode:
    return channel(account)


# Scans.


def test_a_follower_who_scans_is_noted_once(code: ChannelCode, push: Callback) -> None:
    push.scan("spring")
    scan = ChannelScan.objects.get()
    assert (scan.code, scan.openid, scan.new, scan.tagged) == (code, OPENID, False, True)
    assert scan.push_id == Push.objects.get().pk
    assert Push.objects.get().state == "done"


def test_who_follows_by_the_code_is_new(code: ChannelCode, push: Callback) -> None:
    push.follow("spring", openid="oNewcomer_1")
    assert ChannelScan.objects.get().new


def test_a_repeated_push_is_one_scan_and_another_scan_is_another(code: ChannelCode, push: Callback) -> None:
    body = event("SCAN", EventKey="spring", Ticket="gQ-a-ticket")
    for _time in range(3):
        push(body)
    push.scan("spring")
    assert ChannelScan.objects.count() == 2


def test_running_a_push_again_leaves_the_scan_as_it_was(code: ChannelCode, push: Callback) -> None:
    push.scan("spring")
    before = ChannelScan.objects.values().get()
    assert inbox.run_again(Push.objects.get()) == ""
    assert ChannelScan.objects.values().get() == before


def test_other_scenes_and_switched_off_codes_are_no_channel(code: ChannelCode, push: Callback) -> None:
    push.scan("summer")
    code.enabled = False
    code.save()
    push.scan("spring")
    assert not ChannelScan.objects.exists()


def test_a_new_a_changed_and_a_deleted_code_are_known_at_once_here(account: Account, push: Callback) -> None:
    push.scan("spring")
    code = channel(account)
    push.scan("spring")
    assert ChannelScan.objects.count() == 1
    code.delete()
    assert push.scan("spring").status_code == 200
    assert not Push.objects.filter(state="failed").exists()


def test_a_code_that_was_deleted_a_moment_ago_fails_no_push(code: ChannelCode, push: Callback) -> None:
    push.scan("spring")
    ChannelCode.objects.filter(pk=code.pk)._raw_delete("default")  # as another process does, before we look again
    assert push.scan("spring").status_code == 200
    assert not Push.objects.filter(state="failed").exists()


def test_a_code_of_another_account_is_none_of_ours(account: Account, push: Callback) -> None:
    channel(Account.objects.create(slug="other", name="Other"))
    push.scan("spring")
    assert not ChannelScan.objects.exists()


# Answers.


def test_the_bound_rule_answers_who_scans_and_who_follows(account: Account, push: Callback) -> None:
    conf.save(account, {"wechat_welcome_text": "欢迎"})
    channel(account, rule=rule(account, "春季八八折"))
    assert said(push.scan("spring")) == "春季八八折"
    assert said(push.follow("spring", openid="oNewcomer_2")) == "春季八八折"
    assert {push.answered_by for push in Push.objects.all()} == {"rule"}


def test_without_a_rule_of_its_own_one_with_the_scene_as_keyword_answers(account: Account, push: Callback) -> None:
    channel(account)
    rule(account, "按场景回复", keywords=[{"kind": "scene", "text": "spring"}])
    assert said(push.scan("spring")) == "按场景回复"
    assert ChannelScan.objects.count() == 1


def test_the_bound_rule_comes_before_one_with_the_scene_as_keyword(account: Account, push: Callback) -> None:
    channel(account, rule=rule(account, "绑定的"))
    rule(account, "按场景回复", keywords=[{"kind": "scene", "text": "spring"}], priority=9)
    assert said(push.scan("spring")) == "绑定的"


@pytest.mark.parametrize("fields", [{"enabled": False}, {"ends_on": timezone.localdate() - timedelta(days=2)}])
def test_a_rule_that_is_off_or_out_of_season_does_not_answer(
    account: Account, push: Callback, fields: dict[str, Any]
) -> None:
    conf.save(account, {"wechat_welcome_text": "欢迎"})
    channel(account, rule=rule(account, "过期的", **fields))
    assert said(push.scan("spring")) == ""
    assert said(push.follow("spring", openid="oNewcomer_3")) == "欢迎"
    assert ChannelScan.objects.count() == 2


# Quotes and channel codes.


def test_a_number_scene_of_a_channel_comes_before_the_unknown_order(account: Account, push: Callback) -> None:
    channel(account, "1001", number=True, rule=rule(account, "渠道"))
    assert said(push.scan("1001")) == "渠道"
    assert ChannelScan.objects.count() == 1
    assert not Scan.objects.exists()
    assert "没有找到这份报价" in said(push.scan("1002"))


@pytest.mark.usefixtures("worker_alive")
def test_a_channel_never_hides_a_real_order(account: Account, push: Callback) -> None:
    channel(account, "77", number=True, rule=rule(account, "渠道"))
    stored = quote(account, orderid=77)
    push.scan("77")
    assert Scan.objects.get().order == stored
    assert OutgoingMessage.objects.get().purpose == "quote"


def test_a_number_we_give_out_is_never_that_of_a_channel(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    channel(account, str(ASSIGNED[0]), number=True)
    offered = iter([0, 0, 5])
    monkeypatch.setattr("orders.making.secrets.randbelow", lambda _most: next(offered))
    assert free_orderid() == ASSIGNED[5]


# What it costs.


@pytest.mark.parametrize(("scene", "statements"), [("77", 6), ("1001", 5), ("spring", 4)])
@pytest.mark.usefixtures("worker_alive", "order")
def test_scans_cost_no_statement_more_than_they_may(
    account: Account, push: Callback, scene: str, statements: int, django_assert_max_num_queries: Any
) -> None:
    bound = rule(account, "渠道")
    channel(account, rule=bound)
    channel(account, "1001", number=True, rule=bound)
    push.scan(scene)  # everything is cached now
    with django_assert_max_num_queries(statements + 2):  # BEGIN … COMMIT as the test's savepoint
        push.scan(scene)


def test_a_text_costs_no_statement_more_for_the_channels(
    code: ChannelCode, push: Callback, django_assert_max_num_queries: Any
) -> None:
    push.text("你好")
    with django_assert_max_num_queries(3 + 2):
        push.text("您好")


# Tags.


@pytest.fixture
def there(simulator: SimulatorServer) -> Registration:
    """The account as the platform has it."""
    return simulator.platform.accounts[APPID]


@pytest.fixture
def tag(account: Account, there: Registration, config: Any) -> Tag:
    """A tag that WeChat has too."""
    return Tag.objects.create(account=account, name="春季", platform_id=people.create_tag(config, "春季"))


def scanned(simulator: SimulatorServer, there: Registration, code: ChannelCode, count: int) -> list[Follower]:
    """People who follow, here and there, and scanned the code."""
    now, found = timezone.now(), []
    for _person in range(count):
        openid = f"oScanner_{next(_numbers):0>8}"
        simulator.platform.add_person(there, openid=openid, follows=True)
        found.append(Follower(account=code.account, openid=openid, first_seen=now, last_seen=now))
    Follower.objects.bulk_create(found)
    scans = [
        ChannelScan(
            push_id=next(_numbers) + 10**6,
            code=code,
            account=code.account,
            openid=one.openid,
            tagged=False,
            scanned_at=now,
        )
        for one in found
    ]
    ChannelScan.objects.bulk_create(scans)
    return found


def asked(simulator: SimulatorServer) -> int:
    return len(simulator.platform.journal.find(kind="call", endpoint=TAGGING, limit=1000))


def test_a_scan_waits_for_its_tag_only_where_there_is_one(account: Account, tag: Tag, push: Callback) -> None:
    channel(account, tag=tag)
    push.scan("spring")
    assert not ChannelScan.objects.get().tagged
    assert not Follower.objects.get().tags.exists()  # nothing was asked on the callback's way


def test_the_worker_tags_fifty_a_call_there_and_here(
    account: Account, tag: Tag, simulator: SimulatorServer, there: Registration
) -> None:
    people_there = scanned(simulator, there, channel(account, tag=tag), 120)
    while channel_tags.run():
        pass
    assert asked(simulator) == 3
    assert not ChannelScan.objects.filter(tagged=False).exists()
    assert tag.followers.count() == 120
    person = simulator.platform.persons[people_there[0].openid]
    assert tag.platform_id in person.tags
    assert channel_tags.run() == 0
    assert asked(simulator) == 3


def test_a_tag_that_only_we_know_needs_no_call(
    account: Account, simulator: SimulatorServer, there: Registration
) -> None:
    own = Tag.objects.create(account=account, name="只在这里")
    scanned(simulator, there, channel(account, tag=own), 3)
    channel_tags.run()
    assert (own.followers.count(), asked(simulator)) == (3, 0)


def test_a_failure_is_kept_for_staff_and_waits_then_goes_on(
    account: Account, tag: Tag, simulator: SimulatorServer, there: Registration
) -> None:
    code = channel(account, tag=tag)
    scanned(simulator, there, code, 2)
    simulator.platform.faults.set(kind="errcode", match=TAGGING, errcode=48001, remaining=1)
    assert channel_tags.run() == 0
    code.refresh_from_db()
    assert "48001" in code.tag_error
    assert code.tag_due_at
    assert code.tag_due_at > timezone.now() + timedelta(minutes=5)
    channel_tags.run()
    assert asked(simulator) == 1  # not before its time
    ChannelCode.objects.update(tag_due_at=timezone.now())
    channel_tags.run()
    code.refresh_from_db()
    assert (code.tag_error, code.tag_due_at, tag.followers.count()) == ("", None, 2)


def test_one_person_who_cannot_be_tagged_stops_nobody_else(
    account: Account, tag: Tag, simulator: SimulatorServer, there: Registration
) -> None:
    code = channel(account, tag=tag)
    found = scanned(simulator, there, code, 3)
    simulator.platform.persons[found[1].openid].tags = set(range(200, 220))  # the most a person may have
    channel_tags.run()
    code.refresh_from_db()
    assert "45059" in code.tag_error
    assert {one.openid for one in tag.followers.all()} == {found[0].openid, found[2].openid}
    assert not ChannelScan.objects.filter(tagged=False).exists()


def test_who_left_was_erased_or_lost_the_tag_waits_for_nothing(
    account: Account, tag: Tag, simulator: SimulatorServer, there: Registration
) -> None:
    code = channel(account, tag=tag)
    found = scanned(simulator, there, code, 2)
    Follower.objects.filter(pk=found[0].pk).delete()
    channel_tags.run()
    assert not ChannelScan.objects.filter(tagged=False).exists()
    scanned(simulator, there, code, 1)
    tag.delete()
    channel_tags.run()
    assert not ChannelScan.objects.filter(tagged=False).exists()


# A person's data.


def test_who_is_erased_leaves_a_scan_of_nobody_and_his_export_names_the_code(
    account: Account, code: ChannelCode, push: Callback
) -> None:
    push.scan("spring")
    assert '"code": "春季活动"' in "".join(privacy.export(account.pk, OPENID))
    ChannelScan.objects.update(tagged=False)
    privacy.erase(account.pk, OPENID)
    scan = ChannelScan.objects.get()
    assert (scan.openid, scan.tagged) == ("erased", True)
    assert '"code"' not in "".join(privacy.export(account.pk, OPENID))


def test_orders_keep_the_code_that_brought_them(account: Account, code: ChannelCode) -> None:
    order = quote(account, orderid=5, source=code)
    code.delete()
    assert Order.objects.get(pk=order.pk).source is None
