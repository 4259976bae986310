"""Configuration rows: named in one registry, checked, sealed where secret, and seen by every process within a second."""

import time
from pathlib import Path
from typing import Any

import pytest
from callback import AES_KEY, APPID, SECRET, TOKEN
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from wechat import conf
from wechat.models import Account, ConfigRow, Lease
from wechat.registry import ROWS
from wechat.sealing import SealBroken, reseal, seal, unseal

SECRETS = {SECRET, TOKEN, AES_KEY}


def value(name: str) -> str:
    config = conf.account("demo")
    assert config
    return config.get(name)


def test_the_four_rows_of_the_source_have_their_names() -> None:
    names = "appid", "appsecret", "accesstoken", "accesstoken_expires"
    assert ROWS.keys() >= {f"public_wechat_{name}" for name in names}
    assert {"wechat_message_title", "wechat_message_brief", "wechat_message_picurl", "wechat_redirect_url_pre"} <= set(
        ROWS
    )


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_a_label_and_a_default_that_passes_its_own_check(name: str) -> None:
    row = ROWS[name]
    assert str(row.label)
    assert row.clean(row.default()) == row.default()


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.secret])
def test_a_secret_has_no_default(name: str) -> None:
    assert ROWS[name].default() == ""


def test_a_row_that_is_absent_or_empty_has_its_default(account: Account, settings: Any) -> None:
    assert value("wechat_message_title") == settings.WECHAT_MESSAGE_TITLE
    conf.save(account, {"wechat_message_title": "您的报价"})
    assert value("wechat_message_title") == "您的报价"
    conf.save(account, {"wechat_message_title": " "})
    assert value("wechat_message_title") == settings.WECHAT_MESSAGE_TITLE


def test_a_value_is_stored_without_the_spaces_around_it(account: Account) -> None:
    conf.save(account, {"public_wechat_appid": f" {APPID}\n", "public_wechat_appsecret": f"{SECRET} "})
    assert (value("public_wechat_appid"), value("public_wechat_appsecret")) == (APPID, SECRET)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("public_wechat_appid", "wx 123"),
        ("public_wechat_appid", "wx123456\n<script>"),
        ("public_wechat_appsecret", "with space inside"),
        ("public_wechat_appsecret", "密码"),
        ("public_wechat_token", "x"),
        ("public_wechat_aes_key", "a" * 42),
        ("public_wechat_aes_key", "a" * 43 + "="),
        ("public_wechat_aes_key_previous", "-" * 43),
        ("public_wechat_token_call", "sometimes"),
        ("wechat_message_picurl", "javascript:alert(1)"),
        ("wechat_message_picurl", "file:///etc/passwd"),
        ("wechat_message_picurl", "/static/p.png"),
        ("wechat_redirect_url_pre", 'https://x.cn/"onclick='),
        ("wechat_redirect_url_pre", "https://"),
        ("wechat_redirect_url_pre", "https://[broken/"),
        ("wechat_qr_expire_seconds", "29"),
        ("wechat_qr_expire_seconds", "2592001"),
        ("wechat_qr_expire_seconds", "１８００"),
        ("wechat_qr_expire_seconds", "1e3"),
    ],
)
def test_a_wrong_value_is_refused_with_words_and_nothing_is_stored(name: str, wrong: str, account: Account) -> None:
    before = list(ConfigRow.objects.values_list("conf_name", "conf_value"))
    with pytest.raises(ValidationError) as caught:
        conf.save(account, {"wechat_message_title": "neu", name: wrong})
    assert caught.value.message_dict.keys() == {name}
    assert list(ConfigRow.objects.values_list("conf_name", "conf_value")) == before


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("wechat_redirect_url_pre", "https://firm.cn/q?o=##OPENID##&id=##ORDERID##&c=##SHARECODE##"),
        ("wechat_message_picurl", "http://127.0.0.1:8000/static/p.png"),
        ("wechat_qr_expire_seconds", "2592000"),
        ("wechat_qr_expire_seconds", "30"),
    ],
)
def test_a_right_value_is_taken(name: str, right: str, account: Account) -> None:
    conf.save(account, {name: right})
    assert value(name) == right


def test_secrets_are_sealed_in_their_rows(account: Account) -> None:
    stored = " ".join(ConfigRow.objects.values_list("conf_value", flat=True))
    assert not [secret for secret in SECRETS if secret in stored]
    assert {value("public_wechat_appsecret"), value("public_wechat_token"), value("public_wechat_aes_key")} == SECRETS


