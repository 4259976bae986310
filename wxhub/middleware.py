"""What the admin's pages need of the response headers, beside the strict ones of all other pages."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponseBase

ADMIN = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],  # the theme is built on Alpine, which evaluates attributes
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "https:"],
}


class AdminPolicy:
    """Relaxes the policy below /admin/ as far as the theme needs it, and no further."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            # Without a referrer Chromium sends `Origin: null` with a form, and Django refuses the sign-in.
            response["Referrer-Policy"] = "same-origin"
            response._csp_replace = ADMIN  # type: ignore[attr-defined]  # django-csp's own way, used by its decorators
        return response
