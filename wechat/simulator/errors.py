"""The platform's error answers: which errcode carries which text, and the request id that ends every one of them.

Wording as observed; source: wechat-api.md, sections 2, 3.4 and 16.
"""

import secrets
from typing import Any

_MORE = "could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r"

ERRMSGS = {
    -1: "system error",
    40001: f"invalid credential, access_token is invalid or not latest, {_MORE}",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40022: "invalid sub_menu level",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40030: "invalid refresh_token",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40035: "invalid args size",
    40052: "invalid action name",
    40053: "invalid action info, please check document",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    40066: "invalid url",
    40097: "invalid args",
    40117: "invalid button media_id size",
    40118: "invalid sub button media_id size",
    40125: "invalid appsecret",
    40163: "code been used",
    40164: "invalid ip {ip} ipv6 ::ffff:{ip}, not in whitelist",
    40200: "invalid account type",
    40243: "AppSecret is frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41003: "refresh_token missing",
    41004: "appsecret missing",
    41008: "missing code",
    41009: "missing openid",
    42001: "access_token expired",
    42002: "refresh_token expired",
    42003: "code expired",
    43001: "require GET method",
    43002: "require POST method",
    43003: "require https",
    43004: "require subscribe",
    43019: "require remove blacklist",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit mustslower retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "need sending message to user, or recving message from user in the last 30 seconds before typing",
    45081: "you are already typing",
    45098: "msgmenu list size is out of limit",
    45099: "msgmenu item content size is out of limit",
    45162: "invalid type",
    46003: "menu no exist",
    47001: "data format error",
    47002: "data format error, do NOT use json unicode encode (\\uxxxx\\uxxxx), please use utf8 encoded text!",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48002: "user block receive message",
    48004: "api forbidden for irregularities, view detail on mp.weixin.qq.com",
    48006: "forbid to clear quota because of reaching the limit",
    50002: "user limited",
    50004: "user not allow to use accesstoken, maybe for punishment",
    50005: "user is unsubscribed",
    61500: "date format error",
    76021: "cgi_path not found, please check",
    76022: "could not use this cgi_path，no permission",
}
TOKEN_QUOTA_ERRMSG = f"reach max api daily quota limit, {_MORE}"


class ApiError(Exception):
    """A call is refused. `errmsg` overrides the usual text of `errcode`."""

    def __init__(self, errcode: int, errmsg: str | None = None) -> None:
        self.errcode = errcode
        self.errmsg = errmsg or ERRMSGS.get(errcode, "unknown error")
        super().__init__(f"{errcode} {self.errmsg}")


def new_rid(now: float) -> str:
    """A request id: three groups of eight hex digits, the first one is the Unix time."""
    return f"{int(now):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def error_body(error: ApiError, rid: str, *, separator: str = " ") -> dict[str, Any]:
    """The JSON body of a refusal. The web-authorization calls put `, ` before the rid, all others a space."""
    return {"errcode": error.errcode, "errmsg": f"{error.errmsg}{separator}rid: {rid}"}
