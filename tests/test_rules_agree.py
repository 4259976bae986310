"""The index finds what asking the rules one by one finds, for rules and queries drawn at random."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from rule_entries import CHINA, KIND_ORDER, entry, said

from wechat import expressions
from wechat.rules import Keyword, Outcome, Query, RuleEntry, RuleIndex

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
