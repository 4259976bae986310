"""What a browser sees: the phone, a code's address, the consent page, the files they need.

In: a request from a browser. Out: HTML, a redirect or a file. Nothing here is part of the platform's API.
"""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import segno
from django.template.loader import render_to_string
from django.utils import translation
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect

from wechat.simulator import bridge
from wechat.simulator.accounts import Account, Person
from wechat.simulator.avatars import AVATARS
from wechat.simulator.phone import Phone
from wechat.simulator.phrases import phrases
from wechat.simulator.samples import ADDRESS, PHOTOS, own_file
from wechat.simulator.state import Platform

LANGUAGE = "zh-hans"
# The phone shows pages of the site in a frame and pictures from anywhere; scripts are its own only.
POLICY = (
    "default-src 'self'; img-src 'self' data: http: https:; frame-src http: https:; style-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'self' http: https:"
)
_RULES = Map(
    [
        Rule("/", endpoint="phone"),
        Rule("/q/<key>.svg", endpoint="code"),
        Rule("/q/<key>", endpoint="scan"),
        Rule("/static/simulator/<path:name>", endpoint="static"),
        Rule("/media/<name>", endpoint="file"),
        Rule("/favicon.ico", endpoint="favicon"),
        Rule("/elsewhere", endpoint="elsewhere"),
        Rule("/connect/oauth2/authorize", endpoint="authorize"),
        Rule("/open/js/jweixin-1.6.0.js", endpoint="jweixin"),
        Rule("/open/js/bridge", endpoint="bridge"),
    ],
    strict_slashes=False,
)
_FIRST_PARTS = frozenset({"", "q", "static", "media", "favicon.ico", "elsewhere", "connect", "open"})
# What WeChat's own page says; source: errcodes.json.
AUTHORIZE_PROBLEMS = {
    10003: "redirect_uri 域名与后台配置不一致",
    10005: "此公众号并没有这些 scope 的权限",
    10010: "scope 不能为空",
    10011: "redirect_uri 不能为空",
    10012: "appid 不能为空",
    10016: "不支持开放平台的 AppID，请使用公众号 AppID",
}


def is_page(path: str) -> bool:
    """Whether `path` belongs to a browser and not to the API."""
    return path.split("/", 2)[1] in _FIRST_PARTS


def show(platform: Platform, phone: Phone, request: Request) -> Response:
    """Answer a browser."""
    try:
        name, arguments = _RULES.bind_to_environ(request.environ).match()
        response = _PAGES[name](platform, phone, request, **arguments)
    except HTTPException as error:
        return Response(error.name, status=error.code, content_type="text/plain")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _render(template: str, **context: Any) -> Response:
    with translation.override(LANGUAGE):
        html = render_to_string(f"simulator/{template}", {"LANGUAGE_CODE": LANGUAGE, **context})
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def _phone(platform: Platform, phone: Phone, request: Request) -> Response:
    with translation.override(LANGUAGE):
        texts = phrases()
    return _render("phone.html", texts=texts, avatars=AVATARS, photos=PHOTOS)


def _scan(platform: Platform, phone: Phone, request: Request, key: str) -> Response:
    """Opening a code's address is a scan by the person whose phone is in hand."""
    account, code = platform.codes_by_key.get(key, (None, None))
    if account is None or code is None:
        return Response("404 Not Found", status=404, content_type="text/plain")
    person = _in_hand(platform, account)
    phone.scan(person.openid, code)
    return redirect("/#chat", code=303)


def _code(platform: Platform, phone: Phone, request: Request, key: str) -> Response:
    """The picture of a code, for the phone's list of recent ones."""
    _, code = platform.codes_by_key.get(key, (None, None))
    if code is None:
        return Response("404 Not Found", status=404, content_type="text/plain")
    picture = io.BytesIO()
    segno.make(code.url, error="m").save(picture, kind="svg", border=2)
    return Response(picture.getvalue(), content_type="image/svg+xml")


