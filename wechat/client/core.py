"""What all endpoints share: a token on every call, and one renewal of a refused one.

All raise PlatformError for a return code and Unreachable when no usable answer came.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from wechat import calls, tokens, transport
from wechat.conf import AccountConfig
from wechat.errors import TOKEN_REFUSED, PlatformError
from wechat.transport import File, Json


def get(account: AccountConfig, path: str, **params: str) -> Json:
    """GET `path` of the API with `params`."""
    url = _url(path, params)
    return with_token(account, lambda token: transport.call("GET", transport.fill(url, TOKEN=token)))


def post(account: AccountConfig, path: str, body: Mapping[str, Any], **params: str) -> Json:
    """POST `body` as JSON to `path` of the API."""
    url = _url(path, params)
    return with_token(account, lambda token: transport.call("POST", transport.fill(url, TOKEN=token), body))


def upload(account: AccountConfig, path: str, file: File, **params: str) -> Json:
    """POST a file as the form field `media` to `path` of the API."""
    url = _url(path, params)
    return with_token(account, lambda token: transport.upload(transport.fill(url, TOKEN=token), file))


def with_token(account: AccountConfig, call: Callable[[str], Json]) -> Json:
    """`call` with the account's token; a refused one is renewed once."""
    token = tokens.get(account)
    try:
        with calls.made_for(account.id):
            return call(token)
    except PlatformError as error:
        if error.code not in TOKEN_REFUSED:
            raise
    token = tokens.renew(account, token)
    with calls.made_for(account.id, attempt=2):
        return call(token)


def _url(path: str, params: Mapping[str, str]) -> str:
    query = f"&{urlencode(params)}" if params else ""
    return f"{settings.WECHAT_API_BASE}{path}?access_token=##TOKEN##{query}"
