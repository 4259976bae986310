"""The visitor's pages: the quote with its code, the code alone, and its progress."""

from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders import embedding, plans, shortcodes
from orders.models import Order
from orders.progress import progress_of
from orders.watching import watch
from wechat import brands, conf, qr
from wechat.errors import CallFailed
from wechat.models import QRCode

POLL_SECONDS = 2
_WITH_CODE = ("waiting", "expired", "follow", "failed")  # the states in which a code is needed

private = cache_control(private=True, no_store=True)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Nothing to see without a link of one's own, but a quote can be had where staff offer plans."""
    return render(request, "orders/home.html", {"offering": plans.offering_accounts()})


@require_safe
@private
def quote(request: HttpRequest, key: str) -> HttpResponse:
    """The visitor's quote with its code."""
    order = find(key)
    context = {"order": order, "home_url": plans.form_address(order.account), **panel_of(order)}
    return render(request, "orders/quote.html", context)


@require_safe
@private
def code_panel(request: HttpRequest, key: str) -> HttpResponse:
    """The part of the page that shows the code, for the page to swap in. With `?look` a code that ran out stays so."""
    order = find(key)
    return render(request, "orders/_code.html", {"order": order, **panel_of(order, renew="look" not in request.GET)})


@require_safe
@private
def code_svg(request: HttpRequest, key: str) -> HttpResponse:
    """The code alone, for the firm's own page."""
    return _image(request, find(key), "image/svg+xml")


@require_safe
@private
def code_png(request: HttpRequest, key: str) -> HttpResponse:
    """The same as PNG."""
    return _image(request, find(key), "image/png")


@require_safe
@private
def status(request: HttpRequest, key: str) -> HttpResponseBase:
    """How far the quote is on its way: one query at most, often none, and no call (orders.watching)."""
    progress = watch(key)
    if progress is None:
        raise Http404
    response = JsonResponse(progress.as_json())
    embedding.may_read(request, response, progress.account_id)
    return response


def find(key: str) -> Order:
    """The quote with that page key. Raises Http404."""
    return get_object_or_404(Order.objects.select_related("account"), key=key)


def panel_of(order: Order, *, renew: bool = True) -> dict[str, Any]:
    """What templates/orders/_code.html shows. Without `renew` no code is made in place of one that ran out."""
    progress = progress_of(order.key)
    state = progress.state if progress else "waiting"
    needed = state in _WITH_CODE
    code = _code(order, renew=renew or state == "waiting") if needed else None
    if state in ("waiting", "expired"):
        state = "waiting" if code else "unavailable" if renew or state == "waiting" else "expired"
    unmade = needed and code is None and renew
    return {
        **brands.shown(order.account),
        "qr_svg": mark_safe(qr.svg(code.url)) if code else "",
        "qr_url": code.url if code else "",
        "qr_png_url": reverse("quote-png", args=[order.key]),
        "qr_expires_in": _seconds_left(code),
        "state": state,
        "reason": progress.reason if progress else "",
        "typed": shortcodes.in_groups(shortcodes.shown_code(order)) if unmade else "",
        "status_url": reverse("quote-status", args=[order.key]),
        "fragment_url": reverse("quote-code", args=[order.key]),
        "poll_seconds": POLL_SECONDS,
    }


def _code(order: Order, *, renew: bool) -> QRCode | None:
    """A valid code, made now if need be; None when WeChat gives none, or the database is busy."""
    try:
        if not renew:
            return qr.valid_code(order.account_id, str(order.orderid))
        return qr.code_for(conf.account_by_id(order.account_id), order.orderid)
    except (CallFailed, OperationalError, InterfaceError):
        return None


def _seconds_left(code: QRCode | None) -> int:
    """How long the code is shown; 0 for ever, or without one."""
    return max(1, int((code.expires_at - qr.SPARE - timezone.now()).total_seconds())) if code and code.expires_at else 0


def _image(request: HttpRequest, order: Order, kind: str) -> HttpResponse:
    code = _code(order, renew=True)
    if code is None:
        response = HttpResponse(
            "WeChat gives no code at the moment", status=503, content_type="text/plain; charset=utf-8"
        )
        response["Retry-After"] = "5"
    else:
        image: str | bytes = qr.svg(code.url) if kind == "image/svg+xml" else qr.png(code.url)
        response = HttpResponse(image, content_type=kind)
    embedding.may_read(request, response, order.account_id)
    return response


def absolute(path: str) -> str:
    """An address to hand out: never built from what a request claims as its host."""
    return f"{settings.PUBLIC_URL}{path}"
