"""What nobody answered: the list, the way to a rule, putting aside, the pushes behind it, and the page of mistakes."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from callback import OPENID, Callback
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from wechat import conf, digest
from wechat.models import Account, Membership, Push, Rule, UnansweredText

HOSTILE = "<script>alert(1)</script>]]>=1+1‮x👍🏽"
YES = {"_form_submitted": "True"}  # what the dialog's button sends
LIST = "admin:wechat_unansweredtext_changelist"


def said(account: Account, text: str, source: str = "", **values: Any) -> UnansweredText:
    now = timezone.now()
    usual = {"count": 1, "first_at": now, "last_at": now}
    return UnansweredText.objects.create(account=account, text=text, source=source, **{**usual, **values})


def rule(account: Account, kind: str, text: str) -> Rule:
    words = [{"kind": kind, "text": text}]
    return Rule.objects.create(
        account=account, name=f"rule on {text}"[:60], keywords=words, answers=[{"kind": "text", "content": "a"}]
    )


def texts(client: Client, **query: Any) -> list[str]:
    """The texts in the list, in its order."""
    return [row.text for row in client.get(reverse(LIST), query).context["cl"].result_list]


def page_of(row: UnansweredText, name: str = "change") -> str:
    return reverse(f"admin:wechat_unansweredtext_{name}", args=[row.pk])


def member(account: Account, *rights: str) -> Client:
    user = User.objects.create_user(f"member{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


def test_what_was_said_most_often_stands_first(staff: Client, account: Account) -> None:
    now = timezone.now()
    said(account, "rare")
    said(account, "often", count=9)
    said(account, "older", count=3, last_at=now - timedelta(days=1))
    said(account, "newer", count=3, last_at=now)
    assert texts(staff) == ["often", "newer", "older", "rare"]


def test_the_list_is_filtered_by_where_a_text_came_from(staff: Client, account: Account) -> None:
    said(account, "typed")
    said(account, "spoken", "voice")
    said(account, "KEY", "click")
    said(account, "SCAN", "scancode_waitmsg")
    assert texts(staff, **{"from": "typed"}) == ["typed"]
    assert texts(staff, **{"from": "voice"}) == ["spoken"]
    assert set(texts(staff, **{"from": "menu"})) == {"KEY", "SCAN"}
    assert len(texts(staff, **{"from": "nonsense"})) == 4


def test_a_part_of_a_text_is_searched(staff: Client, account: Account) -> None:
    said(account, "怎么付款")
    said(account, "100%")
    assert texts(staff, q="付款") == ["怎么付款"]
    assert texts(staff, q="%") == ["100%"]
    assert texts(staff, q="_") == []


@pytest.mark.parametrize("source", ["", "voice", "click"])
def test_a_rule_is_made_of_a_text_with_everything_filled_in(staff: Client, account: Account, source: str) -> None:
    text = f"a&b=c #{HOSTILE}"
    row = said(account, text, source)
    shown = staff.get(reverse(LIST)).content.decode()
    target = reverse("admin:wechat_rule_add")
    link = shown.partition(f'href="{target}?')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(urlsplit(f"?{link}").query, keep_blank_values=True) == {
        "account": [str(account.pk)],
        "text": [text],
        "source": [source],
    }
    assert f"{target}?" in staff.get(page_of(row)).content.decode()
    assert staff.get(f"{target}?{link}").status_code == 200


def test_a_text_that_a_rule_answers_by_now_says_so(staff: Client, account: Account) -> None:
    said(account, "付款")
    said(account, "KEY", "click")
    made = rule(account, "exact", "付款")
    shown = staff.get(reverse(LIST)).content.decode()
    assert reverse("admin:wechat_rule_change", args=[made.pk]) in shown
    assert shown.count(f"{reverse('admin:wechat_rule_add')}?") == 1
    rule(account, "event_key", "KEY")
    assert f"{reverse('admin:wechat_rule_add')}?" not in staff.get(reverse(LIST)).content.decode()


def test_what_is_put_aside_leaves_the_list_and_can_come_back(staff: Client, account: Account) -> None:
    row = said(account, "gone")
    said(account, "stays")
    staff.post(reverse(LIST), {"action": "put_aside", "_selected_action": [row.pk]})
    assert texts(staff) == ["stays"]
    assert texts(staff, aside="yes") == ["gone"]
    assert LogEntry.objects.filter(object_id=str(row.pk)).exists()
    staff.post(f"{reverse(LIST)}?aside=yes", {"action": "take_back", "_selected_action": [row.pk]})
    assert set(texts(staff)) == {"gone", "stays"}


def test_the_button_on_a_text_asks_before_it_puts_aside(staff: Client, account: Account) -> None:
    row = said(account, "gone")
    address = page_of(row, "put_this_aside")
    assert address in staff.get(page_of(row)).content.decode()
    staff.get(address)
    staff.post(address, {})
    assert texts(staff) == ["gone"]
    staff.post(address, YES)
    assert texts(staff) == []


def test_what_was_put_aside_stays_there_when_it_is_said_again(staff: Client, account: Account, push: Callback) -> None:
    said(account, "x", dismissed=True)
    push.text("x")
    Push.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    digest.run()
    row = UnansweredText.objects.get(text="x")
    assert (row.count, row.dismissed) == (2, True)


def test_a_text_leads_to_its_latest_pushes(staff: Client, account: Account, push: Callback) -> None:
    conf.save(account, {"wechat_default_reply": "default"})
    push.text("how  to\npay?")
    push.text("how to pay??")
    push.text("how to pay?", openid="oOther_000000000000000000001")
    push.click("how to pay?")
    row = said(account, "how to pay?")
    shown = staff.get(page_of(row)).content.decode()
    numbers = list(Push.objects.order_by("pk").values_list("pk", flat=True))
    linked = [reverse("admin:wechat_push_change", args=[number]) in shown for number in numbers]
    assert linked == [True, False, True, False]
    assert OPENID not in shown


def test_who_may_not_see_messages_gets_no_way_to_them(account: Account, push: Callback) -> None:
    push.text("pay")
    row = said(account, "pay")
    editor = member(account, "view_unansweredtext", "change_unansweredtext", "add_rule", "view_rule")
    assert "/push/" not in editor.get(page_of(row)).content.decode()


def test_who_may_only_view_can_put_nothing_aside_and_make_no_rule(viewer: Client, account: Account) -> None:
    Membership.objects.get_or_create(user=User.objects.get(username="viewer"), account=account)
    row = said(account, "x")
    for address in (reverse(LIST), page_of(row)):
        shown = viewer.get(address)
        assert shown.status_code == 200
        assert reverse("admin:wechat_rule_add") not in shown.content.decode()
        assert "put_this_aside" not in shown.content.decode()
    viewer.post(reverse(LIST), {"action": "put_aside", "_selected_action": [row.pk]})
    assert viewer.post(page_of(row, "put_this_aside"), YES).status_code == 403
    assert not UnansweredText.objects.get().dismissed


def test_texts_of_another_account_do_not_exist(account: Account) -> None:
    other = Account.objects.create(slug="other")
    row = said(other, "secret")
    editor = member(account, "view_unansweredtext", "change_unansweredtext")
    assert texts(editor) == []
    assert editor.get(page_of(row)).status_code in (302, 403)
    editor.post(page_of(row, "put_this_aside"), YES)
    editor.post(reverse(LIST), {"action": "put_aside", "_selected_action": [row.pk]})
    assert not UnansweredText.objects.get().dismissed


@pytest.mark.parametrize("text", [HOSTILE, "=cmd|' /C calc'!A0", "{{ 7*7 }}", "%s %(x)s", "\u202eabc", "💣" * 100])
def test_foreign_texts_are_shown_as_text(staff: Client, account: Account, text: str) -> None:
    row = said(account, text)
    for address in (reverse(LIST), page_of(row)):
        shown = staff.get(address).content.decode()
        assert "<script>alert" not in shown
        assert f'<bdi style="overflow-wrap:anywhere">{escape(text)}</bdi>' in shown


def test_the_list_costs_the_same_with_one_text_and_with_many(staff: Client, account: Account) -> None:
    def cost() -> int:
        said(account, f"text {UnansweredText.objects.count()}")
        with CaptureQueriesContext(connection) as queries:
            staff.get(reverse(LIST))
        return len(queries)

    cost()
    first = cost()
    assert max(cost() for _ in range(5)) == first


# The page of mistakes


LINT = "admin:wechat_rule_lint"


def test_the_page_of_mistakes_groups_them_and_leads_to_the_rules(staff: Client, account: Account) -> None:
    broken = rule(account, "regex", "(")
    rule(account, "exact", "x")
    rule(account, "exact", "X ")
    said(account, "MENU_KEY", "click")
    response = staff.get(reverse(LINT), {"account": account.pk})
    shown = response.content.decode()
    assert [group["level"] for group in response.context["groups"]] == ["error", "warning"]
    assert reverse("admin:wechat_rule_change", args=[broken.pk]) in shown
    assert f"{reverse('admin:wechat_rule_add')}?account={account.pk}&amp;text=MENU_KEY&amp;source=click" in shown


def test_without_mistakes_the_page_says_so(staff: Client, account: Account) -> None:
    rule(account, "exact", "x")
    response = staff.get(reverse(LINT))
    assert response.status_code == 200
    assert response.context["groups"] == []


def test_of_very_many_mistakes_two_hundred_are_listed_and_the_others_counted(staff: Client, account: Account) -> None:
    Rule.objects.bulk_create(Rule(account=account, name=f"r{number}") for number in range(150))
    (group,) = staff.get(reverse(LINT)).context["groups"]
    assert (len(group["rows"]), group["count"], group["more"]) == (200, 300, 100)


def test_hostile_names_and_keywords_are_text_on_the_page_of_mistakes(staff: Client, account: Account) -> None:
    for number in range(2):
        Rule.objects.create(
            account=account,
            name=f"{HOSTILE}{number}",
            keywords=[{"kind": "exact", "text": HOSTILE}, {"kind": "regex", "text": f"({HOSTILE}"}],
            answers=[{"kind": "text", "content": "a"}],
        )
    said(account, HOSTILE, "click")
    shown = staff.get(reverse(LINT)).content.decode()
    assert "<script>alert" not in shown
    assert f"\u2068{escape(HOSTILE)}\u2069" in shown, "a mark that turns the direction ends with its text"


def test_only_who_sees_the_rules_of_an_account_sees_its_mistakes(account: Account, client: Client) -> None:
    other = Account.objects.create(slug="other")
    assert client.get(reverse(LINT)).status_code == 302
    assert member(account, "view_unansweredtext").get(reverse(LINT)).status_code == 403
    one = member(account, "view_rule")
    assert one.get(reverse(LINT)).status_code == 200
    assert one.get(reverse(LINT), {"account": account.pk}).status_code == 200
    for wrong in (other.pk, "x", "", 10**30, -1):
        assert one.get(reverse(LINT), {"account": wrong}).status_code == 404


def test_the_pages_of_the_rules_light_up_alone_in_the_menu(staff: Client, account: Account) -> None:
    for name in ("lint", "try", "transfer"):
        groups = staff.get(reverse(f"admin:wechat_rule_{name}")).context["sidebar_navigation"]
        active = [item["link"] for group in groups for item in group["items"] if item.get("active")]
        assert active == [reverse(f"admin:wechat_rule_{name}")]
