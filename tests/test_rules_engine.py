"""The rules engine: what matches what, who is asked first, at which time; that nothing bad is stored; that it stays fast."""

import logging
import random
import re
import threading
import time as clock
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from wechat import conf, expressions, rules
from wechat.conf import AccountConfig
from wechat.expressions import Expressions, Pack
from wechat.models import Account, Rule
from wechat.rules import KINDS, Keyword, Outcome, Query, RuleEntry, RuleIndex, check_keyword, entry_of, index_of

CHINA = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 12, tzinfo=CHINA)
TEXT_KINDS = ("exact", "contains", "regex")


def entry(number: int, *keywords: tuple[str, str], **values: Any) -> RuleEntry:
    """A rule with this id that is always on, unless `values` say otherwise."""
    plain: dict[str, Any] = {
        "id": number,
        "name": f"rule {number}",
        "enabled": True,
        "priority": 0,
        "keywords": tuple(Keyword(kind, text) for kind, text in keywords),
        "answers": ({"kind": "text", "content": "ok"},),
        "choice": "all",
        "starts_on": None,
        "ends_on": None,
        "from_time": None,
        "until_time": None,
    }
    return RuleEntry(**plain | values)


def said(text: str) -> Query:
    return Query(text, None, "text", None)


def pressed(key: str, source: str = "click") -> Query:
    return Query(key, source, source, None)


def found(entries: Iterable[RuleEntry], query: Query, now: datetime = NOON) -> list[int]:
    return [candidate.entry.id for candidate in RuleIndex(entries).candidates(query, now)]


def matches(kind: str, keyword: str, query: Query) -> bool:
    return found([entry(1, (kind, keyword))], query) == [1]


@pytest.mark.parametrize(
    ("kind", "keyword", "text"),
    [
        ("exact", "报价", "报价"),
        ("exact", "报价", " 报价\n"),
        ("exact", " 报价 ", "报价"),
        ("exact", "Price", "pRICE"),
        ("exact", "ＡＢＣ１２３", "abc123"),
        ("exact", "abc123", "　ＡＢＣ１２３　"),
        ("exact", "straße", "STRASSE"),
        ("exact", "👍🏽", "👍🏽"),
        ("exact", "]]>", "]]>"),
        ("exact", "?!", "？！"),
        ("exact", "两室 一厅", "两室 一厅"),
        ("contains", "报价", "请问报价多少"),
        ("contains", "报价", "报价"),
        ("contains", "😀", "好的😀谢谢"),
        ("contains", "]]>", "x]]>y"),
        ("contains", "iPhone", "我的ＩＰＨＯＮＥ坏了"),
        ("contains", "价\n多", "报价\n多少"),
        ("regex", "^[0-9]{6}$", "123456"),
        ("regex", "^[0-9]{6}$", " 123456 "),
        ("regex", "报价.{0,3}多少", "请问报价大概多少"),
        ("regex", "(?i)price", "PRICE?"),
        ("regex", "^.$", "😀"),
        ("regex", "]]>", "]]>"),
        ("regex", "(a+)+$", "aaaa"),
        ("takeover", "", "whatever"),
        ("message_type", "text", "whatever"),
    ],
)
def test_a_keyword_matches_a_text(kind: str, keyword: str, text: str) -> None:
    assert matches(kind, keyword, said(text))


@pytest.mark.parametrize(
    ("kind", "keyword", "text"),
    [
        ("exact", "报价", "请问报价"),
        ("exact", "报价", "报"),
        ("exact", "👍🏽", "👍"),
        ("contains", "报价", "报 价"),
        ("contains", "报价", "报"),
        ("regex", "^[0-9]{6}$", "1234567"),
        ("regex", "^[0-9]{6}$", "１２３４５６"),  # expressions see what was written
        ("regex", "price", "PRICE"),
        ("event_key", "报价", "报价"),
        ("scene", "报价", "报价"),
        ("message_type", "image", "image"),
        ("takeover", "", " \n　"),
        *((kind, keyword, " ") for kind, keyword in (("exact", "x"), ("contains", "x"), ("regex", "^"))),
    ],
)
def test_a_keyword_does_not_match_another_text(kind: str, keyword: str, text: str) -> None:
    assert not matches(kind, keyword, said(text))


