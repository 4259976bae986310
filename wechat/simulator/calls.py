"""The API's frame: one decorated function per endpoint, and the checks that every call passes before its endpoint runs.

In: a request. Out: the answer's JSON, or ApiError. The order of the checks is that of wechat-api.md, section 16.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from werkzeug import Request, Response

from wechat.simulator.accounts import Account
from wechat.simulator.errors import TOKEN_QUOTA_ERRMSG, ApiError, error_body
from wechat.simulator.quotas import Limits
from wechat.simulator.state import Platform

EVERY_KIND = frozenset({"verified_service", "service", "verified_subscription", "subscription", "test"})
VERIFIED = frozenset({"verified_service", "verified_subscription", "test"})
# What only a verified service account may do; a test account may try it.
SERVICE = frozenset({"verified_service", "test"})
OK = {"errcode": 0, "errmsg": "ok"}
CGI_JSON = "application/json; encoding=utf-8"  # `encoding`, not `charset`: as observed
PLAIN_TEXT = "text/plain"
# A \uXXXX escape: a backslash that is not itself escaped, and four hex digits.
_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")


@dataclass
class Call:
    """One call under way."""

    platform: Platform
    request: Request
    endpoint: "Endpoint"
    now: float
    rid: str

    @cached_property
    def query(self) -> dict[str, str]:
        """The query string; of a repeated parameter the first."""
        return self.request.args.to_dict()

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object of the body. Raises ApiError 44002, 47001 or 47002 (or the endpoint's own codes)."""
        raw = self.request.get_data()
        if not raw.strip():
            raise ApiError(44002)
        try:
            value = json.loads(raw.decode())
        except ValueError as error:
            raise ApiError(self.endpoint.bad_json) from error
        if not isinstance(value, dict):
            raise ApiError(self.endpoint.bad_json)
        if _ESCAPE.search(raw):
            raise ApiError(self.endpoint.bad_escape)
        return value

    @cached_property
    def known_account(self) -> Account | None:
        """The account the call's token or appid belongs to, before anything is proven."""
        if self.endpoint.auth == "token":
            return self.platform.token_owners.get(self.query.get("access_token", ""))
        fields = self.body if self.endpoint.auth == "body" else self.query
        appid = fields.get("appid")
        return self.platform.accounts.get(appid) if isinstance(appid, str) else None

    @property
    def account(self) -> Account:
        """The account, once the checks have passed."""
        if self.known_account is None:
            raise ApiError(40013)
        return self.known_account


Answer = dict[str, Any] | Response
Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Endpoint:
    """How a path may be called.

    `auth`: token (in the query) · secret (appid and secret in the query) · body (both in the JSON) · none.
    """

    path: str
    handler: Handler
    method: str | None = None
    auth: str = "token"
    kinds: frozenset[str] = EVERY_KIND
    limits: Limits = field(default_factory=Limits)
    test_limits: Limits | None = None  # a test account's own
    content_type: str = CGI_JSON
    json_body: bool = True  # whether a POST carries JSON
    bad_json: int = 47001
    bad_escape: int = 47002
    escape_slashes: bool = False

    def limits_for(self, kind: str) -> Limits:
        """The limits of an account of this kind."""
        return self.test_limits if kind == "test" and self.test_limits else self.limits


ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(
    path: str, *, daily: int | None = None, test_daily: int | None = None, minute: int | None = None, **options: Any
) -> Callable[[Handler], Handler]:
    """Register the decorated function as the endpoint `path`; `options` are fields of Endpoint."""

    def register(handler: Handler) -> Handler:
        ENDPOINTS[path] = Endpoint(
            path=path,
            handler=handler,
            limits=Limits(daily, minute),
            test_limits=None if test_daily is None else Limits(test_daily, minute),
            **options,
        )
        return handler

    return register


def check_method(call: Call) -> None:
    """43001 or 43002."""
    if call.endpoint.method not in (None, call.request.method):
        raise ApiError(43001 if call.endpoint.method == "GET" else 43002)


def check_address(call: Call) -> None:
    """40164 with the caller's address. An unknown token or appid has no allowlist and is refused by the next check."""
    if call.endpoint.auth == "none" or call.known_account is None:
        return
    address = call.request.remote_addr or ""
    if not call.known_account.allows(address):
        raise ApiError(40164, f"invalid ip {address} ipv6 ::ffff:{address}, not in whitelist")


def check_credentials(call: Call) -> None:
    """The token (41001, 40014, 40001, 42001), or appid and secret (41002, 40013, 41004, 40125)."""
    if call.endpoint.auth == "none":
        return
    if call.endpoint.auth == "token":
        _check_token(call)
        return
    fields = call.body if call.endpoint.auth == "body" else call.query
    secret = fields.get("secret") or fields.get("appsecret")
    if not fields.get("appid"):
        raise ApiError(41002)
    if call.known_account is None:
        raise ApiError(40013)
    if not secret:
        raise ApiError(41004)
    if secret != call.known_account.secret:
        raise ApiError(40125)


def _check_token(call: Call) -> None:
    value = call.query.get("access_token", "")
    if not value:
        raise ApiError(41001)
    if call.known_account is None:
        raise ApiError(40014)
    errcode = call.known_account.tokens.refusal(value, call.now)
    if errcode is not None:
        raise ApiError(errcode)


def check_quota(call: Call) -> None:
    """45011 (minute), 45009 (day); the token's own text names the other token call."""
    if call.endpoint.auth == "none":
        return
    try:
        call.account.quotas.count(call.endpoint.path, call.endpoint.limits_for(call.account.kind), call.now)
    except ApiError as error:
        if error.errcode == 45009 and call.endpoint.path == "/cgi-bin/token":
            raise ApiError(45009, TOKEN_QUOTA_ERRMSG) from error
        raise


def check_permission(call: Call) -> None:
    """48001."""
    if call.endpoint.auth != "none" and call.account.kind not in call.endpoint.kinds:
        raise ApiError(48001)


def check_body(call: Call) -> None:
    """44002, 47001, 47002."""
    if call.endpoint.method == "POST" and call.endpoint.json_body:
        call.body  # noqa: B018 - reading it is the check


CHECKS = (check_method, check_address, check_credentials, check_quota, check_permission, check_body)


def carry_out(call: Call) -> Answer:
    """Check the call, then run its endpoint. Raises ApiError."""
    for check in CHECKS:
        check(call)
    return call.endpoint.handler(call)


def as_response(answer: Answer, endpoint: Endpoint) -> Response:
    """The answer as the platform writes it: status 200, UTF-8, the endpoint's content type."""
    if isinstance(answer, Response):
        return answer
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    if endpoint.path.startswith("/sns/"):
        # A raw control character in a nickname, as observed: a strict JSON parser refuses the real answers too.
        text = text.replace("\\u0002", "\x02")
    if endpoint.escape_slashes:
        text = text.replace("/", "\\/")
    return Response(text.encode(), content_type=endpoint.content_type)


def refusal_response(error: ApiError, endpoint: Endpoint, rid: str) -> Response:
    """The answer to a refused call: status 200 all the same."""
    separator = ", " if endpoint.path.startswith("/sns/") else " "
    return as_response(error_body(error, rid, separator=separator), endpoint)
