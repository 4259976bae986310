"""The access token: kept until 200 s before its end, fetched once however many ask, healed when it is lost."""

import threading
from typing import Any

import pytest
import time_machine
from django.db import connections

from wechat import client, conf, credentials, leases, tokens
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError, Unreachable
from wechat.models import Account, ConfigRow
from wechat.sealing import unseal
from wechat.simulator.server import SimulatorServer

NOW = 1_760_000_000
STABLE, SEND, ANY = "/cgi-bin/stable_token", "/cgi-bin/message/custom/send", "/cgi-bin/getcallbackip"


def fetches(simulator: SimulatorServer) -> int:
    return simulator.platform.counters["token_fetches"]


def fail(simulator: SimulatorServer, kind: str, match: str = STABLE, **options: Any) -> None:
    simulator.platform.faults.set(kind=kind, match=match, **options)


def another_process() -> None:
    """Forget what this process remembers; the rows stay."""
    credentials.forget()


def rows() -> dict[str, str]:
    names = (tokens.TOKEN_ROW, tokens.EXPIRES_ROW)
    return dict(ConfigRow.objects.filter(conf_name__in=names).values_list("conf_name", "conf_value"))


def last_fetch(simulator: SimulatorServer) -> dict[str, Any]:
    return simulator.platform.journal.find(kind="call", limit=1)[-1]


def test_a_hundred_calls_fetch_once(config: AccountConfig, simulator: SimulatorServer) -> None:
    assert len({tokens.get(config) for _ in range(100)}) == 1
    another_process()
    tokens.get(config)
    assert fetches(simulator) == 1


def test_a_token_is_fetched_again_200_seconds_before_its_end(config: AccountConfig, simulator: SimulatorServer) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        first = tokens.get(config)
        assert rows()[tokens.EXPIRES_ROW] == str(NOW + 7000)
        clock.shift(6999)
        assert tokens.get(config) == first
        clock.shift(1)
        assert tokens.get(config) != first
    assert fetches(simulator) == 2


def test_the_token_is_sealed_in_its_row(config: AccountConfig, simulator: SimulatorServer) -> None:
    token = tokens.get(config)
    assert token not in rows()[tokens.TOKEN_ROW]
    assert unseal(rows()[tokens.TOKEN_ROW]) == token
    assert token not in repr(credentials._cache)


@pytest.mark.parametrize(
    ("way", "method", "path"), [("stable", "POST", STABLE), ("get", "GET", "/cgi-bin/token")], ids=["stable", "get"]
)
def test_the_account_says_which_call_to_use(
    way: str, method: str, path: str, account: Account, simulator: SimulatorServer
) -> None:
    conf.save(account, {"public_wechat_token_call": way})
    config = conf.account("demo")
    assert config
    tokens.get(config)
    [call] = simulator.platform.journal.find(kind="call", limit=10)
    assert (call["method"], call["endpoint"]) == (method, path)


@pytest.mark.parametrize("kind", ["status", "html", "empty", "cut", "list", "bytes", "close", "redirect"])
def test_garbage_is_never_stored_and_the_next_call_heals(
    kind: str, config: AccountConfig, simulator: SimulatorServer
) -> None:
    fail(simulator, kind, remaining=1)
    with pytest.raises(Unreachable):
        tokens.get(config)
    assert not rows()
    another_process()
    assert tokens.get(config)


