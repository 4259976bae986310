"""The owner's pages of a shared quote: he is sent to WeChat and comes back, takes his profile back, ends the link.

Everybody else gets a polite page, and whoever has no link the same 404 as everywhere.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders import ownership, profiles
from orders.links import Link, link_of
from orders.ownership import PROVE, SHOW, Standing
from orders.views.quotes import private
from wechat import brands, conf, web_authorization
from wechat.browsers import from_own_page, origin_of

# How an attempt ended, for its page: those of Authorization.Outcome but `granted`, and ours.
ANSWERS = ("stranger", "snapshot", "refused", "failed", "withdrawn")

View = Callable[..., HttpResponse]


def with_form(response: HttpResponse) -> HttpResponse:
    """Let a form of this page be sent to us and on to WeChat; the address still goes to nobody else.

    Without a referrer Chromium names no origin either, and a form could not be told from one on another site.
    """
    response["Referrer-Policy"] = "same-origin"
    response._csp_update = {"form-action": [origin_of(settings.WECHAT_OPEN_BASE)]}  # type: ignore[attr-defined]
    return response


def _of_own_link(view: Callable[..., HttpResponse]) -> View:
    """Give the view the link of a scan; a link that was passed on, or opens nothing, has no such page."""

    @wraps(view)
    def opened(request: HttpRequest, code: str, **more: Any) -> HttpResponse:
        link = link_of(code)
        if link is None or not link.is_own:
            raise Http404
        return view(request, link, **more)

    return private(opened)


def _for_owner(view: Callable[[HttpRequest, Link, Standing], HttpResponse]) -> View:
    """Only for who has shown that he is the owner; others are asked to, first."""

    @wraps(view)
    def checked(request: HttpRequest, link: Link) -> HttpResponse:
        standing = ownership.standing(request, link)
        return view(request, link, standing) if standing.is_owner else redirect("owner", link.code)

    return _of_own_link(checked)


@csrf_exempt  # the page has set no cookie, so there is no token; and nothing is done by any right of the visitor
@require_POST
@_of_own_link
def show(request: HttpRequest, link: Link) -> HttpResponse:
    """The tap on "Show my avatar and name": on to WeChat, which asks him."""
    return _ask(request, link, SHOW)


@csrf_exempt  # as above
@require_POST
@_of_own_link
def prove(request: HttpRequest, link: Link) -> HttpResponse:
    """The tap on "Yes, it is mine": on to WeChat, which tells us who he is without asking."""
    return _ask(request, link, PROVE)


@require_safe
@_of_own_link
def owner(request: HttpRequest, link: Link) -> HttpResponse:
    """What the owner may do; before that, the way to show that he is the owner."""
    if not _may_authorize(link) and not ownership.is_owner(request, link.scan):
        raise Http404
    return with_form(_page(request, link, "owner", standing=ownership.standing(request, link)))


@require_safe
@_of_own_link
def answer(request: HttpRequest, link: Link, *, outcome: str) -> HttpResponse:
    """How it ended, at an address that may be loaded again."""
    if outcome not in ANSWERS:
        raise Http404
    return _page(request, link, "owner_answer", outcome=outcome)


@require_http_methods(["GET", "HEAD", "POST"])
@_for_owner
def withdraw(request: HttpRequest, link: Link, standing: Standing) -> HttpResponse:
    """Take avatar and name back: asks first."""
    if request.method == "POST":
        profiles.take_back(link.scan)
        return redirect("owner-answer", link.code, "withdrawn")
    if standing.profile is None:
        return redirect("owner", link.code)
    return with_form(_page(request, link, "owner_ask", deed="withdraw", standing=standing))


@require_http_methods(["GET", "HEAD", "POST"])
@_for_owner
def revoke(request: HttpRequest, link: Link, standing: Standing) -> HttpResponse:
    """End the link: asks first. Afterwards there is no address to go on to, so the answer says what was done."""
    if request.method == "POST":
        profiles.revoke(link.scan)
        return _page(request, link, "owner_answer", outcome="revoked")
    return with_form(_page(request, link, "owner_ask", deed="revoke", standing=standing))


def _ask(request: HttpRequest, link: Link, purpose: str) -> HttpResponse:
    if not from_own_page(request):
        raise PermissionDenied
    if not _may_authorize(link):
        raise Http404
    account = conf.account_by_id(link.scan.account_id)
    try:
        address, browser = web_authorization.begin(request, account, purpose=purpose, about=str(link.scan.pk))
    except web_authorization.TooMany:
        return _page(request, link, "owner_answer", outcome="often", status=429)
    response = redirect(address)
    response.status_code = 303
    web_authorization.remember(response, browser)
    return response


def _may_authorize(link: Link) -> bool:
    order = link.scan.order
    return order is not None and order.account.may_authorize


def _page(request: HttpRequest, link: Link, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    named = {"link": link, **(brands.shown(link.scan.order.account) if link.scan.order else {})}
    return render(request, f"orders/{template}.html", {**named, **context}, status=status)
