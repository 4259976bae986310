"""The one function that calls the platform. Comes in: a method, an address, a body. Goes out: the answer's JSON object.

HTTP 200 says nothing here: success is an errcode of 0 or none. Bodies go out as UTF-8 with real characters (`json=` of
requests escapes them, which the platform refuses) and are decoded by us (`.json()` guesses the charset wrong).
"""

import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from wechat.errors import PlatformError, Unreachable

CONNECT_SECONDS = 2.0
WHOLE_SECONDS = 5.0
ANSWER_BYTES = 1_000_000
CONNECTIONS = 64

logger = logging.getLogger(__name__)
_local = threading.local()

Json = dict[str, Any]


def fill(url: str, **values: str) -> str:
    """`url` with its `##NAME##` placeholders replaced, percent-encoded. Raises ValueError if one is left."""
    for name, value in values.items():
        url = url.replace(f"##{name}##", quote(value, safe=""))
    if "##" in url:
        raise ValueError(f"an address still holds a placeholder: {urlsplit(url).path}")
    return url


def call(method: str, url: str, body: Mapping[str, Any] | None = None) -> Json:
    """Call the platform once: connect within 2 s, everything within 5 s, answers up to 1 MB, no redirects.

    Raises PlatformError for an errcode, Unreachable for everything that is not an answer.
    """
    endpoint = urlsplit(url).path
    started = time.monotonic()
    content = _exchange(method, url, body, endpoint, deadline=started + WHOLE_SECONDS)
    answer = _decode(content, endpoint)
    code = _errcode(answer, endpoint)
    logger.debug("%s %s in %d ms", endpoint, code, (time.monotonic() - started) * 1000)
    if code:
        raise PlatformError(code, str(answer.get("errmsg", "")), endpoint)
    return answer


def _exchange(method: str, url: str, body: Mapping[str, Any] | None, endpoint: str, *, deadline: float) -> bytes:
    data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        with _session().request(
            method,
            url,
            data=data,
            headers={"Content-Type": "application/json; charset=utf-8"},
            timeout=(CONNECT_SECONDS, WHOLE_SECONDS - 0.1),
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code != 200:
                raise Unreachable(endpoint, f"HTTP {response.status_code}")
            return _read(response, endpoint, deadline)
    except requests.exceptions.ConnectTimeout:
        raise Unreachable(endpoint, "no connection within 2 s") from None
    except requests.exceptions.RequestException as error:
        raise Unreachable(endpoint, _reason(error), outcome_unknown=not _never_sent(error)) from None


def _read(response: requests.Response, endpoint: str, deadline: float) -> bytes:
    content = bytearray()
    try:
        _wait_until(response, deadline)
        while chunk := response.raw.read1(65_536, decode_content=True):
            content += chunk
            if len(content) > ANSWER_BYTES:
                raise Unreachable(endpoint, "the answer is larger than 1 MB")
            if time.monotonic() > deadline:
                raise Unreachable(endpoint, "no whole answer within 5 s", outcome_unknown=True)
            _wait_until(response, deadline)
    except (TimeoutError, ReadTimeoutError):
        raise Unreachable(endpoint, "no whole answer within 5 s", outcome_unknown=True) from None
    except (OSError, HTTPError):
        raise Unreachable(endpoint, "the connection broke in the answer", outcome_unknown=True) from None
    return bytes(content)


def _wait_until(response: requests.Response, deadline: float) -> None:
    """Let the next read end at the deadline: a time limit of requests is one for each read, not for the whole answer."""
    connection = response.raw.connection
    if connection is not None and connection.sock is not None:
        connection.sock.settimeout(max(0.05, deadline - time.monotonic()))


def _decode(content: bytes, endpoint: str) -> Json:
    try:
        # Nicknames may hold raw control characters, hence strict=False.
        answer = json.loads(content.decode("utf-8"), strict=False)
    except (ValueError, RecursionError):
        raise Unreachable(endpoint, "the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise Unreachable(endpoint, "the answer is not a JSON object")
    return answer


def _errcode(answer: Json, endpoint: str) -> int:
    try:
        return int(answer.get("errcode") or 0)
    except (TypeError, ValueError, OverflowError):
        raise Unreachable(endpoint, "the errcode is not a number") from None


def _session() -> requests.Session:
    """One kept-alive session per thread: requests does not promise that a session may be shared."""
    session: requests.Session | None = getattr(_local, "session", None)
    if session is None:
        session = _local.session = requests.Session()
        session.trust_env = False  # neither a proxy nor a .netrc of the machine sees our tokens
        session.verify = True
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    return session


def _never_sent(error: requests.exceptions.RequestException) -> bool:
    """Whether the connection failed before the request was written: then repeating it is safe."""
    cause = str(error)
    return isinstance(error, requests.exceptions.SSLError) or (
        isinstance(error, requests.exceptions.ConnectionError)
        and ("NewConnectionError" in cause or "NameResolutionError" in cause or "Connection refused" in cause)
    )


def _reason(error: requests.exceptions.RequestException) -> str:
    """The kind of failure, without the address: it holds the token."""
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer within 5 s"
    return "the connection was refused" if _never_sent(error) else f"the connection broke ({type(error).__name__})"
