"""Routes of the control API: one decorated function per request, JSON in and out.

In: a request under /sim/api/. Out: its Response; whatever a caller got wrong becomes a 400 that says what.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from wechat.simulator.accounts import Account
from wechat.simulator.hand import PhoneError
from wechat.simulator.phone import Phone
from wechat.simulator.state import Platform

PREFIX = "/sim/api"


class OrderError(Exception):
    """The request cannot be carried out; the text is shown to the caller."""


@dataclass
class Order:
    """One request of the control API."""

    platform: Platform
    phone: Phone
    request: Request
    refuse_connections: Callable[[float], None]

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object of the body; an empty body is an empty object."""
        try:
            value = json.loads(self.request.get_data() or b"{}")
        except ValueError as error:
            raise OrderError(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise OrderError("the body must be a JSON object")
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number of the query string."""
        return self.request.args.get(name, default, type=int)

    def account(self, appid: str | None = None) -> Account:
        """The account named by `appid` (or in the body); the first one when none is named."""
        appid = appid or self.body.get("appid") or self.request.args.get("appid")
        if appid is None and self.platform.accounts:
            return next(iter(self.platform.accounts.values()))
        account = self.platform.accounts.get(str(appid))
        if account is None:
            raise OrderError(f"there is no account {appid}")
        return account


Action = Callable[..., Any]
_rules: list[Rule] = []
_actions: dict[str, Action] = {}


def route(method: str, path: str) -> Callable[[Action], Action]:
    """Register the decorated function for a request; `path` follows /sim/api and may hold Werkzeug's placeholders."""

    def register(action: Action) -> Action:
        name = f"{method} {PREFIX}{path}"
        _rules.append(Rule(f"{PREFIX}{path}", methods=[method], endpoint=name))
        _actions[name] = action
        return action

    return register


def routes() -> list[str]:
    """All requests there are, as "METHOD path"."""
    return list(_actions)


def build_map() -> Map:
    """The routing map; build it after the topic modules have been imported."""
    return Map([rule.empty() for rule in _rules], strict_slashes=False)


def from_elsewhere(request: Request) -> bool:
    """Whether another website's page sent this: it could otherwise steer a simulator on the developer's machine."""
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host


def handle(order: Order, rules: Map) -> Response:
    """Carry out one request."""
    if from_elsewhere(order.request):
        return _json({"error": "requests from other sites are refused"}, 403)
    adapter = rules.bind_to_environ(order.request.environ)
    try:
        name, arguments = adapter.match()
        return _json(_actions[name](order, **arguments))
    except (OrderError, PhoneError, ValueError, TypeError, KeyError) as error:
        return _json({"error": str(error) or type(error).__name__}, 400)
    except HTTPException as error:
        return _json({"error": error.name}, error.code or 400)


def _json(value: Any, status: int = 200) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(body, status=status, content_type="application/json; charset=utf-8")