@pytest.mark.parametrize(
    ("kind", "keyword", "query", "expected"),
    [
        ("event_key", "PRICES", pressed("PRICES"), True),
        ("event_key", "prices", pressed("PRICES"), True),
        ("event_key", "PRICES", pressed("PRICES 2"), False),
        ("event_key", "TILES", pressed("TILES", "scancode_waitmsg"), True),
        ("event_key", "TILES", pressed("TILES", "scancode_push"), True),
        ("event_key", "PLAN", pressed("PLAN", "pic_sysphoto"), True),
        ("event_key", "PLAN", Query("PLAN", "picture", "image", None), True),
        ("event_key", "HERE", pressed("HERE", "location_select"), True),
        ("event_key", "PRICES", Query("PRICES", "voice", "voice", None), False),
        ("event_key", "PRICES", Query("PRICES", "qr", "qr", None), False),
        ("exact", "报价", pressed("报价"), True),
        ("contains", "报", pressed("报价"), True),
        ("regex", "^报", pressed("报价"), True),
        ("contains", "报价", Query("我要报价", "voice", "voice", None), True),
        ("exact", "活动", Query("活动", "qr", "qr", "77"), True),
        ("scene", "sales-7", Query("", "qr", "qr", "sales-7"), True),
        ("scene", " sales-7 ", Query("", "qr", "subscribe", "sales-7"), True),
        ("scene", "sales-7", Query("", "qr", "qr", "SALES-7"), False),  # two codes, perhaps of two people
        ("scene", "sales-7", Query("", "qr", "qr", "sales-77"), False),
        ("scene", "77", Query("77", None, "text", None), False),
        ("message_type", "image", Query("", None, "image", None), True),
        ("message_type", "subscribe", Query("", None, "subscribe", None), True),
        ("message_type", "view", Query("", "view", "view", None), True),
        ("message_type", "voice", Query("你好", "voice", "voice", None), True),
        ("message_type", "image", Query("", None, "voice", None), False),
        ("message_type", "location", Query("", None, "location", None), True),
        ("message_type", "location", Query("", "trace", "trace", None), False),
    ],
)
def test_a_keyword_and_what_is_no_typed_text(kind: str, keyword: str, query: Query, *, expected: bool) -> None:
    assert matches(kind, keyword, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (said("你好"), True),
        (Query("你好", "voice", "voice", None), True),
        (Query("", None, "image", None), True),
        (Query("", None, "voice", None), True),  # not recognised, and said all the same
        (pressed("KEY"), True),
        (pressed("KEY", "scancode_waitmsg"), True),
        (said(""), False),
        (Query("", None, "subscribe", None), False),
        (pressed("KEY", "scancode_push"), False),
        (pressed("KEY", "pic_weixin"), False),
        (pressed("KEY", "location_select"), False),
        (Query("", "view", "view", None), False),
        (Query("", "trace", "trace", None), False),
        (Query("", "qr", "qr", "77"), False),
        (Query("help", "default", "text", None), False),
        (Query("hello", "welcome", "text", None), False),
    ],
)
def test_a_takeover_answers_what_a_person_says_or_waits_for(query: Query, *, expected: bool) -> None:
    assert matches("takeover", "", query) == expected


def test_a_takeover_comes_after_all_other_rules_whatever_its_priority() -> None:
    rest, other = entry(1, ("takeover", ""), priority=1000), entry(2, ("contains", "报价"), priority=-1000)
    assert found([rest, other], said("报价")) == [2]
    assert found([rest, other], said("你好")) == [1]
    assert found([rest, entry(2, ("exact", "报价"), enabled=False)], said("报价")) == [1]
    assert found([rest, entry(2, ("exact", "报价"), ends_on=date(2026, 3, 1))], said("报价")) == [1]


def test_a_rule_may_be_both_a_takeover_and_something_else() -> None:
    both, rest = entry(1, ("takeover", ""), ("exact", "报价")), entry(2, ("takeover", ""), priority=1)
    assert found([both, rest], said("报价")) == [1]
    assert found([both, rest], said("你好")) == [2, 1]


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


