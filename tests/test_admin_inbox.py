"""The inbox as staff use it: what a push's row and page say, their questions as filters and searches, and its buttons."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID, ORIGINAL_ID, Callback, body, event, vectors, xml
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from orders.models import Order, Scan
from wechat import conf, messages, pushes, routing
from wechat.admin.push_looks import answered
from wechat.models import Account, Follower, Lease, Membership, OutgoingMessage, Push, Rule, RuleDay
from wechat.replies import Article, Image, Music, News, Reply, Text, TransferToService, Video, Voice, passive_xml

LIST = "admin:wechat_push_changelist"
YES = {"_form_submitted": "True"}
HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "cdata": "]]>&amp;<b>",
    "formula": "=1+1",
    "lines": "one\ntwo\r\nthree",
    "emoji": "😀👨‍👩‍👧 𠮷",
    "quotes": "\"'`{{ 7*7 }}{% now 'Y' %}",
}
Make = Callable[..., Push]


@pytest.fixture
def stored(account: Account) -> Make:
    """`stored(kind="click", …)`: a push as the inbox would have kept it."""

    def make(raw: str = "", **values: Any) -> Push:
        given = {"account": account, "kind": "text", "state": "done", "openid": OPENID, **values}
        given.setdefault("received_at", timezone.now())
        return Push.objects.create(key=f"key{Push.objects.count()}", raw=raw or body("text", Content="在吗"), **given)

    return make


@pytest.fixture
def rule(account: Account) -> Rule:
    answers = [{"kind": "text", "content": "¥ 500 <起>"}]
    keywords = [{"kind": "contains", "text": "报价"}]
    return Rule.objects.create(account=account, name="报价 <b>", keywords=keywords, answers=answers)


@pytest.fixture
def member(db: None) -> Client:
    """Staff of the account `other` who may look at everything there and act on pushes."""
    user = User.objects.create_user("member", is_staff=True)
    rights = Permission.objects.filter(codename__startswith="view_") | Permission.objects.filter(codename="change_push")
    user.user_permissions.set(rights)
    Membership.objects.create(user=user, account=Account.objects.get_or_create(slug="other")[0])
    client = Client()
    client.force_login(user)
    return client


def page(push: Push, name: str = "change") -> str:
    return reverse(f"admin:wechat_push_{name}", args=[push.pk])


def shown(client: Client, **query: Any) -> list[int]:
    """The primary keys that the list shows."""
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return [push.pk for push in response.context["cl"].result_list]


def text_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


# What a row and a page say


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_strangers_write_is_shown_as_text(content: str, push: Callback, staff: Client) -> None:
    push(body("text", Content=content.replace("]]>", "]]]]><![CDATA[>")))
    row = Push.objects.get()
    message = messages.parse(row.raw.encode())
    assert message.fields["content"].split() == content.split()
    in_list = text_of(staff.get(reverse(LIST)))
    assert escape(" ".join(content.split())) in in_list
    for address in (page(row), page(row, "rehearse")):
        assert escape(message.fields["content"]) in text_of(staff.get(address)), address
    assert escape(json.dumps(message.fields["content"], ensure_ascii=False)) in text_of(
        staff.get(page(row, "as_test_file"))
    )
    for address in (reverse(LIST), page(row), page(row, "rehearse"), page(row, "as_test_file")):
        assert "<script>alert" not in text_of(staff.get(address))
        assert "<img src=x" not in text_of(staff.get(address))


def test_right_to_left_marks_turn_nothing_around(push: Callback, staff: Client) -> None:
    push.text("exe.‮gnp‏")
    row = Push.objects.get()
    for address in (reverse(LIST), page(row)):
        text = text_of(staff.get(address))
        assert 'exe.<span class="push-mark">U+202E</span>gnp<span class="push-mark">U+200F</span>' in text
        assert "‮" not in text
    file = staff.get(page(row, "as_test_file"), {"download": 1}).content.decode()
    assert "‮" not in file
    assert json.loads(file)["normalised"]["content"] == "exe.‮gnp‏"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (body("text", Content="  几点\n开门 "), "几点 开门"),
        (body("text", Content="很" * 50), "很" * 39 + "…"),
        (body("voice", MediaId="m", Recognition="多少钱。"), "多少钱。"),
        (body("location", Location_X="31.2", Location_Y="121.4", Scale="16", Label="人民广场"), "人民广场"),
        (body("link", Title="一篇文章", Description="d", Url="https://example.com/"), "一篇文章"),
        (event("SCAN", EventKey="4711", Ticket="t"), "4711"),
        (event("CLICK", EventKey="PRICES"), "PRICES"),
        (event("VIEW", EventKey="https://example.com/"), "https://example.com/"),
        (event("LOCATION", Latitude="31.2", Longitude="121.4", Precision="60"), "31.2, 121.4"),
        (event("naming_verify_fail", FailTime=1760000500, FailReason="资料不符"), "资料不符"),
        (event("brand_new", Size=4, Colour="red"), "red"),
        ("<!DOCTYPE x><xml/>", "-"),
        ("", "-"),
    ],
)
def test_a_row_says_what_was_said(raw: str, says: str, stored: Make, staff: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"  # Chinese has dots of its own
    row = stored("x")
    Push.objects.filter(pk=row.pk).update(raw=raw)
    [cell] = [
        part
        for part in text_of(staff.get(reverse(LIST))).split("<td")
        if part.partition(" ")[2].startswith('class="field-said')
    ]
    assert f">{escape(says)}<" in cell


@pytest.mark.parametrize("vector", vectors("messages")["messages"], ids=lambda vector: vector["id"])
def test_every_kind_of_push_has_its_page_and_its_test_file(vector: dict[str, Any], stored: Make, staff: Client) -> None:
    row = stored(vector["xml"], kind=vector["normalised"]["handle"])
    text = text_of(staff.get(page(row)))
    for key in vector["normalised"]:
        assert f"<dt>{key}" in text, key
    assert escape(vector["normalised"]["from"]) in text
    text_of(staff.get(page(row, "rehearse")))
    entry = json.loads(staff.get(page(row, "as_test_file"), {"download": 1}).content)
    for key in ("xml", "raw", "normalised", "dedupe_source", "dedupe_key"):
        assert entry[key] == vector[key], key


def test_a_push_in_json_is_copied_as_one(stored: Make, staff: Client) -> None:
    vector = vectors("messages")["json"][0]
    row = stored(vector["body"])
    entry = json.loads(staff.get(page(row, "as_test_file"), {"download": 1}).content)
    assert {key: entry[key] for key in ("body", "raw", "normalised")} == {
        key: vector[key] for key in ("body", "raw", "normalised")
    }
    assert "xml" not in entry


def test_a_test_file_warns_of_the_personal_data(push: Callback, staff: Client) -> None:
    push.text("在吗")
    row = Push.objects.get()
    text = text_of(staff.get(page(row, "as_test_file")))
    assert str(staff.get(page(row, "as_test_file"), {"download": 1}).headers["Content-Disposition"]) == (
        f'attachment; filename="push-{row.pk}.json"'
    )
    assert "openid" in text.partition("<textarea")[0]


@pytest.mark.parametrize(
    ("mode", "account_mode", "words"),
    [
        ("plain", "plain", "Plain text."),
        ("safe", "safe", "Encrypted, safe mode."),
        ("compatible", "compatible", "Encrypted."),
    ],
)
def test_a_page_says_how_the_push_was_signed(
    mode: str, account_mode: str, words: str, push: Callback, staff: Client, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    Account.objects.update(mode=account_mode)
    conf.forget()
    push.text("在吗", mode=mode, nonce="my-nonce")
    text = text_of(staff.get(page(Push.objects.get())))
    assert words in text
    assert ("my-nonce" in text) == (account_mode != "safe")


REPLIES: list[Reply] = [
    Text("一 <b>]]></b> 😀"),
    Image("media-1"),
    Voice("media-2"),
    Video("media-3", title="t", description="d"),
    Music("thumb", url="https://example.com/m", title="t", description="d"),
    News((Article("a <b>", "b", "https://example.com/", "https://example.com/p.png"),)),
    TransferToService("kf1@x"),
    TransferToService(),
]


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: f"{reply.kind}")
def test_every_kind_of_answer_is_shown_as_on_the_phone(
    reply: Reply, stored: Make, staff: Client, config: conf.AccountConfig
) -> None:
    row = stored()
    message = messages.parse(row.raw.encode())
    answer = passive_xml(reply, message, original_id=config.original_id)
    assert answer is not None
    Push.objects.filter(pk=row.pk).update(answer=answer, answered_by="handler")
    again, kept = answered(answer), reply.stored()
    assert {key: again[key] for key in ("kind", "content", "articles", "title", "account") if key in kept} == {
        key: kept[key] for key in ("kind", "content", "articles", "title", "account") if key in kept
    }
    text = text_of(staff.get(page(row)))
    assert 'class="wx-phone"' in text
    assert escape(answer) in text


@pytest.mark.parametrize(
    "answer", ["", "<xml", "<xml><MsgType>odd</MsgType></xml>", "<xml><Articles>1</Articles></xml>"]
)
def test_an_odd_answer_breaks_no_page(answer: str, stored: Make, staff: Client) -> None:
    text = text_of(staff.get(page(stored(answer=answer))))
    assert escape(answer) in text


def test_a_push_without_an_answer_says_so(stored: Make, staff: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    text = text_of(staff.get(page(stored())))
    assert "None: WeChat was told that the push arrived." in text
    assert "wx-phone" not in text


def test_the_rule_that_answered_is_a_link(push: Callback, rule: Rule, staff: Client) -> None:
    push.text("请问报价多少")
    row = Push.objects.get()
    link = f'href="{reverse("admin:wechat_rule_change", args=[rule.pk])}">{escape(rule.name)}</a>'
    assert link in text_of(staff.get(reverse(LIST)))
    assert link in text_of(staff.get(page(row)))


def test_a_rule_that_is_gone_breaks_no_page(push: Callback, rule: Rule, staff: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    push.text("请问报价多少")
    number, row = rule.pk, Push.objects.get()
    rule.delete()
    for address in (reverse(LIST), page(row)):
        assert f"rule {number}, deleted meanwhile" in text_of(staff.get(address))
    assert shown(staff, rule=number) == [row.pk]
    row.refresh_from_db()
    assert row.rule_id == number


def test_a_page_lists_what_the_push_caused_and_nothing_else(
    push: Callback, order: Order, worker_alive: Lease, staff: Client
) -> None:
    for openid in (OPENID, OPENID, "oSomebodyElse00000000000000"):
        push.scan("77", openid)
    first, second, other = Push.objects.order_by("pk")
    mine, his = (OutgoingMessage.objects.get(push_id=one.pk) for one in (second, other))
    with CaptureQueriesContext(connection) as queries:
        text = text_of(staff.get(page(second)))
    assert reverse("admin:wechat_outgoingmessage_change", args=[mine.pk]) in text
    assert reverse("admin:wechat_outgoingmessage_change", args=[his.pk]) not in text
    assert reverse("admin:orders_scan_change", args=[second.pk]) in text
    assert reverse("admin:orders_scan_change", args=[first.pk]) not in text
    of_messages = [query["sql"] for query in queries if 'FROM "wechat_outgoingmessage"' in query["sql"]]
    assert of_messages
    assert all("openid" in sql for sql in of_messages)  # by the push alone, the whole table would be read


def test_a_page_leads_to_the_person(push: Callback, staff: Client) -> None:
    push.text("在吗")
    text = text_of(staff.get(page(Push.objects.get())))
    assert reverse("admin:wechat_follower_change", args=[Follower.objects.get().pk]) in text
    assert f"{reverse(LIST)}?q={OPENID}" in text


# Staff's questions


@pytest.fixture
def full(stored: Make, account: Account, rule: Rule) -> dict[str, int]:
    """One push of each sort, by name."""
    long_ago = timezone.now() - timedelta(days=60)
    week = timezone.now() - timedelta(days=5)
    other = Account.objects.get_or_create(slug="other")[0]
    rows = {
        "old": stored(received_at=long_ago, answered_by="handler"),
        "failed": stored(state="failed", received_at=week),
        "default": stored(answered_by="default", received_at=week),
        "silent": stored(state="nothing"),
        "click": stored(event("CLICK", EventKey="K"), kind="click", state="nothing"),
        "view": stored(event("VIEW", EventKey="u"), kind="view", state="nothing"),
        "rule": stored(answered_by="rule", rule=rule),
        "welcome": stored(event("subscribe", EventKey=""), kind="subscribe", answered_by="welcome"),
        "encrypted": stored(encrypted=True, answered_by="handler"),
        "his": stored(account=other, openid="oSomebodyElse00000000000000", answered_by="handler"),
    }
    return {name: row.pk for name, row in rows.items()}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"fate": "failed"}, ["failed"]),
        ({"fate": "unanswered"}, ["default", "silent", "click"]),
        ({"fate": "rule"}, ["rule"]),
        ({"fate": "welcome"}, ["welcome"]),
        ({"fate": "handler"}, ["old", "encrypted", "his"]),
        ({"kind": "click"}, ["click"]),
        ({"kind": "view"}, ["view"]),
        ({"kind": "video"}, []),
        ({"encrypted__exact": 1}, ["encrypted"]),
        ({"since": "today"}, ["silent", "click", "view", "rule", "welcome", "encrypted", "his"]),
        ({"since": "month", "fate": "failed"}, ["failed"]),
        ({"since": "today", "fate": "failed"}, []),
        ({"since": "week", "kind": "text", "fate": "unanswered"}, ["default", "silent"]),
        ({"q": "oSomebodyElse00000000000000"}, ["his"]),
        ({"q": "oSomebodyElse00000000000000", "kind": "view"}, []),
        ({"q": "oNobody000000000000000000000"}, []),
        ({"q": "4711"}, []),
    ],
)
def test_each_question_finds_its_pushes_the_newest_first(
    query: dict[str, Any], names: list[str], full: dict[str, int], staff: Client
) -> None:
    assert shown(staff, **query) == [full[name] for name in reversed(names)]


def test_a_filter_by_account(full: dict[str, int], staff: Client) -> None:
    assert shown(staff, account__id__exact=Account.objects.get(slug="other").pk) == [full["his"]]


def test_a_filter_by_rule(full: dict[str, int], rule: Rule, staff: Client) -> None:
    RuleDay.objects.create(rule=rule, day=timezone.localdate(), hits=1)
    assert shown(staff, rule=rule.pk) == [full["rule"]]
    assert shown(staff, rule=rule.pk + 1) == []
    assert escape(rule.name) in text_of(staff.get(reverse(LIST)))


@pytest.mark.parametrize("name", ["fate", "kind", "rule", "since", "encrypted__exact", "p", "q"])
@pytest.mark.parametrize("value", ["", "x", "-1", "３", "9" * 40, "<script>alert(1)</script>", "' OR 1=1 --", "%"])
def test_odd_questions_break_nothing(name: str, value: str, stored: Make, staff: Client) -> None:
    stored()
    response = staff.get(reverse(LIST), {name: value}, follow=True)
    assert "<script>alert" not in text_of(response)


def test_an_order_number_finds_its_scans(push: Callback, order: Order, staff: Client) -> None:
    push.scan("77")
    push.follow("77", openid="oSomebodyElse00000000000000")
    push.scan("78")  # of no quote
    push.text("77")
    scans = list(Scan.objects.order_by("-pk").values_list("pk", "scene"))
    assert shown(staff, q="77") == [pk for pk, scene in scans if scene == "77"]
    assert shown(staff, q=" 78 ") == [pk for pk, scene in scans if scene == "78"]
    assert len(scans) == 3


def test_words_are_found_wherever_they_stand(push: Callback, staff: Client) -> None:
    push.text("请问 Price 多少")
    push.text("在吗")
    asked = Push.objects.earliest("pk").pk
    assert shown(staff, q="price 多") == [asked]
    assert shown(staff, q="多少钱") == []
    assert shown(staff, q="_rice") == []  # no wildcards
    assert shown(staff, q="138001380001") == []  # too long for an order's number: words


def test_words_are_looked_for_in_the_newest_only(stored: Make, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushes, "SEARCHED", 2)
    rows = [stored(body("text", Content="报价")) for _number in range(3)]
    assert shown(staff, q="报价") == [rows[2].pk, rows[1].pk]


def test_pages_follow_each_other(stored: Make, staff: Client) -> None:
    rows = [stored().pk for _number in range(120)][::-1]
    assert shown(staff) == rows[:50]
    assert shown(staff, p=2) == rows[50:100]
    assert shown(staff, p=3) == rows[100:]
    assert shown(staff, p=4) == []
    assert shown(staff, p=90_000_000) == []
    header = text_of(staff.get(reverse(LIST))).partition('id="content"')[0]
    assert "9999999999" not in header  # the paginator's stand-in for a count


def test_a_member_sees_his_accounts_pushes_only(
    full: dict[str, int], member: Client, staff: Client, rule: Rule
) -> None:
    RuleDay.objects.create(rule=rule, day=timezone.localdate(), hits=1)
    assert shown(member) == [full["his"]]
    for query in (
        {"fate": "failed"},
        {"kind": "click"},
        {"rule": rule.pk},
        {"q": OPENID},
        {"q": "在吗", "kind": "view"},
    ):
        assert shown(member, **query) == [], query
    assert escape(rule.name) not in text_of(member.get(reverse(LIST)))
    foreign, own = Push.objects.get(pk=full["rule"]), Push.objects.get(pk=full["his"])
    for name in ("change", "rehearse", "as_test_file"):
        assert foreign.raw not in member.get(page(foreign, name), follow=True).content.decode()
        assert member.get(page(foreign, name)).status_code in (302, 403)
        assert member.get(page(own, name)).status_code == 200


def test_an_order_of_another_account_is_not_found(push: Callback, order: Order, member: Client, staff: Client) -> None:
    push.scan("77")
    assert len(shown(staff, q="77")) == 1
    assert shown(member, q="77") == []


def test_who_works_for_one_account_sees_no_column_of_accounts(
    full: dict[str, int], member: Client, staff: Client
) -> None:
    assert "column-account" in text_of(staff.get(reverse(LIST))) or "field-account" in text_of(staff.get(reverse(LIST)))
    assert "field-account" not in text_of(member.get(reverse(LIST)))


BRIEF = "COVERING INDEX push_in_brief"


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (lambda rows: pushes.failed(rows).order_by("-received_at", "-pk"), "push_failed"),
        (lambda rows: pushes.failed(rows).filter(received_at__gte=timezone.now()), "push_failed"),
        (lambda rows: pushes.of_kind(rows, "click").order_by("-pk"), "push_of_rare_kind"),
        (lambda rows: pushes.of_kind(rows, "view").order_by("-pk"), BRIEF),
        (lambda rows: pushes.of_rule(rows, 1).order_by("-pk"), "push_of_rule"),
        (lambda rows: pushes.of_person(rows, OPENID).order_by("-pk"), "push_of_person"),
        (lambda rows: pushes.unanswered(rows).order_by("-pk"), BRIEF),
        (lambda rows: rows.filter(account_id__in=[1, 2]).order_by("-pk"), BRIEF),
        (lambda rows: rows.filter(account_id=1, encrypted=True, pk__gte=5).order_by("-pk"), BRIEF),
        (lambda rows: pushes.unanswered(rows).filter(account_id=1).order_by("-pk"), BRIEF),
    ],
)
def test_each_question_has_its_index(question: Callable[[Any], Any], index: str, account: Account) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what the table holds; bench.inbox measures it")
    plan = question(Push.objects.all()).values_list("pk", flat=True).explain()
    assert index in plan
    assert "TEMP B-TREE" not in plan  # nothing is sorted


# Buttons


def counts() -> dict[str, int]:
    """How many rows every table has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def contents() -> list[Any]:
    return [list(model._default_manager.order_by("pk").values()) for model in (Push, Follower, OutgoingMessage, Scan)]


