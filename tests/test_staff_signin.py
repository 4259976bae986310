"""Signing in: the second step, the limits of a session, signing out everywhere, and the proof before the sensitive pages."""

import re
import time
from base64 import b32decode
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp

from wechat import groups, second_factor, sessions
from wechat.models import Account, ApiKey, ConfigRow, Membership, SecondFactor
from wechat.sealing import is_old

PASSWORD = "Zhu-jia-2026-ok"
LOGIN, INDEX, STEP, PROOF = (reverse(name) for name in ("admin:login", "admin:index", "second-step", "prove-again"))
OWN, SETUP, END = (reverse(name) for name in ("own-security", "second-factor", "own-sessions-end"))
KEYS = reverse("admin:wechat_apikey_add")


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


def sign_in(name: str = "boss", **options: Any) -> Client:
    client = Client(**options)
    assert client.post(LOGIN, {"username": name, "password": PASSWORD}).status_code == 302
    return client


def digits(user: User, *, ahead: int = 0) -> str:
    """What the app shows; `ahead` steps of half a minute later."""
    factor = SecondFactor.objects.get(user=user)
    return f"{totp(factor.key(), t0=-30 * ahead):06d}"


def with_factor(user: User) -> list[str]:
    """A confirmed second step; its backup codes."""
    second_factor.begin(user)
    made = second_factor.confirm(user, digits(user))
    assert made
    return made[1]


def goes_to(response: Any, page: str) -> bool:
    return response.status_code == 302 and response.headers["Location"].partition("?")[0] == page


def test_the_app_is_set_up_by_a_code_and_ten_backup_codes_are_shown_once(boss: User) -> None:
    client, elsewhere = sign_in(), sign_in()
    html = client.get(SETUP).content.decode()
    assert "data:image/svg+xml" in html
    key = re.search(r'class="ap-key">([A-Z2-7 ]+)<', html)
    assert key
    assert b32decode(key[1].replace(" ", "")) == SecondFactor.objects.get().key()
    assert client.get(SETUP).content.decode().count(key[1]) == 1, "the same key until it is confirmed"
    assert SecondFactor.objects.filter(confirmed=True).count() == 0
    shown = client.post(SETUP, {"code": digits(boss)}).content.decode()
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", shown)
    assert len(set(codes)) == 10
    assert client.get(INDEX).status_code == 200, "who set it up is in"
    assert goes_to(elsewhere.get(INDEX), LOGIN), "his other browsers are not"
    assert not any(code in client.get(OWN).content.decode() for code in codes)
    stored = SecondFactor.objects.values_list().get()
    assert not any(code.replace("-", "") in str(stored) for code in codes)
    assert key[1].replace(" ", "") not in str(stored)


def test_after_the_password_nothing_opens_before_the_code(boss: User) -> None:
    with_factor(boss)
    client = sign_in()
    before = client.session.session_key
    for page in (
        INDEX,
        OWN,
        SETUP,
        PROOF,
        reverse("admin:password_change"),
        KEYS,
        reverse("admin:wechat_push_changelist"),
    ):
        assert goes_to(client.get(page), STEP), page
        assert goes_to(client.post(page), STEP), page
    response = client.post(f"{STEP}?next=/admin/wechat/push/", {"code": digits(boss, ahead=1)})
    assert goes_to(response, "/admin/wechat/push/")
    assert client.get(INDEX).status_code == 200
    assert client.session.session_key != before, "a new session id"


def test_no_code_serves_twice_and_wrong_ones_make_the_next_wait(boss: User) -> None:
    with_factor(boss)
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False) as clock:
        code = digits(boss)
        assert second_factor.check(boss, code)
        assert not second_factor.check(boss, code)
        clock.shift(60)
        wrong = 0
        for number in range(100):
            wrong += second_factor.check(boss, f"{number:06d}") is not None
        assert not wrong
        assert SecondFactor.objects.get().throttling_failure_count <= 3, "the other tries were not even looked at"
        assert not second_factor.check(boss, digits(boss)), "nor is a right one, for a moment"
        clock.shift(60)
        assert second_factor.check(boss, digits(boss)), "the owner waits a minute at most after three"


