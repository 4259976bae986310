"""The log of our calls: every call in it, nothing secret in it, and no call that waits for it or fails with it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from callback import OPENID, SECRET, Callback
from django.db import connection, connections, transaction
from django.forms.models import model_to_dict
from django.utils import timezone
from test_token_processes import database_url

from orders.models import Order
from wechat import attempts, calls, client, conf, outbox, tokens, transport
from wechat.conf import AccountConfig
from wechat.errors import CallFailed
from wechat.models import Account, ApiCall, Lease, OutgoingMessage
from wechat.replies import Text
from wechat.simulator.accounts import Person
from wechat.simulator.server import SimulatorServer

SCRIPT = Path(__file__).parent / "call_process.py"
SEND, PROBE, TOKEN_CALL = "/cgi-bin/message/custom/send", "/cgi-bin/getcallbackip", "/cgi-bin/stable_token"


@pytest.fixture
def person(simulator: SimulatorServer) -> Person:
    """Somebody who just wrote."""
    [account] = simulator.platform.accounts.values()
    person = simulator.platform.add_person(account, openid=OPENID, follows=True)
    person.windows.open("user_msg", simulator.platform.clock.now())
    return person


def logged() -> list[ApiCall]:
    calls.flush()
    return list(ApiCall.objects.order_by("pk"))


def fail(simulator: SimulatorServer, kind: str = "errcode", match: str = SEND, **options: Any) -> None:
    simulator.platform.faults.set(kind=kind, match=match, **options)


def test_a_call_and_its_token_call_are_logged_for_their_account(
    config: AccountConfig, simulator: SimulatorServer, person: Person
) -> None:
    before = timezone.now()
    client.send_custom_message(config, OPENID, Text("您好"))
    token_call, call = logged()
    assert (token_call.endpoint, token_call.method, token_call.errcode) == (TOKEN_CALL, "POST", 0)
    assert (call.endpoint, call.method, call.errcode, call.failed) == (SEND, "POST", 0, False)
    assert (call.rid, call.error, call.attempt, call.message_id) == (None, "", 1, None)
    assert {token_call.account_id, call.account_id} == {config.id}
    assert before <= token_call.started_at <= call.started_at <= timezone.now()
    assert calls.flush() == 0


def test_the_time_a_call_took_is_noted(config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, "slow", PROBE, seconds=0.3)
    client.callback_addresses(config)
    [call] = [call for call in logged() if call.endpoint == PROBE]
    assert 300 <= call.milliseconds < 2000


def test_a_refusal_is_logged_with_its_code_and_rid(config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, errcode=45015)
    with pytest.raises(CallFailed):
        client.send_custom_message(config, OPENID, Text("您好"))
    call = logged()[-1]
    assert (call.errcode, call.failed) == (45015, True)
    assert call.rid
    assert call.error.endswith(f"rid: {call.rid}")


@pytest.mark.parametrize(
    ("kind", "reason"), [("close", "the connection broke"), ("status", "HTTP 502"), ("html", "not JSON")]
)
def test_a_call_without_an_answer_has_no_code(
    kind: str, reason: str, config: AccountConfig, simulator: SimulatorServer
) -> None:
    fail(simulator, kind, PROBE)
    with pytest.raises(CallFailed):
        client.callback_addresses(config)
    call = logged()[-1]
    assert (call.endpoint, call.errcode, call.failed, call.rid) == (PROBE, None, True, None)
    assert reason in call.error


def test_the_repeat_with_a_new_token_is_told_from_the_first_try(
    config: AccountConfig, simulator: SimulatorServer, person: Person
) -> None:
    tokens.get(config)
    calls.forget()
    fail(simulator, errcode=40001, remaining=1)
    client.send_custom_message(config, OPENID, Text("您好"))
    told = [(call.endpoint, call.errcode, call.attempt) for call in logged()]
    assert (told[0], told[-1]) == ((SEND, 40001, 1), (SEND, 0, 2))
    assert {endpoint for endpoint, _code, _attempt in told[1:-1]} == {TOKEN_CALL}


def test_a_call_of_the_worker_names_its_message(
    push: Callback, order: Order, worker_alive: Lease, simulator: SimulatorServer, person: Person
) -> None:
    push.scan("77")
    [message] = outbox.claim("worker:x", 16)
    attempts.attempt(message)
    assert {call.message_id for call in logged() if call.endpoint == SEND} == {message.pk}
    client.callback_addresses(conf.account_by_id(message.account_id))
    assert logged()[-1].message_id is None


def test_nothing_secret_and_no_content_is_logged(
    config: AccountConfig, simulator: SimulatorServer, person: Person
) -> None:
    token = tokens.get(config)
    client.send_custom_message(config, OPENID, Text("我的秘密"))
    fail(simulator, errcode=99999, errmsg=f"bad access_token={token} secret: {SECRET} \x00 \n x")
    with pytest.raises(CallFailed):
        client.send_custom_message(config, OPENID, Text("我的秘密"))
    rows = logged()
    text = " ".join(str(model_to_dict(row)) for row in rows)
    for secret in (token, SECRET, OPENID, "我的秘密"):
        assert secret not in text
    assert "access_token=***" in rows[-1].error
    assert rows[-1].error.isprintable()
    assert len(rows) == 3


def test_a_text_without_end_is_cut_and_keeps_its_rid(config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, errcode=99999, errmsg="x" * 100_000)
    with pytest.raises(CallFailed) as caught:
        client.send_custom_message(config, OPENID, Text("您好"))
    assert len(str(caught.value)) < 1200
    call = logged()[-1]
    assert len(call.error) == 500
    assert call.rid
    assert call.rid in str(caught.value)


def test_a_code_that_no_column_holds_is_no_answer(config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, errcode=10**30)
    with pytest.raises(CallFailed, match="out of range"):
        client.send_custom_message(config, OPENID, Text("您好"))
    assert (logged()[-1].errcode, logged()[-1].failed) == (None, True)


def test_a_call_for_nobody_is_logged_too(db: None, simulator: SimulatorServer) -> None:
    with pytest.raises(CallFailed):
        transport.call("GET", f"{simulator.url}/cgi-bin/nothing")
    [call] = logged()
    assert (call.account_id, call.errcode) == (None, 40066)


def test_an_account_that_is_gone_keeps_no_call_out_of_the_log(
    account: Account, config: AccountConfig, simulator: SimulatorServer
) -> None:
    client.callback_addresses(config)
    account.delete()
    assert len(logged()) == 2


@contextmanager
def locked() -> Iterator[None]:
    """Somebody else holds the table for writing, as long as this lasts; our own connection gives up after 50 ms."""
    other = connection.copy()
    with other.cursor() as cursor, connection.cursor() as own:
        if connection.vendor == "sqlite":
            own.execute("PRAGMA busy_timeout=50")
            cursor.execute("BEGIN IMMEDIATE")
        else:
            own.execute("SET lock_timeout='50ms'")
            other.set_autocommit(False)
            cursor.execute(f"LOCK TABLE {ApiCall._meta.db_table}")
        yield
        cursor.execute("ROLLBACK")
    other.close()
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_delays_the_log_and_nothing_else(
    config: AccountConfig, simulator: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    tokens.get(config)
    with locked():
        for _number in range(3):
            assert client.callback_addresses(config)
            assert calls.flush() == 0
    assert caplog.text.count("calls wait to be logged") == 1
    assert calls.flush() == 4
    assert list(ApiCall.objects.order_by("pk").values_list("endpoint", flat=True)) == [TOKEN_CALL, *[PROBE] * 3]


def test_with_the_database_gone_for_long_the_memory_does_not_fill(
    config: AccountConfig, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST_WAITING", 3)
    for _number in range(5):
        client.callback_addresses(config)
    assert len(logged()) == 3


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The log's own thread, quick, and gone at the end of the test."""
    monkeypatch.setattr(calls, "WRITE_EVERY", 0.02)
    monkeypatch.setattr(calls, "IDLE", 0.3)
    monkeypatch.setattr(calls, "IN_BACKGROUND", True)
    yield
    ended = time.monotonic() + 10
    while writers() and time.monotonic() < ended:
        time.sleep(0.02)
    assert not writers()


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "call-log"]


