"""Which rules are asked first, in which season, and the verdict that each of them gets in words."""

import random
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rule_entries import CHINA, NOON, entry, explained, found, pressed, said

from wechat.rules import Keyword, Outcome, Query, RuleEntry, RuleIndex


def test_priority_comes_first_then_the_kind_then_the_newest() -> None:
    ranked = [
        entry(1, ("message_type", "text"), priority=2),
        entry(9, ("exact", "报价"), priority=1),
        entry(8, ("exact", "报价"), priority=1),
        entry(2, ("contains", "报"), priority=1),
        entry(5, ("regex", "报"), priority=1),
        entry(6, ("message_type", "text"), priority=1),
        entry(3, ("exact", "报价")),
        entry(4, ("exact", "报价"), priority=-1),
    ]
    shuffled = random.Random(3).sample(ranked, len(ranked))
    assert found(shuffled, said("报价")) == [each.id for each in ranked[:3]]
    for start in range(len(ranked) - 2):
        assert found(shuffled_without(shuffled, ranked[:start]), said("报价")) == [
            each.id for each in ranked[start : start + 3]
        ]


def shuffled_without(entries: list[RuleEntry], gone: list[RuleEntry]) -> list[RuleEntry]:
    return [each for each in entries if each not in gone]


def test_a_menu_key_and_a_scene_rank_as_an_exact_keyword() -> None:
    entries = [entry(1, ("event_key", "K")), entry(2, ("contains", "K")), entry(3, ("exact", "k"))]
    assert found(entries, pressed("K")) == [3, 1, 2]
    entries = [entry(1, ("scene", "7")), entry(2, ("message_type", "qr"))]
    assert found(entries, Query("", "qr", "qr", "7")) == [1, 2]


def test_a_rule_is_a_candidate_once_with_its_best_keyword() -> None:
    many = entry(1, ("regex", "报"), ("contains", "报"), ("exact", "报价"), ("contains", "价"), ("exact", " 报价"))
    other = entry(2, ("contains", "报价"))
    candidates = RuleIndex([many, other]).candidates(said("报价"), NOON)
    assert [(each.entry.id, each.keyword) for each in candidates] == [
        (1, Keyword("exact", "报价")),
        (2, Keyword("contains", "报价")),
    ]


def test_a_keyword_of_thousands_of_rules_gives_the_three_best_in_season() -> None:
    entries = [entry(number, ("contains", "报价")) for number in range(1, 3001)]
    entries += [
        entry(number, ("contains", "报价"), priority=5, from_time=time(22), until_time=time(6))
        for number in range(4000, 5000)
    ]
    entries.append(entry(9, ("contains", "报价"), priority=1))
    assert found(entries, said("报价")) == [9, 3000, 2999]
    assert found(entries, said("报价"), NOON.replace(hour=23)) == [4999, 4998, 4997]


SEASONS: list[tuple[dict[str, Any], str, Outcome | None]] = [
    ({"enabled": False}, "2026-03-02 12:00", Outcome.OFF),
    ({"starts_on": date(2026, 3, 2)}, "2026-03-01 23:59", Outcome.EARLY),
    ({"starts_on": date(2026, 3, 2)}, "2026-03-02 00:00", None),
    ({"ends_on": date(2026, 3, 2)}, "2026-03-02 23:59", None),
    ({"ends_on": date(2026, 3, 2)}, "2026-03-03 00:00", Outcome.OVER),
    ({"starts_on": date(2026, 3, 2), "ends_on": date(2026, 3, 2)}, "2026-03-02 08:00", None),
    ({"from_time": time(9)}, "2026-03-02 08:59", Outcome.HOUR),
    ({"from_time": time(9)}, "2026-03-02 09:00", None),
    ({"from_time": time(9)}, "2026-03-02 23:59", None),
    ({"until_time": time(9)}, "2026-03-02 00:00", None),
    ({"until_time": time(9)}, "2026-03-02 09:00", Outcome.HOUR),
    ({"from_time": time(9), "until_time": time(18)}, "2026-03-02 17:59", None),
    ({"from_time": time(9), "until_time": time(18)}, "2026-03-02 18:00", Outcome.HOUR),
    ({"from_time": time(22), "until_time": time(6)}, "2026-03-02 21:59", Outcome.HOUR),
    ({"from_time": time(22), "until_time": time(6)}, "2026-03-02 22:00", None),
    ({"from_time": time(22), "until_time": time(6)}, "2026-03-02 00:00", None),
    ({"from_time": time(22), "until_time": time(6)}, "2026-03-02 05:59", None),
    ({"from_time": time(22), "until_time": time(6)}, "2026-03-02 06:00", Outcome.HOUR),
    ({"from_time": time(18), "until_time": time(0)}, "2026-03-02 23:59", None),
    ({"from_time": time(18), "until_time": time(0)}, "2026-03-02 00:00", Outcome.HOUR),
    ({"until_time": time(0)}, "2026-03-02 15:00", None),
    ({"from_time": time(9), "until_time": time(9)}, "2026-03-02 03:00", None),
    ({"starts_on": date(2026, 3, 2), "from_time": time(9)}, "2026-03-02 08:00", Outcome.HOUR),
]


