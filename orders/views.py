"""The visitor's pages: the quote with its code, the code alone, its progress, and the shared quote."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders.models import Order, Scan
from orders.progress import progress_of
from wechat import conf, qr
from wechat.errors import CallFailed
from wechat.models import Follower, QRCode

POLL_SECONDS = 2

private = cache_control(private=True, no_store=True)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Nothing to see without a link of one's own."""
    return render(request, "orders/home.html")


@require_safe
@private
def quote(request: HttpRequest, key: str) -> HttpResponse:
    """The visitor's quote with its code."""
    order = _order(key)
    return render(request, "orders/quote.html", {"order": order, **_panel(order)})


@require_safe
@private
def code_panel(request: HttpRequest, key: str) -> HttpResponse:
    """The part of the page that shows the code, for the page to swap in."""
    order = _order(key)
    return render(request, "orders/_code.html", {"order": order, **_panel(order)})


@require_safe
@private
def code_svg(request: HttpRequest, key: str) -> HttpResponse:
    """The code alone, for the firm's own page."""
    return _image(_order(key), "image/svg+xml")


@require_safe
@private
def code_png(request: HttpRequest, key: str) -> HttpResponse:
    """The same as PNG."""
    return _image(_order(key), "image/png")


@require_safe
@private
def status(request: HttpRequest, key: str) -> HttpResponseBase:
    """How far the quote is on its way: one query, no call."""
    progress = progress_of(key)
    if progress is None:
        raise Http404
    return JsonResponse(asdict(progress))


@require_safe
@private
def shared(request: HttpRequest, code: str) -> HttpResponse:
    """The quote behind a card, for everybody who has its link: with the customer's nickname and avatar where known."""
    scan = Scan.of_code(code)
    if scan is None or scan.order is None:
        raise Http404
    person = Follower.objects.filter(account_id=scan.account_id, openid=scan.openid).first()
    context = {
        "order": scan.order,
        "account_name": str(scan.order.account),
        "nickname": person.nickname if person else "",
        "avatar": person.avatar if person else "",
    }
    return render(request, "orders/shared.html", context)


def _order(key: str) -> Order:
    return get_object_or_404(Order.objects.select_related("account"), key=key)


def _code(order: Order) -> QRCode | None:
    """A valid code, made now if need be; None when WeChat gives none, or the database is busy."""
    try:
        return qr.code_for(conf.account_by_id(order.account_id), order.orderid)
    except (CallFailed, OperationalError, InterfaceError):
        return None


def _panel(order: Order) -> dict[str, Any]:
    code = _code(order)
    progress = progress_of(order.key)
    state = progress.state if progress else "waiting"
    if code is None and state in ("waiting", "expired"):
        state = "unavailable"
    return {
        "account_name": str(order.account),
        "qr_svg": mark_safe(qr.svg(code.url)) if code else "",
        "qr_url": code.url if code else "",
        "qr_expires_in": progress.expires_in if progress else 0,
        "state": state,
        "status_url": reverse("quote-status", args=[order.key]),
        "fragment_url": reverse("quote-code", args=[order.key]),
        "poll_seconds": POLL_SECONDS,
    }


def _image(order: Order, kind: str) -> HttpResponse:
    code = _code(order)
    if code is None:
        response = HttpResponse(
            "WeChat gives no code at the moment", status=503, content_type="text/plain; charset=utf-8"
        )
        response["Retry-After"] = "5"
        return response
    image: str | bytes = qr.svg(code.url) if kind == "image/svg+xml" else qr.png(code.url)
    return HttpResponse(image, content_type=kind)


def absolute(path: str) -> str:
    """An address to hand out: never built from what a request claims as its host."""
    return f"{settings.PUBLIC_URL}{path}"