def explained(entries: Iterable[RuleEntry], query: Query) -> dict[int, tuple[Outcome, str]]:
    with translation.override("en"):
        return {each.entry.id: (each.outcome, each.reason) for each in RuleIndex(entries).explain(query, NOON)}


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


# One by one, without any index: what the index must agree with.

LETTERS = "abAＡ报价😀 1"
WORDS = st.text(LETTERS, min_size=1, max_size=3)
PATTERNS = st.sampled_from(
    [
        "a",
        "^a",
        "b$",
        "a.b",
        "^报价$",
        "[ab]+1",
        "(a|报)价",
        "😀",
        "(?i)A{2}",
        ".*a.*b",
        "a{2,3}",
        "^.{3}$",
        "1+$",
        "b b",
    ]
)
KEYWORDS = st.one_of(
    st.tuples(st.sampled_from(["exact", "contains", "event_key"]), WORDS),
    st.tuples(st.just("regex"), PATTERNS),
    st.tuples(st.just("scene"), st.sampled_from(["1", "a"])),
    st.tuples(st.just("message_type"), st.sampled_from(["text", "image", "click"])),
    st.just(("takeover", "")),
)
HOURS = st.none() | st.sampled_from([time(0), time(6), time(12), time(22)])
DAYS = st.none() | st.dates(date(2026, 3, 1), date(2026, 3, 3))
ENTRIES = st.lists(
    st.builds(
        lambda keywords, **values: (keywords, values),
        st.lists(KEYWORDS, max_size=3),
        enabled=st.sampled_from([True, True, True, False]),
        priority=st.integers(0, 1),
        starts_on=DAYS,
        ends_on=DAYS,
        from_time=HOURS,
        until_time=HOURS,
    ),
    max_size=12,
)
QUERIES = st.one_of(
    st.builds(said, st.text(LETTERS, max_size=6)),
    st.builds(lambda text, count: said(text + "z" * count), st.text(LETTERS, max_size=6), st.sampled_from([200, 300])),
    st.builds(
        Query,
        st.text(LETTERS, max_size=3),
        st.sampled_from([None, "click", "voice", "qr", "pic_weixin"]),
        st.sampled_from(["text", "image", "click", "subscribe"]),
        st.sampled_from([None, "1", "a"]),
    ),
)
MOMENTS = st.builds(
    lambda day, minutes: datetime(2026, 3, day, tzinfo=CHINA) + timedelta(minutes=minutes),
    st.integers(1, 3),
    st.sampled_from([0, 1, 359, 360, 500, 719, 720, 1000, 1319, 1320, 1439]),
)
KIND_ORDER = ("exact", "event_key", "scene"), ("contains",), ("regex",), ("message_type",), ("takeover",)


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def naive_match(keyword: Keyword, query: Query) -> bool:
    kind, wanted = keyword.kind, plain(keyword.text)
    text, original = plain(query.text), query.text.strip()
    if kind == "scene":
        return query.scene == keyword.text
    if kind == "message_type":
        return query.handle == keyword.text
    if not text or (kind != "regex" and not wanted):
        return False
    if kind == "event_key":
        return query.source in ("click", "pic_weixin") and text == wanted
    if kind == "regex":
        return re.search(keyword.text, original[: expressions.SEEN]) is not None
    return text == wanted if kind == "exact" else kind == "contains" and wanted in text


def naive_season(each: RuleEntry, now: datetime) -> bool:
    day, minute = now.date(), now.hour * 60 + now.minute + (now.second + now.microsecond / 1e6) / 60
    begin, end = each.from_time or time(0), each.until_time
    first = begin.hour * 60
    last = 24 * 60 if end is None else end.hour * 60
    inside = first <= minute < last if end is None or first < last else not last <= minute < first
    return each.enabled and (each.starts_on or date.min) <= day <= (each.ends_on or date.max) and inside


