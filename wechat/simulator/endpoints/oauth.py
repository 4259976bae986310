"""Web authorization, the server's side: code to token, token to profile. Source: wechat-api.md, section 11.2."""

import secrets
from typing import Any

from wechat.simulator.calls import PLAIN_TEXT, SERVICE, Answer, Call, endpoint
from wechat.simulator.errors import ApiError
from wechat.simulator.grants import Grant

TOKEN_LIFETIME = 7200  # seconds
PER_MINUTE = 50_000


@endpoint(
    "/sns/oauth2/access_token", method="GET", auth="secret", kinds=SERVICE, minute=PER_MINUTE, content_type=PLAIN_TEXT
)
def get_oauth_token(call: Call) -> Answer:
    """Exchange a code: once, within 300 s."""
    if call.query.get("grant_type") != "authorization_code":
        raise ApiError(40002)
    code = call.query.get("code")
    if not code:
        raise ApiError(41008)
    grant = call.platform.grants.redeem(code, appid=call.account.appid, now=call.now)
    return _token_answer(call, grant)


@endpoint("/sns/oauth2/refresh_token", method="GET", auth="none", content_type=PLAIN_TEXT)
def refresh_oauth_token(call: Call) -> Answer:
    """A new token for a refresh_token, which lives 30 days."""
    appid, refresh_token = call.query.get("appid"), call.query.get("refresh_token")
    if not appid:
        raise ApiError(41002)
    if call.query.get("grant_type") != "refresh_token":
        raise ApiError(40002)
    if not refresh_token:
        raise ApiError(41003)
    return _token_answer(call, call.platform.grants.refreshed(refresh_token, appid=appid, now=call.now))


def _token_answer(call: Call, grant: Grant) -> dict[str, Any]:
    token = call.platform.grants.issue(grant, f"92_{secrets.token_urlsafe(64)}", expires=call.now + TOKEN_LIFETIME)
    answer: dict[str, Any] = {
        "access_token": token,
        "expires_in": TOKEN_LIFETIME,
        "refresh_token": grant.refresh_token,
        "openid": grant.openid,
        "scope": grant.scope,
    }
    if grant.snapshot:
        answer["is_snapshotuser"] = 1
    return answer


def _grant(call: Call) -> Grant:
    """The grant behind an OAuth token and its openid. Raises ApiError 41001, 40001, 42001 or 40003."""
    token = call.query.get("access_token")
    if not token:
        raise ApiError(41001)
    grant = call.platform.grants.of_token(token, now=call.now)
    if call.query.get("openid") != grant.openid:
        raise ApiError(40003)
    return grant


@endpoint("/sns/userinfo", method="GET", auth="none", content_type=PLAIN_TEXT)
def get_oauth_userinfo(call: Call) -> Answer:
    """Nickname and avatar, for the scope snsapi_userinfo only. A snapshot page gets a made-up visitor."""
    grant = _grant(call)
    if grant.scope != "snsapi_userinfo":
        raise ApiError(48001)
    nickname, avatar = "微信用户", "/static/simulator/avatars/visitor.svg"
    person = call.platform.persons.get(grant.openid)
    if person and not grant.snapshot:
        nickname, avatar = person.nickname, person.avatar
    return {
        "openid": grant.openid,
        "nickname": nickname,
        "sex": 0,
        "language": "",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": f"{call.platform.url}{avatar}" if avatar.startswith("/") else avatar,
        "privilege": [],
    }


@endpoint("/sns/auth", method="GET", auth="none", content_type=PLAIN_TEXT)
def check_oauth_token(call: Call) -> Answer:
    """Whether an OAuth token is still good."""
    _grant(call)
    return {"errcode": 0, "errmsg": "ok"}
