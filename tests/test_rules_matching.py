"""Which keyword of a rule matches what: typed texts, pressed buttons, scanned scenes, kinds of messages, takeovers."""

from datetime import date

import pytest
from rule_entries import entry, found, matches, pressed, said

from wechat.rules import Query


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
