"""Who changed what: the history of accounts, rules and quotes, and the way back to an earlier version."""

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from callback import AES_KEY, APPID, PREVIOUS_AES_KEY, SECRET, TOKEN
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext

from orders.models import Order, OrderItem
from wechat import conf
from wechat.admin.versions import moment_of
from wechat.models import Account, ConfigRow, Rule
from wechat.registry import ROWS
from wechat.sealing import seal

HOSTILE = "<script>alert(1)</script>"
YES = {"_form_submitted": "True"}
RESTORED = gettext("Restored the version of %(time)s").partition("%")[0]
TEXTS = ("wechat_welcome_text", "wechat_default_reply", "wechat_message_title")


def address(row: Any, page: str = "history", *args: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk, *args])


def versions(client: Client, row: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = client.get(address(row)).context["versions"]
    return told


def changes(version: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {change.label: (change.old, change.new) for change in version["changes"]}


def label(model: Any, field: str, of: str = "") -> str:
    """What the page calls a field; `of` is the row of a part."""
    return f"{model._meta.verbose_name} {of}: {name(model, field)}" if of else capfirst(name(model, field))


def name(model: Any, field: str) -> str:
    return str(model._meta.get_field(field).verbose_name)


def line(name: str) -> str:
    return f"{OrderItem._meta.verbose_name} {name}"


def form_of(account: Account, **changed: str) -> dict[str, Any]:
    own = {"name": account.name, "kind": account.kind, "delivery": "", "mode": account.mode}
    return {
        **own,
        "original_id": account.original_id,
        "public_wechat_appid": APPID,
        "public_wechat_token_call": "stable",
        **changed,
    }


def earlier(*rows: Any) -> None:
    """Everything that the histories know so far happened an hour before."""
    for model in (Account, ConfigRow, Rule, Order, OrderItem):
        for entry in model.history.all():
            model.history.filter(pk=entry.pk).update(history_date=entry.history_date - timedelta(hours=1))


@pytest.fixture
def texts(account: Account, staff: Client) -> Account:
    """The account with two versions of its texts, the earlier by the program, the later by the boss."""
    conf.save(account, {"wechat_welcome_text": "欢迎", "wechat_message_title": "旧标题"})
    earlier()
    staff.post(
        address(account, "change"),
        form_of(account, wechat_welcome_text=f"您好\n{HOSTILE}", wechat_default_reply="稍等"),
    )
    return account


@pytest.fixture
def rule(account: Account) -> Rule:
    """A rule with two versions."""
    rule = Rule.objects.create(
        account=account,
        name="报价",
        keywords=[{"kind": "exact", "text": "报价"}],
        answers=[{"kind": "text", "content": "旧回复"}],
    )
    earlier()
    rule.name, rule.priority, rule.enabled = "价格", 7, False
    rule.answers = [{"kind": "text", "content": "新回复"}]
    rule.save()
    return rule


@pytest.fixture
def quote(order: Order) -> Order:
    """The quote 77 with three lines; later one is changed, one taken away, one added, and the sum is another."""
    for position, name in enumerate(("拆改", "水电", "防水")):
        OrderItem.objects.create(order=order, position=position, name=name, quantity=2, unit="项", amount=Decimal(100))
    earlier()
    first, second, _third = order.items.all()
    first.amount = Decimal(150)
    first.save()
    second.delete()
    OrderItem.objects.create(order=order, position=3, name="灯具", amount=Decimal(9))
    order.total_money, order.customer = Decimal(159), "赵先生"
    order.save()
    return order


def lines(order: Order) -> dict[str, Decimal]:
    return dict(order.items.values_list("name", "amount"))


def value(account: Account, name: str) -> str:
    row = account.rows.filter(conf_name=name).first()
    return row.conf_value if row else ""


# The pages.


def test_texts_are_in_the_history_of_the_account_with_who_and_what(texts: Account, staff: Client) -> None:
    newest, oldest = versions(staff, texts)
    assert newest["version"].who == "boss"
    assert oldest["version"].who == gettext("The program")
    told = changes(newest)
    expected = [("欢迎", f"您好\n{HOSTILE}"), ("", "稍等"), ("旧标题", "")]
    assert told == {str(ROWS[row].label): change for row, change in zip(TEXTS, expected, strict=True)}


def test_what_was_written_stays_text_on_the_page(texts: Account, rule: Rule, quote: Order, staff: Client) -> None:
    Rule.history.update(name=HOSTILE, keywords=[{"kind": "exact", "text": HOSTILE}])
    OrderItem.history.update(name=HOSTILE)
    for row in (texts, rule, quote):
        page = staff.get(address(row)).content.decode()
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page


def test_what_is_saved_at_once_is_one_version(account: Account, staff: Client) -> None:
    before = len(versions(staff, account))
    earlier()
    changed = form_of(account, name="新名", **dict.fromkeys(TEXTS, "新"))
    staff.post(address(account, "change"), changed)
    told = versions(staff, account)
    assert len(told) == before + 1
    assert len(told[0]["changes"]) == 1 + len(TEXTS)


def test_no_secret_and_no_token_is_in_the_history(account: Account, staff: Client) -> None:
    new = {"public_wechat_appsecret": "a-new-secret-012345", "public_wechat_aes_key": "n" * 42 + "A"}
    staff.post(address(account, "change"), form_of(account, clear_public_wechat_aes_key_previous="on", **new))
    token = ConfigRow.objects.create(account=account, conf_name="public_wechat_accesstoken", conf_value=seal("tok"))
    ConfigRow.objects.create(account=account, conf_name="public_wechat_accesstoken_expires", conf_value="1")
    token.delete()
    account.rows.filter(conf_name="public_wechat_token").delete()
    assert set(ConfigRow.history.values_list("conf_name", flat=True)) == {"public_wechat_appid"}
    page = staff.get(address(account)).content.decode()
    for secret in (SECRET, TOKEN, AES_KEY, PREVIOUS_AES_KEY, *new.values(), "gAAAA"):
        assert secret not in page
    assert "AppSecret" in versions(staff, account)[0]["version"].note


def test_a_change_by_command_is_in_the_history_as_the_programs(account: Account, staff: Client) -> None:
    earlier()
    call_command("account", "demo", kind="test", appid="wxanother0123456", stdout=io.StringIO())
    newest = versions(staff, account)[0]
    assert newest["version"].who == gettext("The program")
    assert changes(newest)["AppID"] == (APPID, "wxanother0123456")
    kinds = (str(Account.Kind.VERIFIED_SERVICE.label), str(Account.Kind.TEST.label))
    assert changes(newest)[label(Account, "kind")] == kinds


def test_a_rule_is_told_in_words(rule: Rule, staff: Client) -> None:
    newest, oldest = versions(staff, rule)
    assert oldest["kind"] == "+"
    told = changes(newest)
    assert told[label(Rule, "name")] == ("报价", "价格")
    assert told[label(Rule, "enabled")] == (gettext("Yes"), gettext("No"))
    old, new = told[label(Rule, "answers")]
    assert ("旧回复" in old, "新回复" in new) == (True, True)
    assert "{" not in f"{old}{new}{changes(oldest)[label(Rule, 'keywords')]}"


def test_a_quote_is_told_with_its_lines(quote: Order, staff: Client) -> None:
    told = changes(versions(staff, quote)[0])
    assert told[label(Order, "customer")] == ("王女士", "赵先生")
    assert told[label(OrderItem, "amount", of="拆改")] == ("100.00", "150.00")
    gone, nothing = told[line("水电")]
    assert gone.split(" · ")[1:3] == [f"{name(OrderItem, 'quantity')}: 2.00", f"{name(OrderItem, 'unit')}: 项"]
    assert nothing == ""
    assert told[line("灯具")][0] is None


def test_a_quote_of_the_website_has_its_lines_in_the_history(account: Account, staff: Client) -> None:
    key = io.StringIO()
    call_command("apikey", "website", stdout=key, stderr=io.StringIO())
    quote = {"room_area": "80", "total_money": "1", "saved_money": "0", "items": [{"name": "拆改", "amount": "1"}]}
    headers = {"authorization": f"Api-Key {key.getvalue().strip()}"}
    assert Client().post("/api/quotes/", quote, content_type="application/json", headers=headers).status_code == 201
    told = changes(versions(staff, Order.objects.get())[0])
    assert "拆改" in told[line("拆改")][1]


def test_a_long_history_comes_in_pages(rule: Rule, staff: Client) -> None:
    for number in range(25):
        rule._history_date = timezone.now() + timedelta(minutes=1 + number)  # type: ignore[attr-defined]
        rule.priority = number
        rule.save()
    assert len(versions(staff, rule)) == 20
    rest = staff.get(address(rule), {"p": 2}).context["versions"]
    assert len(rest) == 7
    assert rest[-1]["kind"] == "+"


def test_a_page_of_the_history_costs_the_same_for_few_versions_and_for_many(
    quote: Order, staff: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(15):
        quote._history_date = timezone.now() + timedelta(minutes=1 + number)  # type: ignore[attr-defined]
        quote.total_money = Decimal(number)
        quote.save()
    with django_assert_max_num_queries(24):
        versions(staff, quote)


def test_a_row_that_nobody_knows_has_no_history(staff: Client, viewer: Client) -> None:
    for client in (staff, viewer):
        missing = client.get(reverse("admin:wechat_rule_history", args=[4711]))
        assert missing.headers["Location"] == reverse("admin:index")


# The way back.


def test_the_texts_of_an_account_are_restored(texts: Account, staff: Client) -> None:
    Account.objects.update(mode="compatible", name="新名")
    conf.save(texts, {"public_wechat_appid": "wxanother0123456", "public_wechat_appsecret": "a-new-secret-012345"})
    old = versions(staff, texts)[-1]
    assert staff.post(old["restore"], YES).headers["Location"] == address(texts)
    assert [value(texts, name) for name in TEXTS] == ["欢迎", "", "旧标题"]
    config = conf.account("demo")
    assert config is not None
    assert config.get("wechat_welcome_text") == "欢迎"
    kept = (config.mode, config.name, config.appid, config.get("public_wechat_appsecret"))
    assert kept == ("compatible", "新名", "wxanother0123456", "a-new-secret-012345")


def test_going_back_is_itself_in_the_history(texts: Account, rule: Rule, staff: Client) -> None:
    for row in (texts, rule):
        earlier()
        count = len(versions(staff, row))
        staff.post(versions(staff, row)[-1]["restore"], YES)
        told = versions(staff, row)
        assert len(told) == count + 1
        assert told[0]["version"].note.startswith(RESTORED)
        assert told[0]["version"].who == "boss"
        assert told[0]["changes"]
        assert RESTORED in str(LogEntry.objects.filter(object_id=str(row.pk)).first())
        staff.post(told[1]["restore"], YES)  # and forth again
    assert value(texts, "wechat_default_reply") == "稍等"
    assert Rule.objects.get().name == "价格"


def test_a_rule_is_restored_as_a_whole(rule: Rule, account: Account, staff: Client) -> None:
    stamp = Account.objects.get().rules_stamp
    staff.post(versions(staff, rule)[-1]["restore"], YES)
    restored = Rule.objects.get()
    assert (restored.pk, restored.name, restored.priority, restored.enabled) == (rule.pk, "报价", 0, True)
    assert restored.keywords == [{"kind": "exact", "text": "报价"}]
    assert restored.answers == [{"kind": "text", "content": "旧回复"}]
    assert Account.objects.get().rules_stamp > stamp


def test_a_quote_is_restored_with_its_lines(quote: Order, staff: Client) -> None:
    assert lines(quote) == {"拆改": Decimal(150), "防水": Decimal(100), "灯具": Decimal(9)}
    staff.post(versions(staff, quote)[-1]["restore"], YES)
    assert lines(quote) == {"拆改": Decimal(100), "水电": Decimal(100), "防水": Decimal(100)}
    restored = Order.objects.get()
    assert (restored.customer, restored.total_money, restored.orderid) == ("王女士", Decimal(56000), 77)
    assert restored.key == quote.key


def test_the_number_and_the_account_of_a_quote_stay(quote: Order, staff: Client) -> None:
    Order.history.update(orderid=5, account=Account.objects.create(slug="other"))
    old = versions(staff, quote)[-1]["restore"]
    staff.post(old, YES)
    assert (Order.objects.get().orderid, Order.objects.get().account) == (77, quote.account)


def test_what_has_no_history_stays_when_something_else_goes_back(texts: Account, quote: Order, staff: Client) -> None:
    ConfigRow.objects.bulk_create([ConfigRow(account=texts, conf_name="wechat_unknown_order_text", conf_value="无")])
    OrderItem.objects.bulk_create([OrderItem(order=quote, name="从前", amount=1)])
    for row in (texts, quote):
        staff.post(versions(staff, row)[-1]["restore"], YES)
    assert value(texts, "wechat_unknown_order_text") == "无"
    assert "从前" in lines(quote)


def test_a_version_that_is_not_possible_any_more_is_refused_with_a_reason(rule: Rule, staff: Client) -> None:
    Rule.objects.create(account=rule.account, name="报价", answers=[{"kind": "text", "content": "x"}])
    page = staff.post(versions(staff, rule)[-1]["restore"], YES, follow=True)
    assert gettext("This version cannot be restored: %(reasons)s").partition("%")[0] in page.content.decode()
    rule.refresh_from_db()
    assert rule.name == "价格"


def test_there_is_no_way_back_to_what_is_there(texts: Account, rule: Rule, staff: Client) -> None:
    assert [bool(version["restore"]) for version in versions(staff, rule)] == [False, True]
    told = versions(staff, texts)
    assert not told[0]["restore"]
    assert gettext("Restore this version") in staff.get(address(texts)).content.decode()


def test_asking_restores_nothing(rule: Rule, staff: Client) -> None:
    old = versions(staff, rule)[-1]["restore"]
    assert gettext("Restore this version?") in staff.get(old).content.decode()
    staff.post(old, {})
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(old, YES).status_code == 403
    assert Rule.objects.get().name == "价格"


def test_a_moment_without_a_version_is_not_found(rule: Rule, staff: Client) -> None:
    newest = moment_of(rule.history.first().history_date)
    assert staff.post(address(rule, "restore", newest + 1), YES).status_code == 404


def test_who_may_only_look_gets_no_button_and_no_way_back(
    texts: Account, rule: Rule, quote: Order, staff: Client, viewer: Client
) -> None:
    for row in (texts, rule, quote):
        told = versions(viewer, row)
        assert len(told) == len(versions(staff, row))
        assert not any(version["restore"] for version in told)
        old = versions(staff, row)[-1]["restore"]
        assert viewer.get(old).status_code == 403
        assert viewer.post(old, YES).status_code == 403
    assert (value(texts, "wechat_welcome_text")[:2], Rule.objects.get().name) == ("您好", "价格")
    assert quote.items.filter(name="灯具").exists()


def test_who_may_not_change_the_lines_of_a_quote_does_not_restore_them(
    quote: Order, staff: Client, viewer: Client
) -> None:
    user = User.objects.get(username="viewer")
    user.user_permissions.add(Permission.objects.get(codename="change_order"))
    old = versions(staff, quote)[-1]["restore"]
    assert not any(version["restore"] for version in versions(viewer, quote))
    assert viewer.post(old, YES).status_code == 403
    assert "灯具" in lines(quote)
