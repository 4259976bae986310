"""Rows D206 … D208 and D210: the REST interface for who has no right there, and the addresses that we never fetch."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from quotes import QUOTE, Api
from test_environment import ROOT

from orders.models import Order
from wechat.models import Account, ApiKey, QRCode
from wechat.simulator.server import SimulatorServer

METHODS = ("get", "post", "put", "patch", "delete", "options")
CALLS = (
    "/api/quotes/",
    "/api/quotes/77/",
    "/api/token/",
    "/api/token/renew/",
    "/api/rules/try/",
    "/api/templates/",
    "/api/templates/send/",
)


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("key", ["", "none", "revoked", "without scopes"])
def test_d206_nothing_of_the_rest_interface_opens_without_the_right(
    path: str, key: str, order: Order, staff: Client
) -> None:
    row, text = ApiKey.make("x", [])
    ApiKey.objects.filter(pk=row.pk).update(revoked=key == "revoked")
    header = {"authorization": f"Api-Key {'a.b' if key == 'none' else text}"} if key else {}
    for client in (Client(), staff):  # a session of staff is no key either
        for method in METHODS:
            for query in ("", "?format=api", "?format=html", "?format=json"):
                response = getattr(client, method)(f"{path}{query}", headers=header, content_type="application/json")
                assert response.status_code in (401, 403, 404, 405), (method, path, query)
                assert "王女士" not in response.content.decode()
                assert "<form" not in response.content.decode(), "no pages to browse"
    assert Order.objects.count() == 1


def test_d206_there_is_no_list_and_nothing_to_change(order: Order) -> None:
    api = Api("quotes:read", "quotes:write")
    for method in ("get", "put", "patch", "delete"):
        client = Client()
        response = getattr(client, method)("/api/quotes/", QUOTE, content_type="application/json", headers=api.header)
        assert response.status_code == 405, method
        if method != "get":
            response = getattr(client, method)(
                "/api/quotes/77/", QUOTE, content_type="application/json", headers=api.header
            )
            assert response.status_code == 405, method
    assert Client().get("/api/quotes/78/", headers=api.header).status_code == 404


@pytest.mark.parametrize(
    "extra",
    [
        {"is_staff": True},
        {"key": "mine"},
        {"id": 1},
        {"scopes": ["token"]},
        {"account_id": 7},
        {"market_money": 1},
        {"secret": "x"},
    ],
)
def test_d207_a_field_that_is_not_there_is_refused(extra: dict[str, Any], account: Account) -> None:
    response = Api("quotes:write").create(**extra)
    assert response.status_code == 400 or not (extra.keys() & response.json().keys() - {"market_money"})
    for order in Order.objects.all():
        assert order.key != "mine"
        assert order.account_id == account.pk


def test_d208_nobody_gets_a_code_for_a_quote_whose_address_he_does_not_know(
    order: Order, simulator: SimulatorServer
) -> None:
    client = Client()
    for guess in ("77", str(order.pk), order.key[:-1], order.key + "x", order.key.swapcase(), "demo"):
        for end in ("", "code", "qr.svg", "qr.png", "status", "embed/"):
            assert client.get(f"/quotes/{guess}/{end}").status_code == 404, (guess, end)
            assert client.post(f"/quotes/{guess}/{end}", {"orderid": 77}).status_code in (403, 404, 405)
    assert not QRCode.objects.exists()
    assert not simulator.platform.journal.find(kind="call")
    assert client.get(f"/quotes/{order.key}/qr.svg").status_code == 200


def test_d208_and_asking_again_makes_no_second_code(order: Order, simulator: SimulatorServer) -> None:
    for _time in range(20):
        assert Client().get(f"/quotes/{order.key}/qr.svg").status_code == 200
    assert len(simulator.platform.journal.find(kind="call", path="/cgi-bin/qrcode/create")) <= 1


def test_d210_the_server_fetches_nothing_but_what_the_settings_name() -> None:
    """Whoever calls out is on this list; none of them takes an address from a person, a quote or a rule."""
    may = {
        "wechat/transport.py",
        "wechat/doctor/machine.py",
        "wechat/doctor/callback.py",
        "wechat/doctor/web.py",
        "wechat/webhooks.py",
    }
    modules = r"(?:requests|urllib\.request|http\.client|socket|aiohttp)\b"
    calls = re.compile(rf"^\s*(?:import|from) {modules}", re.MULTILINE)
    rooms = [file for room in ("wechat", "orders", "wxhub") for file in Path(ROOT, room).rglob("*.py")]
    found = {str(file.relative_to(ROOT)) for file in rooms if calls.search(file.read_text("utf-8"))}
    assert {name for name in found if not name.startswith("wechat/simulator/")} - may <= MORE, (
        "a new caller: what does it fetch?"
    )


MORE = {
    "wechat/worker.py",
    "wechat/doctor/platform.py",
    "wechat/management/commands/simulator.py",
    "orders/management/commands/demo.py",
    "wechat/client/codes.py",
}
