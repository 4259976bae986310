"""The page "Try a message": what it shows, that it sends and keeps nothing, and who may use it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from orders.models import Order
from wechat import conf, routing
from wechat.models import Account, Follower, Membership, Rule
from wechat.replies import Text
from wechat.routing import Contact, Handled
from wechat.trial import FIELDS, KINDS

HOSTILE = "<script>alert(1)</script>]]>=1+1‮x👍🏽"


def text(content: str) -> dict[str, Any]:
    return {"kind": "text", "content": content}


def rule(account: Account, name: str, *keywords: tuple[str, str], answers: Any = None, **values: Any) -> Rule:
    words = [{"kind": kind, "text": word} for kind, word in keywords]
    given = [text(f"answer of {name}")] if answers is None else answers
    return Rule.objects.create(account=account, name=name, keywords=words, answers=given, **values)


def counts() -> dict[str, int]:
    """The rows of every table."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def attempt(client: Client, account: Account, kind: str = "text", **fields: Any) -> Any:
    """Try it on the page; every table has as many rows as before, and no follower changed."""
    before, people = counts(), list(Follower.objects.order_by("pk").values())
    response = client.post(reverse("admin:wechat_rule_try"), {"account": account.pk, "kind": kind, **fields})
    assert counts() == before
    assert list(Follower.objects.order_by("pk").values()) == people
    return response


def shown(response: Any) -> str:
    """The result as it stands on the page, without the form."""
    page = response.content.decode()
    assert 'id="result"' in page, re.findall(r"errornote[^<]*<[^<]*", page)
    return str(page.partition('id="result"')[2])


