"""The site as a whole: health, headers, error pages, hosts, and every address with whatever a stranger sends to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from werkzeug.test import Client as Wsgi
from werkzeug.test import TestResponse

from orders.models import Order
from wechat import conf
from wechat.models import Lease
from wxhub.wsgi import application

CONTENT_TYPES = [
    "text/html; charset=rot13",
    "text/plain; charset=undefined",
    "application/json; charset=idna",
    "application/json; charset*=utf-8''%ff",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="\x00"',
    "application/x-www-form-urlencoded; charset=zlib",
    "application/x-www-form-urlencoded; charset=" + "x" * 9000,
    ";=;",
]
# What stands in a route's place for a parameter.
SAMPLES = {
    "int": "1",
    "str": "x",
    "slug": "demo",
    "path": "x",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """An address for every route of the site."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + _filled(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def _filled(route: str) -> str:
    """`quotes/<str:key>/` as `quotes/x/`, `^x/(?P<url>.*)$` as `x/x`."""
    route = re.sub(r"\(\?P<\w+>(?:\([^)]*\)|[^()])*\)", "x", route)
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda match: SAMPLES.get(match[1] or "str", "x"), route)
    return route.lstrip("^").rstrip("$").replace("\\Z", "").replace("\\", "").replace("?", "")


def request(path: str, method: str = "GET", **options: Any) -> TestResponse:
    """One request to the whole application, as a server makes it."""
    return Wsgi(application).open(path, method=method, base_url="http://127.0.0.1:8000", **options)


@pytest.mark.django_db
def test_healthz_says_that_the_process_lives(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_says_whether_a_worker_lives(client: Client, worker_alive: Lease) -> None:
    assert client.get("/readyz").json()["worker"] is True
    worker_alive.delete()
    conf.forget()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["worker"]) == (200, False)


@pytest.mark.django_db
def test_readyz_is_503_without_a_database_and_tells_no_details(client: Client) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OperationalError("password=hunter2 host=10.0.0.1")

    with connection.execute_wrapper(refuse):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert "hunter2" not in response.content.decode()
    assert client.get("/readyz").status_code == 200


def assert_strict(response: HttpResponse) -> None:
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.django_db
def test_every_public_page_has_the_strict_headers(client: Client, order: Order) -> None:
    for path in ("/", "/healthz", "/nowhere", f"/quotes/{order.key}/status", "/s/x/", "/quotes/x/", "/api/quotes/"):
        assert_strict(client.get(path))


@pytest.mark.django_db
def test_behind_https_everything_is_for_https_only(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 31_536_000, True
    moved = client.get("/")
    assert (moved.status_code, moved["Location"]) == (301, "https://testserver/")
    assert "max-age=31536000" in client.get("/", secure=True)["Strict-Transport-Security"]
    for path in ("/healthz", "/readyz"):
        assert client.get(path).status_code == 200, "a load balancer asks without TLS"


@pytest.mark.django_db
def test_the_home_page_opens_for_everybody(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    html = response.content.decode()
    assert '<html lang="zh-hans">' in html
    assert "微信" in html
    assert not response.cookies


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/nowhere", "/quotes/", "/s/", "/.git/config", "/.env", "/static/../wxhub/settings.py"]
)
def test_an_unknown_address_is_a_friendly_404(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    html = response.content.decode()
    assert "404" in html
    assert "页面" in html
    assert path not in html
    assert "Traceback" not in html


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/static/..%2f..%2fwxhub/settings.py", "/static/%2e%2e/%2e%2e/etc/passwd", "/%00", "/%ff%fe"]
)
def test_tricks_with_the_path_find_nothing(path: str) -> None:
    assert request(path).status_code in (400, 404)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:99999x", "a b", "127.0.0.1@evil.example", "\x7f", "x" * 5000]
)
def test_another_host_is_400(host: str) -> None:
    for path in ("/", "/api/quotes/", "/admin/login/"):
        assert request(path, headers={"Host": host}).status_code == 400


@pytest.mark.django_db
def test_no_link_is_built_from_what_the_request_claims(client: Client, order: Order) -> None:
    headers = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "forwarded": "host=evil.example"}
    for path in ("/", f"/quotes/{order.key}/", "/api/schema/", "/nowhere"):
        response = client.get(path, headers=headers)
        assert b"evil.example" not in response.content
        assert "evil.example" not in str(response.headers)


def test_the_walk_finds_the_routes() -> None:
    found = set(routes())
    assert {
        "/",
        "/healthz",
        "/quotes/demo/",
        "/quotes/demo/status",
        "/s/x/",
        "/api/quotes/1/",
        "/admin/login/",
    } <= found
    assert len(found) > 40


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda value: ascii(value[:50]))
def test_no_address_answers_an_odd_content_type_with_a_server_error(content_type: str) -> None:
    for route in sorted(set(routes())):
        for method in ("GET", "POST"):
            environ = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": "7"}
            response = request(route, method, data=b"a=1&b=2", environ_overrides=environ)
            assert response.status_code < 500, (method, route)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "a=%00",
        "page=%ff",
        "q=" + "x" * 5000,
        "&".join(f"a{n}=1" for n in range(2000)),
        "next=//evil.example",
        "format=%00",
    ],
    ids=lambda query: query[:12],
)
def test_no_address_answers_odd_parameters_with_a_server_error(query: str) -> None:
    for route in sorted(set(routes())):
        response = request(route, query_string=query)
        assert response.status_code < 500, route
        assert "evil.example" not in response.headers.get("Location", "").partition("?")[0]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "X" * 100])
def test_no_address_answers_an_odd_method_with_a_server_error(method: str) -> None:
    for route in sorted(set(routes())):
        assert request(route, method).status_code < 500, route


@pytest.mark.django_db
def test_an_exception_shows_a_page_without_details(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("orders.views.quotes.render", lambda *_arguments: 1 / 0)
    response = client.get("/")
    assert response.status_code == 500
    html = response.content.decode()
    assert "500" in html
    assert "ZeroDivision" not in html
    assert_strict(response)
