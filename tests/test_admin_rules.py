"""The page of a reply rule and the list of them: what is checked, what is shown, and that foreign text stays text."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from wechat import conf
from wechat.models import Account, Membership, Rule, RuleDay
from wechat.rules import Query, index_of

LIST, ADD, PREVIEW = (reverse(f"admin:wechat_rule_{page}") for page in ("changelist", "add", "preview"))
HOSTILE = [
    "<script>alert(1)</script>",
    "]]><b>",
    "=1+1",
    "line one\nline two",
    "😀 four bytes",
    "\u202eright to left\u200f",
    "</script><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
]
ARTICLE = {"title": "标题", "description": "描述", "url": "https://example.com/", "picurl": ""}


def keyword(text: str = "报价", kind: str = "exact") -> dict[str, str]:
    return {"kind": kind, "text": text}


def text(content: str = "您好") -> dict[str, Any]:
    return {"kind": "text", "content": content}


def news(number: int = 1, **changes: str) -> dict[str, Any]:
    return {"kind": "news", "articles": [{**ARTICLE, "title": f"第 {n} 篇", **changes} for n in range(1, number + 1)]}


def rule(account: Account, name: str = "报价", **values: Any) -> Rule:
    return Rule.objects.create(account=account, name=name, **{"keywords": [keyword()], "answers": [text()], **values})


def filled(account: Account, **changes: Any) -> dict[str, Any]:
    """What the browser sends. Lists become JSON, as the editor writes it."""
    usual = {"name": "报价", "account": account.pk, "enabled": "on", "keywords": [keyword()], "answers": [text()]}
    rest = {"choice": "all", "priority": "0", "_continue": "1"}
    sent = {**usual, **rest, **changes}
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in sent.items()}


def page(row: Rule, name: str = "change") -> str:
    return reverse(f"admin:wechat_rule_{name}", args=[row.pk])


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def placed(response: Any, name: str) -> dict[str, list[str]]:
    """The complaints that stand beside items, by the place of the item."""
    return dict(json.loads(response.context["adminform"].form.fields[name].widget.attrs.get("data-errors", "{}")))


def preview(client: Client, keywords: Any, answers: Any, **more: Any) -> Any:
    return client.post(PREVIEW, {"keywords": json.dumps(keywords), "answers": json.dumps(answers), **more})


def kinds(response: Any) -> list[str]:
    return [bubble["kind"] for bubble in response.context["bubbles"]]


def listed(client: Client, **query: str) -> set[str]:
    return set(client.get(LIST, query).context["cl"].queryset.values_list("name", flat=True))


def member(account: Account, *codenames: str) -> Client:
    """Somebody who works for this account with these rights on rules."""
    user = User.objects.create_user(f"member-{account.pk}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def other(account: Account) -> Account:
    """An account that the viewer does not work for."""
    return Account.objects.create(slug="other", name="别家")


# The form


def test_a_rule_that_is_saved_answers_at_once(staff: Client, account: Account) -> None:
    answers = [text("您好 ##NICKNAME##"), news(2)]
    keywords = [keyword(), keyword("价格", "contains")]
    assert staff.post(ADD, filled(account, keywords=keywords, answers=answers)).status_code == 302
    saved = Rule.objects.get()
    assert (saved.keywords, saved.answers) == (keywords, answers)
    config = conf.account("demo")
    assert config is not None
    found = index_of(config).candidates(Query("请问价格", None, "text", None), timezone.now())
    assert [candidate.entry.id for candidate in found] == [saved.pk]


def test_complaints_stand_beside_their_items_and_nothing_typed_is_lost(staff: Client, account: Account) -> None:
    keywords = [keyword("我的关键词"), keyword("(", "regex"), keyword("x", "nonsense")]
    answers = [text("我写的回复"), {"kind": "image", "media": ""}, news(1, url="javascript:alert(1)")]
    response = staff.post(ADD, filled(account, keywords=keywords, answers=answers, name=""))
    assert set(errors(response)) == {"name", "keywords", "answers"}
    assert set(placed(response, "keywords")) == {"1", "2"}
    assert set(placed(response, "answers")) == {"1", "2"}
    form = response.context["adminform"].form
    assert json.loads(form["keywords"].value()) == keywords
    assert json.loads(form["answers"].value()) == answers
    assert "我写的回复" in response.content.decode()
    assert not Rule.objects.exists()


def test_a_complaint_beside_an_answer_does_not_repeat_its_place(staff: Client, account: Account) -> None:
    response = staff.post(ADD, filled(account, answers=[{"kind": "image", "media": ""}]))
    (beside,), (below,) = placed(response, "answers")["0"], errors(response)["answers"]
    assert below.endswith(beside)
    assert len(below) > len(beside)


@pytest.mark.parametrize("missing", ["keywords", "answers"])
def test_a_rule_that_is_on_needs_keywords_and_answers(staff: Client, account: Account, missing: str) -> None:
    assert set(errors(staff.post(ADD, filled(account, **{missing: []})))) == {missing}
    off = {key: value for key, value in filled(account, **{missing: []}).items() if key != "enabled"}
    assert staff.post(ADD, off).status_code == 302
    assert not Rule.objects.get().enabled


def test_the_same_keyword_twice_is_kept_once_and_said(staff: Client, account: Account) -> None:
    keywords = [keyword("VIP"), keyword("ｖｉｐ "), keyword("vip", "contains"), keyword("")]
    response = staff.post(ADD, filled(account, keywords=keywords))
    assert Rule.objects.get().keywords == [keyword("VIP"), keyword("vip", "contains")]
    assert any("ｖｉｐ" in str(message) for message in get_messages(response.wsgi_request))


def test_a_take_over_needs_no_text(staff: Client, account: Account) -> None:
    staff.post(ADD, filled(account, keywords=[keyword("left over", "takeover")]))
    assert Rule.objects.get().keywords == [keyword("", "takeover")]


def test_the_last_day_is_not_before_the_first(staff: Client, account: Account) -> None:
    response = staff.post(ADD, filled(account, starts_on="2026-02-01", ends_on="2026-01-31"))
    assert set(errors(response)) == {"ends_on"}
    assert staff.post(ADD, filled(account, starts_on="2026-02-01", ends_on="2026-02-01")).status_code == 302


def test_a_name_is_taken_once_in_each_account(staff: Client, account: Account, other: Account) -> None:
    rule(account)
    assert "__all__" in errors(staff.post(ADD, filled(account)))
    assert staff.post(ADD, filled(other)).status_code == 302


@pytest.mark.parametrize(
    "box",
    [
        "{not json",
        "7",
        '{"kind": "exact", "text": "x"}',
        "[" * 50_000,
        "[" + "9" * 5000 + "]",
        "[NaN]",
        '[["exact", "x"]]',
        '[{"kind": ["exact"], "text": "x"}]',
        '[{"kind": "exact", "text": 7}]',
        '[{"kind": "exact", "text": "x", "more": 1}]',
        '[{"kind": "exact", "text": "' + "x" * 200_000 + '"}]',
    ],
    ids=lambda box: box[:24],
)
@pytest.mark.parametrize("name", ["keywords", "answers"])
def test_what_is_no_list_of_documents_is_refused_in_words(staff: Client, account: Account, name: str, box: str) -> None:
    response = staff.post(ADD, filled(account, **{name: box}))
    assert response.status_code == 200
    assert set(errors(response)) == {name}
    assert not Rule.objects.exists()


def test_characters_that_no_database_holds_are_left_out(staff: Client, account: Account) -> None:
    box = '[{"kind": "exact", "text": "a\\u0000b\\ud800c"}]'
    assert staff.post(ADD, filled(account, keywords=box)).status_code == 302
    assert Rule.objects.get().keywords == [keyword("abc")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"text": "周末 上班吗"}, keyword("周末 上班吗")),
        ({"text": "报价", "source": "voice"}, keyword("报价")),
        ({"text": "PRICE", "source": "click"}, keyword("PRICE", "event_key")),
        ({"text": "77", "source": "qr"}, keyword("77", "scene")),
        ({"text": "<script>"}, keyword("<script>")),
    ],
)
def test_a_rule_is_begun_for_a_text_that_nobody_answered(
    staff: Client, account: Account, other: Account, query: dict[str, str], expected: dict[str, str]
) -> None:
    response = staff.get(ADD, {**query, "account": str(other.pk)})
    form = response.context["adminform"].form
    assert json.loads(form["keywords"].value()) == [expected]
    assert json.loads(form["answers"].value()) == []
    assert str(form["account"].value()) == str(other.pk)
    assert form["name"].value() == query["text"]


def test_the_only_account_is_chosen_already(staff: Client, account: Account) -> None:
    assert staff.get(ADD).context["adminform"].form["account"].value() == account.pk


def test_the_linter_speaks_after_saving(staff: Client, account: Account) -> None:
    rule(account, "老规则", priority=5)
    response = staff.post(ADD, filled(account, name="新规则"), follow=True)
    said = [str(message) for message in response.context["messages"]]
    assert len(said) >= 2, "that it is saved, and that the other rule is asked first"
    assert any("老规则" in line for line in said[1:])


def test_a_viewer_reads_in_words_and_changes_nothing(viewer: Client, account: Account) -> None:
    row = rule(account, keywords=[keyword("<b>")], answers=[text("多行\n回复")])
    content = viewer.get(page(row)).content.decode()
    assert "&lt;b&gt;" in content
    assert "data-editor" not in content
    assert viewer.post(page(row), filled(account, name="x")).status_code == 403
    assert viewer.get(ADD).status_code == 403


def test_deleting_asks_and_says_how_often_the_rule_answered(staff: Client, account: Account) -> None:
    row = rule(account)
    for ago in range(3):
        RuleDay.objects.create(rule=row, day=timezone.localdate() - timedelta(days=ago), hits=7)
    assert "21" in str(staff.get(page(row, "delete")).context["deleted_objects"])
    chosen = {"action": "delete_selected", "_selected_action": [row.pk]}
    assert "21" in str(staff.post(LIST, chosen).context["deletable_objects"])
    stamp = Account.objects.get(pk=account.pk).rules_stamp
    staff.post(page(row, "delete"), {"post": "yes"})
    assert not Rule.objects.exists()
    assert Account.objects.get(pk=account.pk).rules_stamp > stamp


def test_the_history_tells_keywords_and_answers_in_full(staff: Client, account: Account) -> None:
    staff.post(ADD, filled(account))
    row = Rule.objects.get()
    staff.post(page(row), filled(account, answers=[news(2, url="https://example.com/x")]))
    content = staff.get(page(row, "history")).content.decode()
    assert "第 2 篇 · 描述 · https://example.com/x" in content
    assert "boss" in content


# The list


def test_the_list_shows_the_first_keywords_and_how_many_more(staff: Client, account: Account) -> None:
    rule(
        account,
        keywords=[keyword(f"k{n}") for n in range(5)],
        answers=[text('看<a href="https://e.com">这里</a>'), news(3)],
    )
    content = staff.get(LIST).content.decode()
    assert ["k2" in content, ">k3<" in content, ">+2</span>" in content] == [True, False, True]
    assert "看这里" in content
    assert "第 1 篇 · 第 2 篇" in content


def test_a_click_switches_a_rule_and_the_list_stays_as_it_was(staff: Client, account: Account) -> None:
    row = rule(account)
    staff.get(LIST)
    off = reverse("admin:wechat_rule_switch", args=[row.pk, "off"])
    assert off in staff.get(LIST).content.decode()
    response = staff.post(off, headers={"referer": f"http://testserver{LIST}?q=报价&p=1"})
    assert response.headers["Location"].startswith(f"{LIST}?q=")
    row.refresh_from_db()
    assert not row.enabled
    assert row.history.count() == 2
    assert LogEntry.objects.filter(object_id=str(row.pk)).exists()
    staff.post(off)
    assert row.history.count() == 2, "it was off already"


def test_a_switch_needs_a_post_a_known_state_and_the_right(viewer: Client, staff: Client, account: Account) -> None:
    row = rule(account)
    off, odd = (reverse("admin:wechat_rule_switch", args=[row.pk, state]) for state in ("off", "odd"))
    assert staff.get(off).status_code == 405
    assert staff.post(odd).status_code == 404
    assert staff.post(reverse("admin:wechat_rule_switch", args=["0", "off"])).status_code == 404
    assert viewer.post(off).status_code == 403
    assert "rule-switch" not in viewer.get(LIST).content.decode()
    assert Rule.objects.get().enabled


def test_an_empty_rule_cannot_be_switched_on(staff: Client, account: Account) -> None:
    row = rule(account, enabled=False, answers=[])
    staff.post(reverse("admin:wechat_rule_switch", args=[row.pk, "on"]))
    staff.post(LIST, {"action": "switch_on", "_selected_action": [row.pk]})
    assert not Rule.objects.get().enabled
    rule(account, "完整", enabled=False)
    staff.post(LIST, {"action": "switch_on", "_selected_action": list(Rule.objects.values_list("pk", flat=True))})
    assert list(Rule.objects.filter(enabled=True).values_list("name", flat=True)) == ["完整"]


def test_rules_are_found_by_name_and_by_keyword(staff: Client, account: Account) -> None:
    rule(account, "A", keywords=[keyword("报价"), keyword("VIP卡")])
    rule(account, "B", keywords=[keyword("image", "message_type")])
    rule(account, "价目", keywords=[keyword("x")], answers=[text("报价 VIP")])
    rule(account, "D", keywords=[keyword("100%_")])
    assert listed(staff, q="ｖｉｐ") == {"A"}
    assert listed(staff, q="图片") == {"B"}
    assert listed(staff, q="价") == {"A", "价目"}
    assert listed(staff, q="%_") == {"D"}
    assert listed(staff, q="exact") == set()


def test_the_filters_know_answers_and_use(staff: Client, account: Account, other: Account) -> None:
    used = rule(account, "text", keywords=[keyword('"kind": "news"')], answers=[text('{"kind": "news"}')])
    old = rule(account, "news", answers=[text(), news()], enabled=False)
    rule(other, "other")
    today = timezone.localdate()
    RuleDay.objects.create(rule=used, day=today - timedelta(days=89), hits=1)
    RuleDay.objects.create(rule=old, day=today - timedelta(days=90), hits=1)
    assert listed(staff, answer="news") == {"news"}
    assert listed(staff, answer="text") == {"text", "news", "other"}
    assert listed(staff, unused="yes") == {"news", "other"}
    assert listed(staff, enabled__exact="0") == {"news"}
    assert listed(staff, account__id__exact=str(other.pk)) == {"other"}
    assert "(1)" in staff.get(LIST, {"_facets": "True"}).content.decode()


def test_the_bars_count_thirty_days(staff: Client, account: Account) -> None:
    row = rule(account)
    for ago, count in ((0, 4), (29, 5), (30, 100)):
        RuleDay.objects.create(rule=row, day=timezone.localdate() - timedelta(days=ago), hits=count)
    shown, lists = staff.get(page(row)).content.decode(), staff.get(LIST).content.decode()
    assert [shown.count("<rect "), shown.count(": 5</title>"), shown.count(": 100</title>")] == [30, 1, 0]
    assert 'd="M0 24v-24h3v24zM4 24v-1h3v1z' in lists
    assert lists.count("h3v") == 30
    assert ">9</span>" in lists
    assert all('role="img" aria-label="' in content for content in (shown, lists))
    assert staff.get(ADD).content.decode().count("<rect ") == 0


def test_a_list_costs_the_same_with_one_rule_and_with_many(staff: Client, account: Account) -> None:
    def cost() -> int:
        row = rule(account, f"r{Rule.objects.count()}")
        RuleDay.objects.create(rule=row, day=timezone.localdate(), hits=1)
        with CaptureQueriesContext(connection) as queries:
            staff.get(LIST)
        return len(queries)

    cost()
    assert cost() == cost() == cost()


def test_rules_of_other_accounts_do_not_exist(viewer: Client, account: Account, other: Account) -> None:
    rule(account, "mine")
    foreign = rule(other, "theirs")
    assert listed(viewer) == {"mine"}
    for name in ("change", "history"):
        assert viewer.get(page(foreign, name)).status_code in (302, 403)


def test_nobody_moves_a_rule_to_an_account_that_is_not_his(account: Account, other: Account) -> None:
    editor = member(account, "view_rule", "change_rule", "add_rule")
    assert set(errors(editor.post(ADD, filled(other)))) == {"account"}
    foreign = rule(other)
    editor.post(reverse("admin:wechat_rule_switch", args=[foreign.pk, "off"]))
    assert Rule.objects.get().enabled
    assert editor.post(ADD, filled(account)).status_code == 302


# The phone


def test_the_phone_shows_the_first_keyword_and_the_answers(staff: Client, account: Account) -> None:
    response = preview(staff, [keyword("报价")], [text("您好 ##NICKNAME##"), news()], account=account.pk)
    assert response.status_code == 200
    assert kinds(response) == ["text", "text", "news"]
    assert response.context["bubbles"][0] == {"side": "me", "kind": "text", "content": "报价"}
    content = response.content.decode()
    assert "##NICKNAME##" not in content
    assert "第 1 篇" in content
    assert "示例" in content
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("asked", "articles"),
    [
        (keyword(), 1),
        (keyword("image", "message_type"), 1),
        (keyword("", "takeover"), 1),
        (keyword("KEY", "event_key"), 8),
        (keyword("7", "scene"), 8),
        (keyword("subscribe", "message_type"), 8),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_who_writes_gets_one_article_and_who_taps_all(staff: Client, asked: dict[str, str], articles: int) -> None:
    shown = preview(staff, [asked], [news(9)]).context["bubbles"][1]["articles"]
    assert len(shown) == articles
    followed_by = preview(staff, [asked], [text(), news(9)]).context["bubbles"][2]["articles"]
    assert len(followed_by) == 1, "a customer-service message has one article"


def test_a_transfer_is_shown_only_where_it_works(staff: Client) -> None:
    transfer = {"kind": "transfer_customer_service", "account": "kf@x"}
    assert kinds(preview(staff, [keyword()], [transfer])) == ["text", "transfer_customer_service"]
    for keywords, answers in (([keyword("K", "event_key")], [transfer]), ([keyword()], [text(), transfer])):
        response = preview(staff, keywords, answers)
        assert "transfer_customer_service" not in kinds(response)
        assert response.context["hints"]


def test_hints_say_what_will_not_arrive(staff: Client, account: Account, other: Account) -> None:
    assert preview(staff, [keyword()], [text()]).context["hints"] == []
    for answers in ([text("字" * 700)], [news(2, picurl="https://e.com/p.png")], [news()], [text("##NICKNAM##")]):
        assert len(preview(staff, [keyword()], answers).context["hints"]) == 1, answers
    Account.objects.filter(pk=other.pk).update(kind="subscription")
    assert preview(staff, [keyword()], [text(), text()], account=account.pk).context["hints"] == []
    assert len(preview(staff, [keyword()], [text(), text()], account=other.pk).context["hints"]) == 1


def test_texts_are_cut_where_the_platform_cuts_them(staff: Client) -> None:
    content = preview(staff, [keyword()], [text("囍" * 700)]).content.decode()
    assert content.count("囍") == (2048 - 3) // 3
    assert "囍…" in content


def test_one_at_random_says_so(staff: Client) -> None:
    assert kinds(preview(staff, [keyword()], [text(), news()], choice="random")) == ["text", "notice", "text", "news"]


def test_links_are_links_only_as_on_the_phone(staff: Client) -> None:
    said = (
        "<a href=\"https://e.com/?a=1&amp;b=2\">看</a> <A HREF='weixin://bizmsgmenu?msgmenucontent=1'>选</A> "
        '<a href="javascript:alert(1)">坏</a> https://e.com/x <b>粗</b>'
    )
    content = preview(staff, [keyword()], [text(said)]).content.decode()
    assert 'href="https://e.com/?a=1&amp;b=2"' in content
    assert content.count('class="wx-link"') == 3
    assert 'href="javascript' not in content
    assert "&lt;a href=&quot;javascript:alert(1)&quot;&gt;坏&lt;/a&gt;" in content
    assert "&lt;b&gt;粗&lt;/b&gt;" in content


def test_pictures_come_from_safe_addresses_only(staff: Client, settings: Any) -> None:
    def sources(address: str) -> int:
        return int(preview(staff, [keyword()], [news(1, picurl=address)]).content.decode().count("<img"))

    assert [sources("https://e.com/p.png"), sources(f"{settings.PUBLIC_URL}/static/img/card.png")] == [1, 1]
    assert [sources("http://e.com/p.png"), sources("javascript:alert(1)"), sources("data:image/svg+xml,x")] == [0, 0, 0]


@pytest.mark.parametrize("value", [None, 7, "x", {}, [None], [7], [[]], [{}], [{"kind": []}], [{"kind": "news"}]])
def test_half_typed_and_odd_documents_are_no_error(staff: Client, value: Any) -> None:
    expected = 200 if value is None or isinstance(value, list) else 400
    assert preview(staff, value, [text()]).status_code == expected
    assert preview(staff, [keyword()], value).status_code == expected
    odd = [{"kind": "news", "articles": [7, {"title": 8}]}, {"kind": "text", "content": ["x"]}, {"kind": "handler"}]
    assert preview(staff, [keyword()], odd).status_code == 200


def test_every_kind_of_answer_is_drawn(staff: Client) -> None:
    answers = [
        {"kind": "image", "media": "m"},
        {"kind": "voice", "media": "m"},
        {"kind": "video", "media": "m", "title": "片名", "description": "d", "thumb": ""},
        {"kind": "music", "thumb": "t", "url": "", "hqurl": "", "title": "歌名", "description": ""},
        {"kind": "handler", "name": "nobody"},
    ]
    response = preview(staff, [keyword("[0-9]+", "regex")], answers)
    assert kinds(response) == ["notice", "image", "voice", "video", "music", "notice"]
    assert "片名" in response.content.decode()
    assert "歌名" in response.content.decode()
    assert "nobody" in response.content.decode()


def test_the_preview_is_for_staff_with_the_right_and_for_their_accounts(
    viewer: Client, account: Account, other: Account, client: Client
) -> None:
    assert preview(viewer, [keyword()], [text()], account=account.pk).status_code == 200
    for foreign in (other.pk, 10**30, "x", "-1"):
        assert preview(viewer, [keyword()], [text()], account=foreign).status_code == 404
    assert viewer.get(PREVIEW).status_code == 405
    assert preview(client, [keyword()], [text()]).status_code == 302
    assert preview(member(other, "view_push"), [keyword()], [text()]).status_code == 403


def test_the_preview_wants_the_forms_token_and_a_sensible_size(staff: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="boss"))
    assert preview(strict, [keyword()], [text()]).status_code == 403
    assert preview(staff, [keyword()], [text("x" * 210_000)]).status_code == 400
    assert preview(staff, [keyword()], [text("x" * 300_000)]).status_code in (400, 413)


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_text_stays_text_everywhere(staff: Client, account: Account, hostile: str) -> None:
    keywords = [keyword(hostile), keyword(hostile, "contains")]
    answers = [text(hostile), news(1, title=hostile, description=hostile)]
    form = filled(account, name=hostile.replace("\n", " "), keywords=keywords, answers=answers)
    staff.post(ADD, form)
    row = Rule.objects.get()
    assert row.keywords[0]["text"] == row.answers[0]["content"] == hostile
    pages = [staff.get(address) for address in (LIST, page(row), page(row, "history"), page(row, "delete"))]
    pages += [preview(staff, keywords, answers), staff.post(page(row), {**form, "priority": "x"})]
    for response in pages:
        content = response.content.decode()
        assert response.status_code == 200
        for markup in ("<script>alert", "]]><b>", "<img src=x", '" onmouseover="'):
            assert markup not in content, response.request["PATH_INFO"]


def test_texts_of_the_editor_cannot_leave_their_element(staff: Client, account: Account) -> None:
    row = rule(account, answers=[text("</script><script>alert(1)</script>")])
    content = staff.get(page(row)).content.decode()
    assert "</script><script>alert" not in content
    assert 'id="rule-editor"' in content