def naive_candidates(entries: list[RuleEntry], query: Query, now: datetime) -> list[tuple[int, Keyword]]:
    place = {kind: number for number, kinds in enumerate(KIND_ORDER) for kind in kinds}
    hits, rest = [], []
    for each in entries:
        if not naive_season(each, now):
            continue
        matching = [keyword for keyword in each.keywords if naive_match(keyword, query)]
        if matching:
            best = min(matching, key=lambda keyword: place[keyword.kind])
            hits.append(((-each.priority, place[best.kind], -each.id), (each.id, best)))
        elif any(keyword.kind == "takeover" for keyword in each.keywords):
            rest.append(((-each.priority, -each.id), (each.id, Keyword("takeover", ""))))
    if query.source is None:
        spoken = bool(query.text.strip()) if query.handle == "text" else query.handle == "image"
    else:
        spoken = query.source in ("click", "voice")
    asked = sorted(hits) if hits else sorted(rest) if spoken else []
    return [answer for _rank, answer in asked[:3]]


@effort(max_examples=600, deadline=None)
@given(drawn=ENTRIES, queries=st.lists(QUERIES, min_size=1, max_size=5), now=MOMENTS)
def test_the_index_finds_what_asking_the_rules_one_by_one_finds(
    drawn: list[tuple[list[tuple[str, str]], dict[str, Any]]], queries: list[Query], now: datetime
) -> None:
    entries = [entry(number, *keywords, **values) for number, (keywords, values) in enumerate(drawn, start=1)]
    index = RuleIndex(entries)
    for query in queries:
        expected = naive_candidates(entries, query, now)
        assert [(each.entry.id, each.keyword) for each in index.candidates(query, now)] == expected
        verdicts = index.explain(query, now)
        assert [(each.entry.id, each.keyword) for each in verdicts if each.outcome is Outcome.CHOSEN] == expected
        assert sorted(each.entry.id for each in verdicts) == [each.id for each in entries]
        for each in verdicts:
            assert (each.keyword is not None) == (each.outcome in (Outcome.CHOSEN, Outcome.BEATEN))
            assert each.reason


@pytest.mark.parametrize(
    ("kind", "text", "word"),
    [
        ("nonsense", "x", "exact"),
        ("exact", "", "Type a keyword"),
        ("contains", " \n　", "Type a keyword"),
        ("regex", "", "Type a keyword"),
        ("scene", " ", "Type a keyword"),
        ("exact", "x" * 201, "At most 200"),
        ("regex", "a" * 10_000, "At most 200"),
        ("scene", "x" * 65, "At most 64"),
        ("exact", "a\0b", "cannot be stored"),
        ("regex", "a\ud83d", "cannot be stored"),
        ("takeover", "x", "no text"),
        ("message_type", "Image", "small letters"),
        ("message_type", "<b>", "small letters"),
        ("regex", "(", "never closed"),
        ("regex", "a)", "never opened"),
        ("regex", "[a", "never closed"),
        ("regex", "[z-a]", "z-a"),
        ("regex", "*a", "nothing that it could repeat"),
        ("regex", "a**", "**"),
        ("regex", "a{2000}", "{2000}"),
        ("regex", "((a{100}){100}){100}", "{100}"),
        ("regex", "a(?=b)", "look ahead or behind"),
        ("regex", "(?<!a)b", "(?<! is not possible"),
        ("regex", r"(a)\1", "Referring back"),
        ("regex", r"(?P<n>a)(?P=n)", "(?P is not possible"),
        ("regex", "a\\", "ends in"),
        ("regex", "(?P<n", "invalid named capture group"),
        ("regex", "a*", "take-over"),
        ("regex", ".*", "take-over"),
        ("regex", "^", "take-over"),
        ("regex", "(a|)", "take-over"),
        ("regex", r"(?i)\p{L}{1,20}", "too large"),
        ("regex", ".{1,1000}", "too large"),
    ],
)
def test_a_bad_keyword_is_refused_with_a_reason(kind: str, text: str, word: str) -> None:
    with translation.override("en"):
        with pytest.raises(ValidationError) as caught:
            check_keyword(Keyword(kind, text))
        assert word in " ".join(caught.value.messages)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("takeover", ""),
        ("exact", "？"),
        ("contains", "..."),
        ("exact", "x" * 200),
        ("regex", "(a+)+$"),
        ("regex", "(.*a){20}"),
        ("regex", r"1[3-9]\d{9}"),
        ("regex", "报价.{0,20}多少"),
        ("regex", r"\p{Han}+"),
        ("regex", ".+"),
        ("regex", " 报价"),
        ("regex", "%(part)s|%"),
        ("scene", "x" * 64),
        ("message_type", "subscribe"),
        ("message_type", "user_scan_product_enter_session"),
        ("event_key", "V1001_TODAY"),
    ],
)
def test_a_good_keyword_is_taken(kind: str, text: str) -> None:
    check_keyword(Keyword(kind, text))