def wait_for(count: int) -> int:
    ended = time.monotonic() + 10
    while ApiCall.objects.count() < count and time.monotonic() < ended:
        time.sleep(0.02)
    return ApiCall.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_call_in_a_transaction_that_is_rolled_back_stays_in_the_log(
    background: None, config: AccountConfig, simulator: SimulatorServer
) -> None:
    tokens.get(config)
    assert wait_for(1) == 1

    with transaction.atomic():
        Account.objects.update(name="x")
        client.callback_addresses(config)
        transaction.set_rollback(True)
    assert wait_for(2) == 2
    assert not Account.objects.filter(name="x")


@pytest.mark.django_db(transaction=True)
def test_one_thread_writes_what_many_threads_call_and_ends_when_nobody_does(
    background: None, config: AccountConfig, simulator: SimulatorServer
) -> None:
    tokens.get(config)

    def call() -> None:
        for _number in range(5):
            client.callback_addresses(config)
        connections.close_all()

    threads = [threading.Thread(target=call) for _number in range(8)]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(writers()))
    assert most == 1
    assert wait_for(41) == 41
    time.sleep(0.6)
    assert not writers()
    client.callback_addresses(config)  # and another one begins
    assert wait_for(42) == 42


@pytest.mark.parametrize("who", ["itself", "child"])
@pytest.mark.django_db(transaction=True)
def test_a_process_that_ends_writes_its_last_calls(who: str, account: Account, simulator: SimulatorServer) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "wxhub.settings",
        "DATABASE_URL": database_url(),
        "WECHAT_API_BASE": simulator.url,
        "PYTHONPATH": str(SCRIPT.parent.parent),
    }
    subprocess.run([sys.executable, str(SCRIPT), who], env=environment, check=True, timeout=60)
    assert set(ApiCall.objects.values_list("endpoint", "account")) == {(TOKEN_CALL, account.pk), (PROBE, account.pk)}