def _in_hand(platform: Platform, account: Account) -> Person:
    """The chosen person if he belongs to this account, else the first who does, else a new one."""
    with platform.lock:
        person = platform.persons.get(platform.chosen or "")
        if person is None or person.appid != account.appid:
            others = (other for other in platform.persons.values() if other.appid == account.appid)
            person = next(others, None) or platform.add_person(account)
        platform.chosen = person.openid
        return person


def _static(platform: Platform, phone: Phone, request: Request, name: str) -> Response:
    content, kind = own_file(f"{ADDRESS}{name}") or (None, "")
    if content is None:
        return Response("404 Not Found", status=404, content_type="text/plain")
    return Response(content, content_type=kind, headers={"Cache-Control": "no-cache"})


def _file(platform: Platform, phone: Phone, request: Request, name: str) -> Response:
    """A file that an account uploaded."""
    media = platform.files.get(f"/media/{name}")
    if media is None:
        return Response("404 Not Found", status=404, content_type="text/plain")
    return Response(media.content, content_type=media.content_type)


def _favicon(platform: Platform, phone: Phone, request: Request) -> Response:
    return _static(platform, phone, request, "icon.svg")


def _elsewhere(platform: Platform, phone: Phone, request: Request) -> Response:
    """Where the redirect fault leads: nobody should come here, and least of all with a token."""
    platform.counters["elsewhere"] += 1
    platform.note("elsewhere", query=request.query_string.decode("latin-1"), method=request.method)
    return Response('{"errcode":0,"errmsg":"ok"}', content_type="application/json")


def _authorize(platform: Platform, phone: Phone, request: Request) -> Response:
    """The consent of web authorization: silent for snsapi_base, a page for snsapi_userinfo."""
    wish = request.args.to_dict()
    problem = _authorize_problem(platform, wish)
    if problem:
        return _render("authorize_error.html", code=problem, reason=AUTHORIZE_PROBLEMS[problem])
    account = platform.accounts[wish["appid"]]
    person = _in_hand(platform, account)
    asks = wish["scope"] == "snsapi_userinfo"
    snapshot = wish.get("forceSnapShot") == "true" or request.form.get("allow") == "snapshot"
    if asks and request.method != "POST" and not snapshot:
        return _render("authorize.html", account=account, person=person, wish=wish)
    if asks and request.method == "POST" and "allow" not in request.form:
        return redirect("/#chat", code=303)
    grant = platform.grants.give(
        appid=account.appid,
        openid=person.openid,
        scope=wish["scope"],
        snapshot=snapshot,
        now=platform.clock.now(),
    )
    back = urlsplit(wish["redirect_uri"])
    added = urlencode({"code": grant.code, "state": wish.get("state", "")})
    query = f"{back.query}&{added}" if back.query else added
    return redirect(back._replace(query=query).geturl(), code=302)


def _authorize_problem(platform: Platform, wish: dict[str, str]) -> int | None:
    """The error number that WeChat would show on its page; source: wechat-api.md, section 11.1."""
    if not wish.get("appid"):
        return 10012
    account = platform.accounts.get(wish["appid"])
    if account is None:
        return 10016
    if not wish.get("redirect_uri"):
        return 10011
    if wish.get("scope") not in ("snsapi_base", "snsapi_userinfo"):
        return 10010
    if account.kind not in ("verified_service", "test"):
        return 10005
    back = urlsplit(wish["redirect_uri"])
    domain = platform.settings.oauth_domain
    if back.scheme not in ("http", "https") or (domain and back.hostname != domain):
        return 10003
    return None


def _jweixin(platform: Platform, phone: Phone, request: Request) -> Response:
    return _static(platform, phone, request, "jweixin.js")


def _bridge(platform: Platform, phone: Phone, request: Request) -> Response:
    """The answer to a call of the JS-SDK."""
    line = bridge.script_answer(platform, request.args.to_dict())
    return Response(line, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-store"})


_PAGES: dict[str, Callable[..., Response]] = {
    "phone": _phone,
    "code": _code,
    "scan": _scan,
    "static": _static,
    "file": _file,
    "favicon": _favicon,
    "elsewhere": _elsewhere,
    "authorize": _authorize,
    "jweixin": _jweixin,
    "bridge": _bridge,
}
