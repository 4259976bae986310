"""What the firm's own website shows of a quote: the code panel in a frame, and the script that puts the frame there."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders import embedding
from orders.views.quotes import find, panel_of, private

WEEK = 7 * 86_400  # seconds


@require_safe
@private
def quote(request: HttpRequest, key: str) -> HttpResponse:
    """The code panel alone, live, to be framed by the account's origins; with `?numbers` the prices above it."""
    order = find(key)
    context = {"order": order, "numbers": "numbers" in request.GET, **panel_of(order)}
    response = render(request, "orders/embed.html", context)
    embedding.may_frame(response, order.account_id)
    return response


@require_safe
@cache_control(public=True, max_age=WEEK)
def script(request: HttpRequest) -> HttpResponse:
    """The script of the snippet. Its address never changes, so that a snippet once pasted stays good."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@cache
def _script() -> str:
    return (settings.BASE_DIR / "static" / "js" / "embed.js").read_text("utf-8")
