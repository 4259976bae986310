"""Rules through the callback: what becomes text, who is asked first, what is answered, and what else goes out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID, Callback, answer, body, event, xml
from django.utils import timezone

from orders.models import Order
from wechat import conf, inbox, routing
from wechat.models import Account, Follower, OutgoingMessage, Push, Rule
from wechat.replies import Text
from wechat.routing import Contact, Handled


def text(content: str) -> dict[str, Any]:
    return {"kind": "text", "content": content}


def rule(account: Account, *keywords: tuple[str, str], answers: Any = None, name: str = "", **values: Any) -> Rule:
    """A rule that answers with its own name unless `answers` say otherwise."""
    name = name or "/".join(word for _kind, word in keywords)
    return Rule.objects.create(
        account=account,
        name=name,
        keywords=[{"kind": kind, "text": word} for kind, word in keywords],
        answers=[text(name)] if answers is None else answers,
        **values,
    )


def content(response: Any) -> str | None:
    tree = answer(response)
    return tree["Content"] if tree else None


@pytest.fixture
def named() -> Iterator[dict[str, Any]]:
    """A handler under the name `test`; what it is to answer is put into the dictionary."""
    box: dict[str, Any] = {"asked": 0}

    def handler(contact: Contact) -> Handled | None:
        box["asked"] += 1
        box["contact"] = contact
        handled: Handled | None = box.get("handled")
        return handled

    routing.named("test", "Test")(handler)
    yield box
    routing.named_handlers.pop("test")


def test_a_text_gets_the_answer_of_its_rule(account: Account, push: Callback) -> None:
    price = rule(account, ("exact", "报价"), answers=[text("每平方米 700 元")])
    assert content(push.text(" 报价 ")) == "每平方米 700 元"
    stored = Push.objects.get()
    assert (stored.answered_by, stored.rule_id, stored.state) == ("rule", price.pk, "done")


def test_a_text_costs_three_statements_at_most_however_many_rules_there_are(
    account: Account, push: Callback, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        rule(account, ("contains", f"word{number}"))
    push.text("warm the index")
    with django_assert_max_num_queries(5):  # three, and BEGIN … COMMIT as the test's savepoint
        assert content(push.text("a word7 here")) == "word7"


def test_a_saved_rule_answers_at_once_and_a_deleted_one_no_more(account: Account, push: Callback) -> None:
    assert content(push.text("late")) is None
    made = rule(account, ("exact", "late"))
    assert content(push.text("late")) == "late"
    made.delete()
    assert content(push.text("late")) is None


def test_the_rules_of_one_account_do_not_answer_for_another(account: Account, push: Callback) -> None:
    other = Account.objects.create(slug="other")
    rule(other, ("exact", "报价"))
    assert content(push.text("报价")) is None


def test_a_menu_button_is_asked_as_its_key(account: Account, push: Callback) -> None:
    rule(account, ("event_key", "PRICES"))
    assert content(push.click("PRICES")) == "PRICES"
    assert content(push.text("PRICES")) is None  # a key of a button is no word that people type


def test_a_menu_key_finds_the_keywords_of_texts_too(account: Account, push: Callback) -> None:
    rule(account, ("exact", "报价"))
    assert content(push.click("报价")) == "报价"


def test_a_voice_message_is_asked_as_what_was_recognised(account: Account, push: Callback) -> None:
    rule(account, ("contains", "报价"))
    assert content(push(body("voice", MediaId="m", Format="amr", Recognition="我要报价"))) == "报价"


def test_a_picture_after_the_picture_button_belongs_to_its_key(account: Account, push: Callback) -> None:
    rule(account, ("event_key", "FLOORPLAN"), answers=[text("户型图收到了")])
    pictures = "<SendPicsInfo><Count>1</Count><PicList></PicList></SendPicsInfo>"
    push(event("pic_weixin", EventKey="FLOORPLAN").replace("</xml>", pictures + "</xml>"))
    assert content(push(body("image", PicUrl="http://x/0", MediaId="m"))) == "户型图收到了"
    Follower.objects.update(picture_at=timezone.now() - timedelta(minutes=10))
    assert content(push(body("image", PicUrl="http://x/0", MediaId="m"))) is None


def test_a_scan_tool_finds_its_key_or_else_its_result(account: Account, push: Callback) -> None:
    rule(account, ("exact", "EAN_13,6901234567892"), answers=[text("这款瓷砖")])
    scanned = "<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN_13,6901234567892</ScanResult></ScanCodeInfo>"
    pushed = event("scancode_waitmsg", EventKey="TILES").replace("</xml>", scanned + "</xml>")
    assert content(push(pushed)) == "这款瓷砖"


def test_a_scene_may_be_bound_to_a_rule(account: Account, push: Callback) -> None:
    rule(account, ("scene", "sales-7"), answers=[text("您好，我是小李")])
    assert content(push.scan("sales-7")) == "您好，我是小李"
    assert content(push.follow("sales-7", openid="oOther_000000000000000000001")) == "您好，我是小李"


def test_a_quote_comes_before_a_rule_on_its_scene(account: Account, push: Callback, order: Order) -> None:
    rule(account, ("scene", "77"))
    tree = answer(push.scan("77"))
    assert tree is not None
    assert tree["MsgType"] == "news"


def test_the_welcome_is_a_rule_that_listens_or_a_keyword_or_the_text(account: Account, push: Callback) -> None:
    conf.save(account, {"wechat_welcome_text": "Welcome, ##ACCOUNT##."})
    assert content(push.follow(openid="oA_0000000000000000000000001")) == "Welcome, 示例."
    rule(account, ("exact", "hello"), answers=[text("by keyword")])
    conf.save(account, {"wechat_welcome_keyword": "hello"})
    assert content(push.follow(openid="oB_0000000000000000000000001")) == "by keyword"
    assert Push.objects.latest("pk").answered_by == "welcome"
    rule(account, ("message_type", "subscribe"), answers=[text("by rule")])
    assert content(push.follow(openid="oC_0000000000000000000000001")) == "by rule"


def test_the_default_reply_may_be_a_rule(account: Account, push: Callback) -> None:
    rule(account, ("exact", "help"), answers=[text("Write 报价")])
    conf.save(account, {"wechat_default_keyword": "help", "wechat_default_reply": "never seen"})
    assert content(push.text("?")) == "Write 报价"
    assert Push.objects.get().answered_by == "default"


def test_a_candidate_without_a_valid_answer_leaves_it_to_the_next(account: Account, push: Callback) -> None:
    rule(account, ("exact", "x"), answers=[text("##NICKNAME##")], priority=5, name="empty for who has no name")
    rule(account, ("exact", "x"), answers=[text("second")], name="second")
    assert content(push.text("x")) == "second"


def test_only_three_candidates_are_asked(account: Account, push: Callback, named: dict[str, Any]) -> None:
    for number in range(4):
        rule(account, ("exact", "x"), answers=[{"kind": "handler", "name": "test"}], name=f"n{number}")
    conf.save(account, {"wechat_default_reply": "default"})
    assert content(push.text("x")) == "default"
    assert named["asked"] == 3


def test_further_answers_follow_as_customer_service_messages(account: Account, push: Callback) -> None:
    made = rule(account, ("exact", "x"), answers=[text("first"), text("second"), text("third")])
    assert content(push.text("x")) == "first"
    rows = OutgoingMessage.objects.order_by("pk")
    assert [row.content["content"] for row in rows] == ["second", "third"]
    assert {(row.purpose, row.about, row.state) for row in rows} == {("rule", str(made.pk), "waiting")}


def test_a_transfer_after_another_answer_is_no_message(account: Account, push: Callback) -> None:
    rule(account, ("exact", "x"), answers=[text("first"), {"kind": "transfer_customer_service", "account": ""}])
    assert content(push.text("x")) == "first"
    assert not OutgoingMessage.objects.exists()


def test_an_account_that_may_not_send_gives_the_first_answer_only(account: Account, push: Callback) -> None:
    Account.objects.update(kind=Account.Kind.SUBSCRIPTION)
    conf.forget()
    rule(account, ("exact", "x"), answers=[text("first"), text("second")])
    assert content(push.text("x")) == "first"
    assert not OutgoingMessage.objects.exists()


def test_of_several_answers_one_may_be_drawn(account: Account, push: Callback) -> None:
    rule(account, ("exact", "x"), answers=[text("a"), text("b"), text("##NICKNAME##")], choice="random")
    seen = {content(push.text("x")) for _ in range(60)}
    assert seen == {"a", "b"}  # the one without content is passed over
    assert not OutgoingMessage.objects.exists()


def test_every_kind_of_answer_reaches_the_phone(account: Account, push: Callback) -> None:
    kinds: list[dict[str, Any]] = [
        {"kind": "image", "media": "M"},
        {"kind": "voice", "media": "M"},
        {"kind": "video", "media": "M", "title": "t", "description": "d", "thumb": ""},
        {"kind": "music", "thumb": "M", "url": "https://x/a.mp3", "hqurl": "", "title": "t", "description": "d"},
        {"kind": "news", "articles": [{"title": "t", "description": "d", "url": "https://x/", "picurl": ""}] * 2},
        {"kind": "transfer_customer_service", "account": "kf1@demo"},
    ]
    for number, document in enumerate(kinds):
        rule(account, ("exact", f"k{number}"), answers=[document])
        tree = answer(push.text(f"k{number}"))
        assert tree is not None
        assert tree["MsgType"] == document["kind"]
    rule(account, ("event_key", "NEWS"), answers=[kinds[4]])
    tree = answer(push.click("NEWS"))
    assert tree is not None
    assert tree["ArticleCount"] == "2"  # an event may have eight, a message one


def test_a_named_handler_answers_and_may_decline(account: Account, push: Callback, named: dict[str, Any]) -> None:
    rule(account, ("exact", "x"), answers=[{"kind": "handler", "name": "test"}])
    assert content(push.text("x")) is None
    named["handled"] = Handled(Text("from the program"))
    assert content(push.text("x")) == "from the program"
    assert named["contact"].query.text == "x"


def test_a_named_handler_holds_the_conversation(account: Account, push: Callback, named: dict[str, Any]) -> None:
    rule(account, ("exact", "start"), answers=[{"kind": "handler", "name": "test"}])
    named["handled"] = Handled(Text("which area?"), hold=timedelta(minutes=5))
    push.text("start")
    named["handled"] = Handled(Text("thank you"))  # and lets go
    assert content(push.text("120")) == "thank you"
    named["handled"] = Handled(Text("not asked"))
    assert content(push.text("120")) is None
    assert Follower.objects.get().held_by == ""


def test_a_hold_ends_by_itself(account: Account, push: Callback, named: dict[str, Any]) -> None:
    rule(account, ("exact", "start"), answers=[{"kind": "handler", "name": "test"}])
    named["handled"] = Handled(Text("which area?"), hold=timedelta(minutes=5))
    push.text("start")
    Follower.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert content(push.text("120")) is None


def test_an_app_takes_a_push_before_the_rules(account: Account, push: Callback, named: dict[str, Any]) -> None:
    rule(account, ("exact", "x"))
    named["handled"] = Handled(Text("the app"))
    handler = routing.on("text")(routing.named_handlers["test"].handler)
    assert content(push.text("x")) == "the app"
    named["handled"] = None
    assert content(push.text("x")) == "x"
    routing._handlers["text"].remove(handler)


def test_a_failed_rule_keeps_the_push_and_running_it_again_sends_the_answer(
    account: Account, push: Callback, named: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(account, ("exact", "x"), answers=[{"kind": "handler", "name": "test"}])

    class Boom:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("boom")

    named["handled"] = Boom()
    push.text("x")
    stored = Push.objects.get()
    assert stored.state == Push.State.FAILED
    named["handled"] = Handled(Text("now it works"))
    assert inbox.run_again(stored) == ""
    row = OutgoingMessage.objects.get()
    assert (row.content["content"], row.purpose, row.openid) == ("now it works", "answer", OPENID)


def test_markup_in_an_answer_never_breaks_the_xml(account: Account, push: Callback) -> None:
    odd = "]]> <b>&amp;</b> =1+1 \u202e 👍🏽\nline"
    rule(account, ("exact", "x"), answers=[text(odd)])
    assert content(push.text("x")) == odd


def test_what_a_person_wrote_is_no_placeholder_and_no_link(account: Account, push: Callback) -> None:
    rule(account, ("takeover", ""), answers=[text("You wrote: ##TEXT##")], name="echo")
    assert content(push.text('<a href="https://evil/">##ACCOUNT##</a>')) == (
        'You wrote: ‹a href="https://evil/"›##ACCOUNT##‹/a›'
    )


def test_a_text_with_the_figures_of_the_last_quote(account: Account, push: Callback, order: Order) -> None:
    push.scan("77")
    rule(account, ("exact", "总价"), answers=[text("##CUSTOMER##：##TOTALBUDGET## 元")])
    assert content(push.text("总价")) == "王女士：56000 元"


def test_the_last_quote_comes_again_by_a_word(account: Account, push: Callback, order: Order) -> None:
    rule(account, ("exact", "我的报价"), answers=[{"kind": "handler", "name": "orders.last_quote"}])
    assert answer(push.text("我的报价")) is None
    push.scan("77")
    tree = answer(push.text("我的报价"))
    assert tree is not None
    assert tree["Articles"]["item"][0]["Url"].startswith("http://127.0.0.1:8000/s/")


def test_an_unknown_stored_answer_is_passed_over(account: Account, push: Callback) -> None:
    rule(account, ("exact", "x"), answers=[{"kind": "hologram"}, text("fallback")])
    assert content(push.text("x")) == "fallback"


def test_a_link_pressed_in_the_menu_asks_no_keyword(account: Account, push: Callback) -> None:
    rule(account, ("contains", "example"))
    push(event("VIEW", EventKey="https://example.com/", MenuId="1"))
    assert Push.objects.get().rule_id is None


def test_xml_of_a_custom_kind_reaches_its_rule(account: Account, push: Callback) -> None:
    rule(account, ("message_type", "hologram"))
    odd = xml(ToUserName="gh_x", FromUserName=OPENID, CreateTime=1760000000, MsgType="hologram", HoloKey="k", MsgId="1")
    assert content(push(odd)) == "hologram"