@pytest.mark.parametrize("kind", ["text", "scan", "follow", "unfollow", "failed"])
def test_running_again_without_effects_keeps_nothing(
    kind: str, push: Callback, order: Order, rule: Rule, worker_alive: Lease, staff: Client
) -> None:
    act = {"text": lambda: push.text("报价"), "scan": lambda: push.scan("77"), "follow": lambda: push.follow("77")}
    act.get(kind, push.unfollow)()
    if kind == "failed":
        push.scan("77")
        Push.objects.update(state="failed")
    row = Push.objects.latest("pk")
    before, rows = counts(), contents()
    text_of(staff.get(page(row, "rehearse")))
    assert counts() == before
    assert contents() == rows


def test_running_again_without_effects_shows_the_trace(
    push: Callback, rule: Rule, account: Account, staff: Client, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    Rule.objects.create(account=account, name="other", keywords=[{"kind": "exact", "text": "地址"}])
    push.text("请问报价多少")
    response = staff.get(page(Push.objects.get(), "rehearse"))
    text = text_of(response)
    assert response.context["became"][0]["text"] == "请问报价多少"
    [matched] = response.context["matched"]["rows"]
    assert (matched["name"], matched["won"]) == (rule.name, True)
    assert [each["name"] for each in response.context["others"]["rows"]] == ["other"]
    assert response.context["result"].rehearsal.milliseconds >= 0
    assert escape("¥ 500 <起>") in text
    assert "Nothing was sent" in text


def test_running_again_without_effects_uses_the_rules_of_now(push: Callback, account: Account, staff: Client) -> None:
    push.text("地址")
    answers = [{"kind": "text", "content": "人民广场"}]
    Rule.objects.create(account=account, name="new", keywords=[{"kind": "exact", "text": "地址"}], answers=answers)
    row = Push.objects.get()
    assert row.answer == ""
    assert "人民广场" in text_of(staff.get(page(row, "rehearse")))
    row.refresh_from_db()
    assert (row.state, row.answer) == ("nothing", "")


def test_a_failure_without_effects_is_shown(push: Callback, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_contact: Any) -> None:
        raise RuntimeError("<b>the price list is away</b>")

    push.text("在吗")
    monkeypatch.setitem(routing._handlers, "text", [broken])
    text = text_of(staff.get(page(Push.objects.get(), "rehearse")))
    assert escape("RuntimeError: <b>the price list is away</b>") in text


@pytest.mark.parametrize("name", ["rehearse", "as_test_file"])
def test_who_may_look_may_try_and_copy(name: str, push: Callback, viewer: Client) -> None:
    push.text("在吗")
    row = Push.objects.get()
    assert viewer.get(page(row, name)).status_code == 200
    assert page(row, name) in text_of(viewer.get(page(row)))
    stranger = Client()
    stranger.force_login(User.objects.create_user("nobody", is_staff=True))
    assert stranger.get(page(row, name)).status_code == 403


@pytest.mark.parametrize("name", ["rehearse", "as_test_file"])
@pytest.mark.parametrize("raw", ["", "<!DOCTYPE x><xml/>", "not xml"])
def test_a_body_that_cannot_be_read_is_told_politely(name: str, raw: str, stored: Make, staff: Client) -> None:
    row = stored("x")
    Push.objects.filter(pk=row.pk).update(raw=raw)
    response = staff.get(page(row, name), follow=True)
    assert response.redirect_chain == [(page(row), 302)]
    assert len(list(response.context["messages"])) == 1
    assert staff.get(page(row).replace(str(row.pk), "999999"), follow=True).status_code == 200


def test_what_nobody_wanted_can_be_run_again_when_there_is_a_rule(
    push: Callback, account: Account, worker_alive: Lease, staff: Client
) -> None:
    push.text("地址")
    row = Push.objects.get()
    assert page(row, "run_again") in text_of(staff.get(page(row)))
    answers = [{"kind": "text", "content": "人民广场"}]
    Rule.objects.create(account=account, name="new", keywords=[{"kind": "exact", "text": "地址"}], answers=answers)
    staff.post(page(row, "run_again"), YES)
    row.refresh_from_db()
    assert (row.state, row.answered_by) == ("done", "rule")
    assert OutgoingMessage.objects.get().content["content"] == "人民广场"
    staff.post(page(row, "run_again"), YES)
    assert OutgoingMessage.objects.count() == 1
    assert page(row, "run_again") not in text_of(staff.get(page(row)))


def test_what_still_nobody_wants_stays_nothing_to_do(push: Callback, staff: Client) -> None:
    push.text("地址")
    row = Push.objects.get()
    staff.post(page(row, "run_again"), YES)
    row.refresh_from_db()
    assert (row.state, row.answered_by) == ("nothing", "")


def test_the_first_page_leads_to_the_failed_ones(stored: Make, staff: Client) -> None:
    row = stored(state="failed")
    urls = [fact.url for fact in staff.get(reverse("admin:index")).context["facts"] if "fate=failed" in fact.url]
    assert [push.pk for push in staff.get(urls[0]).context["cl"].result_list] == [row.pk]


def test_a_body_with_a_foreign_root_keeps_its_layout(stored: Make, staff: Client) -> None:
    raw = xml(ToUserName=ORIGINAL_ID, FromUserName=OPENID, CreateTime=1, MsgType="text", Content="</pre><b>x</b>")
    assert escape(raw) in text_of(staff.get(page(stored(raw))))
