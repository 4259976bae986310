"""The one function that calls the platform. Comes in: a method, an address, a body. Goes out: the answer's JSON object.

HTTP 200 says nothing here: success is an errcode of 0 or none. Bodies go out as UTF-8 with real characters (`json=` of
requests escapes them, which the platform refuses) and are decoded by us (`.json()` guesses the charset wrong).
"""

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from wechat import calls
from wechat.errors import PlatformError, Unreachable

CONNECT_SECONDS = 2.0
WHOLE_SECONDS = 5.0
UPLOAD_SECONDS = 30.0
ANSWER_BYTES = 1_000_000
CONNECTIONS = 64

ERRMSG_LENGTH = 1000  # characters; the longest known has some 200
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")  # no database takes all of these
_local = threading.local()

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload. The platform wants a name of ASCII characters; `form` are further form fields."""

    name: str
    content: bytes
    content_type: str
    form: Mapping[str, str] = field(default_factory=dict)


def fill(url: str, **values: str) -> str:
    """`url` with its `##NAME##` placeholders replaced, percent-encoded. Raises ValueError if one is left."""
    for name, value in values.items():
        url = url.replace(f"##{name}##", quote(value, safe=""))
    if "##" in url:
        raise ValueError(f"an address still holds a placeholder: {urlsplit(url).path}")
    return url


def call(method: str, url: str, body: Mapping[str, Any] | None = None, *, account_id: int | None = None) -> Json:
    """Call the platform once: connect within 2 s, everything within 5 s, answers up to 1 MB, no redirects.

    Raises PlatformError for an errcode, Unreachable for everything that is not an answer. The call is logged (wechat.calls)
    under `account_id`, or under the account of the `calls.made_for` around it.
    """
    data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    content = {"data": data, "headers": {"Content-Type": "application/json; charset=utf-8"}}
    return _call(method, url, content, WHOLE_SECONDS, account_id)


def upload(url: str, file: File, *, account_id: int | None = None) -> Json:
    """POST a file as the form field `media`; everything within 30 s, otherwise as `call`."""
    files = {"media": (file.name, file.content, file.content_type)}
    return _call("POST", url, {"files": files, "data": dict(file.form)}, UPLOAD_SECONDS, account_id)


def _call(method: str, url: str, content: Mapping[str, Any], seconds: float, account_id: int | None) -> Json:
    endpoint = urlsplit(url).path
    with calls.noted(method, endpoint, account_id):
        answer = _decode(_exchange(method, url, content, endpoint, seconds=seconds), endpoint)
        if code := _errcode(answer, endpoint):
            raise PlatformError(code, _errmsg(answer), endpoint)
    return answer


def _exchange(method: str, url: str, content: Mapping[str, Any], endpoint: str, *, seconds: float) -> bytes:
    deadline = time.monotonic() + seconds
    try:
        with _session().request(
            method,
            url,
            **content,
            timeout=(CONNECT_SECONDS, seconds - 0.1),
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
                raise Unreachable(endpoint, "no whole answer in time", outcome_unknown=True)
            _wait_until(response, deadline)
    except (TimeoutError, ReadTimeoutError):
        raise Unreachable(endpoint, "no whole answer in time", outcome_unknown=True) from None
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
        code = int(answer.get("errcode") or 0)
    except (TypeError, ValueError, OverflowError):
        raise Unreachable(endpoint, "the errcode is not a number") from None
    if not -(2**31) <= code < 2**31:
        raise Unreachable(endpoint, "the errcode is out of range")
    return code


def _errmsg(answer: Json) -> str:
    """The text of a refusal on one line, fit for a row and a log. The rid stands at its end."""
    text = _ODD.sub(" ", str(answer.get("errmsg", "")))
    return text if len(text) <= ERRMSG_LENGTH else f"{text[: ERRMSG_LENGTH - 100]} … {text[-100:]}"


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
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the secure connection failed"
    if "NameResolutionError" in str(error):
        return "the host name was not found"
    return "the connection was refused" if _never_sent(error) else f"the connection broke ({type(error).__name__})"
