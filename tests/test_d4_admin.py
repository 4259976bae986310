"""Rows D401 … D413: the admin, its doors, and what staff and strangers put into it."""

import csv
import io
import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from callback import AES_KEY, OPENID, SECRET, TOKEN, Callback
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from test_environment import GOOD, start
from test_groups import known_pages
from test_materials import huge_png, picture

from orders import cards
from orders.models import Order
from wechat import answers, conf, credentials, expressions, keywords, material_files, menus, strictjson
from wechat.admin import spreadsheet
from wechat.models import Account, ConfigRow, Material, OutgoingMessage, Push, Rule
from wechat.registry import ROWS
from wechat.sealing import seal

LOGIN = reverse("admin:login")
PASSWORD = "Zhu-jia-2026-ok"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7*7 }}\u202e'


def sign_in(name: str, password: str, ip: str = "10.0.0.1", **headers: str) -> Any:
    """The status, and whether he is in."""
    client = Client(REMOTE_ADDR=ip, headers=headers)
    response = client.post(LOGIN, {"username": name, "password": password})
    return response.status_code, "_auth_user_id" in client.session


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner", password=PASSWORD)


def test_d401_a_hundred_wrong_passwords_are_stopped_and_the_owner_elsewhere_is_not(owner: User) -> None:
    statuses = [sign_in("owner", f"wrong-{number}")[0] for number in range(12)]
    assert statuses[0] == 200
    assert set(statuses[10:]) == {429}
    assert sign_in("owner", PASSWORD) == (429, False), "not even with the right one, from there"
    assert sign_in("owner", PASSWORD, ip="10.9.9.9") == (302, True)
    assert AccessAttempt.objects.count() == 1


def test_d401_a_hundred_names_from_one_address_are_stopped_and_make_no_rows_for_ever(owner: User) -> None:
    statuses = [sign_in(f"name-{number}", "wrong")[0] for number in range(25)]
    assert statuses.count(429) >= 15
    assert AccessAttempt.objects.count() <= 10
    assert sign_in("owner", PASSWORD, ip="10.9.9.9") == (302, True)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert sign_in("owner", PASSWORD) == (302, True), "and from there again after a quarter of an hour"


def test_d401_a_forwarded_address_changes_nothing_unless_a_proxy_is_configured(owner: User, settings: Any) -> None:
    def tries(start: int) -> list[int]:
        return [
            sign_in("owner", "wrong", "10.0.0.2", x_forwarded_for=f"6.6.6.{n}")[0] for n in range(start, start + 12)
        ]

    assert tries(0)[-1] == 429
    settings.TRUSTED_PROXIES = 1
    assert tries(50)[-1] == 200, "behind a proxy of ours each of them is somebody else"


def test_d402_there_is_no_default_login_and_passwords_have_rules(db: None) -> None:
    assert not User.objects.exists()
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password=PASSWORD))
    page = reverse("admin:password_change")
    for weak in ("12345678", "password", "boss", "short"):
        response = client.post(page, {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak})
        assert response.status_code == 200, weak


def test_d402_cookies_are_for_https_scripts_cannot_read_them_and_no_other_host_sets_them() -> None:
    done = start(
        "import wxhub.settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, "
        "s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY, "
        "getattr(s, 'SESSION_COOKIE_DOMAIN', None), getattr(s, 'SESSION_COOKIE_PATH', '/'))",
        **GOOD,
    )
    assert done.stdout == "__Host-sessionid __Host-csrftoken True True True True None /\n"


def test_d402_the_way_back_from_wechat_and_the_callback_are_for_https_too() -> None:
    done = start(
        "from wxhub.wsgi import BARE_HEADERS; from wechat.web_authorization import COOKIE; "
        "print(COOKIE, dict(BARE_HEADERS)['Strict-Transport-Security'])",
        **GOOD,
    )
    assert done.stdout.splitlines()[-1] == "__Host-wxhub_way max-age=31536000", done.stderr