def member(account: Account, *rights: str) -> Client:
    """Staff of this account with these rights."""
    user = User.objects.create_user(f"member{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def failing() -> Iterator[str]:
    """The name of a handler that writes something and then fails."""

    @routing.named("failing", "Failing")
    def fails(contact: Contact) -> Handled | None:
        Rule.objects.create(account_id=contact.account.id, name="made by a handler")
        Follower.objects.update(nickname="changed")
        raise RuntimeError("<b>boom</b>")

    yield "failing"
    routing.named_handlers.pop("failing")


def test_the_page_opens_with_every_kind_and_every_box(staff: Client, account: Account) -> None:
    page = staff.get(reverse("admin:wechat_rule_try")).content.decode()
    for name in KINDS:
        assert f'<option value="{name}"' in page
    for name in FIELDS:
        assert f'name="{name}"' in page
    assert 'id="result"' not in page


def test_it_stands_in_the_menu(staff: Client, account: Account) -> None:
    assert reverse("admin:wechat_rule_try") in staff.get(reverse("admin:index")).content.decode()


def test_a_text_shows_its_rule_the_answer_and_why_others_do_not(staff: Client, account: Account) -> None:
    price = rule(account, "price", ("exact", "报价"))
    rule(account, "second", ("contains", "报"), priority=-1)
    rule(account, "switched off", ("exact", "报价"), enabled=False)
    rule(account, "elsewhere", ("exact", "x"))
    response = attempt(staff, account, content="报价")
    result = shown(response)
    assert result.index("price") < result.index("second") < result.index("switched off") < result.index("elsewhere")
    assert reverse("admin:wechat_rule_change", args=[price.pk]) in result
    assert "answer of price" in result
    assert "answer of second" not in result
    assert "&lt;Content&gt;&lt;![CDATA[answer of price]]&gt;&lt;/Content&gt;" in result
    context = response.context
    assert [row["won"] for row in context["matched"]["rows"]] == [True, False]
    assert [row["place"] for row in context["matched"]["rows"]] == [1, 2]
    assert (context["kept_out"]["count"], context["others"]["count"]) == (1, 1)


EVENTS: list[tuple[str, dict[str, str], tuple[str, str]]] = [
    ("click", {"key": "PRICES"}, ("event_key", "PRICES")),
    ("qr", {"scene": "sales-7"}, ("scene", "sales-7")),
    ("subscribe_by_code", {"scene": "sales-7"}, ("scene", "sales-7")),
    ("subscribe", {}, ("message_type", "subscribe")),
    ("scancode_waitmsg", {"key": "TILES", "result": "690"}, ("exact", "690")),
    ("scancode_push", {"key": "TILES"}, ("event_key", "TILES")),
    ("voice", {"content": "我要报价"}, ("contains", "报价")),
    ("image", {}, ("message_type", "image")),
    ("location", {}, ("message_type", "location")),
    ("link", {"url": "https://example.com/"}, ("message_type", "link")),
]


@pytest.mark.parametrize(("kind", "fields", "keyword"), EVENTS, ids=[kind for kind, _f, _k in EVENTS])
def test_what_a_person_does_finds_its_rule(
    staff: Client, account: Account, kind: str, fields: dict[str, str], keyword: tuple[str, str]
) -> None:
    rule(account, "meant", keyword)
    assert "answer of meant" in shown(attempt(staff, account, kind, **fields))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_tried_and_keeps_nothing(staff: Client, account: Account, order: Order, kind: str) -> None:
    response = attempt(staff, account, kind, **dict.fromkeys(KINDS[kind].fields, "77"))
    assert response.context["result"].rehearsal.error == ""


def test_a_scan_of_a_quote_shows_the_card_and_sends_none(
    staff: Client, account: Account, order: Order, worker_alive: Any
) -> None:
    response = attempt(staff, account, "qr", scene="77")
    assert response.context["result"].rehearsal.effects
    assert "56000" in shown(response).replace(",", "")


def test_who_may_not_see_messages_does_not_read_quotes_by_their_numbers(
    account: Account, order: Order, worker_alive: Any
) -> None:
    conf.save(account, {"wechat_welcome_text": "for ##CUSTOMER##"})
    for kind in ("qr", "subscribe_by_code"):
        response = attempt(member(account, "view_rule"), account, kind, scene="77")
        assert response.context["hidden"]
        assert "56000" not in response.content.decode().replace(",", "")
        assert order.customer not in response.content.decode()
    assert not attempt(member(account, "view_rule", "view_push"), account, "qr", scene="77").context["hidden"]


def test_a_handler_that_fails_is_told_and_leaves_nothing(staff: Client, account: Account, failing: str) -> None:
    rule(account, "program", ("takeover", ""), answers=[{"kind": "handler", "name": failing}])
    response = attempt(staff, account, content="x")
    assert response.status_code == 200
    assert "&lt;b&gt;boom&lt;/b&gt;" in shown(response)
    assert not Rule.objects.filter(name="made by a handler").exists()


def test_the_moment_decides_about_days_and_hours(staff: Client, account: Account) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    rule(account, "tomorrow", ("exact", "x"), starts_on=tomorrow, ends_on=tomorrow)
    assert "answer of tomorrow" not in shown(attempt(staff, account, content="x"))
    assert "answer of tomorrow" in shown(attempt(staff, account, content="x", at=f"{tomorrow}T12:00"))


def test_a_follower_is_greeted_by_his_name_where_followers_may_be_seen(staff: Client, account: Account) -> None:
    now = timezone.now()
    Follower.objects.create(account=account, openid=OPENID, nickname="小李", first_seen=now, last_seen=now)
    rule(account, "hello", ("exact", "x"), answers=[text("to ##NICKNAME##!")])
    assert "to 小李!" in shown(attempt(staff, account, content="x", openid=OPENID))
    assert "to !" in shown(attempt(staff, account, content="x"))
    assert "to !" in shown(attempt(member(account, "view_rule"), account, content="x", openid=OPENID))


def test_the_default_reply_and_silence_are_told_apart(staff: Client, account: Account) -> None:
    assert attempt(staff, account, content="x").context["result"].rehearsal.answer == ""
    conf.save(account, {"wechat_default_reply": "write 报价"})
    assert "write 报价" in shown(attempt(staff, account, content="x"))


def test_what_follows_the_answer_is_shown(staff: Client, account: Account) -> None:
    rule(account, "two", ("exact", "x"), answers=[text("first words"), text("second words")])
    response = attempt(staff, account, content="x")
    assert [bubble["content"] for bubble in response.context["bubbles"]] == ["x", "first words", "second words"]
    assert len(response.context["effects"]) == 1


def test_an_answer_that_is_not_delivered_is_not_shown_on_the_phone(staff: Client, account: Account) -> None:
    rule(account, "links", ("message_type", "view"))
    response = attempt(staff, account, "view", key="https://example.com/")
    assert response.context["bubbles"][-1]["kind"] == "notice"
    assert response.context["xml"] == ""


@pytest.mark.parametrize("content", [HOSTILE, "a\r\nb", "=cmd|' /C calc'!A0", "💣" * 500, "\u202eabc", "{{ 7*7 }}"])
def test_foreign_texts_are_shown_as_text(staff: Client, account: Account, content: str) -> None:
    rule(account, HOSTILE, ("exact", HOSTILE), ("takeover", ""), answers=[text(f"##TEXT## {HOSTILE}")])
    page = attempt(staff, account, content=content).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert str(escape(content.replace("\r\n", "\n"))) in page


def test_a_mistake_is_told_at_its_box(staff: Client, account: Account) -> None:
    for kind, fields, name in (
        ("text", {"content": " "}, "content"),
        ("click", {}, "key"),
        ("qr", {"scene": "x" * 65}, "scene"),
        ("shout", {}, "kind"),
        ("text", {"content": "x", "openid": "no such"}, "openid"),
        ("text", {"content": "x", "at": "9999-12-31T23:59"}, "at"),
        ("text", {"content": "x", "at": "soon"}, "at"),
    ):
        response = attempt(staff, account, kind, **fields)
        assert (response.status_code, list(response.context["form"].errors)) == (200, [name])


def test_what_stands_in_the_boxes_of_other_kinds_is_no_mistake(staff: Client, account: Account) -> None:
    rule(account, "menu", ("event_key", "K"))
    assert "answer of menu" in shown(attempt(staff, account, "click", key="K", content="left over", scene="7"))


def test_a_link_fills_the_form_in_and_tries_nothing(staff: Client, account: Account) -> None:
    response = staff.get(reverse("admin:wechat_rule_try"), {"kind": "click", "key": HOSTILE, "account": account.pk})
    assert 'value="click" selected' in response.content.decode()
    assert "&lt;script&gt;" in response.content.decode()
    assert "result" not in response.context


def test_of_many_rules_two_hundred_are_listed_and_the_others_counted(staff: Client, account: Account) -> None:
    Rule.objects.bulk_create(
        Rule(account=account, name=f"r{number}", keywords=[{"kind": "exact", "text": f"k{number}"}])
        for number in range(230)
    )
    conf.rules_changed(Rule(account=account))
    response = attempt(staff, account, content="x")
    assert shown(response).count('class="rp-rule"') == 200
    assert (response.context["others"]["count"], response.context["others"]["more"]) == (230, 30)


def test_only_who_may_see_the_rules_of_an_account_may_try_them(account: Account, client: Client) -> None:
    page = reverse("admin:wechat_rule_try")
    assert client.get(page).status_code == 302
    assert member(account).get(page).status_code == 403
    assert member(account, "view_rule").get(page).status_code == 200
    other = Account.objects.create(slug="other")
    rule(other, "theirs", ("exact", "x"))
    response = attempt(member(account, "view_rule"), other, content="x")
    assert list(response.context["form"].errors) == ["account"]
    assert "theirs" not in response.content.decode()


def test_trying_needs_the_forms_token(staff: Client, account: Account) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    data = {"account": account.pk, "kind": "text", "content": "x"}
    assert strict.post(reverse("admin:wechat_rule_try"), data).status_code == 403


def test_a_named_answer_that_knows_of_rehearsals_can_hold_back(staff: Client, account: Account) -> None:
    seen: list[bool] = []

    @routing.named("watching", "Watching")
    def watches(contact: Contact) -> Handled | None:
        seen.append(contact.rehearsal)
        return Handled(Text("watched"))

    rule(account, "program", ("exact", "x"), answers=[{"kind": "handler", "name": "watching"}])
    assert "watched" in shown(attempt(staff, account, content="x"))
    routing.named_handlers.pop("watching")
    assert seen == [True]
