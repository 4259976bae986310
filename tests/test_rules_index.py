"""The index of an account: made once, made anew when a rule changed, shared by threads, good for 10,000 rules."""

import logging
import random
import threading
import time as clock
from datetime import date, time
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from rule_entries import NOON, entry, explained, run_all, said

from wechat import conf, rules
from wechat.conf import AccountConfig
from wechat.models import Account, Rule
from wechat.rules import Keyword, Outcome, RuleEntry, RuleIndex, entry_of, index_of


def make(account: Account, name: str, *keywords: tuple[str, str], **values: Any) -> Rule:
    documents = [{"kind": kind, "text": text} for kind, text in keywords]
    return Rule.objects.create(account=account, name=name, keywords=documents, **values)


def current(account: Account) -> AccountConfig:
    config = conf.account(account.slug)
    assert config is not None
    return config


def answering(account: Account, text: str) -> list[str]:
    return [each.entry.name for each in index_of(current(account)).candidates(said(text), NOON)]


def test_a_row_becomes_an_entry_with_all_of_its_parts(account: Account) -> None:
    row = make(
        account,
        "all",
        ("exact", "报价"),
        ("takeover", ""),
        priority=7,
        answers=[{"kind": "text", "content": "ok"}],
        choice="random",
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        from_time=time(9),
        until_time=time(18),
    )
    assert entry_of(Rule.objects.get()) == RuleEntry(
        id=row.pk,
        name="all",
        enabled=True,
        priority=7,
        keywords=(Keyword("exact", "报价"), Keyword("takeover", "")),
        answers=({"kind": "text", "content": "ok"},),
        choice="random",
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        from_time=time(9),
        until_time=time(18),
    )


@pytest.mark.parametrize(
    "stored", [None, {}, "报价", 7, [None, 7, "x", {}, {"kind": 1, "text": "x"}, {"kind": "exact"}]]
)
def test_what_is_no_list_of_keywords_or_answers_is_left_out(account: Account, stored: Any) -> None:
    assert entry_of(Rule(account=account, keywords=stored)).keywords == ()
    assert entry_of(Rule(account=account, answers=stored)).answers in ((), ({"kind": "exact"},))


def test_an_index_holds_the_rules_of_its_account_only(account: Account) -> None:
    other = Account.objects.create(slug="other")
    make(account, "mine", ("exact", "x"))
    make(other, "theirs", ("exact", "x"))
    assert (answering(account, "x"), answering(other, "x")) == (["mine"], ["theirs"])


def test_rules_are_read_once_and_again_when_one_changed(account: Account) -> None:
    make(account, "first", ("exact", "x"))
    with CaptureQueriesContext(connection) as captured:
        assert answering(account, "x") == ["first"]
    assert len([query for query in captured if "wechat_rule" in query["sql"]]) == 1
    with CaptureQueriesContext(connection) as captured:
        for _ in range(50):
            answering(account, "x")
    assert len(captured) == 0
    row = make(account, "second", ("exact", "x"))
    assert answering(account, "x") == ["second", "first"]
    row.enabled = False
    row.save()
    assert answering(account, "x") == ["first"]
    Rule.objects.get(name="first").delete()
    assert answering(account, "x") == []


