"""A call from the first byte to the last: latency, fault, checks, endpoint, journal.

In: a request for a path of the platform. Out: its Response, or HangupError.
"""

import json
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from werkzeug import Request, Response

from wechat.simulator.calls import OK, Call, Endpoint, as_response, carry_out, refusal_response
from wechat.simulator.calls_faulty import HangupError, act_out, closes_unread
from wechat.simulator.endpoints import ENDPOINTS
from wechat.simulator.errors import NO_FIELD, ApiError, bad_value, error_body, new_rid
from wechat.simulator.faults import Fault
from wechat.simulator.journal import Entry
from wechat.simulator.rids import Refused
from wechat.simulator.state import Platform

TOKEN_PATHS = frozenset({"/cgi-bin/token", "/cgi-bin/stable_token"})
BODY_KEPT = 8_000  # bytes of a refused call


def _unknown(call: Call) -> Response:
    raise ApiError(40066)


UNKNOWN = Endpoint(path="", handler=_unknown, auth="none")


def answer(platform: Platform, request: Request) -> Response:
    """Answer one call. Raises HangupError when the connection is to be closed instead."""
    with platform.fetching_token() if request.path in TOKEN_PATHS else nullcontext():
        with platform.lock:
            now = platform.clock.now()
            called = ENDPOINTS.get(request.path, UNKNOWN)
            call = Call(platform=platform, request=request, endpoint=called, now=now, rid=new_rid(now))
            fault = platform.faults.take("call", request.path, lambda: _appid(call))
        started = time.monotonic()
        platform.delay(request.path)
        entry: Entry = {"appid": None, "endpoint": request.path, "method": request.method, "errcode": None, "rid": None}
        if fault:
            entry["fault"] = fault.kind
        try:
            return _spoiled(call, fault, entry) if fault else _proper(call, entry)
        finally:
            entry["ms"] = round((time.monotonic() - started) * 1000, 1)
            with platform.lock:
                platform.counters["calls"] += 1
                platform.note("call", **entry)
                if entry["rid"]:
                    _remember(call, entry)


def _appid(call: Call) -> str | None:
    """The account a call seems to be for; a body that cannot be read belongs to nobody."""
    try:
        return call.known_account.appid if call.known_account else None
    except ApiError:
        return None


def _read(call: Call, entry: Entry) -> None:
    """Read the whole body before the lock is taken: a slow sender holds up nobody."""
    call.request.get_data()
    entry["appid"] = _appid(call)


def _proper(call: Call, entry: Entry) -> Response:
    _read(call, entry)
    with call.platform.lock:
        call.now = call.platform.clock.now()  # a slow call counts from when it is carried out
        try:
            result = carry_out(call)
        except ApiError as error:
            return _refused(call, error, entry)
    entry["errcode"] = 0
    return as_response(result, call.endpoint)


def _refused(call: Call, error: ApiError, entry: Entry) -> Response:
    entry.update(errcode=error.errcode, errmsg=error.errmsg, rid=call.rid)
    return refusal_response(error, call.endpoint, call.rid)


def _spoiled(call: Call, fault: Fault, entry: Entry) -> Response:
    if closes_unread(fault):
        raise HangupError
    _read(call, entry)
    if fault.kind == "slow" and not fault.effect:
        act_out(fault, Response())
        return _proper(call, entry)
    if fault.kind == "token":
        return _odd_token(call, fault, entry)
    if fault.kind == "redirect" and fault.location is None:
        # The same machine under another name: for a client another host.
        fault = replace(fault, location=f"http://localhost:{call.platform.url.rpartition(':')[2]}/elsewhere")
    proper = _proper(call, entry) if fault.effect else as_response(OK, call.endpoint)
    if fault.kind == "errcode":
        proper = _refused(call, _ordered(call, fault), entry)
    return act_out(fault, proper)


def _remember(call: Call, entry: Entry) -> None:
    """Keep a refused call for openapi/rid/get."""
    answer = error_body(ApiError(entry["errcode"], entry["errmsg"]), call.rid)
    refused = Refused(
        appid=entry["appid"],
        time=call.now,
        milliseconds=entry["ms"],
        query=call.request.query_string.decode("latin-1"),
        request_body=call.request.get_data()[:BODY_KEPT].decode("utf-8", "replace"),
        response_body=json.dumps(answer, ensure_ascii=False),
        client=call.request.remote_addr or "",
    )
    call.platform.rids.keep(call.rid, refused)


def _ordered(call: Call, fault: Fault) -> ApiError:
    """The error as ordered, with the caller's address or the field of its body where the text names one."""
    error = ApiError(fault.errcode, fault.errmsg)
    if fault.errcode == 47003 and not fault.errmsg:
        key = _first_field(call)
        error = bad_value(key) if key else ApiError(47003, NO_FIELD)
    error.errmsg = error.errmsg.replace("{ip}", call.request.remote_addr or "")
    return error


def _first_field(call: Call) -> str | None:
    """The first field that a template message fills in."""
    try:
        data = call.body.get("data") if call.request.method == "POST" else None
    except ApiError:
        return None
    return str(next(iter(data))) if isinstance(data, dict) and data else None


def _odd_token(call: Call, fault: Fault, entry: Entry) -> Response:
    """A token answer with an odd `expires_in`, or with a token of another length."""
    with call.platform.lock:
        try:
            result: Any = carry_out(call)
        except ApiError as error:
            return _refused(call, error, entry)
        if fault.length:
            result["access_token"] = call.account.tokens.lengthen(result["access_token"], fault.length)
            call.platform.token_owners[result["access_token"]] = call.account
    if fault.expires_in == "absent":
        del result["expires_in"]
    elif fault.expires_in is not None:
        result["expires_in"] = fault.expires_in
    entry["errcode"] = 0
    return as_response(result, call.endpoint)