def test_every_kind_has_a_name_for_staff() -> None:
    assert set(KINDS) == {kind for kinds in KIND_ORDER for kind in kinds}
    assert all(map(str, KINDS.values()))


def test_refusing_an_expression_is_quick_and_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    hostile = ["(" * 200, r"\p{L}" * 40, "((a{9}){9}){9}" * 14, "(?i)" + r"\pL{9}" * 30, "[" * 200, ".{99}" * 40]
    started = clock.thread_time()
    for pattern in hostile:
        with pytest.raises(ValidationError):
            check_keyword(Keyword("regex", pattern))
    assert clock.thread_time() - started < 1
    assert capfd.readouterr() == ("", "")


LONG = [
    "a" * 2048,
    "".join(random.Random(1).choices("ab", k=2048)),
    "".join(random.Random(2).choices("ab0123456789", k=2048)),
    "".join(random.Random(3).choices("ab砖价😀", k=2048)),
    "砖" * 2048,
]
BAD: dict[str, Callable[[int], str]] = {
    "(a+)+$": lambda number: f"(a+)+{number or '$'}",
    "(.*a){20}": lambda number: f"(.*a){{20}}{number or ''}",
    "a.{19}b": lambda number: f"a.{{19}}b{number or ''}",
    "[ab].{0,99}": lambda number: f"[ab].{{0,99}}{number or 'c'}",
}


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


def test_a_bad_stored_keyword_leaves_the_others_alone() -> None:
    broken = entry(1, ("regex", "("), ("hologram", "x"), ("exact", ""), ("takeover", "?"), ("contains", "报价"))
    index = RuleIndex([broken, entry(2, ("regex", "报价.*"))])
    assert [each.entry.id for each in index.candidates(said("报价"), NOON)] == [1, 2]
    assert index.candidates(said("x"), NOON) == []
    assert {keyword.kind for keyword in index.unusable} == {"regex", "hologram", "exact", "takeover"}


def test_a_keyword_that_cannot_be_used_explains_nothing() -> None:
    padded = entry(1, ("exact", "x" + " " * 200))
    assert explained([padded, entry(2, ("exact", "x"))], said("x"))[1][0] == Outcome.UNUSABLE


def test_an_explanation_takes_the_time_it_needs() -> None:
    heavy = [entry(number, ("regex", BAD["[ab].{0,99}"](number))) for number in range(1, 301)]
    assert explained(heavy, said(LONG[3][:240] + "a1c"))[1][0] == Outcome.CHOSEN


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


def run_all(threads: Iterable[threading.Thread]) -> None:
    running = list(threads)
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


# The index of an account.


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


def test_ten_thousand_rules_are_ready_in_seconds_and_explain_themselves() -> None:
    entries = [
        entry(number, (("exact", "contains", "regex")[number % 3], f"瓷砖{number}"), priority=number % 7)
        for number in range(1, 10_001)
    ]
    started = clock.thread_time()
    index = RuleIndex(entries)
    assert {each.outcome for each in index.explain(said("瓷砖9999"), NOON)} == {Outcome.CHOSEN, Outcome.NO_MATCH}
    assert clock.thread_time() - started < 5


def test_a_season_is_over_by_itself_without_a_new_index() -> None:
    index = RuleIndex([entry(1, ("exact", "x"), ends_on=date(2026, 3, 2))])
    assert index.candidates(said("x"), NOON)
    assert not index.candidates(said("x"), NOON + timedelta(days=1))