@pytest.mark.django_db(transaction=True)
def test_no_secret_stands_in_the_files_of_the_database(account: Account) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the files of PostgreSQL are not ours to read")
    files = Path(connection.settings_dict["NAME"]).parent.glob("*sqlite3*")
    content = b"".join(file.read_bytes() for file in files)
    assert APPID.encode() in content
    assert not [secret for secret in SECRETS if secret.encode() in content]


def test_no_secret_stands_in_what_a_traceback_would_show(account: Account) -> None:
    shown = repr(conf.account("demo")) + repr(conf.snapshot()) + repr(list(ConfigRow.objects.all()))
    assert not [secret for secret in SECRETS if secret in shown]


def test_field_keys_can_be_rotated(account: Account, settings: Any) -> None:
    old, new = settings.FIELD_KEYS, [Fernet.generate_key().decode()]
    settings.FIELD_KEYS = new + old
    conf.forget()
    assert value("public_wechat_appsecret") == SECRET
    for row in ConfigRow.objects.exclude(conf_value="").filter(conf_name__in=[n for n, r in ROWS.items() if r.secret]):
        row.conf_value = reseal(row.conf_value)
        row.save()
    settings.FIELD_KEYS = new
    conf.forget()
    assert value("public_wechat_appsecret") == SECRET


def test_a_lost_key_costs_its_secrets_only(account: Account, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    conf.forget()
    assert value("public_wechat_appid") == APPID
    assert value("public_wechat_token") == ""
    assert "FIELD_KEYS" in caplog.text
    assert "public_wechat_token" in caplog.text


def test_what_is_sealed_opens_unchanged_and_nothing_else_does() -> None:
    assert unseal(seal("秘密 👍🏽")) == "秘密 👍🏽"
    assert seal("") == unseal("") == ""
    assert seal("x") != seal("x")
    with pytest.raises(SealBroken):
        unseal("not sealed at all")


def change_elsewhere(account: Account) -> None:
    """What another process does: it writes the row and moves the stamp; this process hears nothing."""
    ConfigRow.objects.create(account=account, conf_name="wechat_message_title", conf_value="von nebenan")
    Account.objects.filter(pk=account.pk).update(stamp=F("stamp") + 1)


def test_a_change_elsewhere_is_seen_at_the_next_look(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    before = value("wechat_message_title")
    change_elsewhere(account)
    assert value("wechat_message_title") == before
    monkeypatch.setattr(conf, "LOOK_EVERY", 0.05)
    time.sleep(0.06)
    assert value("wechat_message_title") == "von nebenan"


def test_a_process_that_looked_just_now_reads_nothing(account: Account) -> None:
    conf.snapshot()
    with CaptureQueriesContext(connection) as captured:
        for _ in range(100):
            value("wechat_message_title")
    assert len(captured) == 0


def test_a_look_that_finds_no_change_reads_no_rows(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    conf.snapshot()
    monkeypatch.setattr(conf, "LOOK_EVERY", 0.0)
    with CaptureQueriesContext(connection) as captured:
        conf.snapshot()
    assert len(captured) == 2
    assert not [query for query in captured if "wechat_info" in query["sql"]]


def test_a_saved_or_deleted_account_is_seen_at_once(account: Account) -> None:
    account.mode = Account.Mode.SAFE
    account.save()
    config = conf.account("demo")
    assert config
    assert config.mode == "safe"
    account.delete()
    assert conf.account("demo") is None


def test_an_encrypted_mode_needs_its_key(account: Account) -> None:
    account.mode = Account.Mode.SAFE
    conf.require_key(account)
    conf.save(account, {"public_wechat_aes_key": ""})
    with pytest.raises(ValidationError):
        conf.require_key(account)
    account.mode = Account.Mode.PLAIN
    conf.require_key(account)


def test_an_account_is_found_by_its_number_too(account: Account) -> None:
    assert conf.account_by_id(account.pk).slug == "demo"
    with pytest.raises(KeyError):
        conf.account_by_id(account.pk + 1)


@pytest.mark.parametrize(
    ("kind", "delivery", "expected"),
    [
        ("verified_service", "", "customer_service"),
        ("verified_service", "passive", "passive"),
        ("verified_subscription", "", "passive"),
        ("subscription", "", "passive"),
        ("test", "", "passive"),
        ("test", "customer_service", "customer_service"),
    ],
)
def test_the_way_of_delivery_follows_from_the_kind(kind: str, delivery: str, expected: str) -> None:
    assert Account(kind=kind, delivery=delivery).way_of_delivery == expected


def test_the_snapshot_knows_which_leases_run(account: Account, worker_alive: Lease) -> None:
    assert conf.snapshot().holds("worker:")
    assert conf.snapshot().holds("worker:test")
    assert not conf.snapshot().holds("worker")
    assert not conf.snapshot().holds("circuit:1")
