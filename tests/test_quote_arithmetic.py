"""The numbers of a card (rows A-87 … A-90), and its texts: placeholders, odd characters, limits."""

import json
from decimal import Decimal
from typing import Any

import pytest
from callback import OPENID, Callback, answer
from quotes import newest_scan, passive_article, quote

from orders.cards import card_for, link_for, money, placeholders
from orders.models import Figures
from wechat import conf
from wechat.conf import AccountConfig
from wechat.models import Account
from wechat.placeholders import substitute
from wechat.replies import DESCRIPTION_BYTES, TITLE_BYTES

ODD_TITLES = [
    'He said "hi"',
    "back\\slash \\u0041",
    "two\nlines\r\nand\ttab",
    "\U0001f3e0 emoji \U0001f468‍\U0001f469‍\U0001f467",
    "<b>&amp;</b> ]]> <![CDATA[",
    "报" * 600,
    "\U0001f3e0" * 600,
    "red \x1b[31m and bell \x07",
]


def figures(**fields: Any) -> Figures:
    """56,000 yuan for 80 m², 8,000 saved, unless `fields` say otherwise."""
    usual = {"customer": "", "room_area": Decimal(80), "total": Decimal(56000), "saved": Decimal(8000)}
    return Figures(1, 77, **{**usual, **fields})


def card_with(account: Account, **rows: str) -> dict[str, str]:
    """The article of the card of quote 77, as it is sent, after staff changed `rows`."""
    conf.save(account, {f"wechat_message_{name}": value for name, value in rows.items()})
    config = conf.account(account.slug)
    assert config is not None
    body = card_for(figures(), config, openid=OPENID, code="1.secret").custom()
    (article,) = json.loads(json.dumps(body, ensure_ascii=False).encode())["news"]["articles"]
    return dict(article)


def without_controls(text: str) -> str:
    """`text` as it can be shown: XML knows no control characters, and one kind of line end."""
    return text.replace("\r\n", "\n").translate(dict.fromkeys((0x07, 0x1B)))


@pytest.mark.parametrize(
    ("area", "built"),
    [("80", 100), ("89.9", 112), ("0.01", 0), ("0.79", 0), ("0.80", 1), ("88.50", 110), ("9999999.99", 12499999)],
)
def test_the_built_area_is_a_quarter_more_cut_and_not_rounded(area: str, built: int) -> None:
    assert figures(room_area=Decimal(area)).built_area == built


