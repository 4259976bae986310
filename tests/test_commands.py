"""The commands an operator types: account, apikey, worker, demo. What they say, what they do, how they end."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from callback import AES_KEY, APPID, SECRET, TOKEN
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from quotes import ROOT, demo, free_port, is_running, wait_until

from wechat import conf
from wechat.models import Account, ApiKey, ConfigRow
from wechat.models.access import SCOPES

OPTIONS = {"appid": APPID, "appsecret": SECRET, "token": TOKEN}


def account_command(slug: str = "shop", **options: Any) -> str:
    """Runs `manage.py account`; returns what it printed."""
    out = io.StringIO()
    call_command("account", slug, stdout=out, **options)
    return out.getvalue()


def manage(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.django_db
def test_account_creates_an_account_and_says_where_its_callback_is() -> None:
    printed = account_command(name="示例", original_id="gh_0123456789ab", **OPTIONS)
    assert "Account shop created." in printed
    assert "http://127.0.0.1:8000/wechat/shop/callback" in printed
    shop = conf.account("shop")
    assert shop is not None
    assert (shop.appid, shop.token, shop.get("public_wechat_appsecret")) == (APPID, TOKEN, SECRET)
    made = Account.objects.get()
    assert (made.kind, made.mode, made.delivery, made.name) == ("verified_service", "plain", "", "示例")


@pytest.mark.django_db
def test_account_changes_what_is_named_and_nothing_else() -> None:
    account_command(name="示例", **OPTIONS)
    printed = account_command(kind="test", token="another-token", delivery="passive")
    assert "changed" in printed
    shop = conf.account("shop")
    assert shop is not None
    assert (shop.appid, shop.token, shop.delivery) == (APPID, "another-token", "passive")
    assert (Account.objects.get().name, Account.objects.get().kind) == ("示例", "test")


@pytest.mark.django_db
def test_account_reads_secrets_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n{TOKEN}\n{AES_KEY}\n"))
    printed = account_command(appid=APPID, appsecret="-", token="-", aes_key="-", mode="safe")
    shop = conf.account("shop")
    assert shop is not None
    assert (shop.get("public_wechat_appsecret"), shop.token) == (SECRET, TOKEN)
    assert shop.get("public_wechat_aes_key") == AES_KEY
    for secret in (SECRET, TOKEN, AES_KEY):
        assert secret not in printed


@pytest.mark.django_db
def test_account_stores_no_secret_in_clear() -> None:
    account_command(aes_key=AES_KEY, **OPTIONS)
    stored = "".join(ConfigRow.objects.values_list("conf_value", flat=True))
    for secret in (SECRET, TOKEN, AES_KEY):
        assert secret not in stored


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "--appid, --appsecret and --token"),
        ({"appid": APPID, "token": TOKEN}, "--appsecret"),
        ({**OPTIONS, "aes_key": "short"}, "--aes-key"),
        ({**OPTIONS, "token": "two words"}, "--token"),
        ({**OPTIONS, "appid": "！"}, "--appid"),
        ({**OPTIONS, "mode": "safe"}, "--aes-key"),
        ({**OPTIONS, "mode": "compatible"}, "--aes-key"),
        ({**OPTIONS, "original_id": "gh 1"}, "original"),
        ({**OPTIONS, "kind": "nonsense"}, "kind"),
        ({**OPTIONS, "mode": "nonsense"}, "mode"),
        ({**OPTIONS, "delivery": "pigeon"}, "delivery"),
    ],
    ids=str,
)
def test_account_names_the_option_that_is_wrong_and_stores_nothing(options: dict[str, str], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        account_command(**options)
    assert not Account.objects.exists()
    assert not ConfigRow.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["a b", "ü", "../x", "", "x" * 51])
def test_account_refuses_a_short_name_that_fits_no_address(slug: str) -> None:
    with pytest.raises(CommandError, match="slug"):
        account_command(slug, **OPTIONS)


@pytest.mark.django_db
def test_account_changes_nothing_when_one_value_is_wrong() -> None:
    account_command(**OPTIONS)
    with pytest.raises(CommandError):
        account_command(token="another-token", aes_key="short", name="new")
    shop = conf.account("shop")
    assert shop is not None
    assert (shop.token, Account.objects.get().name) == (TOKEN, "")


@pytest.mark.django_db
def test_apikey_gives_all_scopes_unless_told_otherwise() -> None:
    out, words = io.StringIO(), io.StringIO()
    call_command("apikey", "x" * 80, stdout=out, stderr=words)
    assert ApiKey.objects.get().scopes == sorted(SCOPES)
    assert len(out.getvalue().split()) == 1
    key = out.getvalue().strip()
    assert Client().get("/api/quotes/1/", headers={"authorization": f"Api-Key {key}"}).status_code == 404
    with pytest.raises(CommandError, match="--scope"):
        call_command("apikey", "x", "--scope", "everything", stdout=out)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_works_until_it_is_told_to_end(number: signal.Signals) -> None:
    name = str(connection.settings_dict["NAME"])
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = os.environ["TEST_DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:

        def alive() -> bool:
            conf.forget()
            return bool(Client().get("/readyz").json()["worker"])

        wait_until(alive, 15, "a sign of life")
        worker.send_signal(number)
        started = time.monotonic()
        out, _ = worker.communicate(timeout=6)
        assert time.monotonic() - started < 6
    finally:
        worker.kill()
        worker.wait()
    assert worker.returncode == 0
    assert "is at work" in out
    assert "has ended" in out
    assert not alive(), "the others must know at once that it has ended"


@pytest.mark.parametrize("taken", ["--port", "--simulator-port"])
def test_demo_says_which_port_is_in_use(tmp_path: Path, taken: str) -> None:
    ports = {"--port": str(free_port()), "--simulator-port": str(free_port())}
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports[taken] = str(other.getsockname()[1])
        arguments = [word for pair in ports.items() for word in pair]
        ended = manage("demo", *arguments, "--folder", str(tmp_path / "demo"))
    assert ended.returncode != 0
    assert ports[taken] in ended.stderr
    assert "make demo" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "demo").exists()


def test_demo_starts_everything_and_ctrl_c_ends_everything(tmp_path: Path) -> None:
    with demo(tmp_path / "demo") as running:
        assert len(running.quotes) == 3
        assert f"{running.simulator}/" in running.printed
        assert f"{running.site}/admin/" in running.printed
        assert (tmp_path / "demo").stat().st_mode & 0o077 == 0
        parts = running.parts()
        assert len(parts) >= 4, "the demo itself, site, worker, simulator"
        os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does
        assert running.process.wait(8) == 0
        wait_until(lambda: not any(map(is_running, parts)), 2, "all parts have ended")


def test_an_unknown_folder_of_the_demo_is_reported_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = manage(
        "demo", "--port", str(free_port()), "--simulator-port", "0", "--folder", str(tmp_path / "file" / "x")
    )
    assert ended.returncode != 0
