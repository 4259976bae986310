"""Twelve faults put in on purpose: `manage.py doctor` names each, says what to do, and its exit status is right.

The site runs in a thread of its own, at the address of PUBLIC_URL, and the simulator over real HTTP.
"""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
import responses
from callback import APPID, TOKEN, Callback, body, encrypted, listen_again, signed
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from wechat import conf, sightings
from wechat.doctor import platform
from wechat.models import Account, ConfigRow, Lease, Notice
from wechat.sealing import reseal
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_KEY = "Z" * 43


def run(language: str = "zh-hans") -> tuple[int, str]:
    """The command as staff run it: its exit status and what it says."""
    conf.forget()
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=out, no_color=True, language=language)
    return int(str(ended.value)), out.getvalue()


def faults(text: str) -> dict[str, str]:
    """What is wrong, by the thing looked at, with the lines below it."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("    "):
            found[list(found)[-1]] += line
        elif line[:1] in "✗✓!":
            found[line] = ""
    return {name[2:].strip(): lines for name, lines in found.items() if name.startswith("✗")}


def one_fault(*words: str) -> None:
    """Exactly one thing is wrong, named and explained in both languages; `words` are in the Chinese and English text."""
    for language in ("zh-hans", "en"):
        status, text = run(language)
        assert status == 1
        assert len(faults(text)) == 1, text
        [(_name, said)] = faults(text).items()
        assert all(word in said for word in words), said


@pytest.fixture(autouse=True)
def healthy(
    simulator: SimulatorServer, account: Account, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """An installation in good health: site, worker, simulator, one account in safe mode that was written to."""
    settings.PUBLIC_URL = live_server.url
    Account.objects.update(mode="safe")
    conf.touch(account)
    simulator.platform.accounts[APPID].callback_url = f"{live_server.url}/wechat/demo/callback"
    free = SimpleNamespace(total=500 * 10**9, used=100 * 10**9, free=400 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: free)
    Lease.objects.create(name="worker:test", holder="test", until=timezone.now() + timedelta(hours=1))
    yield account
    connection.close()


@pytest.fixture
def pushed(push: Callback) -> Callback:
    """The platform, which has pushed once in safe mode."""
    assert push.text("您好", mode="safe").status_code == 200
    return push


def test_a_healthy_installation_has_nothing_wrong(pushed: Callback, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":  # the other tests wait for no disk
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "init_command", "PRAGMA synchronous=FULL;")
        connection.close()
    status, text = run()
    assert (status, faults(text)) == (0, {}), text
    assert "!" not in text, "nothing even to be warned of"


def test_a_wrong_secret(simulator: SimulatorServer) -> None:
    simulator.platform.accounts[APPID].secret = "another-secret-0123456789abcdef"
    one_fault("40125", "AppSecret")


def test_an_address_that_is_not_on_the_list(simulator: SimulatorServer) -> None:
    simulator.platform.accounts[APPID].ip_allowlist = ["198.51.100.7"]
    one_fault("40164", "127.0.0.1")


def test_a_wrong_callback_token(push: Callback) -> None:
    assert push.text("您好", mode="safe", token="the-token-of-the-console").status_code == 403
    one_fault("127.0.0.1", "令牌")


def test_a_callback_token_that_was_put_right_is_no_fault_any_more(push: Callback) -> None:
    push.text("您好", mode="safe", token="the-token-of-the-console")
    Lease.objects.filter(name__startswith="seen:").update(
        until=timezone.now() + timedelta(seconds=sightings.KEPT) - timedelta(minutes=5)
    )
    push.text("您好", mode="safe")
    status, text = run()
    assert (status, faults(text)) == (0, {})


def test_a_stranger_who_forges_pushes_is_no_fault_of_ours(push: Callback) -> None:
    query = signed(token="guessed")
    push.post(b"<xml/>", query, REMOTE_ADDR="8.8.8.8")
    status, text = run()
    assert (status, faults(text)) == (0, {})
    assert "8.8.8.8" in text


def test_a_wrong_aes_key(push: Callback) -> None:
    raw, query = encrypted(body("text", Content="您好").encode(), signed(token=TOKEN), key=OTHER_KEY)
    assert push.post(raw, query).status_code == 403
    one_fault("EncodingAESKey")


@responses.activate
def test_the_look_at_the_clock_follows_no_redirect() -> None:
    responses.get(re.compile(".*/getcallbackip"), status=302, headers={"Location": "https://elsewhere.example/"})
    assert platform._clock().level == "warn"
    assert [call.request.url for call in responses.calls if "elsewhere" in str(call.request.url)] == []


@pytest.mark.parametrize("seconds", [600, -600], ids=["slow", "fast"])
def test_a_clock_off_by_ten_minutes(seconds: int, simulator: SimulatorServer) -> None:
    simulator.platform.clock.advance(seconds)
    one_fault("NTP")


def test_a_stopped_worker() -> None:
    Lease.objects.filter(name__startswith="worker:").delete()
    one_fault("manage.py worker")


def test_a_simulator_that_is_down(simulator: SimulatorServer) -> None:
    simulator.stop_listening()
    try:
        status, text = run()
        [(name, said)] = faults(text).items()
        assert status == 1
        assert name.startswith("demo: ")
        assert said.strip()
    finally:
        listen_again(simulator)


def test_a_wrong_public_address(settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    status, text = run()
    assert status == 1
    assert len(faults(text)) == 2, "the address itself, and the account's callback there"
    assert all("PUBLIC_URL" in said for said in faults(text).values())


def test_somebody_else_at_our_public_address(settings: Any, simulator: SimulatorServer) -> None:
    settings.PUBLIC_URL = simulator.url
    status, text = run()
    assert status == 1
    assert len(faults(text)) == 2


def test_a_disk_that_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(total=500 * 10**9, used=499 * 10**9, free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    one_fault("1.0 GB")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")
def test_a_database_that_is_not_in_wal_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "init_command", "PRAGMA synchronous=OFF;")
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=DELETE")
        assert cursor.fetchone()[0] == "delete"
    one_fault("WAL")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")
@pytest.mark.parametrize(("pragma", "is_told"), [("NORMAL", True), ("FULL", False)])
def test_sqlite_that_does_not_wait_for_the_disk(pragma: str, is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "init_command", f"PRAGMA synchronous={pragma};")
    connection.close()
    status, text = run()
    assert status == 0, text
    assert ("SQLITE_SYNCHRONOUS=FULL" in text) == is_told


def test_an_old_key_that_is_still_in_use(settings: Any) -> None:
    settings.FIELD_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_KEYS]
    one_fault("manage.py rotatekeys", "FIELD_KEYS")
    call_command("rotatekeys", stdout=StringIO())
    assert run()[0] == 0
    row = ConfigRow.objects.get(conf_name="public_wechat_token")
    assert reseal(row.conf_value)


def test_an_expired_certification(healthy: Account) -> None:
    said = {"expiredtime": 1_700_000_000}
    Notice.objects.create(account=healthy, kind="verify_expired", level="danger", data=said, created_at=timezone.now())
    one_fault("2023")


def test_a_certification_that_is_due_is_a_warning(healthy: Account) -> None:
    said = {"expiredtime": 1_900_000_000}
    Notice.objects.create(account=healthy, kind="annual_renew", level="warning", data=said, created_at=timezone.now())
    status, text = run()
    assert status == 0
    assert "2030" in text


def test_a_quota_that_is_used_up_is_named(simulator: SimulatorServer) -> None:
    account = simulator.platform.accounts[APPID]
    run()
    account.quotas._today["/cgi-bin/qrcode/create"] = 100_000
    one_fault("/cgi-bin/qrcode/create")


def test_a_mode_that_is_plain_at_the_platform_only(push: Callback) -> None:
    assert push.text("您好").status_code == 403
    one_fault()


def test_the_doctor_does_not_take_its_own_handshake_for_the_platforms(healthy: Account) -> None:
    run()
    assert sightings.last(healthy.pk, sightings.HANDSHAKE) is None


def test_refused_pushes_keep_one_row_however_many_there_are(push: Callback, healthy: Account) -> None:
    for _ in range(20):
        push.text("您好", mode="safe", token="wrong")
    sightings.forget()
    push.text("您好", mode="safe", token="wrong")
    assert Lease.objects.filter(name__startswith="seen:").count() == 1
