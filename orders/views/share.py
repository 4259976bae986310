"""What the shared page's script asks for: an address to pass on, and inside WeChat the signature of the page.

Only a script comes here, once the page is in a browser: then the forward that the page shows has been opened, and is kept.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from orders.links import Link, link_of
from orders.sharing import to_share
from orders.views.quotes import private
from wechat import conf, jssdk
from wechat.errors import CallFailed

TRY_AGAIN = "5"  # seconds


@require_safe
@private
def onward(request: HttpRequest, code: str) -> HttpResponse:
    """The share card with a new address: {"link", "title", "desc", "picture"}."""
    return JsonResponse(to_share(opened(code)))


@require_safe
@private
def wechat(request: HttpRequest, code: str) -> HttpResponse:
    """The same with what `wx.config` needs, signed for the address in `url`, which must be that of this very page: else 400.

    503 when WeChat gives no ticket: the page works without its card.
    """
    link = opened(code)
    url = jssdk.page_address(request.GET.get("url", ""), path=link.get_absolute_url())
    if url is None:
        return JsonResponse({"detail": "url must be the address of this page"}, status=400)
    try:
        signed = jssdk.sign(conf.account_by_id(link.scan.account_id), url)
    except CallFailed:
        return JsonResponse({"detail": "no ticket"}, status=503, headers={"Retry-After": TRY_AGAIN})
    config = {
        "appId": signed.appid,
        "timestamp": signed.timestamp,
        "nonceStr": signed.nonce,
        "signature": signed.signature,
    }
    return JsonResponse({**config, **to_share(link)})


def with_script(response: HttpResponse) -> HttpResponse:
    """Let a page load WeChat's script, which it does inside WeChat only; nothing else may come from there."""
    updates: dict[str, Any] = getattr(response, "_csp_update", {})
    response._csp_update = {**updates, "script-src": [jssdk.script_origin()]}  # type: ignore[attr-defined]
    return response


def opened(code: str) -> Link:
    """The link that `code` opens. Raises Http404 for all others, whatever the reason."""
    link = link_of(code)
    if link is None:
        raise Http404
    return link
