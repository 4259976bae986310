"""Rows D501 … D511: the site as a whole, as a stranger finds it, and as it is set up."""

import json
import logging
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from callback import SECRET, TOKEN, Callback
from django.contrib import admin
from django.core import mail
from django.db.models import CharField, TextField
from django.test import Client
from django.urls import reverse
from test_environment import GOOD, ROOT, start
from test_site import CONTENT_TYPES, request, routes
from werkzeug.test import Client as Wsgi

from bench import fuzz, fuzz_site
from orders.models import Order
from wechat import transport
from wechat.models import Account, Push
from wechat.redaction import JsonLine, OneLine
from wxhub.wsgi import application

PRODUCTION = {**GOOD, "TRUSTED_PROXIES": "1", "DATABASE_URL": "sqlite:////tmp/none.sqlite3"}
FORMATS = [OneLine("%(levelname)s %(name)s %(message)s"), JsonLine()]


def test_d501_check_deploy_is_silent_with_production_settings() -> None:
    names = {*PRODUCTION, "ALLOWED_HOSTS", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in names and "WECHAT" not in name}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**kept, **PRODUCTION},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout
    assert "WARNING" not in done.stderr


VIEWS = [
    "orders.views.quotes.render",
    "orders.views.shared.render",
    "wxhub.health.figures.read",
    "orders.views.instant.render",
]


@pytest.mark.django_db
def test_d502_an_exception_with_secrets_at_hand_tells_them_nobody(
    order: Order, push: Callback, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.ADMINS = [("boss", "boss@firm.cn")]

    def break_down(*_arguments: Any, **_options: Any) -> None:
        appsecret, access_token = SECRET, TOKEN  # what a traceback with local variables would show
        raise ZeroDivisionError(f"secret={appsecret} access_token={access_token}")

    client = Client(raise_request_exception=False)
    for name in VIEWS:
        monkeypatch.setattr(name, break_down)
    broken = [client.get(path) for path in ("/", "/readyz", f"/quotes/{order.key}/", "/quotes/new/demo/")]
    assert 500 in {response.status_code for response in broken}
    shown = [response.content.decode() for response in broken]
    shown += [FORMATS[0].format(record) for record in caplog.records] + [
        FORMATS[1].format(record) for record in caplog.records
    ]
    shown += [f"{one.subject}{one.body}{one.alternatives}" for one in mail.outbox]  # type: ignore[attr-defined]
    shown += Push.objects.values_list("error", flat=True)
    for secret in (SECRET, TOKEN, settings.SECRET_KEY):
        assert not [text[:300] for text in shown if secret in text]
    assert all("Traceback" not in response.content.decode() for response in broken)


@pytest.mark.parametrize("formatter", FORMATS, ids=["line", "json"])
@pytest.mark.parametrize(
    "odd", ["a\r\nERROR fake line", "\x1b[31mred\x1b[0m", "\u2028x\u2029y\u202ez", "x" * 1_000_000, "\x00\x07\x85"]
)
def test_d503_a_log_entry_is_one_line_cut_and_escaped(formatter: logging.Formatter, odd: str) -> None:
    try:
        raise ValueError(odd)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "said %s", (odd,), sys.exc_info())
    line = formatter.format(record)
    assert len(line) < 40_000
    assert line.splitlines() == [line], "no character in it that any program takes for a line's end"
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", line)
    if isinstance(formatter, JsonLine):
        assert json.loads(line)["level"] == "ERROR"


@pytest.mark.parametrize("formatter", FORMATS, ids=["line", "json"])
@pytest.mark.parametrize(
    "text",
    [
        "https://api.weixin.qq.com/cgi-bin/token?grant_type=client_credential&appid=wx1&secret={}",
        "HTTPSConnectionPool(host='api.weixin.qq.com'): /cgi-bin/user/get?access_token={}&next_openid= (Caused by x)",
        'starting new connection {{"access_token": "{}"}}',
        "Authorization: Api-Key {}",
        "postgres://wxhub:{}@10.0.0.1/wxhub",
        "redis://:{}@10.0.0.1:6379/0",
    ],
)
def test_d504_what_libraries_say_of_addresses_and_headers_is_redacted(formatter: logging.Formatter, text: str) -> None:
    secret = "5ec7e70f00d5ec7e70f00d5ec7e70f0d"
    record = logging.LogRecord("urllib3.connectionpool", logging.DEBUG, "f", 1, text.format(secret), (), None)
    assert secret not in formatter.format(record)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:8000@evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Original-Url": "/admin/", "X-Rewrite-Url": "/admin/"},
    ],
    ids=str,
)
def test_d505_no_claim_about_the_host_is_believed(headers: dict[str, str], order: Order) -> None:
    for path in ("/", f"/quotes/{order.key}/", "/api/schema/", "/admin/login/", "/nowhere"):
        response = request(path, headers=headers)
        assert response.status_code in ((400,) if "Host" in headers else (200, 404))
        assert "evil.example" not in response.get_data(as_text=True) + str(response.headers)