def test_a_forked_child_does_not_write_its_parents_calls(config: AccountConfig, simulator: SimulatorServer) -> None:
    client.callback_addresses(config)
    child = os.fork()
    if not child:
        os._exit(len(calls._log._waiting))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(logged()) == 2


def old_call(account: Account | None, days: float, **values: Any) -> ApiCall:
    started = timezone.now() - timedelta(days=days)
    return ApiCall.objects.create(
        account=account, endpoint=SEND, method="POST", started_at=started, milliseconds=1, **values
    )


@pytest.mark.parametrize(("days", "left"), [("", [1, 29]), ("7", [1]), ("0", [1, 29, 31, 400])])
def test_old_calls_are_removed_after_the_days_of_their_account(days: str, left: list[int], account: Account) -> None:
    conf.save(account, {"wechat_keep_calls_days": days})
    for age in (400, 31, 29, 1):
        old_call(account, age)
        old_call(None, age)
    calls.prune()
    ages = [(timezone.now() - call.started_at).days for call in ApiCall.objects.filter(account=account)]
    assert sorted(ages) == left
    assert ApiCall.objects.filter(account=None).count() == 2  # those of nobody after 30 days


def test_one_turn_removes_a_batch_and_says_that_there_is_more(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "BATCH", 2)
    for _number in range(5):
        old_call(account, 40)
    assert [calls.prune(), calls.prune(), calls.prune()] == [2, 2, 0]
    assert not ApiCall.objects.exists()


def test_a_message_that_is_removed_leaves_its_calls(
    push: Callback, order: Order, worker_alive: Lease, account: Account
) -> None:
    push.scan("77")
    message = OutgoingMessage.objects.get()
    old_call(account, 1, message=message)
    message.delete()
    assert ApiCall.objects.count() == 1
