"""What the admin's pages need of the response headers, beside the strict ones of all other pages; and how much may come in."""

import logging
import re
from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _

ADMIN = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],  # the theme is built on Alpine, which evaluates attributes
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "https:"],
}


# What no page of ours asks a browser for; a page in a frame of ours cannot either.
PERMISSIONS = (
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()"
)
# What other websites show: the card's picture, a quote's code, and the pages that they may frame with their script.
SHOWN_ELSEWHERE = re.compile(r"/static/|/quotes/[^/]+/qr\.(?:svg|png)\Z|/quotes/.+/embed/\Z|/embed\.js\Z")
logger = logging.getLogger(__name__)
PERSONAL = ("/admin/", "/api/", "/quotes/", "/s/", "/compare/")


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks: the one that the outermost of our TRUSTED_PROXIES saw, else the connection's own."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and len(hops) >= settings.TRUSTED_PROXIES:
        return hops[-settings.TRUSTED_PROXIES]
    return str(request.META.get("REMOTE_ADDR", ""))


class Headers:
    """On every answer, also on errors and static files: what Django's own middleware does not set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        elsewhere = SHOWN_ELSEWHERE.match(request.path)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if elsewhere else "same-origin")
        if request.path.startswith(PERSONAL):
            response.setdefault("Cache-Control", "no-store")
        return response


class Refusals:
    """A line in the log for who asked staff's pages, or REST, for what he may not: whose rights are tried out shows there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code in (401, 403, 429) and request.path.startswith(("/admin/", "/api/")):
            asked = f"{request.method} {request.path[:200]}"
            logger.warning("%s refused with %s, from %s", asked, response.status_code, client_address(request))
        return response


class KeysOverHttps:
    """Refuses REST over http where https is in use: a redirect would hide that the key was readable on its way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.SECURE_SSL_REDIRECT or request.is_secure() or not request.path.startswith("/api/"):
            return self.get_response(request)
        text = _(
            "Call %(url)s: over http a key can be read on its way. Make a new one in place of a key that was sent so."
        )
        return JsonResponse({"detail": text % {"url": f"{settings.PUBLIC_URL}{request.path}"}}, status=403)


class AdminPolicy:
    """Relaxes the policy below /admin/ as far as the theme needs it, and no further. Who signs out leaves nothing behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            # Without a referrer Chromium sends `Origin: null` with a form, and Django refuses the sign-in.
            response["Referrer-Policy"] = "same-origin"
            response._csp_replace = ADMIN  # type: ignore[attr-defined]  # django-csp's own way, used by its decorators
        if request.path == reverse("admin:logout"):
            response["Clear-Site-Data"] = '"storage"'  # drafts to customers
        return response


class NoNul:
    """Refuses an address with a NUL in it: no page of ours has one, and PostgreSQL takes none in a text, where SQLite does.

    What the platform sends reads its own addresses strictly, and answers in its own way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        clean = "\0" not in request.path_info and "%00" not in request.META.get("QUERY_STRING", "")
        if clean or request.path.startswith("/wechat/"):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": _("There is no such address.")}, status=404)
        return render(request, "404.html", status=404)


class SizeLimit:
    """Refuses a request that is too large by its length, before anything of it is read: in words, and as JSON below /api/."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length, most = request.META.get("CONTENT_LENGTH") or "0", self._most(request)
        if not (length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > most)):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            text = _("At most %(most)s can be sent at once; nothing was stored.")
            return JsonResponse({"detail": text % {"most": filesizeformat(most)}}, status=413)
        return render(request, "413.html", {"most": filesizeformat(most)}, status=413)

    def _most(self, request: HttpRequest) -> int:
        """Bytes. Only a form with files may be large."""
        with_files = request.META.get("CONTENT_TYPE", "").startswith("multipart/form-data")
        most: int = settings.REQUEST_MAX_SIZE if with_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return most