@pytest.mark.django_db
def test_d505_an_absolute_request_line_leads_nowhere_else(order: Order) -> None:
    environ = {"RAW_URI": "http://evil.example/", "REQUEST_URI": "http://evil.example/"}
    response = Wsgi(application).open("/", base_url="http://127.0.0.1:8000", environ_overrides=environ)
    assert "evil.example" not in response.get_data(as_text=True) + str(response.headers)
    odd = Wsgi(application).open(
        "/x", environ_overrides={"PATH_INFO": "http://evil.example/"}, base_url="http://127.0.0.1:8000"
    )
    assert odd.status_code in (400, 404)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        *(
            "/static/..%2f..%2fwxhub/settings.py",
            "/static/%2e%2e/%2e%2e/etc/passwd",
            "/static/../wxhub/settings.py",
            "/%00",
        ),
        *(
            "/.git/config",
            "/.env",
            "/static/.git/config",
            "/wxhub.sqlite3",
            "/media/x",
            "/..%5c..%5cx",
            "/manage.py",
        ),
    ],
)
def test_d506_no_path_leads_to_a_file_that_is_not_ours_to_show(path: str) -> None:
    for method in ("GET", "POST", "TRACE"):
        assert request(path, method).status_code in (400, 403, 404, 405), method


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda value: ascii(value[:50]))
def test_d507_no_content_type_breaks_any_address(content_type: str) -> None:
    for route in sorted(set(routes())):
        environ = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": "7"}
        assert request(route, "POST", data=b"a=1&b=2", environ_overrides=environ).status_code < 500, route


def test_d508_every_package_is_pinned_with_its_hashes() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    assert len(lock["package"]) > 40
    for package in lock["package"]:
        source = package["source"]
        if "virtual" in source or "editable" in source:
            continue  # the project itself
        assert "registry" in source, package["name"]  # neither git nor an address of somebody's own
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(each["hash"].startswith("sha256:") for each in files), package["name"]
    assert "dependencies = [" in (ROOT / "pyproject.toml").read_text("utf-8")


def test_d509_no_setting_switches_certificate_checks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "PYTHONHTTPSVERIFY"):
        monkeypatch.setenv(name, "")
    session = transport._session()
    assert session.verify is True
    assert session.trust_env is False
    for file in [
        *Path(ROOT, "wechat").rglob("*.py"),
        *Path(ROOT, "orders").rglob("*.py"),
        *Path(ROOT, "wxhub").rglob("*.py"),
    ]:
        text = file.read_text("utf-8")
        assert not re.search(r"verify\s*=\s*(?!\s|True\b)", text), file
        assert "CERT_NONE" not in text, file
        assert "_create_unverified_context" not in text, file


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "q7Rw"),
        ("SECRET_KEY", "change-me" * 8),
        ("FIELD_KEYS", ""),
        ("FIELD_KEYS", "x" * 44),
    ],
)
def test_d510_production_does_not_start_with_missing_placeholder_or_short_secrets(name: str, value: str) -> None:
    done = start(**{**GOOD, name: value})
    assert done.returncode != 0
    assert name in done.stderr.strip().splitlines()[-1]
    assert not value or value not in done.stderr.strip().splitlines()[-1]


@pytest.mark.django_db
def test_d511_no_address_answers_anything_with_a_server_error(account: Account, order: Order, staff: Client) -> None:
    """Some seconds of `python -m bench.fuzz`; the long run has the same requests."""
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in staff.cookies.items())
    found = [route for route in sorted(set(routes())) if not fuzz_site.ENDS_THE_SESSION.search(route)]
    ask = fuzz_site.asking(cookie)
    outcome = fuzz.run(ask, fuzz.requests(found, seed=7), seconds=8)
    assert not outcome.failed, outcome.failed[0]
    assert outcome.statuses[200] > 20, "the admin's own pages are among them"


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["9" * 40, "x", "%00", "-1", "中文", "1e9"])
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_d511_odd_numbers_of_rows_lead_nowhere(number: str, page: str, staff: Client) -> None:
    for model, options in admin.site._registry.items():
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{number}/{page}/"
        for ask in (staff.get, staff.post):
            assert ask(f"{url}?_to_field=").status_code < 500, (options, url)


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["q=x", "q=%00", "p=x", "o=99.x", "e=1", "all=", "_to_field=x", "_popup=1"])
def test_d511_odd_questions_to_lists_break_none(query: str, staff: Client) -> None:
    for model in admin.site._registry:
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/?{query}"
        assert staff.get(url).status_code < 500, url


@pytest.mark.django_db
def test_d511_no_filter_of_a_list_makes_a_server_error(admin_client: Client) -> None:
    """A value that no column holds, for each field of each list: SQLite and PostgreSQL refuse it in ways of their own."""
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for field in (each for each in model._meta.fields if not isinstance(each, CharField | TextField)):
            for odd in ({field.name: "9" * 40}, {f"{field.name}__in": f"1,{'9' * 40}"}):
                assert admin_client.get(address, odd).status_code < 500, (address, odd)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "asked",
    [
        ("orders_scan", "secret__startswith"),
        ("wechat_outgoingmessage", "content__contains"),
        ("wechat_outgoingmessage", "holder"),
        ("wechat_push", "raw__contains"),
        ("wechat_follower", "latitude__gt"),
        ("orders_scan", "message_id"),
        ("orders_scan", "pk__in"),
    ],
)
def test_d511_a_list_cannot_be_filtered_by_what_it_does_not_show(asked: tuple[str, str], admin_client: Client) -> None:
    page, lookup = asked
    assert admin_client.get(reverse(f"admin:{page}_changelist"), {lookup: "1"}).status_code == 400
