"""Codes with a scene, and their picture. Source: wechat-api.md, section 5."""

import base64
import io
import secrets
from typing import Any

import segno
from werkzeug import Response

from wechat.simulator.accounts import Code, random_text
from wechat.simulator.calls import SERVICE, Answer, Call, endpoint
from wechat.simulator.errors import ApiError

MAX_SECONDS = 2_592_000  # 30 days
MAX_TEMPORARY_ID = 4_294_967_295
MAX_PERMANENT_ID = 100_000
MAX_TEXT = 64
TICKET_BYTES = 70  # 96 characters of base64 that end with ==
_TEMPORARY = {"QR_SCENE": False, "QR_STR_SCENE": True}  # action_name: whether the scene is text
_PERMANENT = {"QR_LIMIT_SCENE": False, "QR_LIMIT_STR_SCENE": True}


@endpoint(
    "/cgi-bin/qrcode/create",
    method="POST",
    kinds=SERVICE,
    daily=100_000,
    test_daily=10_000,
    bad_json=40052,
    escape_slashes=True,
)
def create_qrcode(call: Call) -> Answer:
    """A temporary or permanent code for a scene."""
    action = call.body.get("action_name")
    if not isinstance(action, str) or action not in _TEMPORARY | _PERMANENT:
        raise ApiError(40052)
    temporary = action in _TEMPORARY
    scene, is_text = _scene(call.body, action, MAX_TEMPORARY_ID if temporary else MAX_PERMANENT_ID)
    seconds = _seconds(call) if temporary else None
    code = Code(
        ticket=new_ticket(),
        key=random_text(20),
        url="",
        scene=scene,
        is_text=is_text,
        created=call.now,
        expires=None if seconds is None else call.now + seconds,
    )
    code.url = f"{call.platform.url}/q/{code.key}"
    call.account.codes[code.ticket] = code
    call.platform.codes_by_key[code.key] = (call.account, code)
    call.platform.note("code", appid=call.account.appid, scene=scene, url=code.url, expires=code.expires)
    expiry = {} if seconds is None else {"expire_seconds": seconds}
    return {"ticket": code.ticket, **expiry, "url": code.url}


def _scene(body: dict[str, Any], action: str, largest: int) -> tuple[str, bool]:
    info = body.get("action_info")
    scene = info.get("scene") if isinstance(info, dict) else None
    if not isinstance(scene, dict):
        raise ApiError(40053)
    if action.endswith("STR_SCENE"):
        text = scene.get("scene_str")
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT:
            raise ApiError(40053)
        return text, True
    number = scene.get("scene_id")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= largest:
        raise ApiError(40053)
    return str(number), False


def _seconds(call: Call) -> int:
    """The life of a temporary code. What the platform does out of range is unknown; the settings choose."""
    settings = call.platform.settings
    seconds = call.body.get("expire_seconds", settings.code_seconds_default)
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise ApiError(40053)
    if 1 <= seconds <= MAX_SECONDS:
        return seconds
    if settings.clamp_code_seconds:
        return MAX_SECONDS
    raise ApiError(40053)


def new_ticket() -> str:
    """96 characters of base64 with `+`, `/` and `=`, so that a client which does not percent-encode them fails."""
    while True:
        ticket = base64.b64encode(b"\x81\x01" + secrets.token_bytes(TICKET_BYTES - 2)).decode()
        if "+" in ticket and "/" in ticket:
            return ticket


@endpoint("/cgi-bin/showqrcode", auth="none")
def show_qrcode(call: Call) -> Answer:
    """The picture of a ticket (PNG here, JPG there); 404 for an unknown ticket, also one with `+` not encoded."""
    ticket = call.query.get("ticket", "")
    for account in call.platform.accounts.values():
        code = account.codes.get(ticket)
        if code:
            picture = io.BytesIO()
            segno.make(code.url, error="m").save(picture, kind="png", scale=10, border=4)
            return Response(picture.getvalue(), content_type="image/png")
    return Response("404 Not Found", status=404, content_type="text/plain")
