"""`manage.py doctor` finds what is wrong with an installation, and says what to do."""

from io import StringIO

import pytest
from django.core.management import call_command

from wechat import conf, doctor
from wechat.models import Account, ConfigRow
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db


def run() -> tuple[int, str]:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=out, no_color=True)
    return int(str(ended.value)), out.getvalue()


def findings() -> dict[str, doctor.Finding]:
    return {finding.what: finding for finding in doctor.examine()}


def test_an_installation_without_an_account_is_told_to_make_one() -> None:
    status, text = run()
    assert status == 1
    assert "manage.py account" in text


def test_a_dead_worker_is_named(account: Account, simulator: SimulatorServer) -> None:
    status, text = run()
    assert status == 1
    assert "manage.py worker" in text


def test_the_token_is_really_fetched(account: Account, simulator: SimulatorServer) -> None:
    found = [finding for what, finding in findings().items() if "API" in what or "接口" in what]
    assert [finding.fine for finding in found] == [True]


def test_a_refusal_of_the_platform_is_explained(account: Account, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=40164, match="/cgi-bin/*")
    found = next(finding for what, finding in findings().items() if "API" in what or "接口" in what)
    assert not found.fine
    assert "40164" in found.remedy
    assert "白名单" in found.remedy


def test_a_secret_that_no_key_opens_is_named(account: Account, simulator: SimulatorServer) -> None:
    ConfigRow.objects.filter(conf_name="public_wechat_appsecret").update(conf_value="gAAAAA-broken")
    conf.forget()
    broken = [finding for finding in findings().values() if "public_wechat_appsecret" in finding.remedy]
    assert [finding.fine for finding in broken] == [False]


def test_a_missing_key_for_safe_mode_is_named(account: Account, simulator: SimulatorServer) -> None:
    Account.objects.filter(pk=account.pk).update(mode="safe")
    ConfigRow.objects.filter(conf_name__startswith="public_wechat_aes_key").delete()
    conf.touch(account)
    assert any("EncodingAESKey" in finding.remedy for finding in findings().values() if not finding.fine)