def test_d402_the_cookies_that_are_set_have_the_flags(owner: User, settings: Any) -> None:
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    response = client.post(LOGIN, {"username": "owner", "password": PASSWORD}, secure=True)
    assert set(response.cookies) == {"__Host-sessionid", "__Host-csrftoken"}
    for cookie in response.cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] in ("Lax", "Strict")
        assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_d403_no_page_of_the_admin_opens_for_who_has_no_rights(db: None) -> None:
    nobody = Client()
    nobody.force_login(User.objects.create_user("nobody", is_staff=True))
    strangers = [Client(), nobody]
    asked = 0
    for model, page in admin.site._registry.items():
        for name, pattern in known_pages(model, page).items():
            if pattern is None:
                continue
            fill = re.sub(r"<(?:int:)?\w+>", "1", str(pattern)) if "<" in str(pattern) else str(pattern)
            url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{fill}"
            for client in strangers:
                for ask in (client.get, client.post):
                    response = ask(url.replace("<path:object_id>", "1"))
                    refused = response.status_code in (403, 404, 405)
                    assert refused or response.status_code == 302, (name, url, response.status_code)
                    if response.status_code == 302:
                        assert response.headers["Location"].startswith((LOGIN, "/admin/")), url
                    asked += 1
    assert asked > 300


def test_d404_no_secret_stands_in_clear_in_any_page_form_history_or_dump(
    account: Account, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = "access-token-that-nobody-may-see-0123456789"
    for name in ("public_wechat_accesstoken", "public_wechat_jsapi_ticket"):
        ConfigRow.objects.update_or_create(account=account, conf_name=name, defaults={"conf_value": seal(access)})
    conf.save(account, {"public_wechat_token_previous": "previous-token-nobody-sees"})
    credentials.forget()
    secrets = (SECRET, TOKEN, AES_KEY, access, "previous-token-nobody-sees")
    change = reverse("admin:wechat_account_change", args=[account.pk])
    texts = [staff.get(url).content.decode() for url in (change, reverse("admin:wechat_account_changelist"))]
    texts += [staff.get(reverse("admin:wechat_account_history", args=[account.pk])).content.decode()]
    texts += [staff.get(reverse("admin:wechat_account_security")).content.decode()]
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    texts.append(dump.getvalue())
    assert [(secret, number) for number, text in enumerate(texts) for secret in secrets if secret in text] == []
    for name, row in ROWS.items():
        if row.secret and row.editable:
            boxes = re.findall(rf'<input[^>]*name="{name}"[^>]*>', texts[0])
            assert boxes, name
            assert all("value=" not in box for box in boxes), name


def test_d405_hostile_texts_live_in_the_log_as_text_only(account: Account, push: Callback, staff: Client) -> None:
    push.text(HOSTILE)
    stored = Push.objects.get()
    pages = [reverse("admin:wechat_push_changelist"), reverse("admin:wechat_push_change", args=[stored.pk])]
    for url in pages:
        html = staff.get(url).content.decode()
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert(1)" not in html
        assert "<img src=x" not in html


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", " ="])
def test_d406_no_cell_of_an_export_is_a_formula_and_the_file_is_one_of_rfc_4180(start: str) -> None:
    value = f'{start}HYPERLINK("http://x","y"),\r\n中文'
    raw = b"".join(spreadsheet.download("x.csv", ["name"], [[value]]).streaming_content)  # type: ignore[arg-type]
    text = raw.decode().removeprefix("\ufeff")
    [heading, row] = list(csv.reader(io.StringIO(text, newline="")))
    assert (heading, row) == (["name"], [f"'{value}"])
    assert text.endswith("\r\n")


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(.*a){20}", r"(\w|\w\w)+!", "(", "a" * 10_000, "(?:a?){200}a{200}", "[[:x:]]"]
)
def test_d407_a_pattern_is_refused_or_runs_in_linear_time(pattern: str, account: Account, staff: Client) -> None:
    texts = ["a" * 2048, "a" * 2047 + "!", "aaaa 中文 " * 200]
    try:
        keywords.check_keyword(keywords.Keyword("regex", pattern))
    except ValidationError:
        return  # refused, in words
    found = expressions.Expressions([pattern])
    for text in texts:
        found.search(text)
        started = time.process_time()
        found.search(text)
        assert time.process_time() - started < 0.05


def card_of(order: Order) -> Any:
    """The card of a quote as a scan would get it."""
    return cards.card_for(order.figures, conf.account_by_id(order.account_id), openid=OPENID, code="1.x")


CODE = "{{ settings.SECRET_KEY }}{% load x %}{0.__class__}%(x)s##TOKEN####APPSECRET##${x}"


def test_d408_texts_of_staff_are_no_code(account: Account, push: Callback, order: Order) -> None:
    conf.save(
        account,
        {"wechat_welcome_text": CODE, "wechat_default_reply": CODE, "wechat_message_title": f"##ORDERID##{CODE}"[:60]},
    )
    reply = push.text("hi").content.decode()
    assert CODE in reply
    card = card_of(order)
    stored = json.dumps(card.stored(), ensure_ascii=False)
    assert "77{{ settings.SECRET_KEY }}" in stored
    conf.save(account, {"wechat_message_title": "####ORDERID####"})
    assert "##77##" in json.dumps(card_of(order).stored(), ensure_ascii=False)


def test_d409_a_value_is_not_looked_at_again(account: Account, order: Order) -> None:
    order.customer = "##ORDERID##<b>"
    conf.save(account, {"wechat_message_title": "##CUSTOMER##"})
    stored = json.dumps(card_of(order).stored(), ensure_ascii=False)
    assert "##ORDERID##<b>" in stored
    assert '"title": "77' not in stored


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "//evil", "ftp://x/y", "http://[", "x"]
)
def test_d410_an_address_is_a_whole_web_address(url: str, account: Account) -> None:
    for name in ("wechat_message_picurl", "wechat_redirect_url_pre"):
        with pytest.raises(ValidationError):
            conf.save(account, {name: url})
    assert menus.problems({"button": [{"type": "view", "name": "x", "url": url}]})
    article = {"title": "t", "description": "d", "url": url, "picurl": url}
    with pytest.raises(ValidationError):
        answers.clean([{"kind": "news", "articles": [article]}])


