"""The answers that staff write: what is refused and with which words, what will be cut, what a placeholder stands for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from callback import body
from django.core.exceptions import ValidationError

from wechat import answers, messages, placeholders
from wechat.conf import AccountConfig
from wechat.models import Account, Follower
from wechat.routing import Contact
from wechat.rules import Query

ARTICLE = {"title": "t", "description": "", "url": "https://example.com/", "picurl": ""}


@pytest.fixture
def contact(config: AccountConfig) -> Contact:
    """Somebody wrote “多少钱”."""
    message = messages.parse(body("text", Content="多少钱").encode())
    moment = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    return Contact(config, message, 1, moment, query=Query("多少钱", None, "text", None))


@pytest.mark.parametrize(
    ("documents", "complaint"),
    [
        ("text", "must be a list"),
        (["text"], "Answer 1: It has no kind."),
        ([{"kind": "hologram"}], "Answer 1: Unknown kind: hologram."),
        ([{"kind": "text", "content": "ok"}, {"kind": "text", "content": "  "}], "Answer 2: Fill in: Text."),
        ([{"kind": "text", "content": 5}], "Answer 1: Text must be a text"),
        ([{"kind": "text", "content": "x" * 20_001}], "sensible length"),
        ([{"kind": "text", "content": "x", "colour": "red"}], "Answer 1: Unknown field: colour."),
        ([{"kind": "image"}], "Answer 1: Fill in: Media ID."),
        ([{"kind": "music", "url": "https://x/a.mp3"}], "Media ID of the thumbnail"),
        ([{"kind": "music", "thumb": "T", "url": "javascript:alert(1)"}], "https://"),
        ([{"kind": "news", "articles": []}], "1 to 8 articles"),
        ([{"kind": "news", "articles": [ARTICLE] * 9}], "1 to 8 articles"),
        ([{"kind": "news", "articles": ["x"]}], "must have fields"),
        ([{"kind": "news", "articles": [{**ARTICLE, "title": ""}]}], "Fill in: Title."),
        ([{"kind": "news", "articles": [{**ARTICLE, "url": "file:///etc/passwd"}]}], "https://"),
        ([{"kind": "news", "articles": [{**ARTICLE, "picurl": "data:image/png;base64,x"}]}], "https://"),
        ([{"kind": "handler", "name": "nobody"}], "No program"),
        ([{"kind": "handler", "name": ["nobody"]}], "No program"),
        ([{"kind": "text", "content": "x"}] * 6, "At most 5 answers"),
    ],
)
def test_a_bad_answer_is_refused_and_the_words_say_which(documents: Any, complaint: str, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    with pytest.raises(ValidationError) as refused:
        answers.clean(documents)
    assert complaint in " ".join(refused.value.messages)


def test_a_clean_answer_has_all_of_its_fields() -> None:
    cleaned = answers.clean(
        [
            {"kind": "video", "media": "M"},
            {"kind": "news", "articles": [{"title": "t", "url": "https://x.test/?a=##ORDERID##"}]},
            {"kind": "transfer_customer_service"},
        ]
    )
    assert cleaned == [
        {"kind": "video", "media": "M", "title": "", "description": "", "thumb": ""},
        {
            "kind": "news",
            "articles": [{"title": "t", "description": "", "url": "https://x.test/?a=##ORDERID##", "picurl": ""}],
        },
        {"kind": "transfer_customer_service", "account": ""},
    ]


def test_what_will_be_cut_is_said_before() -> None:
    documents = answers.clean(
        [
            {"kind": "text", "content": "报" * 700},
            {"kind": "news", "articles": [{**ARTICLE, "title": "题" * 70}]},
            {"kind": "text", "content": "##NICKNAME## ##NOBODY##"},
        ]
    )
    said = answers.warnings(documents)
    assert len(said) == 3
    assert "2100" in said[0]
    assert "2048" in said[0]
    assert "210" in said[1]
    assert "##NOBODY##" in said[2]


def test_placeholders_are_replaced_once_and_only_known_ones(contact: Contact) -> None:
    filled = placeholders.fill("##ACCOUNT## ##DATE## ##TIME## ##TEXT## ##WHAT##", contact)
    assert filled == "示例 2026-03-04 13:06 多少钱 ##WHAT##"


def test_a_nickname_is_text_and_never_a_placeholder_or_a_link(account: Account, contact: Contact) -> None:
    nickname = '<a href="https://evil/">##ACCOUNT##</a>'
    Follower.objects.create(
        account=account,
        openid=contact.message.sender,
        nickname=nickname,
        first_seen=contact.now,
        last_seen=contact.now,
    )
    assert placeholders.fill("##NICKNAME##", contact) == '‹a href="https://evil/"›##ACCOUNT##‹/a›'
    assert placeholders.fill_link("https://x/?n=##NICKNAME##", contact).count("%23%23") == 2


def test_a_value_is_looked_up_only_where_it_is_used(contact: Contact, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        placeholders.fill("##ACCOUNT## and nothing else", contact)


def test_a_placeholder_has_capital_letters_only() -> None:
    with pytest.raises(ValueError, match="capital letters"):
        placeholders.provide("nick name", "x", sample="x")


def test_a_preview_shows_samples() -> None:
    assert "##" not in placeholders.sample("##NICKNAME## ##TOTALBUDGET##")
