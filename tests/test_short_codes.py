"""The short code: digits on the quote page while WeChat gives no code, and the card for who writes them in WeChat."""

import re
from datetime import timedelta
from typing import Any

import pytest
from callback import APPID, OPENID, Callback, answer, body
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from quotes import newest_scan, passive_article, quote, send_due

from orders.models import Order, Scan, ShortCode
from orders.shortcodes import TRIES, shown_code
from wechat import conf, inbox, messages
from wechat.models import Account, OutgoingMessage, Push, Rule
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db
WRONG = "这组数字不正确"


@pytest.fixture
def digits(order: Order) -> str:
    """The digits that stand for the quote 77."""
    return shown_code(order)


def told(response: Any) -> str:
    """The text that answers a push; empty for none."""
    tree = answer(response)
    return tree["Content"] if tree and tree["MsgType"] == "text" else ""


def other_digits(digits: str) -> str:
    """Eight digits that stand for nothing."""
    return "1" * 8 if digits != "1" * 8 else "2" * 8


def test_the_page_shows_digits_while_wechat_gives_no_code(
    client: Client, order: Order, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=45009, match="/cgi-bin/qrcode/create")
    html = client.get(order.get_absolute_url()).content.decode()
    code = ShortCode.objects.get()
    assert re.fullmatch(r"[1-9]\d{7}", code.digits)
    assert f"报价 {code.digits[:4]} {code.digits[4:]}" in html
    assert timedelta(minutes=29) < code.expires_at - timezone.now() <= timedelta(minutes=30)


def test_a_page_with_a_code_makes_no_digits(client: Client, order: Order, simulator: SimulatorServer) -> None:
    client.get(order.get_absolute_url())
    assert not ShortCode.objects.exists()


def test_the_digits_stay_the_same_while_they_are_valid(order: Order) -> None:
    first = shown_code(order)
    assert [shown_code(order) for _ in range(3)] == [first] * 3
    ShortCode.objects.update(expires_at=timezone.now() + timedelta(minutes=4))
    assert shown_code(order) != first
    ShortCode.objects.update(used_at=timezone.now())
    assert shown_code(order) not in ShortCode.objects.exclude(used_at=None).values_list("digits", flat=True)


def test_digits_long_past_their_end_are_removed(order: Order) -> None:
    shown_code(order)
    ShortCode.objects.update(expires_at=timezone.now() - timedelta(days=2))
    shown_code(order)
    assert ShortCode.objects.count() == 1


@pytest.mark.usefixtures("worker_alive")
def test_who_writes_the_digits_gets_the_card(
    push: Callback, order: Order, digits: str, simulator: SimulatorServer
) -> None:
    simulator.platform.add_person(simulator.platform.accounts[APPID], openid=OPENID, follows=True)
    assert answer(push.text(f"报价 {digits}")) is None
    scan = newest_scan()
    assert (scan.kind, scan.order, scan.openid, scan.scene) == (Scan.Kind.TYPED, order, OPENID, "77")
    assert scan.message is not None
    assert scan.message.purpose == "quote"
    assert scan.message.content["articles"][0]["url"].endswith(f"/s/{scan.code}/")
    assert ShortCode.objects.get().used_at is not None
    assert Client().get(scan.get_absolute_url()).status_code == 200
    assert Client().get(f"{order.get_absolute_url()}status").json()["state"] == "scanned"
    send_due()
    assert Push.objects.get().state == "done"


def test_where_nothing_can_be_sent_the_card_is_the_answer(push: Callback, order: Order, digits: str) -> None:
    article = passive_article(push.text(f"报价 {digits}"))
    assert article["Url"].endswith(f"/s/{newest_scan().code}/")
    assert Client().get(f"{order.get_absolute_url()}status").json()["state"] == "sent"


@pytest.mark.parametrize(
    "form",
    [
        "报价 {0}",
        "报价{0}",
        "報價 {0}",
        "报价：{0}",
        "报价  {1}  {2}",
        "报价 {1}-{2}",
        "报价 {0}。",
        " quote {0} ",
        "报价单 {0}",
        "{0}",
        "{1} {2}",
        "full",
    ],
)
def test_the_digits_may_be_written_in_many_ways(push: Callback, digits: str, form: str) -> None:
    wide = str.maketrans("0123456789 ", "０１２３４５６７８９　")
    text = f"报价 {digits}".translate(wide) if form == "full" else form.format(digits, digits[:4], digits[4:])
    passive_article(push.text(text))
    assert newest_scan().kind == Scan.Kind.TYPED


