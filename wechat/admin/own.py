"""The pages about one's own sign-in: the second step, a new proof, the app that shows the digits, and where one is signed in.

Open to all staff, for themselves only. What somebody else's sign-in needs is on the page of that member of staff (people).
"""

from typing import Any

import django_otp
import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from wechat import second_factor, sessions
from wechat.admin.gate import ADMIN


class PasswordForm(forms.Form):
    """The password once more."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "current-password", "autofocus": True}),
    )


class CodeForm(forms.Form):
    """Six digits of the app, or a backup code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("Six digits of your app, or one of your backup codes."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}),
    )


def second_step(request: HttpRequest) -> HttpResponse:
    """After the password: the code."""
    user: Any = request.user
    if user.is_verified():
        return _onwards(request)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        factor = second_factor.check(user, form.cleaned_data["code"])
        if factor is not None:
            _verified(request, factor)
            return _onwards(request)
        form.add_error("code", _wrong())
    return _alone(request, form, gettext("The second step"))


def prove_again(request: HttpRequest) -> HttpResponse:
    """Before the most sensitive pages: the code of who has a second step, else the password."""
    user: Any = request.user
    form_class = CodeForm if user.is_verified() else PasswordForm
    form: Any = form_class(request.POST or None)
    if form.is_valid():
        if _proves(request, form.cleaned_data):
            request.session.cycle_key()
            sessions.prove(request.session)
            return _onwards(request)
        form.add_error(None, _wrong())
    return _alone(request, form, gettext("Is it still you?"))


def own_security(request: HttpRequest, codes: list[str] | None = None) -> HttpResponse:
    """Where one is signed in, and the second step."""
    user: Any = request.user
    shown = {
        "sessions": sessions.of(user, current=request.session.session_key or ""),
        "factor": second_factor.of(user),
        "required": second_factor.required_of(user),
        "codes": codes or [],
    }
    return _page(request, "security", gettext("Sign-in and sessions"), shown)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """One of one's own sessions, or all but this."""
    ended = sessions.end(request.user, name=request.POST.get("name", ""), keep=request.session.session_key or "")
    messages.success(request, gettext("Signed out elsewhere: %(count)d.") % {"count": ended})
    return redirect("own-security")


def factor(request: HttpRequest) -> HttpResponse:
    """Set the app up, or get new backup codes, or take it away: for who has just proved who he is."""
    user: Any = request.user
    have, do = second_factor.of(user), request.POST.get("do", "")
    if have is None:
        return _set_up(request)
    if do == "codes":
        return own_security(request, second_factor.new_codes(user))
    if do == "remove" and not second_factor.required_of(user):
        second_factor.remove(user)  # this session ends too
        return redirect("admin:login")
    return redirect("own-security")


def _set_up(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if form.is_valid():
        made = second_factor.confirm(request.user, form.cleaned_data["code"])
        if made is not None:
            taken, codes = made
            _verified(request, taken)
            sessions.end(request.user, keep=request.session.session_key or "")
            return own_security(request, codes)
        form.add_error("code", _wrong())
    waiting = second_factor.begin(request.user)
    shown = {
        "form": form,
        "picture": segno.make(waiting.address(), error="m").svg_data_uri(scale=5, border=3, light="#fff"),
        "key": waiting.key_in_letters(),
        "required": second_factor.required_of(request.user),
    }
    return _page(request, "factor", gettext("Set up the second step"), shown)


def _verified(request: HttpRequest, taken: Any) -> None:
    """The second step is done: a new session key, and the mark of django-otp."""
    request.session.cycle_key()
    django_otp.login(request, taken)
    sessions.prove(request.session)


def _proves(request: HttpRequest, given: dict[str, str]) -> bool:
    user: Any = request.user
    if "code" in given:
        return second_factor.check(user, given["code"]) is not None
    found = authenticate(request, username=user.get_username(), password=given["password"])  # counted by axes
    return found is not None and found.pk == user.pk


def _wrong() -> str:
    return gettext("That is not right. After several wrong tries you have to wait a little before the next one counts.")


def _onwards(request: HttpRequest) -> HttpResponse:
    """To where somebody wanted to go: a page of the admin and nowhere else."""
    wanted = request.GET.get("next", "")
    inside = wanted.startswith(ADMIN) and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return redirect(wanted if inside else reverse("admin:index"))


def _alone(request: HttpRequest, form: Any, title: str) -> HttpResponse:
    """A page like that of signing in, with nothing of the admin on it."""
    shown = {"title": title, "form": form, "site_title": admin.site.site_title}
    return TemplateResponse(request, "admin/wechat/own/step.html", {**admin.site.each_context(request), **shown})


def _page(request: HttpRequest, name: str, title: str, shown: dict[str, Any]) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, **shown}
    return TemplateResponse(request, f"admin/wechat/own/{name}.html", context)


def urls() -> list[URLPattern]:
    """Their addresses, below /admin/me/."""
    views = {
        "second-step": ("step/", second_step),
        "prove-again": ("proof/", prove_again),
        "own-security": ("", own_security),
        "own-sessions-end": ("sessions/end/", end_sessions),
        "second-factor": ("second-step/", factor),
    }
    return [path(route, admin.site.admin_view(view), name=name) for name, (route, view) in views.items()]
