"""The linter: each mistake it knows, what it says about it, and that it stays quick with ten thousand rules."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from datetime import time as clock
from typing import Any

import pytest
from django.utils import timezone

from wechat import conf, linter
from wechat.linter import Finding
from wechat.models import Account, Rule, RuleDay, UnansweredText

Words = tuple[str, str]


def text(content: str) -> dict[str, Any]:
    return {"kind": "text", "content": content}


def rule(account: Account, name: str, *keywords: Words, answers: Any = None, **values: Any) -> Rule:
    """A rule that answers with its own name unless `answers` say otherwise."""
    return Rule.objects.create(
        account=account,
        name=name,
        keywords=[{"kind": kind, "text": word} for kind, word in keywords],
        answers=[text(name)] if answers is None else answers,
        **values,
    )


def found(account: Account, code: str = "") -> list[tuple[str, str]]:
    """The findings of that code: the name of the rule, and the level."""
    names = dict(account.rules.values_list("pk", "name"))
    return [
        (names.get(finding.rule_id or 0, ""), finding.level)
        for finding in linter.of_account(account)
        if finding.code == code or not code
    ]


def one(account: Account, code: str) -> Finding:
    (finding,) = [finding for finding in linter.of_account(account) if finding.code == code]
    return finding


def test_good_rules_give_no_findings(account: Account) -> None:
    rule(account, "price", ("exact", "报价"), ("contains", "价格"))
    rule(account, "area", ("regex", "^[0-9]{2,3}$"))
    rule(account, "menu", ("event_key", "PRICES"))
    rule(account, "code", ("scene", "sales-7"))
    rule(account, "rest", ("takeover", ""))
    assert linter.of_account(account) == []


def test_another_accounts_rules_are_none_of_its_business(account: Account) -> None:
    other = Account.objects.create(slug="other")
    rule(other, "theirs", ("exact", "报价"))
    rule(account, "ours", ("exact", "报价"))
    assert linter.of_account(account) == []


def test_the_same_keyword_in_two_rules_names_the_one_that_wins(account: Account) -> None:
    rule(account, "first", ("exact", "ＡＢＣ "), priority=5)
    late = rule(account, "late", ("exact", "abc"), ("exact", "other"))
    finding = one(account, "duplicate")
    assert (finding.rule_id, finding.level) == (late.pk, "warning")
    assert "abc" in finding.text
    assert "first" in finding.text
    assert finding.hint


def test_of_equal_priority_the_newest_wins(account: Account) -> None:
    rule(account, "old", ("contains", "x"))
    rule(account, "new", ("contains", "x"))
    assert found(account, "duplicate") == [("old", "warning")]


def test_the_same_text_as_another_kind_of_keyword_is_no_duplicate(account: Account) -> None:
    rule(account, "key", ("event_key", "x"))
    rule(account, "code", ("scene", "x"))
    assert linter.of_account(account) == []


def test_rules_that_are_never_on_together_may_share_a_keyword(account: Account) -> None:
    rule(account, "winter", ("exact", "x"), ends_on=date(2999, 2, 1))
    rule(account, "summer", ("exact", "x"), starts_on=date(2999, 2, 2))
    rule(account, "night", ("exact", "y"), from_time=clock(22), until_time=clock(6))
    rule(account, "day", ("exact", "y"), from_time=clock(6), until_time=clock(22))
    assert linter.of_account(account) == []
    rule(account, "spring", ("exact", "x"), starts_on=date(2999, 1, 1), ends_on=date(2999, 3, 1))
    rule(account, "evening", ("exact", "y"), from_time=clock(20), until_time=clock(23))
    assert {name for name, _level in found(account, "duplicate")} == {"winter", "summer", "night", "day"}


def test_a_rule_that_is_off_is_nobodys_rival(account: Account) -> None:
    rule(account, "off", ("exact", "x"), priority=9, enabled=False)
    rule(account, "on", ("exact", "x"))
    assert linter.of_account(account) == []


SHADOWS: list[tuple[str, list[Words], list[Words]]] = [
    ("an exact keyword", [("exact", "报价")], [("exact", "报价")]),
    ("an exact keyword by a contained one", [("contains", "报")], [("exact", "报价")]),
    ("an exact keyword by an expression", [("regex", "^报")], [("exact", "报价")]),
    ("a longer contained keyword by a shorter one", [("contains", "价")], [("contains", "报价单")]),
    ("the same expression", [("regex", "[0-9]+")], [("regex", "[0-9]+")]),
    ("a menu key", [("event_key", "K")], [("event_key", "k")]),
    ("a menu key by an exact keyword", [("exact", "k")], [("event_key", "k")]),
    ("a scene", [("scene", "s")], [("scene", "s")]),
    ("a kind of message", [("message_type", "image")], [("message_type", "image")]),
    ("a take-over", [("takeover", "")], [("takeover", "")]),
    ("all of several keywords", [("contains", "a"), ("exact", "b")], [("exact", "xax"), ("exact", "b")]),
]


@pytest.mark.parametrize(("what", "higher", "lower"), SHADOWS, ids=[what for what, _h, _l in SHADOWS])
def test_a_rule_that_another_always_beats_is_shadowed(
    account: Account, what: str, higher: list[Words], lower: list[Words]
) -> None:
    winner = rule(account, "winner", *higher, priority=5)
    loser = rule(account, "loser", *lower)
    finding = one(account, "shadowed")
    assert (finding.rule_id, finding.level) == (loser.pk, "warning")
    assert "winner" in finding.text
    winner.priority = -5
    winner.save()
    assert ("loser", "warning") not in found(account, "shadowed"), "the other way round it answers"


NO_SHADOWS: list[tuple[str, list[Words], list[Words]]] = [
    ("a shorter contained keyword", [("contains", "报价单")], [("contains", "报价")]),
    ("a contained keyword that an exact one equals", [("exact", "报价")], [("contains", "报价")]),
    ("a contained keyword that an expression finds", [("regex", "^报价$")], [("contains", "报价")]),
    ("another expression", [("regex", "[0-9]+")], [("regex", "[0-9]{6}")]),
    ("a keyword beside", [("exact", "a")], [("exact", "a"), ("exact", "b")]),
    ("a typed text that a menu key equals", [("event_key", "k")], [("exact", "k")]),
    ("anything behind a take-over", [("takeover", "")], [("exact", "x")]),
]


@pytest.mark.parametrize(("what", "higher", "lower"), NO_SHADOWS, ids=[what for what, _h, _l in NO_SHADOWS])
def test_a_rule_that_still_answers_something_is_not_shadowed(
    account: Account, what: str, higher: list[Words], lower: list[Words]
) -> None:
    rule(account, "higher", *higher, priority=5)
    rule(account, "lower", *lower)
    assert found(account, "shadowed") == []


@pytest.mark.parametrize(
    "answers",
    [
        [{"kind": "handler", "name": "nobody"}],
        [text("##NICKNAME##")],
        [{"kind": "transfer_customer_service", "account": ""}],
        [],
    ],
    ids=["a program", "a lone placeholder", "a transfer", "nothing"],
)
def test_an_answer_that_may_fail_shadows_nothing(account: Account, answers: Any) -> None:
    rule(account, "unsure", ("exact", "x"), priority=5, answers=answers)
    rule(account, "next", ("exact", "x"))
    assert found(account, "shadowed") == []


def test_behind_three_others_nobody_is_asked(account: Account) -> None:
    unsure = [text("##NICKNAME##")]
    for number in range(2):
        rule(account, f"n{number}", ("contains", "x"), priority=5, answers=unsure)
    rule(account, "last", ("exact", "x"))
    assert found(account, "shadowed") == []
    rule(account, "n2", ("contains", "x"), priority=5, answers=unsure)
    assert found(account, "shadowed") == [("last", "warning")]


def test_a_rule_of_a_season_shadows_nothing_but_can_be_shadowed(account: Account) -> None:
    rule(account, "season", ("exact", "x"), priority=5, from_time=clock(9), until_time=clock(18))
    rule(account, "always", ("exact", "x"))
    assert found(account, "shadowed") == []
    rule(account, "top", ("exact", "x"), priority=9)
    assert {name for name, _level in found(account, "shadowed")} == {"season", "always"}


def test_an_exact_keyword_that_an_expression_takes_is_told(account: Account) -> None:
    rule(account, "numbers", ("regex", "^[0-9]{6}$"), priority=5)
    rule(account, "mine", ("exact", "123456"), ("exact", "abc"))
    finding = one(account, "expression_first")
    assert "123456" in finding.text
    assert "numbers" in finding.text
    assert found(account, "shadowed") == []


@pytest.mark.parametrize("pattern", ["(a", "[z-a]", "a{2000}", r"(\w)\1", "x*"])
def test_a_stored_pattern_that_cannot_be_used_is_told_with_the_reason(account: Account, pattern: str) -> None:
    broken = rule(account, "broken", ("regex", pattern), ("exact", "fine"))
    finding = one(account, "keyword")
    assert (finding.rule_id, finding.level) == (broken.pk, "error")
    assert pattern in finding.text
    assert len(finding.text) > len(pattern) + 10


def test_a_rule_without_keywords_or_answers_is_told_while_it_is_on(account: Account) -> None:
    rule(account, "empty", answers=[])
    rule(account, "off", answers=[], enabled=False)
    assert found(account) == [("empty", "error"), ("empty", "error")]


@pytest.mark.parametrize(
    "answer",
    [text(" "), {"kind": "image", "media": ""}, {"kind": "news", "articles": []}, {"kind": "handler", "name": "gone"}],
    ids=lambda answer: answer["kind"],
)
def test_an_answer_that_answers_nothing_is_told(account: Account, answer: Any) -> None:
    rule(account, "hollow", ("exact", "x"), answers=[answer])
    assert found(account, "answer") == [("hollow", "error")]


def test_an_answer_that_will_be_cut_is_told(account: Account) -> None:
    rule(account, "long", ("exact", "x"), answers=[text("长" * 700)])
    assert "2048" in one(account, "cut").text


def test_an_account_that_may_not_send_gives_one_answer_only(account: Account) -> None:
    both = [text("a"), text("b")]
    rule(account, "all", ("exact", "x"), answers=both)
    rule(account, "random", ("exact", "y"), answers=both, choice="random")
    assert found(account, "only_first") == []
    account.kind = Account.Kind.SUBSCRIPTION
    account.save()
    assert found(account, "only_first") == [("all", "warning")]


def test_only_what_a_person_writes_can_be_handed_over(account: Account) -> None:
    transfer = {"kind": "transfer_customer_service", "account": ""}
    rule(account, "tap", ("event_key", "HELP"), ("message_type", "subscribe"), answers=[transfer])
    rule(account, "both", ("event_key", "HUMAN"), ("exact", "human"), answers=[transfer])
    rule(account, "second", ("exact", "x"), answers=[text("a"), transfer])
    assert found(account, "transfer") == [("tap", "error"), ("second", "warning")]


def test_several_articles_do_not_reach_who_writes(account: Account) -> None:
    article = {"title": "t", "description": "", "url": "https://example.com/", "picurl": ""}
    news = [{"kind": "news", "articles": [article, article]}]
    rule(account, "writes", ("exact", "x"), answers=news)
    rule(account, "taps", ("event_key", "K"), answers=news)
    assert found(account, "one_article") == [("writes", "info")]


def test_a_rule_whose_days_are_wrong_or_over_is_told(account: Account) -> None:
    rule(account, "turned", ("exact", "a"), starts_on=date(2999, 1, 2), ends_on=date(2999, 1, 1))
    rule(account, "over", ("exact", "b"), ends_on=timezone.localdate() - timedelta(days=1))
    rule(account, "last day", ("exact", "c"), ends_on=timezone.localdate())
    assert found(account) == [("turned", "error"), ("over", "info")]


def test_a_rule_that_answered_nobody_for_90_days_is_told(account: Account) -> None:
    for name in ("idle", "long ago", "lately", "young", "off"):
        rule(account, name, ("exact", name), enabled=name != "off")
    old = timezone.now() - timedelta(days=91)
    Rule.objects.exclude(name="young").update(created_at=old)
    for name, days in (("long ago", 95), ("lately", 3)):
        day = timezone.localdate() - timedelta(days=days)
        RuleDay.objects.create(rule=Rule.objects.get(name=name), day=day, hits=1)
    assert sorted(found(account, "unused")) == [("idle", "info"), ("long ago", "info")]


@pytest.fixture
def menu() -> Iterator[list[str]]:
    """A menu of which somebody else knows the keys."""
    keys: list[str] = []

    @linter.menu_keys
    def tell(_account: Account) -> list[str]:
        return keys

    yield keys
    linter._menu_keys.remove(tell)


def test_a_menu_key_without_a_rule_is_told(account: Account, menu: list[str]) -> None:
    now = timezone.now()
    for key, last in (("TAPPED", now), ("OLD", now - timedelta(days=91))):
        UnansweredText.objects.create(account=account, source="click", text=key, count=1, first_at=last, last_at=last)
    UnansweredText.objects.create(account=account, source="", text="typed", count=1, first_at=now, last_at=now)
    menu += ["DRAFT", "tapped", "ANSWERED"]
    rule(account, "answers", ("event_key", "ANSWERED"))
    keys = [finding.values["key"] for finding in linter.of_account(account) if finding.code == "menu_key"]
    assert sorted(key.upper() for key in keys) == ["DRAFT", "TAPPED"]
    UnansweredText.objects.update(dismissed=True)
    menu.clear()
    assert found(account, "menu_key") == []


def test_a_keyword_in_the_texts_that_leads_nowhere_is_told(account: Account) -> None:
    conf.save(account, {"wechat_welcome_keyword": "hello", "wechat_default_keyword": "help"})
    assert found(account, "reference") == [("", "warning"), ("", "warning")]
    rule(account, "hello", ("exact", "hello"))
    assert one(account, "reference").values == {"keyword": "help"}


def test_one_rule_is_told_its_own_findings_also_where_it_wins(account: Account) -> None:
    old = rule(account, "old", ("exact", "x"))
    new = rule(account, "new", ("exact", "x"), ("regex", "("))
    codes = [(finding.level, finding.code) for finding in linter.of_rule(new)]
    assert codes == [("error", "keyword"), ("info", "duplicate")]
    assert "old" in linter.of_rule(new)[1].text
    assert [finding.code for finding in linter.of_rule(old)] == ["shadowed", "duplicate"]


def test_foreign_texts_stand_in_findings_as_they_are(account: Account) -> None:
    odd = "100%(x)s <b>]]>=1+1‮👍"
    rule(account, f"{odd} 1", ("exact", odd), priority=5)
    rule(account, f"{odd} 2", ("exact", odd))
    assert odd in one(account, "duplicate").text


def test_stored_rules_that_are_odd_in_any_way_are_survived(account: Account) -> None:
    rule(account, "odd").delete()
    for number, odd in enumerate([{}, [1], [[]], [{"kind": "exact"}], [{"kind": 5, "text": []}], "x"]):
        Rule.objects.create(account=account, name=f"k{number}", keywords=odd, answers=[text("a")])
        Rule.objects.create(account=account, name=f"a{number}", keywords=[{"kind": "exact", "text": "x"}], answers=odd)
    assert {finding.code for finding in linter.of_account(account)} >= {"no_keyword", "no_answer"}


def test_ten_thousand_rules_take_less_than_five_seconds(account: Account) -> None:
    kinds = ["exact", "contains", "regex", "event_key", "scene"]
    Rule.objects.bulk_create(
        Rule(
            account=account,
            name=f"rule {number}",
            priority=number % 7,
            keywords=[
                {"kind": kinds[number % 5], "text": f"word{number // 2}"},
                {"kind": "exact", "text": "the same everywhere"},
            ],
            answers=[text("a")],
        )
        for number in range(10_000)
    )
    began = time.process_time()  # the processor's time: other tests run beside this one
    findings = linter.of_account(account)
    assert time.process_time() - began < 5
    assert len(findings) > 9_000