def test_digits_serve_once_and_for_one_person(push: Callback, digits: str) -> None:
    passive_article(push.text(f"报价 {digits}"))
    assert WRONG in told(push.text(f"报价 {digits}", openid="oSomebodyElse_0000000000001"))
    assert WRONG in told(push.text(f"报价 {digits}"))
    assert Scan.objects.count() == 1


def test_a_repeat_of_the_push_gets_the_same_card(push: Callback, digits: str) -> None:
    text = body("text", Content=f"报价 {digits}")
    first, second = push(text), push(text)
    assert first.content == second.content
    assert passive_article(second)
    assert Scan.objects.count() == 1


def test_digits_that_ran_out_and_wrong_ones_get_the_same_words(push: Callback, digits: str) -> None:
    ShortCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    ran_out = told(push.text(f"报价 {digits}"))
    assert WRONG in ran_out
    assert told(push.text(f"报价 {other_digits(digits)}", openid="oOther_000000000000000000001")) == ran_out
    assert not Scan.objects.exists()


def test_the_digits_of_another_account_stand_for_nothing_here(push: Callback, account: Account) -> None:
    other = Account.objects.create(slug="other", name="Other")
    assert WRONG in told(push.text(f"报价 {shown_code(quote(other, orderid=5))}"))
    assert ShortCode.objects.get().used_at is None


def test_staff_may_write_the_words_themselves(push: Callback, account: Account) -> None:
    conf.save(account, {"wechat_short_code_text": "数字不对哦"})
    assert told(push.text("报价 12345678")) == "数字不对哦"


def test_after_five_tries_in_an_hour_even_the_right_digits_bring_nothing(push: Callback, digits: str) -> None:
    for _ in range(TRIES):
        assert WRONG in told(push.text(f"报价 {other_digits(digits)}"))
    assert WRONG in told(push.text(f"报价 {digits}"))
    assert not Scan.objects.exists()
    passive_article(push.text(f"报价 {digits}", openid="oSomebodyElse_0000000000001"))


def test_an_hour_later_he_may_try_again(push: Callback, digits: str) -> None:
    for _ in range(TRIES):
        push.text(other_digits(digits))
    Push.objects.update(received_at=timezone.now() - timedelta(minutes=61))
    passive_article(push.text(f"报价 {digits}"))


def test_digits_alone_are_counted_too(push: Callback, digits: str) -> None:
    for _ in range(TRIES):
        assert told(push.text(other_digits(digits))) == ""
    assert answer(push.text(digits)) is None
    assert not Scan.objects.exists()


def test_other_texts_do_not_use_up_tries(push: Callback, digits: str) -> None:
    for text in ("报价", "报价 89 平", "13800138000", "报价 150000", "2026", "报价 13800138000"):
        push.text(text)
    for _ in range(TRIES - 1):
        push.text(f"报价 {other_digits(digits)}")
    passive_article(push.text(f"报价 {digits}"))


@pytest.mark.parametrize(
    "text", ["报价", "报价 89 平", "报价 150000", "报价 13800138000", "报价 2024-001", "20261121", "电话 12345678"]
)
def test_what_is_no_short_code_is_for_the_rules(push: Callback, account: Account, text: str) -> None:
    keyword = {"kind": "exact", "text": text}
    Rule.objects.create(
        account=account, name="r", keywords=[keyword], answers=[{"kind": "text", "content": "按规则回复"}]
    )
    assert told(push.text(text)) == "按规则回复"


@pytest.mark.parametrize("text", ["hi", "报价", "报价 89 平", "13800138000", "报价 150000", "报" * 500, "1" * 2000])
def test_a_text_that_is_no_attempt_costs_no_statement_more(push: Callback, account: Account, text: str) -> None:
    push.text("warm up")
    with CaptureQueriesContext(connection) as captured:
        push.text(text)
    own = [query["sql"] for query in captured if not re.match("SAVEPOINT|RELEASE|BEGIN|COMMIT", query["sql"])]
    assert len(own) <= 3


@pytest.mark.parametrize("text", ["报价 ١٢٣٤٥٦٧٨", "报价 1234567８９０12", "报价\n\n", "报价 12345678; DROP", "报价 -"])
def test_odd_texts_raise_nothing(push: Callback, order: Order, text: str) -> None:
    assert push.text(text).status_code == 200
    assert not Push.objects.filter(state="failed").exists()


def test_a_rehearsal_uses_nothing_up(push: Callback, account: Account, digits: str) -> None:
    config = conf.account("demo")
    assert config is not None
    rehearsal = inbox.rehearse(config, messages.parse(body("text", Content=f"报价 {digits}").encode()))
    assert "<ArticleCount>1</ArticleCount>" in rehearsal.answer
    assert ShortCode.objects.get().used_at is None
    assert not Scan.objects.exists()
    assert not OutgoingMessage.objects.exists()
