"""The addresses of this room that a browser opens: where WeChat sends it back to, and the file that proves whose domain it is.

Comes in: a browser after WeChat's consent page, with a code and a state; or WeChat's console, looking for its file.
"""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_safe

from wechat import conf, web_authorization

logger = logging.getLogger(__name__)


@require_GET
@cache_control(private=True, no_store=True)
def authorized(request: HttpRequest, slug: str) -> HttpResponse:
    """Back from WeChat: on to the clean address, or a page that says politely why not."""
    account = conf.account(slug)
    if account is None:
        raise Http404
    try:
        way_on = web_authorization.finish(request, account)
    except web_authorization.Invalid:
        logger.warning("account %s: a way back from web authorization that was not begun here", slug)
        return render(request, "wechat/way_ended.html", {"account_name": account.name}, status=400)
    response = redirect(way_on)
    response.status_code = 303
    return response


@require_safe
def verification_file(request: HttpRequest, name: str) -> HttpResponse:
    """The file that WeChat wants at the root of a domain before an account may use it (MP_verify_….txt)."""
    for account in conf.snapshot().accounts.values():
        if name == account.get("wechat_verify_file_name") and (content := account.get("wechat_verify_file_content")):
            return HttpResponse(content, content_type="text/plain; charset=utf-8")
    raise Http404
