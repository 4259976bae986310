"""The quota page: what is left, clearing it, and a refused call by its rid. Nothing is asked before somebody presses."""

from html import unescape
from typing import Any

import pytest
from callback import APPID
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from wechat import conf
from wechat.client import core
from wechat.client.quota import Quota
from wechat.errors import PlatformError
from wechat.models import Account
from wechat.simulator.quotas import Limits
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:wechat_account_quota")
SENDING = "/cgi-bin/message/custom/send"


def text(response: HttpResponse) -> str:
    return unescape(response.content.decode())


def do(client: Client, deed: str, **fields: Any) -> HttpResponse:
    return client.post(PAGE, {"do": deed, **fields}, follow=True)


def refused_rid(account: Account) -> str:
    """The rid of a call that was refused."""
    with pytest.raises(PlatformError) as caught:
        core.post(conf.account_by_id(account.pk), "/cgi-bin/message/template/send", {"touser": "nobody"})
    return caught.value.rid


def test_looking_asks_nothing_of_the_platform(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    assert staff.get(PAGE).status_code == 200
    assert simulator.platform.counters["calls"] == 0


def test_used_and_left_are_shown_and_kept_for_a_minute(
    staff: Client, account: Account, simulator: SimulatorServer
) -> None:
    for _ in range(7):
        simulator.platform.accounts[APPID].quotas.count(SENDING, Limits(), simulator.platform.clock.now())
    asked = do(staff, "ask")
    rows = {row["path"]: row["quota"] for row in asked.context["found"]["rows"]}  # type: ignore[attr-defined]
    assert rows[SENDING] == Quota(daily=500_000, used=7, left=499_993)
    assert SENDING in text(asked)
    calls = simulator.platform.counters["calls"]
    do(staff, "ask")
    assert simulator.platform.counters["calls"] == calls


def test_a_refusal_is_explained(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    simulator.platform.accounts[APPID].ip_allowlist = ["198.51.100.7"]
    page = text(do(staff, "ask"))
    assert "40164" in page
    assert "白名单" in page


def test_clearing_asks_first_and_is_counted(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    quotas = simulator.platform.accounts[APPID].quotas
    assert quotas.cleared(simulator.platform.clock.now()) == 0
    do(staff, "clear")
    assert quotas.cleared(simulator.platform.clock.now()) == 0
    for number in (1, 2):
        page = do(staff, "clear", sure="on")
        assert quotas.cleared(simulator.platform.clock.now()) == number
        assert page.context["cleared"] == number  # type: ignore[attr-defined]
    assert LogEntry.objects.count() == 2


def test_the_eleventh_time_of_a_month_is_refused_and_explained(
    staff: Client, account: Account, simulator: SimulatorServer
) -> None:
    for _ in range(10):
        do(staff, "clear", sure="on")
    assert "48006" in text(do(staff, "clear", sure="on"))
    assert LogEntry.objects.count() == 10


def test_without_a_token_the_secret_clears(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=45009, match="/cgi-bin/stable_token")
    do(staff, "clear", sure="on")
    assert simulator.platform.accounts[APPID].quotas.cleared(simulator.platform.clock.now()) == 1


def test_a_rid_is_looked_up_and_explained(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    rid = refused_rid(account)
    page = do(staff, "rid", rid=rid)
    call = page.context["call"]  # type: ignore[attr-defined]
    assert "127.0.0.1" in call.values()
    assert any("nobody" in value for value in call.values())
    [token] = [value.value for value in simulator.platform.accounts[APPID].tokens._current.values()]
    assert token not in text(page)


@pytest.mark.parametrize(("rid", "word"), [("x", None), ("00000000-00000000-00000000", "76004")])
def test_a_rid_that_cannot_be_told(
    rid: str, word: str | None, staff: Client, account: Account, simulator: SimulatorServer
) -> None:
    page = do(staff, "rid", rid=rid)
    assert page.status_code == 200
    assert "call" not in page.context  # type: ignore[attr-defined]
    assert bool(page.context["rid"].errors) == (word is None)  # type: ignore[attr-defined]
    assert (word or "") in text(page)


def test_who_may_only_look_at_accounts_is_refused(viewer: Client, simulator: SimulatorServer) -> None:
    assert viewer.get(PAGE).status_code == 403
    assert do(viewer, "clear", sure="on").status_code == 403
    assert simulator.platform.counters["calls"] == 0
