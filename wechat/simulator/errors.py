"""The platform's error answers: which errcode carries which text, and the request id that ends every one of them.

`errmsgs.json` holds the texts as observed; sources: errcodes.json; wechat-api.md, sections 2, 3.4 and 16.
"""

import json
import secrets
from pathlib import Path
from typing import Any

_OBSERVED: dict[str, str] = json.loads(Path(__file__).with_name("errmsgs.json").read_text("utf-8"))
# Codes that are documented without their text.
_COINED = {
    43107: "this template is blocked",
    65320: "matchrule contains privacy fields",
    200012: "private template num exceeds limit",
    200014: "invalid tid",
    200016: "invalid start",
    200017: "invalid limit",
    200018: "ids missing",
    200019: "invalid ids",
    200020: "invalid kidList",
    200021: "invalid sceneDesc",
    200022: "template exists",
}
ERRMSGS = {**_COINED, **{int(errcode): errmsg for errcode, errmsg in _OBSERVED.items()}}
TOKEN_QUOTA_ERRMSG = (
    "reach max api daily quota limit, "
    "could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r"
)
NO_FIELD = "argument invalid!"  # 47003 where no field of a template is to blame


class ApiError(Exception):
    """A call is refused. `errmsg` overrides the usual text of `errcode`; `extra` stands beside the two in the answer."""

    def __init__(self, errcode: int, errmsg: str | None = None, **extra: Any) -> None:
        self.errcode = errcode
        self.errmsg = errmsg or ERRMSGS.get(errcode, "unknown error")
        self.extra = extra
        super().__init__(f"{errcode} {self.errmsg}")


def bad_value(key: str) -> ApiError:
    """47003, which names the field of a template message that is at fault."""
    return ApiError(47003, ERRMSGS[47003].replace("{key}", key))


def new_rid(now: float) -> str:
    """A request id: three groups of eight hex digits, the first one is the Unix time."""
    return f"{int(now):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def error_body(error: ApiError, rid: str, *, separator: str = " ") -> dict[str, Any]:
    """The JSON body of a refusal. The web-authorization calls put `, ` before the rid, all others a space."""
    return {"errcode": error.errcode, "errmsg": f"{error.errmsg}{separator}rid: {rid}", **error.extra}
