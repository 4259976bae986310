"""A rehearsal: everything a push would do, and nothing of it stays."""

from typing import Any

import pytest
from callback import OPENID, body, event
from django.apps import apps

from orders.models import Order
from wechat import conf, inbox, messages, routing
from wechat.conf import AccountConfig
from wechat.models import Account, Follower, Lease, OutgoingMessage, Rule
from wechat.replies import Text
from wechat.routing import Contact, Handled


def counts() -> dict[str, int]:
    """The rows of every table."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def rehearse(config: AccountConfig, pushed: str) -> inbox.Rehearsal:
    before = counts()
    rehearsal = inbox.rehearse(conf.account_by_id(config.id), messages.parse(pushed.encode()))
    assert counts() == before
    return rehearsal


def test_a_scan_is_rehearsed_with_its_card_and_keeps_nothing(
    config: AccountConfig, order: Order, worker_alive: Lease
) -> None:
    rehearsal = rehearse(config, event("SCAN", EventKey="77", Ticket="t"))
    assert rehearsal.error == ""
    assert rehearsal.answer == ""
    assert [(row.purpose, row.about) for row in rehearsal.effects] == [("quote", "77")]
    assert rehearsal.query is None


def test_a_text_is_rehearsed_with_its_rule_and_the_verdict_on_each(config: AccountConfig, account: Account) -> None:
    words = [{"kind": "exact", "text": "报价"}]
    won = Rule.objects.create(
        account=account, name="price", keywords=words, answers=[{"kind": "text", "content": "700 元"}]
    )
    Rule.objects.create(account=account, name="off", keywords=words, answers=[], enabled=False)
    rehearsal = rehearse(config, body("text", Content="报价"))
    assert "700 元" in rehearsal.answer
    assert rehearsal.handled is not None
    assert rehearsal.handled.rule_id == won.pk
    assert rehearsal.query is not None
    assert rehearsal.query.text == "报价"
    matched = {verdict.entry.name: verdict.keyword is not None for verdict in rehearsal.verdicts()}
    assert matched["price"]
    assert len(matched) == 2
    assert not Follower.objects.exists()


def test_a_failing_handler_is_told_and_nothing_stays(config: AccountConfig, account: Account) -> None:
    @routing.named("failing", "Failing")
    def fails(contact: Contact) -> Handled | None:
        Follower.objects.filter(openid=contact.message.sender).update(nickname="changed")
        raise RuntimeError("boom")

    Rule.objects.create(
        account=account,
        name="x",
        keywords=[{"kind": "takeover", "text": ""}],
        answers=[{"kind": "handler", "name": "failing"}],
    )
    rehearsal = rehearse(config, body("text", Content="anything"))
    routing.named_handlers.pop("failing")
    assert "boom" in rehearsal.error
    assert not Follower.objects.filter(openid=OPENID).exists()


def test_a_handler_is_told_that_it_is_a_rehearsal(config: AccountConfig, account: Account) -> None:
    seen: list[bool] = []

    @routing.named("watching", "Watching")
    def watches(contact: Contact) -> Handled | None:
        seen.append(contact.rehearsal)
        return Handled(Text("ok"))

    Rule.objects.create(
        account=account,
        name="x",
        keywords=[{"kind": "takeover", "text": ""}],
        answers=[{"kind": "handler", "name": "watching"}],
    )
    rehearse(config, body("text", Content="anything"))
    routing.named_handlers.pop("watching")
    assert seen == [True]


@pytest.mark.parametrize("name", ["subscribe", "unsubscribe", "CLICK", "VIEW", "LOCATION", "annual_renew"])
def test_any_event_can_be_rehearsed(name: str, config: AccountConfig, account: Account, settings: Any) -> None:
    rehearsal = rehearse(config, event(name, EventKey="k"))
    assert rehearsal.error == ""
    assert not OutgoingMessage.objects.exists()
