"""Which keywords are stored: a bad one is refused with a reason, and quickly."""

import time as clock

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from rule_entries import KIND_ORDER

from wechat.rules import KINDS, Keyword, check_keyword


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
