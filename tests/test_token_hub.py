"""The token hub: other programs of the firm get the access token by REST, within the platform's limits."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from callback import APPID
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wechat import conf, credentials, hub, retention, tokens
from wechat.models import Account, ApiKey, Lease, TokenRequest
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db
TOKEN, RENEW = "/api/token/", "/api/token/renew/"


class Program:
    """A program of the firm, with a key of these scopes."""

    def __init__(self, *scopes: str, name: str = "crm") -> None:
        self.row, key = ApiKey.objects.create_key(name=name, scopes=list(scopes))
        self.client, self.header = Client(), {"authorization": f"Api-Key {key}"}

    def read(self, query: str = "") -> HttpResponse:
        return self.client.get(f"{TOKEN}{query}", headers=self.header)

    def renew(self, **fields: Any) -> HttpResponse:
        return self.client.post(RENEW, fields, content_type="application/json", headers=self.header)


@pytest.fixture
def crm(account: Account, simulator: SimulatorServer) -> Program:
    return Program("token")


def later(seconds: float) -> None:
    """So much time passes for the leases."""
    for lease in Lease.objects.filter(name__regex="^(forced|renewed):"):
        lease.until -= timedelta(seconds=seconds)
        lease.save()


def test_a_program_gets_the_token_with_its_seconds(crm: Program, simulator: SimulatorServer) -> None:
    answer = crm.read("?account=demo")
    assert answer.status_code == 200
    given = answer.json()
    assert simulator.platform.token_owners[given["access_token"]].appid == APPID
    assert 6000 < given["expires_in"] <= 7200 - credentials.EARLY
    assert given["fetched_at"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_all_programs_get_one_and_the_same_token(crm: Program, simulator: SimulatorServer) -> None:
    both = {crm.read().json()["access_token"], Program("token", name="shop").read().json()["access_token"]}
    assert len(both) == 1
    assert simulator.platform.counters["token_fetches"] == 1


@pytest.mark.parametrize("scopes", [[], ["quotes:read", "rules:try"]])
def test_another_key_gets_nothing(scopes: list[str], account: Account, simulator: SimulatorServer) -> None:
    program = Program(*scopes)
    assert [program.read().status_code, program.renew().status_code] == [403, 403]
    assert Client().get(TOKEN).status_code == 403
    assert not TokenRequest.objects.exists()
    assert simulator.platform.counters["token_fetches"] == 0


def test_a_revoked_key_gets_nothing(crm: Program) -> None:
    ApiKey.objects.update(revoked=True)
    answer = crm.read()
    assert answer.status_code == 403
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_unknown_account_and_an_unknown_field_are_refused(crm: Program) -> None:
    assert crm.read("?account=none").json().keys() == {"account"}
    assert crm.read("?acount=demo").status_code == 400
    assert crm.renew(acount="demo").status_code == 400
    Account.objects.create(slug="second")
    assert crm.read().status_code == 400


def test_who_asked_and_when_is_kept(crm: Program, account: Account) -> None:
    for _ in range(3):
        crm.read()
    crm.renew()
    Program("token", name="shop").read()
    rows = TokenRequest.objects.order_by("pk").values_list("key_name", "kind", "count")
    assert list(rows) == [("crm", "read", 3), ("crm", "renewed", 1), ("shop", "read", 1)]
    assert timezone.now() - TokenRequest.objects.latest("last_at").last_at < timedelta(seconds=5)


def test_staff_see_who_asked_and_no_token(crm: Program, staff: Client) -> None:
    value = crm.read().json()["access_token"]
    page = staff.get(reverse("admin:wechat_tokenrequest_changelist")).content.decode()
    assert "crm" in page
    assert value not in page
    [row] = TokenRequest.objects.all()
    assert value not in staff.get(reverse("admin:wechat_tokenrequest_change", args=[row.pk])).content.decode()


def test_a_renewal_gives_another_token_and_ends_the_old_one(crm: Program, simulator: SimulatorServer) -> None:
    old = crm.read().json()["access_token"]
    answer = crm.renew(account="demo")
    assert answer.status_code == 200
    new = answer.json()["access_token"]
    assert new != old
    assert answer.headers["Cache-Control"] == "no-store"
    issued = simulator.platform.accounts[APPID].tokens
    now = simulator.platform.clock.now()
    assert (issued.refusal(old, now), issued.refusal(new, now)) == (40001, None)
    assert crm.read().json()["access_token"] == new


def test_renewals_are_thirty_seconds_apart(crm: Program, simulator: SimulatorServer) -> None:
    assert crm.renew().status_code == 200
    later(20)
    refused = crm.renew()
    assert refused.status_code == 429
    assert 5 <= int(refused.headers["Retry-After"]) <= 11
    assert refused.json()["retry_after"] == int(refused.headers["Retry-After"])
    assert refused.json()["detail"]
    later(11)
    assert crm.renew().status_code == 200
    assert TokenRequest.objects.get(kind="refused").count == 1


def test_twenty_renewals_a_day_and_a_restart_forgets_none(crm: Program, simulator: SimulatorServer) -> None:
    for _ in range(hub.PER_DAY):
        assert crm.renew().status_code == 200
        later(31)
    conf.forget()
    credentials.forget()  # the process starts anew
    refused = Program("token", name="shop").renew()
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    yesterday = timezone.now() - timedelta(days=1)
    TokenRequest.objects.filter(kind="renewed").update(hour=yesterday)
    simulator.platform.clock.advance(86_400)  # the platform counts too
    assert crm.renew().status_code == 200


def test_a_renewal_of_our_own_counts_for_the_thirty_seconds(crm: Program, account: Account) -> None:
    config = conf.account_by_id(account.pk)
    tokens.renew(config, tokens.get(config))
    assert crm.renew().status_code == 429


@pytest.mark.parametrize(("code", "word"), [(40164, "203.0.113.9"), (40125, "AppSecret")])
def test_an_error_is_explained_in_json(code: int, word: str, crm: Program, simulator: SimulatorServer) -> None:
    text = "invalid ip 203.0.113.9, not in whitelist" if code == 40164 else None
    simulator.platform.faults.set(kind="errcode", errcode=code, errmsg=text, match="/cgi-bin/stable_token")
    for answer in (crm.read(), crm.renew()):
        assert answer.status_code == 502
        said = answer.json()
        assert said["explanation"]["code"] == code
        assert word in said["detail"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_token_is_never_logged(crm: Program, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    values = [crm.read().json()["access_token"], crm.renew().json()["access_token"]]
    crm.renew()
    assert not any(value in caplog.text for value in values)


def test_old_requests_are_removed(crm: Program, account: Account) -> None:
    crm.read()
    TokenRequest.objects.update(last_at=timezone.now() - timedelta(days=29))
    retention.run()
    assert TokenRequest.objects.exists()
    TokenRequest.objects.update(last_at=timezone.now() - timedelta(days=31))
    Lease.objects.filter(name=retention.ANEW).delete()
    retention.run()
    assert not TokenRequest.objects.exists()
