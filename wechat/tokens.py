"""The access token: read from its row, fetched by one process at a time, renewed when the platform refuses it.

Comes in: an account. Goes out: a token for its next call. wechat.credentials has what it shares with the ticket of web pages.
Source: 获取稳定版接口调用凭据, https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
"""

import secrets

from django.conf import settings
from django.db import transaction

from wechat import credentials, leases, transport
from wechat.conf import AccountConfig
from wechat.credentials import NONE, Credential
from wechat.errors import PlatformError

WAIT = 8.0  # seconds to wait for another process's fetch
RENEW_EVERY = 30.0  # seconds between two renewals of a refused token, for each fetch that one took

TOKEN_ROW, EXPIRES_ROW = "public_wechat_accesstoken", "public_wechat_accesstoken_expires"


def get(account: AccountConfig) -> str:
    """A token that is valid now. Raises CallFailed when none can be had."""
    return _TOKEN.get(account)


def renew(account: AccountConfig, refused: str) -> str:
    """Another token than the one the platform just refused. Raises CallFailed when there is none to be had.

    Fetches only if the stored token is still the refused one, and then not again for 30 s, or for 60 s when the platform
    repeated the refused token first: with a wrong secret, or another program that fetches all the time, more would only make
    it worse.
    """
    token = stored(account)
    if token.value == refused and token.fresh:
        _discard(account, refused)
        token = stored(account)  # now without validity, or already another one
        if token.value == refused and token.fresh:
            raise PlatformError(40001, "the token is refused, and it was renewed a moment ago", "access token")
    return _TOKEN.keep(account, token if token.fresh else _TOKEN.fetch_once(account, NONE, refused=refused))


def try_again(account: AccountConfig) -> None:
    """Forget that a fetch failed a moment ago: somebody has just put right what was wrong."""
    _TOKEN.try_again(account)


def stored(account: AccountConfig) -> Credential:
    """The token in the rows; an empty one when there is none, or when it was made unreadable by hand."""
    return _TOKEN.stored(account)


def _discard(account: AccountConfig, refused: str) -> None:
    # One transaction: who finds the lease taken must also find the token discarded, and not a reason to give up.
    with transaction.atomic():
        if leases.claim(f"renewed:{account.id}", secrets.token_hex(8), RENEW_EVERY):
            _TOKEN.store(account, Credential(refused, 0))


def _ask(account: AccountConfig, *, force: bool) -> Credential:
    way = account.get("public_wechat_token_call")
    appid, secret = account.appid, account.get("public_wechat_appsecret")
    body = {"grant_type": "client_credential", "appid": appid, "secret": secret}
    if force:
        leases.extend(f"renewed:{account.id}", 2 * RENEW_EVERY)
    if way == "stable":
        url = f"{settings.WECHAT_API_BASE}/cgi-bin/stable_token"
        answer = transport.call("POST", url, {**body, "force_refresh": force}, account_id=account.id)
    elif way == "post":
        url = f"{settings.WECHAT_API_BASE}/cgi-bin/token"
        answer = transport.call("POST", url, body, account_id=account.id)
    else:
        url = transport.fill(settings.WECHAT_PUBLIC_GET_ACCESS_TOKEN, APPID=appid, APPSECRET=secret)
        answer = transport.call("GET", url, account_id=account.id)
    return credentials.lent(answer.get("access_token"), answer.get("expires_in"), what="access token")


_TOKEN = credentials.Kind("token", "access token", TOKEN_ROW, EXPIRES_ROW, _ask, WAIT)