def test_a_backup_code_serves_once_however_it_is_written(boss: User) -> None:
    first, second, *_others = with_factor(boss)
    assert second_factor.check(boss, first.upper().replace("-", " "))
    assert not second_factor.check(boss, first)
    SecondFactor.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(hours=1))
    assert second_factor.check(boss, second)
    assert len(SecondFactor.objects.get().codes) == 8
    fresh = second_factor.new_codes(boss)
    SecondFactor.objects.update(throttling_failure_count=0)
    assert second_factor.check(boss, fresh[0])
    assert not second_factor.check(boss, _others[0])


@pytest.mark.parametrize(
    "odd", ["", "12345", "1234567", "１２３４５６", "-12345", "abcdefghij", "é" * 10, "\x00" * 6, "9" * 500]
)
def test_odd_codes_are_wrong_and_break_nothing(odd: str, boss: User) -> None:
    with_factor(boss)
    client = sign_in()
    assert client.post(STEP, {"code": odd}).status_code == 200
    assert goes_to(client.get(INDEX), STEP)


@pytest.mark.parametrize(
    ("rule", "boss_must", "service_must"), [("off", False, False), ("managers", True, False), ("all", True, True)]
)
def test_the_setting_says_who_must_set_it_up(
    rule: str, boss_must: bool, service_must: bool, boss: User, account: Account, settings: Any
) -> None:
    settings.STAFF_OTP = rule
    service = User.objects.create_user("service", password=PASSWORD, is_staff=True)
    service.groups.set(Group.objects.filter(name=groups.NAMES["service"]))
    Membership.objects.create(user=service, account=account)
    for name, must in (("boss", boss_must), ("service", service_must)):
        client = sign_in(name)
        assert goes_to(client.get(INDEX), SETUP) == must
        assert client.get(SETUP).status_code == 200


def test_a_superuser_and_a_command_take_it_away_and_the_person_is_signed_out(boss: User) -> None:
    other = User.objects.create_superuser("other", password=PASSWORD)
    with_factor(other)
    theirs, client = sign_in("other"), sign_in()
    assert client.get(reverse("admin:auth_user_reset_factor", args=[other.pk])).status_code == 200, "asks first"
    client.post(reverse("admin:auth_user_reset_factor", args=[other.pk]), {"_form_submitted": "True"})
    assert not SecondFactor.objects.exists()
    assert goes_to(theirs.get(INDEX), LOGIN)
    with_factor(other)
    call_command("resetfactor", "other", stdout=StringIO())
    assert not SecondFactor.objects.exists()
    for name in ("other", "nobody"):
        with pytest.raises(CommandError):
            call_command("resetfactor", name, stdout=StringIO())


def test_the_key_is_sealed_anew_with_the_others(boss: User, account: Account, settings: Any) -> None:
    codes = with_factor(boss)
    settings.FIELD_KEYS = ["bmV3LWtleS1vZi10aGlydHktdHdvLWJ5dGVzLWxvbmc=", *settings.FIELD_KEYS]
    assert is_old(SecondFactor.objects.get().sealed)
    call_command("rotatekeys", stdout=StringIO())
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert not is_old(SecondFactor.objects.get().sealed)
    assert second_factor.check(boss, codes[0])
    assert ConfigRow.objects.exists()


def test_a_session_ends_after_idle_hours_and_in_any_case_after_a_day(boss: User, settings: Any) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = sign_in()
        clock.shift(settings.SESSION_IDLE_SECONDS - 60)
        assert client.get(INDEX).status_code == 200
        clock.shift(settings.SESSION_IDLE_SECONDS - 60)
        assert client.get(INDEX, headers={"Sec-Fetch-Mode": "cors"}).status_code == 200, "a page that asks by itself"
        clock.shift(120)
        assert goes_to(client.get(INDEX), LOGIN), "does not keep it alive"
        client = sign_in()
        for _hour in range(int(settings.SESSION_ABSOLUTE_SECONDS / 3600) - 1):
            clock.shift(3600)
            assert client.get(INDEX).status_code == 200
        clock.shift(3601)
        assert goes_to(client.get(INDEX), LOGIN)


def test_signing_in_and_a_new_password_give_a_new_session(boss: User) -> None:
    client = Client()
    client.get(LOGIN)
    session = client.session
    session["mark"] = 1
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    assert client.post(LOGIN, {"username": "boss", "password": PASSWORD}).status_code == 302
    assert client.session.session_key != before
    elsewhere, before = sign_in(), client.session.session_key
    new = {"old_password": PASSWORD, "new_password1": "Another-one-77", "new_password2": "Another-one-77"}
    assert client.post(reverse("admin:password_change"), new).status_code == 302
    assert client.session.session_key != before
    assert client.get(INDEX).status_code == 200
    assert goes_to(elsewhere.get(INDEX), LOGIN)


