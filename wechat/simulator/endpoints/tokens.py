"""The two access-token calls and the JS-SDK ticket. Source: wechat-api.md, sections 3 and 12."""

import secrets

from wechat.simulator.calls import Answer, Call, endpoint
from wechat.simulator.errors import ApiError
from wechat.simulator.tokens import AccessToken

TICKET_LIFETIME = 7200  # seconds


@endpoint("/cgi-bin/token", method="GET", auth="secret", daily=2_000, test_daily=200)
def get_access_token(call: Call) -> Answer:
    """A new token at every call."""
    if call.query.get("grant_type") != "client_credential":
        raise ApiError(40002)
    return _token_answer(call, call.account.tokens.classic(call.now))


@endpoint("/cgi-bin/stable_token", method="POST", auth="body", daily=500_000, minute=10_000)
def get_stable_access_token(call: Call) -> Answer:
    """The same token until it is about to expire."""
    if call.body.get("grant_type") != "client_credential":
        raise ApiError(40002)
    force = call.body.get("force_refresh", False)
    if not isinstance(force, bool):
        raise ApiError(47001)
    return _token_answer(call, call.account.tokens.stable(call.now, force=force))


def _token_answer(call: Call, token: AccessToken) -> Answer:
    call.platform.token_owners[token.value] = call.account
    return {"access_token": token.value, "expires_in": int(token.expires - call.now)}


@endpoint("/cgi-bin/ticket/getticket", method="GET")
def get_ticket(call: Call) -> Answer:
    """The ticket that signs JS-SDK pages: one per 7,200 s."""
    if call.query.get("type") not in ("jsapi", "wx_card"):
        raise ApiError(40097)
    value, expires = call.account.jsapi_ticket
    if call.now >= expires:
        value, expires = secrets.token_urlsafe(64), call.now + TICKET_LIFETIME
        call.account.jsapi_ticket = (value, expires)
    return {"errcode": 0, "errmsg": "ok", "ticket": value, "expires_in": int(expires - call.now)}
