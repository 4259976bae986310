"""After a whole flow with its failures, no secret is in a page, an answer, a log line, or in clear in the database."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import callback
import pytest
from callback import APPID, OPENID
from django.core.management import call_command
from django.db import connection
from django.test import Client
from quotes import QUOTE, newest_scan, send_due

from orders.models import Order
from wechat import conf, credentials, qr, tokens
from wechat.models import ApiKey, ConfigRow, OutgoingMessage, Push
from wechat.redaction import OneLine
from wechat.simulator.accounts import Account as Registration
from wechat.simulator.server import SimulatorServer

SEND, CREATE = "/cgi-bin/message/custom/send", "/cgi-bin/qrcode/create"
# Such as nothing else contains by chance.
SECRETS = {
    "AppSecret": "5ec7e70f00d5ec7e70f00d5ec7e70f0d",
    "callback token": "callbackTokenThatNobodyMaySee77",
    "EncodingAESKey": "aesKeyThatNobodyMaySeeAtAllInAnyPlace012345",
}


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Every log line of the flow, down to the last detail, as the site writes them."""
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Keep(logging.DEBUG)
    handler.setFormatter(OneLine("%(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("", "django")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield written
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


class Site:
    """A browser and a website that keep every answer they get."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.answers: list[str] = []

    def get(self, path: str, **options: Any) -> Any:
        response = self.client.get(path, **options)
        self.answers.append(f"{response.headers}{response.content.decode(errors='replace')}")
        return response

    def post(self, path: str, data: Any, key: str) -> Any:
        headers = {"authorization": f"Api-Key {key}"}
        response = self.client.post(path, data, content_type="application/json", headers=headers)
        self.answers.append(f"{response.headers}{response.content.decode(errors='replace')}")
        return response


def install(simulator: SimulatorServer) -> tuple[str, list[str]]:
    """Makes the account and a key by command. Returns the key, and what the commands printed beside it."""
    out, err, key = io.StringIO(), io.StringIO(), io.StringIO()
    secret, token, aes_key = SECRETS.values()
    options = {"appid": APPID, "appsecret": secret, "token": token, "aes_key": aes_key, "mode": "safe"}
    call_command("account", "demo", stdout=out, stderr=err, **options)
    call_command("apikey", "website", stdout=key, stderr=err)
    registration = Registration(appid=APPID, secret=secret, token=token, callback_url="", aes_key=aes_key, mode="safe")
    simulator.platform.accounts[APPID] = registration
    return key.getvalue().strip(), [out.getvalue(), err.getvalue()]


def cards_fail_in_every_way(simulator: SimulatorServer) -> None:
    """Customer-service messages meet every kind of failure, then go out."""
    faults = simulator.platform.faults
    for fault in (
        {"kind": "errcode", "errcode": 40001},
        {"kind": "errcode", "errcode": 45015},
        {"kind": "status", "status": 502},
        {"kind": "html"},
        {"kind": "cut"},
        {"kind": "close"},
        {"kind": "redirect"},
    ):
        faults.set(match=SEND, remaining=2, **fault)
        OutgoingMessage.objects.update(state="waiting", attempts=0, unknown_outcomes=0, due_at=newest_scan().scanned_at)
        send_due()
        faults.clear()


def pages_fail_in_every_way(site: Site, simulator: SimulatorServer, order: Order) -> None:
    simulator.platform.accounts[APPID].tokens.revoke(simulator.platform.clock.now())
    credentials.forget()
    qr._failures.clear()
    simulator.platform.faults.set(kind="errcode", errcode=40164, match="*", remaining=4)
    site.get(f"/quotes/{order.key}/")
    simulator.platform.faults.clear()
    simulator.stop_listening()
    ConfigRow.objects.filter(conf_name__startswith="public_wechat_accesstoken").delete()
    credentials.forget()
    qr._failures.clear()
    site.get(f"/quotes/{order.key}/")
    simulator.listen()


def flow(site: Site, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, str], list[str]]:
    """From the installation to the shared page. Returns all secrets by name, and what the commands printed."""
    key, printed = install(simulator)
    site.post("/api/quotes/", QUOTE, key)
    stored = Order.objects.get()
    for data in ("{", {**QUOTE, "room_area": "x"}, QUOTE):
        site.post("/api/quotes/", data, key + "x" * (data == QUOTE))
    pages_fail_in_every_way(site, simulator, stored)
    qr._failures.clear()
    credentials.forget()
    for end in ("", "code", "status", "qr.svg"):
        assert site.get(f"/quotes/{stored.key}/{end}").status_code == 200
    account = conf.account_by_id(stored.account_id)
    token = tokens.get(account)

    simulator.platform.add_person(simulator.platform.accounts[APPID], openid=OPENID, follows=True)
    site.answers.append(scan(site, stored.orderid))
    cards_fail_in_every_way(simulator)
    with monkeypatch.context() as patch:  # something of ours breaks, with the configuration in its hands
        patch.setattr("orders.scans.card_for", lambda *_quote_and_account, **_person: 1 / 0)
        site.answers.append(scan(site, stored.orderid))
    assert Push.objects.filter(state="failed").count() == 1
    for path in (
        newest_scan().get_absolute_url(),
        "/s/x/",
        "/",
        "/readyz",
        "/api/schema/",
        "/admin/login/",
        "/nowhere",
    ):
        site.get(path)
    site.get("/wechat/demo/callback?signature=x&timestamp=1&nonce=2&echostr=3")
    site.get(f"/api/quotes/{stored.orderid}/", headers={"authorization": f"Api-Key {key}"})
    return {**SECRETS, "API key": key, "access token": token, "API key's secret": key.partition(".")[2]}, printed


def scan(site: Site, orderid: int) -> str:
    """A scan, encrypted as the platform does it; returns the answer."""
    content = callback.event("SCAN", EventKey=str(orderid), Ticket="a-ticket")
    address = callback.signed(token=SECRETS["callback token"])
    raw, query = callback.encrypted(content.encode(), address, key=SECRETS["EncodingAESKey"])
    response = callback.Callback(site.client).post(raw, query)
    assert response.status_code == 200
    return response.content.decode()


def database_bytes() -> bytes:
    """The SQLite file with what has not reached it yet; of another database everything that its tables hold."""
    if connection.vendor == "sqlite":
        file = Path(str(connection.settings_dict["NAME"]))
        return b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    return dump.getvalue().encode()


@pytest.mark.django_db(transaction=True)
def test_no_secret_is_anywhere_after_a_whole_flow(
    simulator: SimulatorServer,
    worker_alive: Any,
    settings: Any,
    lines: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callback, "TOKEN", SECRETS["callback token"])
    site = Site()
    with caplog.at_level(logging.DEBUG):
        secrets, printed = flow(site, simulator, monkeypatch)
    for number, field_key in enumerate(settings.FIELD_KEYS):
        secrets[f"FIELD_KEYS[{number}]"] = field_key
    secrets["SECRET_KEY"] = settings.SECRET_KEY
    assert len(lines) > 20, "the flow has failures to log"
    places = {
        "an answer": "\n".join(site.answers),
        "a log line": "\n".join(lines),
        "a log record": caplog.text,
        "what a command printed": "\n".join(printed),
        "an error kept for staff": "\n".join(Push.objects.values_list("error", flat=True)),
        "a message": "\n".join(map(str, OutgoingMessage.objects.values_list("content", "error"))),
        "the database": database_bytes().decode("latin-1"),
    }
    assert [(name, place) for place, text in places.items() for name, secret in secrets.items() if secret in text] == []
    assert OPENID.encode() in database_bytes(), "the search does find what is there"
    assert ApiKey.objects.get().hashed_key
