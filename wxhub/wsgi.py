"""The web application. `granian --interface wsgi wxhub.wsgi:application` serves it.

Two things happen before Django: an odd Content-Type is made harmless, and a callback takes the short way, past sessions,
sign-in, CSRF and messages, which it needs none of.
"""

import gc
import os
import re
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wxhub.settings")

Environ = dict[str, Any]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}", re.ASCII)
_CALLBACK = re.compile(r"/wechat/[^/]+/callback/?")
_BOUNDARY = re.compile(r"boundary=\"?([A-Za-z0-9'()+_,./:=? -]{1,70})\"?", re.ASCII | re.IGNORECASE)
_HSTS = [("Strict-Transport-Security", f"max-age={age}") for age in (settings.SECURE_HSTS_SECONDS,) if age]
# The headers of every answer of the callback.
BARE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    *_HSTS,
)


class BareHandler(WSGIHandler):
    """Django's handler without any middleware."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  # Django's own signature
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]


def safe_content_type(value: str) -> str:
    """`value` reduced to its media type and boundary. Django answers 500 to some charsets before any code of ours runs."""
    media = _MEDIA_TYPE.match(value.strip())
    if not media:
        return ""
    boundary = _BOUNDARY.search(value) if media[0].lower().startswith("multipart/") else None
    return f'{media[0]}; boundary="{boundary[1].rstrip()}"' if boundary else media[0]


def barely(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """`start_response` for the callback, which no middleware sees: nobody shall take what it answers for a page."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, *BARE_HEADERS], *more)

    return start


def length_required(start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Refuse a body without a length: Django would take it for an empty one, and a push would be lost."""
    start_response("411 Length Required", [("Content-Type", "text/plain"), ("Content-Length", "0"), *BARE_HEADERS])
    return []


def build() -> WSGIApp:
    """The application: the site, and the callback's short way beside it."""
    site = get_wsgi_application()
    django.setup(set_prefix=False)
    bare = BareHandler()
    gc.collect()
    gc.freeze()  # what start-up made lives for ever: the collector need not look at it again and again

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_TRANSFER_ENCODING"):
            return length_required(start_response)
        if content_type := environ.get("CONTENT_TYPE"):
            environ["CONTENT_TYPE"] = safe_content_type(content_type)
        if _CALLBACK.fullmatch(environ.get("PATH_INFO", "")):
            return bare(environ, barely(start_response))
        return site(environ, start_response)

    return application


application = build()