@pytest.mark.parametrize(
    "content",
    [b"<html><script>x</script>", b"<svg onload=alert(1)></svg>", huge_png(20_000, 20_000)],
    ids=["html", "svg", "huge"],
)
def test_d411_an_upload_that_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationError):
        material_files.check("image", content)


@pytest.mark.parametrize("name", ["../../x.png", "a\0b.png", "/etc/passwd", "..\\x.png", "x.html", "x" * 300 + ".png"])
def test_d411_a_file_is_stored_under_our_own_name_and_written_anew(name: str, account: Account, settings: Any) -> None:
    marked = picture("JPEG") + b"<script>alert(1)</script>"
    checked = material_files.check("image", marked)
    row = Material(account=account, kind="image", name="x")
    row.file.save(name.replace("\0", ""), ContentFile(checked.content), save=True)
    assert re.fullmatch(r"materials/[0-9a-f]{32}(\.(png|html))?", row.file.name), row.file.name
    assert ".." not in row.file.name
    assert str(settings.MEDIA_ROOT) in row.file.path
    assert b"<script>" not in checked.content


def test_d412_what_changes_much_is_a_post_with_a_token_asks_first_and_is_logged(
    account: Account, push: Callback, staff: Client
) -> None:
    rule = Rule.objects.create(account=account, name="x", keywords=[{"kind": "equals", "text": "x"}], answers=[])
    listed = reverse("admin:wechat_rule_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [rule.pk]}
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(listed, {**chosen, "post": "yes"}).status_code == 403
    staff.get(listed, chosen)
    assert Rule.objects.exists(), "a GET changes nothing"
    asked = staff.post(listed, chosen)
    assert asked.status_code == 200, "asks first"
    assert Rule.objects.exists()
    staff.post(listed, {**chosen, "post": "yes"})
    assert not Rule.objects.exists()
    assert LogEntry.objects.filter(action_flag=DELETION).exists()
    assert OutgoingMessage.objects.count() == 0


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":' * 51 + b"1" + b"}" * 51,
        b'{"a": 1, "a": 2}',
        b'{"a": 1e999}',
        b'"' + b"x" * 10_000_000 + b'"',
        b"[" * 10**6,
    ],
    ids=["50 levels", "twice", "1e999", "10 MB", "deep"],
)
def test_d413_an_import_that_is_no_proper_file_is_refused_in_words(raw: bytes, account: Account, staff: Client) -> None:
    with pytest.raises(ValidationError) as refused:
        strictjson.read(raw)
    assert refused.value.messages[0]
    with pytest.raises(ValidationError):
        menus.read(raw.decode())
