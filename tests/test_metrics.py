"""How the installation is doing: /readyz for people and balancers, /metrics for Prometheus, and what neither says."""

import time
from datetime import timedelta
from typing import Any

import pytest
from callback import APPID, SECRET, TOKEN, Callback
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order
from wechat import circuit, conf, figures, leases, outbox, tokens
from wechat.models import Account, ApiCall, Lease, MessageTemplate, OutgoingMessage, Push, SendJob
from wechat.simulator.server import SimulatorServer
from wechat.worker import Worker

State = OutgoingMessage.State
SECONDS = timedelta(seconds=1)


def waits(account: Account, seconds: float, **values: Any) -> OutgoingMessage:
    """A message that has been due for so long."""
    now = timezone.now()
    due = {"created_at": now - seconds * SECONDS, "due_at": now - seconds * SECONDS, "expires_at": now + 60 * SECONDS}
    return OutgoingMessage.objects.create(account=account, openid="o", purpose="card", content={}, **due, **values)


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    conf.forget()
    response = client.get("/readyz")
    return response.status_code, response.json()


def scrape(client: Client, **headers: str) -> dict[str, float]:
    conf.forget()
    response = client.get("/metrics", headers=headers, HTTP_HOST="127.0.0.1:8000")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_readyz_of_a_fresh_installation_says_that_there_is_nothing_yet(client: Client, account: Account) -> None:
    status, said = ready(client)
    assert (status, said["status"], said["worker"]) == (200, "ok", False)
    assert (said["queue_age"], said["last_push"], said["last_sent"], said["token_age"]) == (0, None, None, None)


def test_readyz_tells_every_age(
    client: Client, push: Callback, order: Order, simulator: SimulatorServer, worker_alive: Lease
) -> None:
    [registered] = simulator.platform.accounts.values()
    openid = push.scan("77") and OutgoingMessage.objects.get().openid
    simulator.platform.add_person(registered, openid=openid, follows=True).windows.open(
        "scan", simulator.platform.clock.now()
    )
    tokens.get(conf.account_by_id(order.account_id))
    OutgoingMessage.objects.update(state=State.SENT, sent_at=timezone.now() - 7 * SECONDS)
    Push.objects.update(received_at=timezone.now() - 30 * SECONDS)
    status, said = ready(client)
    assert (status, said["worker"]) == (200, True)
    assert 30 <= said["last_push"] < 35
    assert 7 <= said["last_sent"] < 12
    assert 0 <= said["token_age"] < 5


def test_readyz_is_503_when_a_message_is_late_by_more_than_a_minute(client: Client, account: Account) -> None:
    late = waits(account, 55)
    assert ready(client)[0] == 200
    OutgoingMessage.objects.filter(pk=late.pk).update(due_at=timezone.now() - 61 * SECONDS)
    status, said = ready(client)
    assert (status, said["status"]) == (503, "sending is stuck")
    assert 61 <= said["queue_age"] < 70


@pytest.mark.parametrize("state", [State.SENT, State.OWED, State.GIVEN_UP, State.SET_ASIDE])
def test_what_is_not_under_way_is_never_late(state: str, client: Client, account: Account) -> None:
    waits(account, 4000, state=state)
    assert ready(client)[0] == 200


def test_what_a_paused_job_holds_is_not_late(client: Client, account: Account) -> None:
    template = MessageTemplate.objects.create(account=account, template_id="t", synced_at=timezone.now())
    job = SendJob.objects.create(
        account=account, template=template, name="n", audience={}, content={}, created_at=timezone.now(), state="paused"
    )
    waits(account, 4000, job=job, route="template")
    assert ready(client)[0] == 200
    SendJob.objects.update(state="running")
    assert ready(client)[0] == 503


def test_a_clock_that_is_off_is_shown(client: Client, push: Callback) -> None:
    push.text("你好")
    assert ready(client)[1]["skew"] == 0
    push.text("你好", timestamp=str(int(time.time()) + 240))
    assert Push.objects.count() == 2, "four minutes are accepted"
    assert ready(client)[1]["skew"] == pytest.approx(240, abs=2)


