"""The self-check of web pages inside WeChat: which address is signed, which one the browser shows, and what WeChat says to it.

The page signs itself as the shared quote is signed (wechat.jssdk). Inside WeChat, or in its developer tools, WeChat's own
answer stands there too; a plain browser shows all that comes before it.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from wechat import conf, jssdk
from wechat.admin import pages
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import Account

DOMAINS = _(
    "Console → Settings and development → Account settings → Function settings → JS接口安全域名: enter %(host)s."
)
# What WeChat's script answers, by a part of it, and what to do then.
ANSWERS = (
    ("config:ok", _("WeChat accepts this page: share cards work."), ""),
    (
        "invalid signature",
        _("WeChat finds the signature wrong: the address that it shows is not the one that was signed."),
        _("Compare the two addresses above. A proxy must not change host, port or path."),
    ),
    ("invalid url domain", _("This host is none of the account's JS-secure domains."), DOMAINS),
    ("secure domain list", _("The shared link is on a host that is none of the account's JS-secure domains."), DOMAINS),
    (
        "offline verifying",
        _("The account has no right to share cards: it is not verified, or names no JS-secure domain."),
        DOMAINS,
    ),
    ("permission denied", _("The account has no right to this call: it is not verified."), ""),
    ("invalid appid", _("The AppID of the account is not the one of the platform."), ""),
    ("", _("WeChat gave another answer."), ""),
)


@pages.ACCOUNTS.page("webpages", _("Share cards: self-check"), icon="share", position=45)
@require_safe
def check(request: HttpRequest, admin: Any) -> HttpResponse:
    """The page; its script asks for the signature and shows what becomes of it."""
    form, account = pages.chosen(request)
    if account is None:
        raise Http404
    host = urlsplit(settings.PUBLIC_URL).hostname
    answers = [
        {"part": part, "text": str(text), "remedy": str(remedy) % {"host": host}} for part, text, remedy in ANSWERS
    ]
    shown = {
        "form": form,
        "account": account,
        "public_url": settings.PUBLIC_URL,
        "host": host,
        "seen": request.build_absolute_uri(),
        "answers": answers,
        "sdk_url": settings.WECHAT_JSSDK_URL,
        "sign_url": pages.ACCOUNTS.address("webpages_sign"),
    }
    response = pages.render(request, admin, "webpages.html", title=_("Share cards: self-check"), **shown)
    response._csp_update = {"script-src": [jssdk.script_origin()]}  # type: ignore[attr-defined]
    return response


@pages.ACCOUNTS.page("webpages_sign", _("Share cards: self-check"))
@require_safe
def sign(request: HttpRequest, admin: Any) -> HttpResponse:
    """The signature of the self-check page, and what is to be said of its address."""
    _form, account = pages.chosen(request)
    if account is None:
        raise Http404
    reported = request.GET.get("url", "")
    url = jssdk.page_address(reported, path=pages.ACCOUNTS.address("webpages"))
    notes = list(_of_address(request, reported, url))
    if url is None:
        return JsonResponse({"notes": notes}, status=400)
    try:
        signed = jssdk.sign(_config(account), url)
    except CallFailed as error:
        explained = explain_error(error)
        return JsonResponse({"notes": [*notes, _note("bad", explained.title, explained.text())]}, status=503)
    config = {
        "appId": signed.appid,
        "timestamp": signed.timestamp,
        "nonceStr": signed.nonce,
        "signature": signed.signature,
    }
    return JsonResponse(
        {"url": url, "config": config, "notes": [*notes, _note("ok", gettext("WeChat gives a ticket."))]}
    )


def _of_address(request: HttpRequest, reported: str, url: str | None) -> Iterator[dict[str, str]]:
    """What differs between the address that the browser shows, PUBLIC_URL, and what reaches us."""
    own = urlsplit(settings.PUBLIC_URL)
    if url is None:
        text = gettext("This page was opened at another host than that of PUBLIC_URL; its address is not signed.")
        yield _note("bad", text, gettext("Open the admin at %s, or set PUBLIC_URL right.") % settings.PUBLIC_URL)
        return
    scheme = urlsplit(url).scheme
    if scheme != own.scheme:
        text = gettext("The browser shows %(shown)s, and PUBLIC_URL says %(public)s: links and this page differ.")
        remedy = gettext(
            "Set PUBLIC_URL to the scheme that visitors see, or send them from http to https at the proxy."
        )
        yield _note("warn", text % {"shown": scheme, "public": own.scheme}, remedy)
    elif request.scheme != scheme:
        text = gettext(
            "The browser shows %(shown)s, and %(seen)s reaches us: a proxy changes it. It is signed as shown."
        )
        remedy = gettext("Let the proxy send X-Forwarded-Proto, and set TRUSTED_PROXIES to the number of proxies.")
        yield _note("warn", text % {"shown": scheme, "seen": request.scheme}, remedy)
    else:
        yield _note("ok", gettext("The signed address is the one that the browser shows."))


def _note(level: str, text: str, remedy: str = "") -> dict[str, str]:
    return {"level": level, "text": text, "remedy": remedy}


def _config(account: Account) -> conf.AccountConfig:
    conf.forget()
    return conf.account_by_id(account.pk)
