"""The site that bench.fuzz asks: migrated, with an account and a quote, for a stranger and for a superuser in turns."""

import logging
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.test import Client

from bench.fuzz import Request
from wxhub.wsgi import application

# isort: split
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver

from orders.models import Order
from wechat import conf
from wechat.models import Account

ENDS_THE_SESSION = re.compile("/logout/|/sign_out|/reset_factor")
PROOF = "x" * 32  # cookie and header of Django's protection of forms: what is sent shall get past it
SAMPLES = {"int": "1", "slug": "demo"}


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """An address for every route of the site, with `x`, `1` or `demo` for its parameters."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + _filled(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def _filled(route: str) -> str:
    route = re.sub(r"\(\?P<\w+>(?:\([^)]*\)|[^()])*\)", "x", route)
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda match: SAMPLES.get(match[1] or "", "x"), route)
    return route.lstrip("^").rstrip("$").replace("\\Z", "").replace("\\", "").replace("?", "")


def prepare() -> tuple[Callable[[Request], int], list[str]]:
    """How to ask it, and its addresses. Nobody signs out: that address is left out."""
    call_command("migrate", verbosity=0)
    logging.disable()  # each refusal has a line
    account = Account.objects.create(slug="demo", name="示例")
    conf.save(account, {"public_wechat_appid": "wx0123456789abcdef", "public_wechat_token": "a-token"})
    order = Order.objects.create(account=account, orderid=77, total_money=1)
    browser = Browser()
    browser.force_login(User.objects.create_superuser("boss"))
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    found = sorted(route for route in set(routes()) if not ENDS_THE_SESSION.search(route))
    return asking(cookie), [*found, f"/quotes/{order.key}/", f"/quotes/{order.key}/status"]


def asking(cookie: str) -> Callable[[Request], int]:
    """Asks as a stranger, and every other time with this cookie."""
    site, dice = Client(application, use_cookies=False), random.Random(1)

    def ask(request: Request) -> int:
        options: dict[str, Any] = {**request.options, "headers": dict(request.options["headers"])}
        if dice.random() < 0.5:
            options["headers"] |= {"Cookie": f"{cookie}; csrftoken={PROOF}", "X-CSRFToken": PROOF}
        status: int = site.open(
            request.path, method=request.method, base_url="http://127.0.0.1:8000", **options
        ).status_code
        return status

    return ask