def test_metrics_have_the_state_of_everything(
    client: Client, push: Callback, account: Account, worker_alive: Lease, simulator: SimulatorServer
) -> None:
    push.text("你好")
    push.text("再见")
    waits(account, 20)
    waits(account, 1, state=State.OWED)
    waits(account, 1, state=State.SET_ASIDE)
    tokens.get(conf.account_by_id(account.pk))
    now, call = timezone.now(), {"account": account, "method": "POST", "endpoint": "/cgi-bin/message/custom/send"}
    for errcode in (0, 0, 45015, None):
        outcome = {"errcode": errcode, "failed": errcode != 0, "milliseconds": 5, "started_at": now - 3 * SECONDS}
        ApiCall.objects.create(**call, **outcome)
    leases.extend(outbox.pause_name(account.pk), 60)
    leases.extend(circuit.name(account.pk), 60)
    found = scrape(client)
    assert found["wxhub_up"] == 1
    assert found["wxhub_workers"] == 1
    assert found["wxhub_sending_stuck"] == 0
    assert 20 <= found["wxhub_queue_age_seconds"] < 25
    assert [found[f'wxhub_messages{{state="{each}"}}'] for each in ("waiting", "owed", "set_aside")] == [1, 1, 1]
    sends = [found[f'wxhub_sends_last_minute{{result="{each}"}}'] for each in ("ok", "refused", "unreachable")]
    assert sends == [2, 1, 1]
    assert 3 <= found["wxhub_last_sent_age_seconds"] < 8
    assert found["wxhub_pushes_last_minute"] == 2
    assert 0 < found['wxhub_push_seconds{quantile="0.99"}'] < 2
    assert 6000 < found['wxhub_token_valid_seconds{account="demo"}'] <= 7000
    assert (found["wxhub_circuits_open"], found["wxhub_accounts_paused"]) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_metrics_say_when_a_worker_last_did_its_periodic_work(client: Client) -> None:
    one = Worker()
    one._rota.look()
    deadline = time.monotonic() + 5
    while len(found := [name for name in scrape(client) if name.startswith("wxhub_chore")]) < 5:
        assert time.monotonic() < deadline
    assert 'wxhub_chore_age_seconds{chore="retention"}' in found
    assert 0 <= scrape(client)['wxhub_chore_age_seconds{chore="retention"}'] < 10
    one._rota.close()


def test_metrics_are_in_the_format_of_prometheus(client: Client, push: Callback) -> None:
    push.text("你好")
    text = client.get("/metrics", HTTP_HOST="localhost").content.decode()
    assert text.endswith("\n")
    named = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(named) == len(set(named))
    for line in text.splitlines():
        name = line.split()[2] if line.startswith("#") else line.split("{")[0].split(" ")[0]
        assert name in named


@pytest.mark.django_db
def test_strangers_find_no_metrics(client: Client, settings: Any) -> None:
    key = settings.METRICS_TOKEN = "m" * 40
    outside: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.7", "HTTP_HOST": "testserver"}
    assert client.get("/metrics", **outside).status_code == 404
    assert client.get("/metrics", headers={"Authorization": f"Bearer {key}x"}, **outside).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}, **outside).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer 中文"}, **outside).status_code == 404
    assert client.get("/metrics", headers={"Authorization": f"Bearer {key}"}, **outside).status_code == 200
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}, **outside).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"])
def test_a_proxy_on_this_machine_opens_no_metrics(header: str, client: Client) -> None:
    assert client.get("/metrics", HTTP_HOST="127.0.0.1").status_code == 200
    assert client.get("/metrics", HTTP_HOST="[::1]:8000", REMOTE_ADDR="::1").status_code in (200, 400)
    assert client.get("/metrics", headers={header: "127.0.0.1"}, HTTP_HOST="127.0.0.1").status_code == 404
    assert client.get("/metrics", HTTP_HOST="testserver").status_code == 404


def test_neither_says_a_secret_or_a_name(
    client: Client, push: Callback, order: Order, simulator: SimulatorServer
) -> None:
    push.scan("77")
    tokens.get(conf.account_by_id(order.account_id))
    openid = Push.objects.get().openid
    token = tokens.stored(conf.account_by_id(order.account_id)).value
    conf.forget()
    shown = (client.get("/readyz").content + client.get("/metrics", HTTP_HOST="127.0.0.1").content).decode()
    for secret in (openid, order.key, "王女士", token, APPID, SECRET, TOKEN):
        assert secret not in shown


def test_many_who_ask_at_once_cost_one_reading(client: Client, account: Account) -> None:
    conf.forget()
    client.get("/readyz")
    with CaptureQueriesContext(connection) as queries:
        for _number in range(20):
            client.get("/readyz")
    assert len(queries) <= 15  # that of a second later at the most


def test_the_figures_read_no_table_from_end_to_end(account: Account, push: Callback) -> None:
    """The plan of each statement: what grows with the pushes is found by an index, or from its newest row on."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite tells its plans in words")
    push.text("你好")
    with CaptureQueriesContext(connection) as queries:
        figures.measure()
    selects = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(selects) > 5
    for sql in selects:
        if "wechat_push" in sql or "wechat_outgoing" in sql or "wechat_apicall" in sql:
            with connection.cursor() as cursor:
                plan = " ".join(row[3] for row in cursor.execute("EXPLAIN QUERY PLAN " + sql).fetchall())
            assert "INDEX" in plan or "LIMIT" in sql, (sql, plan)
            assert "TEMP B-TREE FOR ORDER BY" not in plan, (sql, plan)