def test_a_change_in_another_process_is_seen_at_the_next_look(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answering(account, "x") == []
    Rule.objects.bulk_create([Rule(account=account, name="elsewhere", keywords=[{"kind": "exact", "text": "x"}])])
    Account.objects.filter(pk=account.pk).update(rules_stamp=F("rules_stamp") + 1)
    assert answering(account, "x") == []
    monkeypatch.setattr(conf, "LOOK_EVERY", 0.0)
    assert answering(account, "x") == ["elsewhere"]


def test_a_bad_stored_keyword_is_told_once(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    make(account, "broken", ("regex", "(?=报)"), ("contains", "报价"))
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert answering(account, "报价") == ["broken"]
    assert [record.getMessage().count("(?=报)") for record in caplog.records if record.name == "wechat.rules"] == [1]


def test_others_go_on_with_the_old_index_while_one_builds_the_new(account: Account) -> None:
    make(account, "old", ("exact", "x"))
    assert answering(account, "x") == ["old"]
    make(account, "new", ("exact", "x"))
    building = rules._building[account.pk]
    building.acquire()  # another thread builds
    done = threading.Timer(5, building.release)
    done.start()
    assert answering(account, "x") == ["old"]
    assert building.locked()
    done.cancel()
    building.release()
    assert answering(account, "x") == ["new", "old"]


@pytest.mark.django_db(transaction=True)
def test_the_first_index_is_built_once_and_all_threads_wait_for_it(account: Account) -> None:
    make(account, "first", ("exact", "x"))
    config, got, start = current(account), [], threading.Barrier(9)

    def ask() -> None:
        start.wait()
        got.append(index_of(config))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    with rules._building[account.pk]:
        for thread in threads:
            thread.start()
        start.wait()
        clock.sleep(0.1)
        assert got == []
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(map(id, got))) == 1
    assert [each.entry.name for each in got[0].candidates(said("x"), NOON)] == ["first"]


def test_an_older_view_of_the_account_brings_no_older_index(account: Account) -> None:
    before = current(account)
    make(account, "new", ("exact", "x"))
    assert answering(account, "x") == ["new"]
    newest = index_of(current(account))
    assert index_of(before) is newest
    assert index_of(current(account)) is newest


def test_an_index_of_rules_that_were_rolled_back_does_not_stay(account: Account) -> None:
    make(account, "real", ("exact", "x"))
    with transaction.atomic():
        make(account, "phantom", ("exact", "x"))
        assert answering(account, "x") == ["phantom", "real"]
        transaction.set_rollback(True)
    conf.forget()  # as the next look does, a second later
    assert answering(account, "x") == ["real"]


def test_a_bad_stored_keyword_leaves_the_others_alone() -> None:
    broken = entry(1, ("regex", "("), ("hologram", "x"), ("exact", ""), ("takeover", "?"), ("contains", "报价"))
    index = RuleIndex([broken, entry(2, ("regex", "报价.*"))])
    assert [each.entry.id for each in index.candidates(said("报价"), NOON)] == [1, 2]
    assert index.candidates(said("x"), NOON) == []
    assert {keyword.kind for keyword in index.unusable} == {"regex", "hologram", "exact", "takeover"}


def test_a_keyword_that_cannot_be_used_explains_nothing() -> None:
    padded = entry(1, ("exact", "x" + " " * 200))
    assert explained([padded, entry(2, ("exact", "x"))], said("x"))[1][0] == Outcome.UNUSABLE


def test_threads_ask_one_index_at_once() -> None:
    shared = RuleIndex(
        [entry(number, ("regex", f"[ab].{{0,9}}{number}"), ("contains", f"a{number}")) for number in range(1, 300)]
    )
    draw = random.Random(5)
    queries = [said("".join(draw.choices("ab0123456789砖", k=draw.randint(1, 250)))) for _ in range(150)]
    alone = RuleIndex(shared.entries)
    expected = [[each.entry.id for each in alone.candidates(query, NOON)] for query in queries]
    wrong, start = [], threading.Barrier(8)

    def ask(seed: int) -> None:
        start.wait()
        for number in random.Random(seed).sample(range(len(queries)), len(queries)):
            asked = [each.entry.id for each in shared.candidates(queries[number], NOON)]
            if asked != expected[number]:
                wrong.append((queries[number].text, asked, expected[number]))

    run_all(threading.Thread(target=ask, args=(seed,)) for seed in range(8))
    assert any(expected)
    assert wrong == []


def test_ten_thousand_rules_are_ready_in_seconds_and_explain_themselves() -> None:
    entries = [
        entry(number, (("exact", "contains", "regex")[number % 3], f"瓷砖{number}"), priority=number % 7)
        for number in range(1, 10_001)
    ]
    started = clock.thread_time()
    index = RuleIndex(entries)
    assert {each.outcome for each in index.explain(said("瓷砖9999"), NOON)} == {Outcome.CHOSEN, Outcome.NO_MATCH}
    assert clock.thread_time() - started < 5
