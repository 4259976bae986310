"""The form of an account: its rows field by field, its secrets write-only, its state in words."""

from datetime import timedelta
from typing import Any

import pytest
from callback import AES_KEY, APPID, PREVIOUS_AES_KEY, SECRET, TOKEN
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from wechat import conf
from wechat.admin.versions import moment_of
from wechat.models import Account, ConfigRow, Lease
from wechat.sealing import seal

NEW_KEY = "n" * 42 + "A"  # 43 characters that decode
TOKEN_VALUE = "the-access-token-itself"
SECRETS = (SECRET, TOKEN, AES_KEY, PREVIOUS_AES_KEY, TOKEN_VALUE)
LIST = reverse("admin:wechat_account_changelist")


@pytest.fixture
def page(account: Account) -> str:
    expires = str(int(timezone.now().timestamp()) + 5000)
    values = {"public_wechat_accesstoken": seal(TOKEN_VALUE), "public_wechat_accesstoken_expires": expires}
    for name, value in values.items():
        ConfigRow.objects.create(account=account, conf_name=name, conf_value=value)
    return reverse("admin:wechat_account_change", args=[account.pk])


def filled(**changes: Any) -> dict[str, Any]:
    """What the browser sends: the account's own fields and the visible rows; secrets are empty boxes."""
    own = {"slug": "demo", "name": "示例", "kind": "verified_service", "delivery": "", "mode": "plain"}
    rows = {"public_wechat_appid": APPID, "public_wechat_token_call": "stable"}
    return {**own, "original_id": "", **rows, "_continue": "1", **changes}


def value(account: Account, name: str) -> str:
    row = account.rows.filter(conf_name=name).first()
    return conf.open_row(row) if row else ""


def errors(response: Any) -> set[str]:
    return set(response.context["adminform"].form.errors)


def test_no_secret_is_on_any_page_of_the_account(staff: Client, viewer: Client, page: str, account: Account) -> None:
    staff.post(page, filled(public_wechat_appsecret="another-secret-0123456789"))
    history = reverse("admin:wechat_account_history", args=[account.pk])
    sealed = list(account.rows.values_list("conf_value", flat=True).filter(conf_value__startswith="gAAAA"))
    for client in (staff, viewer):
        for address in (page, history, LIST, reverse("admin:index")):
            text = client.get(address).content.decode()
            for secret in (*SECRETS, "another-secret", *sealed):
                assert secret not in text, address


def test_no_secret_comes_back_from_a_form_with_errors(staff: Client, page: str) -> None:
    response = staff.post(page, filled(public_wechat_appid="!", public_wechat_appsecret="a-new-secret-012345"))
    assert errors(response) == {"public_wechat_appid"}
    assert "a-new-secret" not in response.content.decode()


def test_an_empty_box_keeps_the_secret(staff: Client, page: str, account: Account) -> None:
    assert staff.post(page, filled(name="新名")).status_code == 302
    assert [value(account, row) for row in ("public_wechat_appsecret", "public_wechat_token")] == [SECRET, TOKEN]
    assert Account.objects.get().name == "新名"


def test_rows_are_saved_and_reach_the_program(staff: Client, page: str, account: Account) -> None:
    texts = {"wechat_message_title": "你的报价", "wechat_welcome_text": "您好\n欢迎"}
    staff.post(page, filled(**texts, public_wechat_appsecret="a-new-secret-012345"))
    config = conf.account("demo")
    assert config is not None
    assert config.get("wechat_message_title") == "你的报价"
    assert config.get("public_wechat_appsecret") == "a-new-secret-012345"
    assert "a-new-secret" not in ConfigRow.objects.get(conf_name="public_wechat_appsecret").conf_value


def test_only_what_changed_is_stored(staff: Client, page: str, account: Account) -> None:
    before = set(account.rows.values_list("conf_name", "updated_at"))
    staff.post(page, filled(name="新名"))
    assert set(account.rows.values_list("conf_name", "updated_at")) == before


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("public_wechat_aes_key", "too-short"),
        ("public_wechat_appid", "<script>"),
        ("wechat_message_picurl", "javascript:alert(1)"),
        ("wechat_qr_expire_seconds", "5"),
        ("original_id", "gh <x>"),
    ],
)
def test_a_wrong_value_is_answered_at_its_field(field: str, text: str, staff: Client, page: str) -> None:
    assert errors(staff.post(page, filled(**{field: text}))) == {field}


def test_safe_mode_needs_a_key(staff: Client, page: str, account: Account) -> None:
    account.rows.filter(conf_name="public_wechat_aes_key").delete()
    assert errors(staff.post(page, filled(mode="safe"))) == {"public_wechat_aes_key"}
    assert staff.post(page, filled(mode="safe", public_wechat_aes_key=AES_KEY)).status_code == 302
    assert Account.objects.get().mode == "safe"


