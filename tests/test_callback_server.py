"""The whole WSGI application from outside: odd headers never make a 5xx, and what was not stored is never `success`."""

import io
from typing import Any
from urllib.parse import urlencode

import pytest
from callback import body, signed

from wechat.models import Push
from wxhub.wsgi import application, safe_content_type

CONTENT_TYPES = [
    "text/xml; charset=rot13",
    "text/xml; charset=undefined",
    "text/xml; charset*=BOGUS''x",
    "text/xml; charset*=utf-8''%ff",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=\x00",
    'multipart/form-data; boundary="é"',
    "application/x-www-form-urlencoded; charset=idna",
    "text/xml; charset=utf-8\x00",
    "text/xml; charset=" + "x" * 10_000,
    "x" * 10_000,
    ";;;=",
    "\x00",
    "/",
    "text/xml; charset=\xff",
]
PATHS = ["/wechat/demo/callback", "/", "/api/quotes/", "/admin/login/", "/healthz", "/quotes/none/", "/nowhere"]


def call(path: str, content: bytes = b"", **environ: Any) -> tuple[int, dict[str, str], bytes]:
    """Send one request to the application, as a server does."""
    seen: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_exception: Any) -> None:
        seen.update(status=int(status.split()[0]), headers=dict(headers))

    path, _, query = path.partition("?")
    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        **environ,
    }
    chunks = b"".join(application(request, start_response))
    return seen["status"], seen["headers"], chunks


def pushed(content: str | None = None, **query: str) -> tuple[int, dict[str, str], bytes]:
    raw = (content or body("text", Content="hi")).encode()
    return call(f"/wechat/demo/callback?{urlencode(signed(**query))}", raw, CONTENT_TYPE="text/xml")


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda value: repr(value[:40]))
def test_an_odd_content_type_never_makes_a_server_error(path: str, content_type: str) -> None:
    for method in ("GET", "POST"):
        status, _, _ = call(path, b"a=1", CONTENT_TYPE=content_type, REQUEST_METHOD=method)
        assert status < 500


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda value: repr(value[:40]))
def test_a_signed_push_is_taken_whatever_its_content_type(content_type: str) -> None:
    raw = body("text", Content="hi").encode()
    status, _, answer = call(f"/wechat/demo/callback?{urlencode(signed())}", raw, CONTENT_TYPE=content_type)
    assert (status, answer) == (200, b"success")
    assert Push.objects.count() == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text/xml; charset=utf-8", "text/xml"),
        (" application/json ", "application/json"),
        ("multipart/form-data; boundary=----x1", 'multipart/form-data; boundary="----x1"'),
        ('multipart/form-data; charset=rot13; boundary="a b"', 'multipart/form-data; boundary="a b"'),
        ("text/xml; boundary=x", "text/xml"),
        ("nonsense", ""),
    ],
)
def test_a_content_type_is_reduced_to_what_is_safe(value: str, expected: str) -> None:
    assert safe_content_type(value) == expected


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_HOST": "evil.example"},
        {"HTTP_HOST": "\x00\xff"},
        {"HTTP_COOKIE": "sessionid=\xff; csrftoken=\x00"},
        {"HTTP_X_FORWARDED_FOR": "'; DROP TABLE"},
        {"HTTP_ACCEPT_LANGUAGE": "x" * 10_000},
        {"HTTP_EXPECT": "100-continue"},
    ],
    ids=str,
)
def test_odd_headers_do_not_keep_a_push_out(environ: dict[str, str]) -> None:
    raw = body("text", Content="hi").encode()
    status, _, answer = call(f"/wechat/demo/callback?{urlencode(signed())}", raw, CONTENT_TYPE="text/xml", **environ)
    assert (status, answer) == (200, b"success")


@pytest.mark.usefixtures("account")
def test_odd_paths_below_wechat_are_404() -> None:
    for path in (
        "/wechat/",
        "/wechat/demo",
        "/wechat/\x00/callback",
        "/wechat/demo/callback/x",
        "/wechat/\xff/callback",
    ):
        assert call(path)[0] == 404


@pytest.mark.usefixtures("account")
def test_the_callback_sets_no_cookie_and_says_its_length() -> None:
    status, headers, answer = pushed()
    assert status == 200
    assert "Set-Cookie" not in headers
    assert headers["Content-Length"] == str(len(answer))


@pytest.mark.usefixtures("account")
def test_a_body_that_breaks_off_is_400() -> None:
    class Broken(io.BytesIO):
        def read(self, *_size: Any) -> bytes:
            raise OSError("gone")

    status, _, _ = call(f"/wechat/demo/callback?{urlencode(signed())}", b"x", **{"wsgi.input": Broken()})
    assert status == 400
