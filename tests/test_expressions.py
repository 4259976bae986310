"""Expressions of staff stay fast whatever they are, and share their memory."""

import time as clock
from typing import Any

import pytest
from rule_entries import BAD, LONG, entry, explained, matches, said

from wechat import expressions
from wechat.expressions import Expressions, Pack
from wechat.rules import Outcome


@pytest.mark.parametrize("name", BAD)
def test_a_thousand_bad_expressions_do_not_hold_up_a_long_text(name: str) -> None:
    found_by = Expressions([BAD[name](number) for number in range(1000)])
    for text in LONG:
        started = clock.thread_time()
        found_by.search(text)
        assert clock.thread_time() - started < 0.5  # some 25 ms; one that goes back and forth needs hours


def test_an_ordinary_expression_is_asked_before_hundreds_of_bad_ones() -> None:
    patterns = [*(BAD["[ab].{0,99}"](number) for number in range(300)), "ab.*砖"]
    numbers = Expressions(patterns).search("ab砖" + LONG[3])
    assert 300 in numbers


def test_expressions_that_took_too_long_are_left_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    heavy = Expressions([BAD["a.{19}b"](number) for number in range(200)])
    matching = "a" + "x" * 19 + "b" + "7" * 300
    assert 7 in heavy.search(matching)
    assert 7 in heavy.search(matching, limit=-1)  # the first set is asked in any case
    assert 177 not in heavy.search(matching.replace("7", "177"), limit=-1)
    assert 177 in heavy.search(matching.replace("7", "177"))
    assert caplog.text.count("took too long") == 1


def test_expressions_see_the_beginning_of_a_text() -> None:
    assert matches("regex", "报价", said("x" * (expressions.SEEN - 2) + "报价"))
    assert not matches("regex", "报价", said("x" * (expressions.SEEN - 1) + "报价"))
    assert matches("contains", "报价", said("x" * 3000 + "报价"))


def test_half_a_character_in_a_text_breaks_nothing() -> None:
    assert matches("contains", "报价", said("报价\ud83d"))
    assert matches("regex", "报价", said("报价\ud83d"))


def weighed(*patterns: str) -> list[Any]:
    return [expressions._Weighed(number, pattern, 1) for number, pattern in enumerate(patterns)]


def test_a_set_without_enough_memory_becomes_several() -> None:
    patterns = [f"[a-z]{{3}}{number:03}[0-9]" for number in range(200)]
    with pytest.raises(expressions._OutOfMemory):
        Pack(weighed(*patterns), 40_000)
    packs = list(expressions._fitting(weighed(*patterns), 40_000))
    assert len(packs) > 1
    matching = [number for pack in packs for number in pack.search(b"abc0170 xyz1999")]
    assert sorted(matching) == [17, 199]


def test_an_expression_that_no_memory_is_enough_for_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    packs = list(expressions._fitting(weighed("a", "[a-z]{500}", "b"), 20_000))
    assert sorted(number for pack in packs for number in pack.search(b"ab")) == [0, 2]
    assert "[a-z]{500}" in caplog.text


def test_a_set_that_runs_out_of_memory_is_asked_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    patterns = weighed(*["a"] * 5000)
    pack = next(made for memory in range(50_000, 300_000, 1000) if (made := _pack(patterns, memory)))
    assert pack._set.Match(b"xxa") is None  # this is all it says about it
    assert pack.search(b"xxa") == list(range(5000))
    assert pack.search(b"xxb") == []
    assert "out of memory" in caplog.text


def _pack(patterns: list[Any], memory: int) -> Pack | None:
    try:
        return Pack(patterns, memory)
    except expressions._OutOfMemory:
        return None


def test_an_explanation_takes_the_time_it_needs() -> None:
    heavy = [entry(number, ("regex", BAD["[ab].{0,99}"](number))) for number in range(1, 301)]
    assert explained(heavy, said(LONG[3][:240] + "a1c"))[1][0] == Outcome.CHOSEN
