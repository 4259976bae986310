"""REST keys are replaced with an overlap, note their use, and the security check names what is old, unused or weak."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wechat import conf
from wechat.models import Account, ApiKey


def status(key: str) -> int:
    """404: the key may look, and there is no such quote. 403: it may not."""
    return Client().get("/api/quotes/1/", headers={"authorization": f"Api-Key {key}"}).status_code


def rotate(name: str, **options: int) -> str:
    out = StringIO()
    call_command("apikey", name, rotate=True, stdout=out, stderr=StringIO(), **options)
    return out.getvalue().strip()


def test_a_new_key_serves_at_once_and_the_old_one_until_its_end(account: Account) -> None:
    row, old = ApiKey.make("website", ["quotes:read"])
    new = rotate("website", overlap=7)
    assert (status(old), status(new)) == (404, 404)
    assert ApiKey.objects.exclude(pk=row.pk).get().scopes == ["quotes:read"]
    row.refresh_from_db()
    assert timedelta(days=6.9) < row.expiry_date - timezone.now() < timedelta(days=7.1)
    ApiKey.objects.filter(pk=row.pk).update(expiry_date=timezone.now() - timedelta(seconds=1))
    assert (status(old), status(new)) == (403, 404)
    assert status(rotate("website", overlap=0)) == 404
    assert status(new) == 403
    for wrong in ("nobody", "website "):
        with pytest.raises(CommandError):
            rotate(wrong)


def test_the_button_replaces_a_key_and_asks_first(account: Account, staff: Client) -> None:
    row, old = ApiKey.make("website", ["quotes:read"])
    url = reverse("admin:wechat_apikey_rotate", args=[row.pk])
    staff.get(url)
    assert ApiKey.objects.count() == 1
    staff.post(url, {"_form_submitted": "True"})
    assert ApiKey.objects.count() == 2
    assert status(old) == 404


def test_the_use_of_a_key_is_noted_once_an_hour(account: Account) -> None:
    row, key = ApiKey.make("website", ["quotes:read"])
    status(key)
    first = ApiKey.objects.get(pk=row.pk).last_used_at
    assert first
    status(key)
    assert ApiKey.objects.get(pk=row.pk).last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(hours=2))
    status(key)
    assert ApiKey.objects.get(pk=row.pk).last_used_at > first


def check() -> tuple[int, str]:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("securitycheck", language="en", stdout=out)
    return int(ended.value.code or 0), out.getvalue()


def test_the_security_check_names_what_to_look_at(account: Account, staff: Client) -> None:
    ApiKey.make("ancient", ["token"])
    ApiKey.objects.update(created=timezone.now() - timedelta(days=400))
    for name in ("second", "third"):
        User.objects.create_superuser(name)
    User.objects.create_user("gone", is_staff=True)
    User.objects.filter(username="gone").update(date_joined=timezone.now() - timedelta(days=100))
    conf.save(
        account, {"public_wechat_token_previous": "an-old-token", "public_wechat_token_previous_until": "2099-01-01"}
    )
    code, text = check()
    assert code == 1
    for words in (
        "Older than a year: ancient",
        "Not used for 90 days: ancient",
        "third",
        "gone",
        "plain mode",
        "2099-01-01",
    ):
        assert words in text, words
    assert "previous EncodingAESKey still opens" in text
    assert "STAFF_OTP=managers" in text
    assert "an-old-token" not in text
    html = staff.get(reverse("admin:wechat_account_security")).content.decode()
    assert "ancient" in html
    assert "2099-01-01" in html
