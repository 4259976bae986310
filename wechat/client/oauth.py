"""Web authorization (网页授权): what a person's browser brought back from WeChat becomes who he is.

These calls need no access token of the account. The token they give is one of the person, for these calls only.
https://developers.weixin.qq.com/doc/service/guide/h5/auth.html
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.conf import settings

from wechat import transport
from wechat.conf import AccountConfig
from wechat.errors import Unreachable
from wechat.transport import Json

EXCHANGE, USERINFO = "/sns/oauth2/access_token", "/sns/userinfo"
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Grant:
    """Who came back. `snapshot`: WeChat showed the page to a made-up visitor, who must never be kept."""

    openid: str
    token: str = field(repr=False)
    snapshot: bool


@dataclass(frozen=True, slots=True)
class UserInfo:
    """What the person shows of himself, as the platform says it: texts of his own, and an address. Either may be empty."""

    nickname: str
    avatar: str


def exchange(account: AccountConfig, code: str) -> Grant:
    """Use a code up: it is good once, for 5 minutes. 40029: unknown; 40163: used; 42003: expired.

    Raises PlatformError for these, Unreachable when no usable answer came.
    """
    query = {
        "appid": account.appid,
        "secret": account.get("public_wechat_appsecret"),
        "code": code,
        "grant_type": "authorization_code",
    }
    answer = _get(account, EXCHANGE, query)
    # "1" is not documented; a made-up visitor who is taken for a real one would be the worse mistake.
    return Grant(_openid(answer, EXCHANGE), _text(answer, "access_token"), answer.get("is_snapshotuser") in (1, "1"))


def userinfo(account: AccountConfig, grant: Grant) -> UserInfo:
    """Nickname and avatar; 48001 when the person allowed `snsapi_base` only.

    Raises PlatformError, and Unreachable when no usable answer came or it is about somebody else.
    """
    answer = _get(account, USERINFO, {"access_token": grant.token, "openid": grant.openid, "lang": "zh_CN"})
    if _openid(answer, USERINFO) != grant.openid:
        raise Unreachable(USERINFO, "the answer is about somebody else")
    return UserInfo(_text(answer, "nickname"), _text(answer, "headimgurl"))


def _get(account: AccountConfig, path: str, query: dict[str, str]) -> Json:
    return transport.call("GET", f"{settings.WECHAT_API_BASE}{path}?{urlencode(query)}", account_id=account.id)


def _openid(answer: Json, endpoint: str) -> str:
    openid = _text(answer, "openid")
    if not _OPENID.fullmatch(openid):
        raise Unreachable(endpoint, "the answer has no openid")
    return openid


def _text(answer: Json, name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
