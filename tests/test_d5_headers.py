"""Row D211: the security headers of every address of the site, of errors, files and the callback too."""

from typing import Any

import pytest
from django.test import Client
from test_site import request, routes
from werkzeug.test import Client as Wsgi

from orders.models import Order
from wxhub.wsgi import application


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE"])
def test_d211_every_answer_has_the_security_headers(method: str, order: Order) -> None:
    wanted = {*routes(), f"/quotes/{order.key}/", "/nowhere", "/static/css/public.css", "/static/none.css", "/%00"}
    for path in sorted(wanted):
        response = request(path, method, data=b"{" if method == "POST" else b"")
        headers, where = response.headers, (method, path, response.status_code)
        assert headers.get("X-Content-Type-Options") == "nosniff", where
        assert headers.get("Referrer-Policy") in ("no-referrer", "same-origin", "strict-origin-when-cross-origin"), (
            where
        )
        assert headers.get("Cross-Origin-Resource-Policy"), where
        policy = headers.get("Content-Security-Policy", "")
        assert "frame-ancestors" in policy, where
        assert "default-src 'none'" in policy, where
        if not path.startswith("/admin/"):
            assert "unsafe-eval" not in policy, where
            assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0], where
        if path.startswith(("/admin/", "/api/", "/quotes/", "/s/", "/compare/")):
            assert "no-store" in headers.get("Cache-Control", "") or "jsi18n" in path, where
        if "/callback" not in path:
            assert headers.get("Permissions-Policy"), where


@pytest.mark.django_db
def test_d211_the_callback_has_them_on_its_short_way_too() -> None:
    for path, environ in (
        ("/wechat/demo/callback", {}),
        ("/wechat/demo/callback", {"HTTP_TRANSFER_ENCODING": "chunked"}),
    ):
        for method in ("GET", "POST", "PUT"):
            response = Wsgi(application).open(path, method=method, environ_overrides=environ)
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert len(response.headers.getlist("Content-Security-Policy")) == 1
            assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_d211_over_https_everything_is_for_https_only(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 31_536_000, True
    for path in ("/", "/admin/login/", "/nowhere", "/api/docs/"):
        assert client.get(path).status_code == 301
        assert "max-age=31536000" in client.get(path, secure=True)["Strict-Transport-Security"]


@pytest.mark.django_db
def test_d211_a_key_over_http_is_refused_loudly(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.PUBLIC_URL = True, "https://quotes.firm.cn"
    refused = client.post("/api/quotes/", {"total_money": 1}, content_type="application/json")
    assert refused.status_code == 403
    assert "https://quotes.firm.cn/api/quotes/" in refused.json()["detail"]
    taken = client.post("/api/quotes/", {}, content_type="application/json", secure=True)
    assert taken.status_code == 403
    assert "https://" not in taken.json()["detail"], "it is the key that is missing"