def test_the_built_area_is_computed_with_decimals() -> None:
    # As floats 0.8 × 1.25 × 10**15 and its like fall on the wrong side of the whole number.
    assert figures(room_area=Decimal("4503599627370496.8")).built_area == 5629499534213121


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("56000", "56000"),
        ("56000.00", "56000"),
        ("56000.5", "56000.50"),
        ("0", "0"),
        ("-500.00", "-500"),
        ("1E+6", "1000000"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_money_is_whole_yuan_unless_there_are_cents(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text


def test_the_placeholders_hold_the_numbers_of_the_quote() -> None:
    assert placeholders(figures()) == {
        "ROOMAREA": "100",
        "TOTALBUDGET": "56000",
        "MARKETBUDGET": "64000",
        "SAVEMONEY": "8000",
        "CUSTOMER": "",
        "ORDERID": "77",
    }


def test_without_room_area_the_placeholder_is_empty() -> None:
    assert placeholders(figures(room_area=None))["ROOMAREA"] == ""


def test_a_negative_saving_lowers_the_market_price() -> None:
    values = placeholders(figures(saved=Decimal("-1000.50")))
    assert (values["MARKETBUDGET"], values["SAVEMONEY"]) == ("54999.50", "-1000.50")


@pytest.mark.parametrize(
    "fields",
    [
        {"room_area": None},
        {"saved_money": Decimal(-9000)},
        {"total_money": Decimal("999999999999.99"), "saved_money": Decimal("999999999999.99")},
        {"total_money": Decimal(0), "saved_money": Decimal(0), "room_area": Decimal("0.01")},
    ],
    ids=str,
)
@pytest.mark.usefixtures("worker_alive")
def test_an_odd_quote_is_still_sent(account: Account, push: Callback, fields: dict[str, Any]) -> None:
    stored = quote(account, **fields)
    assert answer(push.scan("77")) is None
    message = newest_scan().message
    assert message is not None
    assert message.state == "waiting"
    assert f"市场价 {money(stored.market_money)} 元" in message.content["articles"][0]["description"]


def test_placeholders_are_replaced_in_one_pass() -> None:
    values = {"CUSTOMER": "##ORDERID##", "ORDERID": "77", "A": "##", "B": "ORDERID##"}
    assert substitute("##CUSTOMER##", values) == "##ORDERID##"
    assert substitute("####ORDERID####", values) == "##77##"
    assert substitute("##A####B##", values) == "##ORDERID##"


@pytest.mark.parametrize(
    "template",
    [
        "##TOKEN##",
        "##openid##",
        "##ORDER ID##",
        "##",
        "{{ settings.SECRET_KEY }}",
        "{% load i18n %}",
        "{0.__class__}",
        "%(ORDERID)s",
        "\\1 \\g<0>",
        "##__class__##",
    ],
)
def test_what_is_no_placeholder_stays_as_it_is(account: Account, template: str) -> None:
    assert card_with(account, title=template, brief=template)["title"] == template


def test_a_customer_who_writes_placeholders_and_markup_is_text(account: Account, config: AccountConfig) -> None:
    name = '##SAVEMONEY## {{ 7 }} <script>alert(1)</script> "\\'
    conf.save(account, {"wechat_message_title": "##CUSTOMER##"})
    fresh = conf.account(account.slug)
    assert fresh is not None
    (article,) = card_for(figures(customer=name), fresh, openid=OPENID, code="1.s").articles
    assert article.title == name


@pytest.mark.parametrize("title", ODD_TITLES, ids=lambda title: ascii(title[:12]))
def test_odd_titles_are_valid_json_within_the_limits(account: Account, title: str) -> None:
    article = card_with(account, title=title, brief=title)
    assert len(article["title"].encode()) <= TITLE_BYTES
    assert len(article["description"].encode()) <= DESCRIPTION_BYTES
    shown = without_controls(article["title"]).removesuffix("…")
    assert without_controls(title).startswith(shown)  # cut between two characters


@pytest.mark.parametrize("title", ODD_TITLES, ids=lambda title: ascii(title[:12]))
def test_odd_titles_are_well_formed_xml_in_a_passive_card(account: Account, push: Callback, title: str) -> None:
    quote(account)
    conf.save(account, {"wechat_message_title": title})
    shown = passive_article(push.scan("77"))["Title"]
    assert len(shown.encode()) <= TITLE_BYTES
    assert without_controls(title).startswith(shown.removesuffix("…"))


def test_texts_of_the_account_come_before_those_of_the_environment(account: Account, settings: Any) -> None:
    settings.WECHAT_MESSAGE_TITLE = "from the environment ##ORDERID##"
    assert card_with(account)["title"] == "from the environment 77"
    assert card_with(account, title="from staff")["title"] == "from staff"
    assert card_with(account, title="")["title"] == "from the environment 77"


def test_a_staff_made_link_gets_its_values_encoded(account: Account) -> None:
    conf.save(
        account, {"wechat_redirect_url_pre": "https://firm.example/q?who=##OPENID##&n=##ORDERID##&c=##SHARECODE##"}
    )
    config = conf.account(account.slug)
    assert config is not None
    link = link_for(config, orderid=77, openid="o A&b=/#?##ORDERID##", code="1.s-_")
    assert link == "https://firm.example/q?who=o%20A%26b%3D%2F%23%3F%23%23ORDERID%23%23&n=77&c=1.s-_"
