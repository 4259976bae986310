"""`manage.py doctor` finds what is wrong with an installation, and says what to do."""

from html import unescape
from io import StringIO

import pytest
from callback import APPID
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from wechat import conf, doctor
from wechat.models import Account, ConfigRow, Membership
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


PAGE = reverse("admin:wechat_account_doctor")


def test_the_page_makes_no_call_before_it_is_asked(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    page = staff.get(PAGE)
    assert page.status_code == 200
    assert "mp.weixin.qq.com/debug/" in page.content.decode()
    assert simulator.platform.counters["calls"] == 0


def test_the_page_says_the_same_as_the_command(staff: Client, account: Account, simulator: SimulatorServer) -> None:
    simulator.platform.accounts[APPID].ip_allowlist = ["198.51.100.7"]
    page = unescape(staff.post(PAGE, {"part": "all"}).content.decode())
    for finding in doctor.examine():
        assert finding.title in page
        if not finding.fine:
            assert finding.remedy.partition(" rid:")[0][:60] in page
    assert "40164" in page


def test_a_part_comes_alone_and_is_kept_for_a_minute(
    staff: Client, account: Account, simulator: SimulatorServer
) -> None:
    part = unescape(staff.post(PAGE, {"part": str(account.pk)}).content.decode())
    assert "<html" not in part
    assert "示例" in part
    calls = simulator.platform.counters["calls"]
    assert calls
    staff.post(PAGE, {"part": str(account.pk)})
    assert "示例" in staff.get(PAGE).content.decode()
    assert simulator.platform.counters["calls"] == calls
    staff.post(PAGE, {"part": str(account.pk), "anew": "1"})
    assert simulator.platform.counters["calls"] > calls


def test_a_foreign_account_is_not_examined(account: Account, simulator: SimulatorServer) -> None:
    other = Account.objects.create(slug="other", name="别家")
    user = User.objects.create_user("m", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_account", "change_account"]))
    Membership.objects.create(user=user, account=account)
    manager = Client()
    manager.force_login(user)
    assert "别家" not in manager.post(PAGE, {"part": "all"}).content.decode()
    assert manager.post(PAGE, {"part": str(other.pk)}).status_code == 404


def test_who_may_only_look_at_accounts_examines_nothing(viewer: Client, simulator: SimulatorServer) -> None:
    assert viewer.get(PAGE).status_code == 403
    assert viewer.post(PAGE, {"part": "all"}).status_code == 403
    assert simulator.platform.counters["calls"] == 0


def test_the_command_speaks_the_language_asked_for(account: Account, simulator: SimulatorServer) -> None:
    said = {}
    for language in ("en", "zh-hans"):
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("doctor", stdout=out, no_color=True, language=language)
        said[language] = out.getvalue()
    assert "to look at." in said["en"]
    assert "to look at." not in said["zh-hans"]