@pytest.mark.parametrize("kind", ["status", "html", "cut"])
def test_the_old_token_serves_while_no_new_one_can_be_had(
    kind: str, config: AccountConfig, simulator: SimulatorServer
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = tokens.get(config)
        fail(simulator, kind)
        clock.shift(7100)
        assert tokens.get(config) == old
        clock.shift(100)
        with pytest.raises(CallFailed):
            tokens.get(config)


def test_a_failed_fetch_is_not_repeated_at_once(config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, "errcode", errcode=40125)
    for _ in range(20):
        with pytest.raises(PlatformError) as caught:
            tokens.get(config)
        assert caught.value.code == 40125
    assert fetches(simulator) == 1


@pytest.mark.parametrize("code", [40013, 40125, 40164])
def test_a_refused_fetch_raises_what_the_platform_said(
    code: int, config: AccountConfig, simulator: SimulatorServer
) -> None:
    fail(simulator, "errcode", errcode=code)
    with pytest.raises(PlatformError) as caught:
        tokens.get(config)
    assert caught.value.code == code
    assert caught.value.rid
    assert not caught.value.may_repeat
    assert not rows()


@pytest.mark.parametrize("expires_in", [60, 0, -1, "soon", "absent", None, True, 10**12])
def test_an_odd_expires_in_makes_no_loop(expires_in: Any, config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, "token", expires_in=expires_in)
    with time_machine.travel(NOW, tick=False):
        for _ in range(10):
            tokens.get(config)
    assert fetches(simulator) == 1
    assert NOW + 30 <= int(rows()[tokens.EXPIRES_ROW]) <= NOW + 7000


def test_a_token_of_512_characters_is_kept_whole(config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, "token", length=512)
    token = tokens.get(config)
    assert len(token) == 512
    another_process()
    assert tokens.get(config) == token
    client.callback_addresses(config)


@pytest.mark.parametrize(
    "damage",
    [
        lambda: ConfigRow.objects.filter(conf_name__in=(tokens.TOKEN_ROW, tokens.EXPIRES_ROW)).delete(),
        lambda: ConfigRow.objects.filter(conf_name=tokens.TOKEN_ROW).update(conf_value="typed by hand"),
        lambda: ConfigRow.objects.filter(conf_name=tokens.EXPIRES_ROW).update(conf_value="tomorrow"),
        lambda: ConfigRow.objects.filter(conf_name=tokens.EXPIRES_ROW).update(conf_value=""),
        lambda: ConfigRow.objects.filter(conf_name=tokens.TOKEN_ROW).update(conf_value=""),
    ],
    ids=["deleted", "token edited", "expiry edited", "expiry emptied", "token emptied"],
)
def test_rows_that_were_damaged_by_hand_heal(damage: Any, config: AccountConfig, simulator: SimulatorServer) -> None:
    tokens.get(config)
    damage()
    another_process()
    client.callback_addresses(config)
    assert fetches(simulator) == 2
    assert unseal(rows()[tokens.TOKEN_ROW]) == tokens.get(config)


def spoil(simulator: SimulatorServer, how: str) -> None:
    [account] = simulator.platform.accounts.values()
    if how == "forget":
        account.tokens.forget()
    else:
        getattr(account.tokens, how)(simulator.platform.clock.now())


@pytest.mark.parametrize("how", ["expire", "revoke", "forget"])
def test_a_refused_token_is_renewed_once_and_the_call_repeated(
    how: str, config: AccountConfig, simulator: SimulatorServer
) -> None:
    old = tokens.get(config)
    spoil(simulator, how)
    client.callback_addresses(config)
    assert tokens.get(config) != old
    assert fetches(simulator) == 2


def test_a_refusal_that_stays_makes_no_loop(config: AccountConfig, simulator: SimulatorServer) -> None:
    fail(simulator, "errcode", ANY, errcode=40001)
    for _ in range(5):
        with pytest.raises(PlatformError) as caught:
            client.callback_addresses(config)
        assert caught.value.code == 40001
    calls = simulator.platform.counters["calls"]
    assert fetches(simulator) <= 3  # the first, and a renewal: the stable call repeats itself and has to be forced
    assert calls - fetches(simulator) <= 6


def test_a_refusal_that_stays_costs_two_fetches_a_minute(config: AccountConfig, simulator: SimulatorServer) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        tokens.get(config)
        fail(simulator, "errcode", ANY, errcode=40001)
        for _second in range(0, 300, 5):
            with pytest.raises(PlatformError):
                client.callback_addresses(config)
            clock.shift(5)
    assert fetches(simulator) - 1 <= 300 / tokens.RENEW_EVERY


def test_after_a_renewal_elsewhere_the_stored_token_is_used(config: AccountConfig, simulator: SimulatorServer) -> None:
    old = tokens.get(config)
    spoil(simulator, "revoke")
    new = tokens.renew(config, old)
    assert tokens.renew(config, old) == new
    assert fetches(simulator) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["expire", "revoke", "forget"])
def test_sixteen_threads_with_a_refused_token_all_get_through(
    how: str, config: AccountConfig, simulator: SimulatorServer
) -> None:
    tokens.get(config)
    spoil(simulator, how)
    start, failures = threading.Barrier(16), []

    def call() -> None:
        start.wait()
        try:
            client.callback_addresses(config)
        except CallFailed as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert fetches(simulator) <= 3
    assert simulator.platform.counters["fetch_peak"] == 1


def test_while_another_process_fetches_the_old_token_serves(config: AccountConfig, simulator: SimulatorServer) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = tokens.get(config)
        clock.shift(7000)
        leases.claim(f"token:{config.id}", "another process", 10)
        assert tokens.get(config) == old
    assert fetches(simulator) == 1


def test_a_fetch_whose_process_was_killed_is_taken_over(config: AccountConfig, simulator: SimulatorServer) -> None:
    leases.claim(f"token:{config.id}", "killed", 0.3)
    assert tokens.get(config)
    assert fetches(simulator) == 1
    assert not leases.is_held(f"token:{config.id}")


def test_a_process_that_waits_takes_the_token_of_the_one_that_fetched(
    config: AccountConfig, simulator: SimulatorServer
) -> None:
    token = tokens.get(config)
    another_process()
    ConfigRow.objects.filter(conf_name=tokens.EXPIRES_ROW).update(conf_value=str(NOW))
    waiting = tokens.stored(config)
    assert not waiting.fresh
    with time_machine.travel(NOW - 100):
        assert tokens.get(config) == token
    assert fetches(simulator) == 1
