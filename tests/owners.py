"""The ways of a person to WeChat's consent page and back, over HTTP, as the tests of web authorization and profiles go them."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from callback import OPENID
from django.http import HttpResponse
from django.test import Client

from orders.models import Scan
from wechat.simulator.accounts import Person
from wechat.simulator.server import SimulatorServer

IN_WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) MicroMessenger/8.0.50"
OURS = "http://testserver"  # the origin of our pages, as Django's test client calls them


def wechat(**options: Any) -> Client:
    """A browser inside WeChat, without a single cookie."""
    return Client(headers={"user-agent": IN_WECHAT}, **options)


def person(simulator: SimulatorServer, openid: str = OPENID, **fields: Any) -> Person:
    """Somebody whose phone is in hand now: he is who comes to the consent page."""
    platform = simulator.platform
    [account] = platform.accounts.values()
    known = platform.persons.get(openid) or platform.add_person(account, openid=openid, follows=True, **fields)
    platform.chosen = openid
    return known


def tap(browser: Client, scan: Scan, what: str = "show", *, origin: str = OURS, **data: str) -> HttpResponse:
    """The tap on a button of the shared page or the owner's page."""
    return browser.post(f"{scan.get_absolute_url()}owner/{what}", data, headers={"origin": origin})


def address(response: HttpResponse) -> str:
    """Where a tap leads: to WeChat's consent page."""
    assert response.status_code == 303
    return response.headers["Location"]


def agree(url: str, *, snapshot: bool = False) -> str:
    """What the person in hand does at the consent page. Returns the address that WeChat sends his browser back to."""
    url = url.partition("#")[0] + ("&forceSnapShot=true" if snapshot else "")
    silent = "scope=snsapi_base" in url
    answer = requests.request("GET" if silent else "POST", url, data={"allow": "1"}, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def path_of(url: str) -> str:
    """An address of ours, as the test client takes it."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def go(browser: Client, scan: Scan, what: str = "show", *, snapshot: bool = False) -> HttpResponse:
    """The whole way: the tap, WeChat's page, and back."""
    return browser.get(path_of(agree(address(tap(browser, scan, what)), snapshot=snapshot)))
