"""What stands before the admin beside the password: the session's limits, the second step, and a new proof for some pages.

A middleware. Comes in: a request below /admin/ of somebody who is signed in. Goes out: the page, or the way to where he signs
in again, takes his second step, or proves once more who he is. Nothing of it touches any other page.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from wechat import second_factor, sessions

ADMIN = "/admin/"
# What somebody may open who has still to take his second step.
OPEN = {"admin:logout", "admin:jsi18n", "second-step"}
SETTING_UP = OPEN | {"second-factor", "prove-again", "admin:password_change", "admin:password_change_done"}
# Where keys are made, secrets entered, and rights given: whoever finds an open browser must not get there.
GUARDED = {
    *(f"admin:wechat_apikey_{page}" for page in ("add", "change", "delete", "rotate", "revoke")),
    *(f"admin:auth_user_{page}" for page in ("add", "change", "delete", "password_change", "sign_out", "reset_factor")),
    *(f"admin:auth_group_{page}" for page in ("add", "change", "delete")),
    *("admin:wechat_account_add", "admin:wechat_account_connect", "admin:wechat_account_connect_new"),
    "second-factor",
    "own-sessions-end",
}
GUARDED_FOR_MANAGERS = {"admin:wechat_account_change"}  # others find only its texts there


@receiver(user_logged_in)
def begin_session(request: HttpRequest, user: Any, **_signal: Any) -> None:
    """The signal handler of a right password."""
    sessions.begin(request, asks=second_factor.of(user) is not None)


class StaffGate:
    """See above. Stands after the middlewares of sessions, sign-in and the second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(ADMIN) or not request.user.is_authenticated:
            return self.get_response(request)
        if sessions.is_over(request.session):
            logout(request)
        elif _by_hand(request):
            sessions.note_use(request.session)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponseBase | None:
        """Once it is known which page is asked for. None: it may be opened."""
        if not request.path.startswith(ADMIN) or not request.user.is_authenticated:
            return None
        page = request.resolver_match.view_name if request.resolver_match else ""
        user: Any = request.user
        if not user.is_verified():
            if request.session.get(sessions.ASKS):
                return None if page in OPEN else away(request, "second-step")
            if page not in SETTING_UP and second_factor.required_of(user):
                return away(request, "second-factor")
        return None if _may_open(request, page) else away(request, "prove-again")


def away(request: HttpRequest, page: str) -> HttpResponse:
    """To a page that sends back here. What a POST carried is lost, so it leads back to the form."""
    url = f"{reverse(page)}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):  # the theme's dialogs follow a header of their own
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


def _may_open(request: HttpRequest, page: str) -> bool:
    guarded = page in GUARDED or (page in GUARDED_FOR_MANAGERS and request.user.has_perm(second_factor.SECRETS))  # type: ignore[union-attr]
    sends = request.method == "POST"
    seconds = sessions.PROOF_TO_SEND if sends else sessions.PROOF
    return not guarded or sessions.is_proved(request.session, seconds=seconds)


def _by_hand(request: HttpRequest) -> bool:
    """Whether a person caused it. A page that asks by itself every few seconds keeps no session alive."""
    return request.method == "POST" or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