def test_one_sees_where_one_is_signed_in_and_signs_out_there(boss: User) -> None:
    here = sign_in(REMOTE_ADDR="10.1.1.1", headers={"user-agent": "Chrome <b>"})
    phone = sign_in(REMOTE_ADDR="10.2.2.2", headers={"user-agent": "WeChat"})
    third = sign_in()
    html = here.get(OWN).content.decode()
    assert "10.2.2.2" in html
    assert "Chrome &lt;b&gt;" in html
    assert not any(key in html for key in Session.objects.values_list("session_key", flat=True)), (
        "a key is as good as a password"
    )
    name = sessions.name_of(phone.session.session_key or "")
    assert here.get(END).status_code == 405
    here.post(END, {"name": name})
    assert goes_to(phone.get(INDEX), LOGIN)
    assert third.get(INDEX).status_code == 200
    here.post(END)
    assert goes_to(third.get(INDEX), LOGIN)
    assert here.get(INDEX).status_code == 200


def test_nobody_ends_somebody_elses_session_but_a_superuser(boss: User, account: Account) -> None:
    other = User.objects.create_user("other", password=PASSWORD, is_staff=True)
    theirs = sign_in("other")
    mine = sign_in()
    theirs.post(END, {"name": sessions.name_of(mine.session.session_key or "")})
    assert mine.get(OWN).status_code == 200
    url = reverse("admin:auth_user_sign_out", args=[other.pk])
    assert mine.post(url, {"_form_submitted": "True"}).status_code in (200, 302)
    assert goes_to(theirs.get(OWN), LOGIN)


@pytest.mark.parametrize("page", [KEYS, reverse("admin:auth_user_add"), reverse("admin:auth_group_add"), SETUP])
def test_the_sensitive_pages_want_a_new_proof_after_a_quarter_of_an_hour(page: str, boss: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = sign_in()
        assert client.get(page).status_code == 200
        clock.shift(sessions.PROOF + 1)
        asked = client.get(page)
        assert goes_to(asked, PROOF)
        assert client.get(INDEX).status_code == 200, "the others do not"
        clock.shift(sessions.PROOF_TO_SEND)
        assert goes_to(client.post(page, {"name": "x"}), PROOF)
        assert not ApiKey.objects.exists()
        assert client.post(asked.headers["Location"], {"password": "wrong"}).status_code == 200
        assert goes_to(client.get(page), PROOF)
        assert goes_to(client.post(asked.headers["Location"], {"password": PASSWORD}), page)
        assert client.get(page).status_code == 200


def test_who_has_a_second_step_proves_himself_by_it(boss: User) -> None:
    first, second, *_others = with_factor(boss)
    client = sign_in()
    client.post(STEP, {"code": first})
    session = client.session
    session[sessions.PROVED] = int(time.time()) - sessions.PROOF - 10
    session.save()
    assert goes_to(client.get(KEYS), PROOF)
    assert client.post(PROOF, {"password": PASSWORD}).status_code == 200, "the password alone does not do"
    assert goes_to(client.get(KEYS), PROOF)
    SecondFactor.objects.update(throttling_failure_count=0)
    before = client.session.session_key
    client.post(PROOF, {"code": second})
    assert client.get(KEYS).status_code == 200
    assert client.session.session_key != before


def test_a_wrong_second_step_has_a_line_in_the_log(boss: User, caplog: pytest.LogCaptureFixture) -> None:
    with_factor(boss)
    sign_in().post(STEP, {"code": "000000"})
    assert f"a second step of {boss.username} was wrong" in caplog.text
    assert "000000" not in caplog.text


def test_who_signs_out_leaves_no_draft_in_the_browser(boss: User) -> None:
    assert sign_in().post(reverse("admin:logout")).headers["Clear-Site-Data"] == '"storage"'


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/elsewhere",
    ],
)
def test_no_next_leads_out_of_the_admin(place: str, boss: User) -> None:
    client = sign_in()
    response = client.post(f"{PROOF}?{urlencode({'next': place})}", {"password": PASSWORD})
    assert goes_to(response, INDEX)


def test_wrong_passwords_of_the_new_proof_are_counted_too(boss: User) -> None:
    client = sign_in()
    statuses = [client.post(PROOF, {"password": f"wrong-{number}"}).status_code for number in range(8)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
