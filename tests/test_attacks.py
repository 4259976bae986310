"""What an attacker found once must not come back: slow senders, captured addresses, costly log lines, forged addresses."""

import io
import time
from datetime import timedelta
from io import StringIO

import pytest
from callback import OPENID, Callback, body, event
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone
from test_callback_server import call

from orders.models import Order
from wechat import attempts, inbox, outbox, worker
from wechat.models import Account, ConfigRow, Follower, Lease, OutgoingMessage, Push
from wechat.redaction import redact
from wechat.sealing import unseal
from wechat.simulator.server import SimulatorServer
from wxhub.middleware import client_address

pytestmark = pytest.mark.django_db


class Unread(io.BytesIO):
    """A body that nobody may touch."""

    def read(self, *_size: object) -> bytes:
        raise AssertionError("the body of a stranger was read")


def test_the_body_of_a_stranger_is_not_waited_for() -> None:
    status, _headers, _answer = call(
        "/wechat/demo/callback", REQUEST_METHOD="POST", CONTENT_LENGTH="5000", **{"wsgi.input": Unread()}
    )
    assert status in (403, 404)


def test_a_body_without_a_length_is_refused_and_never_acknowledged() -> None:
    status, _headers, _answer = call("/wechat/demo/callback", HTTP_TRANSFER_ENCODING="chunked")
    assert status == 411


def test_an_address_seen_with_an_encrypted_push_cannot_carry_a_plain_one(account: Account, push: Callback) -> None:
    Account.objects.filter(pk=account.pk).update(mode="compatible")
    account.refresh_from_db()
    account.save()
    address = {"timestamp": str(int(time.time())), "nonce": "4711"}
    assert push(body("text", Content="hi"), mode="compatible", **address).status_code == 200
    assert push(event("unsubscribe", openid="oVICTIM"), **address).status_code == 403
    assert not Follower.objects.filter(openid="oVICTIM").exists()


def test_a_log_line_of_spaces_is_redacted_in_no_time() -> None:
    started = time.process_time()
    redact("secret" + " " * 60_000)
    assert time.process_time() - started < 0.5  # a hundred times what it takes; quadratic time took minutes


def test_a_report_on_somebody_who_left_does_not_bring_him_back(push: Callback) -> None:
    push(event("unsubscribe", created=1760000000))
    push(event("TEMPLATESENDJOBFINISH", created=1760000100, MsgID="1", Status="failed:user block"))
    assert not Follower.objects.get(openid=OPENID).subscribed


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [(0, "6.6.6.6", "127.0.0.1"), (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"), (2, "1.2.3.4", "127.0.0.1")],
)
def test_a_forwarded_address_is_believed_behind_our_own_proxies_only(
    proxies: int, forwarded: str, expected: str, settings: object
) -> None:
    settings.TRUSTED_PROXIES = proxies  # type: ignore[attr-defined]
    assert client_address(RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})) == expected


@pytest.fixture
def claimed(push: Callback, order: Order, worker_alive: Lease, simulator: SimulatorServer) -> OutgoingMessage:
    [platform_account] = simulator.platform.accounts.values()
    person = simulator.platform.add_person(platform_account, openid=OPENID, follows=True)
    person.windows.open("scan", simulator.platform.clock.now())
    push.scan("77")
    return outbox.claim("holder", 1)[0]


def test_a_locked_database_before_the_send_costs_a_second_and_no_card(
    claimed: OutgoingMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_arguments: object, **_options: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(worker.client, "send_custom_message", locked)
    attempts.attempt(claimed)
    row = OutgoingMessage.objects.get()
    assert (row.state, row.unknown_outcomes) == (OutgoingMessage.State.WAITING, 0)


def test_a_locked_database_after_the_send_is_tried_until_it_is_written(
    claimed: OutgoingMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, failures = outbox.settle, [OperationalError("database is locked")] * 2

    def sometimes_locked(message: OutgoingMessage, state: str, **values: object) -> bool:
        if failures:
            raise failures.pop()
        return settle(message, state, **values)

    monkeypatch.setattr(worker.outbox, "settle", sometimes_locked)
    attempts.attempt(claimed)
    assert OutgoingMessage.objects.get().state == OutgoingMessage.State.SENT


def test_what_another_worker_took_over_is_not_sent(claimed: OutgoingMessage, simulator: SimulatorServer) -> None:
    OutgoingMessage.objects.update(holder="another")
    attempts.attempt(claimed)
    assert not simulator.platform.journal.find(kind="message")
    assert OutgoingMessage.objects.get().holder == "another"


def test_what_lost_its_window_is_not_sent(claimed: OutgoingMessage, simulator: SimulatorServer) -> None:
    OutgoingMessage.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    attempts.attempt(claimed)
    outbox.close_windows()
    assert not simulator.platform.journal.find(kind="message")
    assert OutgoingMessage.objects.get().state == OutgoingMessage.State.OWED


def test_an_old_scan_run_again_sends_nothing_outside_its_window(
    push: Callback, order: Order, worker_alive: Lease
) -> None:
    push.scan("77")
    OutgoingMessage.objects.all().delete()
    Push.objects.update(received_at=timezone.now() - timedelta(hours=1))
    assert inbox.run_again(Push.objects.get()) == ""
    outbox.close_windows()
    assert OutgoingMessage.objects.get().state == OutgoingMessage.State.OWED


def test_half_a_surrogate_pair_in_json_is_a_400(client: Client) -> None:
    key = StringIO()
    call_command("apikey", "tests", stdout=key, stderr=StringIO())
    answer = client.post(
        "/api/quotes/",
        b'{"\\ud800": 1}',
        content_type="application/json",
        headers={"Authorization": f"Api-Key {key.getvalue().strip()}"},
    )
    assert answer.status_code == 400


def test_secrets_can_be_sealed_anew_and_the_old_key_put_away(account: Account, settings: object) -> None:
    old = settings.FIELD_KEYS  # type: ignore[attr-defined]
    new = ["bmV3LWtleS1vZi10aGlydHktdHdvLWJ5dGVzLWxvbmc="]
    before = unseal(ConfigRow.objects.get(conf_name="public_wechat_token").conf_value)
    settings.FIELD_KEYS = new + old  # type: ignore[attr-defined]
    call_command("rotatekeys", stdout=StringIO())
    settings.FIELD_KEYS = new  # type: ignore[attr-defined]
    assert unseal(ConfigRow.objects.get(conf_name="public_wechat_token").conf_value) == before
