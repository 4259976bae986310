"""Quotes on the firm's own website: which origins may frame a page or read a state, and the line to paste there.

Origins stand in the account's row `wechat_embed_origins`. Who is not named there can frame nothing and read nothing.
"""

from csp.constants import NONE
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.models import Order
from wechat import conf
from wechat.models import Account


def origins_of(account_id: int) -> list[str]:
    """The origins that may show the quotes of this account."""
    return conf.account_by_id(account_id).get("wechat_embed_origins").split()


def may_frame(response: HttpResponseBase, account_id: int) -> None:
    """Let the account's origins show this page in a frame, and nobody else."""
    origins = [*origins_of(account_id), *settings.FRAME_ANCESTORS]
    response._csp_replace = {"frame-ancestors": origins or [NONE]}  # type: ignore[attr-defined]  # django-csp's own way
    response.xframe_options_exempt = bool(origins)  # type: ignore[attr-defined]  # it knows no list; the policy does


def may_read(request: HttpRequest, response: HttpResponseBase, account_id: int) -> None:
    """Let scripts of the account's origins read this answer (CORS); it holds no more than its unguessable address gives."""
    patch_vary_headers(response, ["Origin"])
    origin = request.headers.get("Origin")
    if origin and origin in origins_of(account_id):
        response["Access-Control-Allow-Origin"] = origin


def quote_snippet(order: Order) -> SafeString:
    """The line that shows this quote's code and its state, live."""
    return format_html('<script src="{}" data-quote="{}" async></script>', _script(), order.key)


def form_snippet(account: Account) -> SafeString:
    """The line that shows the form of the instant quote."""
    return format_html('<script src="{}" data-account="{}" async></script>', _script(), account.slug)


def _script() -> str:
    return f"{settings.PUBLIC_URL}{reverse('embed-script')}"


def shown(snippet: SafeString, account_id: int) -> SafeString:
    """The line for staff to copy, and what is missing before it works."""
    return render_to_string("admin/orders/snippet.html", {"snippet": snippet, "origins": origins_of(account_id)})