def test_the_previous_key_can_be_removed(staff: Client, page: str, account: Account) -> None:
    staff.post(page, filled(clear_public_wechat_aes_key_previous="on"))
    assert value(account, "public_wechat_aes_key_previous") == ""
    assert value(account, "public_wechat_aes_key") == AES_KEY


def test_a_key_is_not_given_and_removed_at_once(staff: Client, page: str) -> None:
    both = {"clear_public_wechat_aes_key_previous": "on", "public_wechat_aes_key_previous": AES_KEY}
    assert errors(staff.post(page, filled(**both))) == {"public_wechat_aes_key_previous"}


def test_a_new_account_needs_its_credentials(staff: Client, db: None) -> None:
    add = reverse("admin:wechat_account_add")
    form = filled(slug="second")
    assert errors(staff.post(add, form)) == {"public_wechat_appsecret", "public_wechat_token"}
    secrets = {"public_wechat_appsecret": SECRET, "public_wechat_token": TOKEN}
    assert staff.post(add, {**form, **secrets}).status_code == 302
    config = conf.account("second")
    assert config is not None
    assert config.token == TOKEN


def test_a_changed_secret_is_logged_by_name(staff: Client, page: str, account: Account) -> None:
    staff.post(page, filled(public_wechat_appsecret="a-new-secret-012345"))
    log = " ".join(entry.get_change_message() for entry in LogEntry.objects.all())
    assert "AppSecret" in log
    assert "a-new-secret" not in log
    entry = account.history.first()
    assert "AppSecret" in entry.history_change_reason
    assert entry.history_user.username == "boss"


def test_the_short_name_and_the_account_itself_stay(staff: Client, page: str, account: Account) -> None:
    staff.post(page, filled(slug="other"))
    assert Account.objects.get().slug == "demo"
    assert staff.post(reverse("admin:wechat_account_delete", args=[account.pk]), {"post": "yes"}).status_code == 403


def test_a_viewer_reads_the_texts_and_changes_nothing(viewer: Client, page: str, account: Account) -> None:
    conf.save(account, {"wechat_welcome_text": "您好"})
    text = viewer.get(page).content.decode()
    assert "您好" in text
    assert 'name="_save"' not in text
    assert viewer.post(page, filled(name="x")).status_code == 403


def test_a_viewer_cannot_bring_an_old_version_back(viewer: Client, page: str, account: Account) -> None:
    conf.save(account, {"wechat_welcome_text": "旧"})
    first = moment_of(account.history.first().history_date)
    old = reverse("admin:wechat_account_restore", args=[account.pk, first])
    assert viewer.post(old, {"_form_submitted": "True"}).status_code == 403
    assert value(account, "wechat_welcome_text") == "旧"


def test_the_page_says_what_the_account_cannot_do(staff: Client, page: str, account: Account) -> None:
    Account.objects.update(kind="subscription")
    notices = staff.get(page).context["notices"]
    assert [notice.level for notice in notices] == ["warning"] * 3  # no codes, no messages, plain
    Account.objects.update(kind="verified_service", mode="safe")
    assert not staff.get(page).context["notices"]


def test_the_page_says_what_is_paused_and_why(staff: Client, page: str, account: Account) -> None:
    until = timezone.now() + timedelta(hours=1)
    note = "/cgi-bin/message/custom/send: 40164 invalid ip <b>"
    Lease.objects.create(name=f"paused:{account.pk}", until=until, note=note)
    Lease.objects.create(name=f"circuit:{account.pk}", until=until)
    quota = "/cgi-bin/message/template/send: 45009 reach max api daily quota limit"
    Lease.objects.create(name=f"paused:{account.pk}:patient", until=until, note=quota)
    text = staff.get(page).content.decode()
    assert "调用接口的 IP 不在白名单" in text
    levels = [notice.level for notice in staff.get(page).context["notices"]]
    assert levels.count("error") == 3
    assert "模板消息暂停到" in text


def test_the_page_shows_the_address_to_copy_and_the_tokens_validity(staff: Client, page: str) -> None:
    response = staff.get(page)
    assert response.context["callback_url"] == "http://127.0.0.1:8000/wechat/demo/callback"
    assert "http://127.0.0.1:8000/wechat/demo/callback" in response.content.decode()
    assert response.context["token_validity"]


def test_the_preview_is_the_card_as_it_is_saved(staff: Client, page: str, account: Account, order: Order) -> None:
    conf.save(account, {"wechat_message_title": "<b>##TOTALBUDGET##</b>"})
    assert "&lt;b&gt;86500&lt;/b&gt;" in staff.get(page).content.decode()
