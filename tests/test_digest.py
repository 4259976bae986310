"""What the worker counts of the pushes: hits of rules by day, and texts that nobody answered."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from callback import OPENID, Callback, body, event
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wechat import conf, digest
from wechat.models import Account, Cursor, Push, Rule, RuleDay, UnansweredText

ROOT = Path(__file__).parent.parent
Make = Callable[..., Push]


@pytest.fixture
def rule(account: Account) -> Rule:
    return Rule.objects.create(account=account, name="报价")


@pytest.fixture
def stored(account: Account) -> Make:
    """`stored(kind="text", …)`: a push as the inbox would have kept it, an hour ago."""

    def make(raw: str = "", **values: Any) -> Push:
        number = Push.objects.count()
        given = {"kind": "text", "state": "nothing", "openid": OPENID, "received_at": hour_ago(), **values}
        return Push.objects.create(
            account=account, key=f"key{number}", raw=raw or body("text", Content="在吗"), **given
        )

    return make


def hour_ago() -> datetime:
    return timezone.now() - timedelta(hours=1)


def run_to_the_end() -> None:
    while digest.run():
        pass


def counted() -> dict[tuple[str, str], int]:
    return {(row.source, row.text): row.count for row in UnansweredText.objects.all()}


def test_hits_are_counted_by_rule_and_local_day(stored: Make, rule: Rule, account: Account) -> None:
    other = Rule.objects.create(account=account, name="other")
    before_midnight = datetime(2025, 3, 1, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    for moment in (before_midnight, before_midnight, before_midnight + timedelta(minutes=2)):
        stored(state="done", answered_by="rule", rule=rule, received_at=moment)
    stored(state="done", answered_by="rule", rule=other, received_at=before_midnight)
    run_to_the_end()
    assert set(RuleDay.objects.values_list("rule__name", "day", "hits")) == {
        ("报价", date(2025, 3, 1), 2),
        ("报价", date(2025, 3, 2), 1),
        ("other", date(2025, 3, 1), 1),
    }


def test_hits_add_up_over_several_runs(stored: Make, rule: Rule) -> None:
    for _time in range(3):
        stored(state="done", answered_by="rule", rule=rule)
        run_to_the_end()
    assert RuleDay.objects.get().hits == 3


def test_a_rule_that_answered_as_the_default_reply_was_hit_and_the_text_is_unanswered(stored: Make, rule: Rule) -> None:
    stored(state="done", answered_by="default", rule=rule)
    run_to_the_end()
    assert RuleDay.objects.get().hits == 1
    assert counted() == {("", "在吗"): 1}


def test_a_deleted_rule_is_counted_no_more(stored: Make, rule: Rule) -> None:
    stored(state="done", answered_by="rule", rule=rule)
    rule.delete()
    stored()
    run_to_the_end()
    assert not RuleDay.objects.exists()
    assert counted() == {("", "在吗"): 1}


def test_the_same_text_is_one_row_however_it_is_spaced(stored: Make) -> None:
    for content in ("营业 时间", "  营业\n时间 ", "营业　时间"):
        stored(body("text", Content=content))
        run_to_the_end()
    assert counted() == {("", "营业 时间"): 3}


def test_first_and_last_time_are_kept(stored: Make) -> None:
    moments = [datetime(2025, 1, day, tzinfo=UTC) for day in (5, 2, 9)]
    for moment in moments:
        stored(received_at=moment)
        run_to_the_end()
    row = UnansweredText.objects.get()
    assert (row.first_at, row.last_at) == (moments[1], moments[2])


def test_what_was_put_aside_stays_there(stored: Make) -> None:
    stored()
    run_to_the_end()
    UnansweredText.objects.update(dismissed=True)
    stored()
    run_to_the_end()
    row = UnansweredText.objects.get()
    assert (row.count, row.dismissed) == (2, True)


@pytest.mark.parametrize(
    ("raw", "kind", "state", "answered_by", "group"),
    [
        (body("text", Content="报价"), "text", "done", "default", ("", "报价")),
        (body("text", Content="报价"), "text", "nothing", "", ("", "报价")),
        (body("voice", MediaId="m", Recognition="多少钱。"), "voice", "nothing", "", ("voice", "多少钱。")),
        (event("CLICK", EventKey="PRICES"), "click", "nothing", "", ("click", "PRICES")),
        (event("CLICK", EventKey="PRICES"), "click", "done", "default", ("click", "PRICES")),
        (body("text", Content="报价"), "text", "done", "rule", None),
        (body("text", Content="报价"), "text", "done", "handler", None),
        (body("text", Content="报价"), "text", "failed", "", None),
        (body("voice", MediaId="m"), "voice", "nothing", "", None),
        (body("image", PicUrl="u", MediaId="m"), "image", "done", "default", None),
        (body("text", Content=" \n "), "text", "nothing", "", None),
        (event("VIEW", EventKey="https://example.com/"), "view", "nothing", "", None),
        ("<!DOCTYPE x><xml/>", "text", "nothing", "", None),
    ],
)
def test_what_counts_as_unanswered(
    raw: str, kind: str, state: str, answered_by: str, group: tuple[str, str] | None, stored: Make
) -> None:
    stored(raw, kind=kind, state=state, answered_by=answered_by)
    run_to_the_end()
    assert counted() == ({group: 1} if group else {})


@pytest.mark.parametrize("content", ["<script>alert(1)</script>", "=1+1", "😀‮txt", "]" * 300, "𠮷" * 300])
def test_any_text_is_kept_as_it_is(content: str, stored: Make) -> None:
    stored(body("text", Content=content))
    run_to_the_end()
    assert counted() == {("", content[:200]): 1}


def test_accounts_are_counted_apart(stored: Make) -> None:
    stored()
    stored()
    other = Account.objects.create(slug="other")
    Push.objects.filter(pk=Push.objects.latest("pk").pk).update(account=other)
    run_to_the_end()
    assert sorted(UnansweredText.objects.values_list("account__slug", "count")) == [("demo", 1), ("other", 1)]


def test_what_just_came_waits_a_moment(stored: Make) -> None:
    stored(received_at=timezone.now() - timedelta(seconds=5))
    digest.run()
    assert counted() == {}
    Push.objects.update(received_at=timezone.now() - timedelta(seconds=11))
    digest.run()
    assert counted() == {("", "在吗"): 1}


def test_an_older_push_behind_a_young_one_is_not_lost(stored: Make) -> None:
    stored(received_at=timezone.now())
    stored()
    digest.run()
    assert counted() == {}
    Push.objects.update(received_at=hour_ago())
    digest.run()
    assert counted() == {("", "在吗"): 2}


def test_a_push_from_the_future_holds_nobody_up(stored: Make) -> None:
    stored(received_at=timezone.now() + timedelta(days=300))
    stored()
    digest.run()
    assert counted() == {("", "在吗"): 2}


def test_many_are_read_in_batches(stored: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "BATCH", 4)
    for _number in range(10):
        stored()
    assert [digest.run(), digest.run(), digest.run(), digest.run()] == [4, 4, 0, 0]
    assert counted() == {("", "在吗"): 10}


def test_a_batch_costs_the_same_with_one_text_and_with_many(stored: Make, rule: Rule) -> None:
    def cost(texts: int) -> int:
        for number in range(texts):
            stored(body("text", Content=f"问题 {number}"), rule=rule)
        with CaptureQueriesContext(connection) as queries:
            digest.run()
        return len(queries)

    cost(1)
    assert cost(1) == cost(60)
    assert len(counted()) == 60


def test_what_fails_is_counted_the_next_time(stored: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stored()

    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Cursor, "save", broken)
        with pytest.raises(RuntimeError):
            digest.run()
    assert counted() == {}
    run_to_the_end()
    assert counted() == {("", "在吗"): 1}


def test_a_real_push_is_counted(push: Callback, account: Account) -> None:
    push.text("你们在哪")
    conf.save(account, {"wechat_default_reply": "请稍候"})
    push.text("你们在哪")
    push.scan("1234")
    Push.objects.update(received_at=hour_ago())
    run_to_the_end()
    assert counted() == {("", "你们在哪"): 2}


KILLED = """
import os, signal, sys
import django
django.setup()
from wechat import digest
save = digest.Cursor.save
def die(cursor, **options):
    save(cursor, **options)
    if cursor.position >= int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
digest.Cursor.save = die
while digest.run():
    pass
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_counts_nothing_twice(
    stored: Make, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest, "BATCH", 500)
    now = hour_ago()
    raw = body("text", Content="在吗")
    Push.objects.bulk_create(
        Push(
            account=rule.account,
            key=f"k{n}",
            raw=raw,
            openid=OPENID,
            kind="text",
            state="nothing",
            received_at=now,
            rule=rule,
        )
        for n in range(1200)
    )
    last = Push.objects.latest("pk").pk
    environment = {**os.environ, "DATABASE_URL": _address(), "DJANGO_SETTINGS_MODULE": "wxhub.settings"}
    connection.close()
    for position in (last - 600, last):  # in the second batch, in the last
        done = subprocess.run([sys.executable, "-c", KILLED, str(position)], cwd=ROOT, env=environment, check=False)
        assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 20
    while counted() != {("", "在吗"): 1200} and time.monotonic() < deadline:
        digest.run()
    assert counted() == {("", "在吗"): 1200}
    assert RuleDay.objects.get().hits == 1200


def _address() -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    login = f"{settings['USER']}:{settings['PASSWORD']}" if settings["PASSWORD"] else settings["USER"]
    return f"postgres://{login}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