@pytest.mark.parametrize(("season", "at", "outcome"), SEASONS)
def test_a_rule_is_a_candidate_in_its_season_only(season: dict[str, Any], at: str, outcome: Outcome | None) -> None:
    index = RuleIndex([entry(1, ("exact", "报价"), **season)])
    now = datetime.fromisoformat(at).replace(tzinfo=CHINA)
    assert bool(index.candidates(said("报价"), now)) == (outcome is None)
    assert index.explain(said("报价"), now)[0].outcome == (outcome or Outcome.CHOSEN)


def test_the_day_and_the_hour_are_those_of_the_firm() -> None:
    morning = entry(1, ("exact", "早"), starts_on=date(2026, 3, 2), from_time=time(0), until_time=time(9))
    assert found([morning], said("早"), datetime(2026, 3, 1, 16, 30, tzinfo=ZoneInfo("UTC"))) == [1]
    assert found([morning], said("早"), datetime(2026, 3, 1, 15, 30, tzinfo=ZoneInfo("UTC"))) == []
    assert found([morning], said("早"), datetime(2026, 3, 2, 1, 30, tzinfo=ZoneInfo("UTC"))) == []


def test_a_season_is_over_by_itself_without_a_new_index() -> None:
    index = RuleIndex([entry(1, ("exact", "x"), ends_on=date(2026, 3, 2))])
    assert index.candidates(said("x"), NOON)
    assert not index.candidates(said("x"), NOON + timedelta(days=1))


def test_every_rule_gets_its_verdict_in_words() -> None:
    entries = [
        *(entry(number, ("contains", "报")) for number in (1, 2, 3)),
        entry(4, ("exact", "报价")),
        entry(5, ("exact", "报价"), enabled=False),
        entry(6, ("exact", "报价"), starts_on=date(2026, 4, 1)),
        entry(7, ("exact", "报价"), ends_on=date(2026, 2, 1)),
        entry(8, ("exact", "报价"), until_time=time(6)),
        entry(9, ("exact", "地址")),
        entry(10, ("takeover", "")),
        entry(11, ("regex", "(")),
        entry(12),
    ]
    assert explained(entries, said("报价")) == {
        4: (Outcome.CHOSEN, "matched: exact 报价"),
        3: (Outcome.CHOSEN, "matched: contained 报"),
        2: (Outcome.CHOSEN, "matched: contained 报"),
        1: (Outcome.BEATEN, "matched: contained 报, but three others come first"),
        5: (Outcome.OFF, "off"),
        6: (Outcome.EARLY, "not yet (dates)"),
        7: (Outcome.OVER, "no more (dates)"),
        8: (Outcome.HOUR, "not at this hour"),
        9: (Outcome.NO_MATCH, "no keyword matches"),
        10: (Outcome.OTHERS, "take-over: another rule matches"),
        11: (Outcome.UNUSABLE, "none of its keywords can be used"),
        12: (Outcome.NO_MATCH, "no keyword matches"),
    }


def test_the_verdicts_begin_with_the_candidates_and_then_what_matches_too() -> None:
    entries = [
        entry(9, ("exact", "no"), priority=9),
        *(entry(number, ("exact", "报价"), priority=number) for number in range(1, 6)),
    ]
    verdicts = RuleIndex(entries).explain(said("报价"), NOON)
    assert [each.entry.id for each in verdicts] == [5, 4, 3, 2, 1, 9]
    assert [each.keyword is not None for each in verdicts] == [True] * 5 + [False]


def test_a_takeover_is_explained() -> None:
    rest = entry(1, ("takeover", ""))
    assert explained([rest], said("?"))[1] == (Outcome.CHOSEN, "matched: take-over")
    unspoken = (Outcome.UNSPOKEN, "take-over: this is nothing that a person said")
    assert explained([rest], Query("", "trace", "trace", None))[1] == unspoken
    four = [entry(number, ("takeover", "")) for number in range(4)]
    assert explained(four, said("?"))[0] == (
        Outcome.BEATEN,
        "matched: take-over, but three others come first",
    )


def test_a_percent_sign_of_staff_is_shown_as_it_is() -> None:
    assert explained([entry(1, ("contains", "100%(x)s"))], said("100%(x)s"))[1][1] == "matched: contained 100%(x)s"
