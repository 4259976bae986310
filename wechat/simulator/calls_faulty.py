"""Acts out what the fault board ordered for a call: broken answers, slow ones, none at all.

In: the fault, and the proper answer if the call took effect. Out: a Response, or HangupError when there shall be none.
"""

import time
from collections.abc import Callable, Iterator

from werkzeug import Response

from wechat.simulator.faults import Fault

_PAGE = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
    "<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_CHUNK = b" " * 65536
_TITLES = {500: "500 Internal Server Error", 502: "502 Bad Gateway", 503: "503 Service Unavailable"}


class HangupError(Exception):
    """Close the connection without an answer."""


def _status(fault: Fault, proper: Response) -> Response:
    title = _TITLES.get(fault.status, f"{fault.status} Error")
    return Response(_PAGE.format(title=title), status=fault.status, content_type="text/html")


def _html(fault: Fault, proper: Response) -> Response:
    return Response(_PAGE.format(title="Welcome"), content_type="text/html")


def _empty(fault: Fault, proper: Response) -> Response:
    return Response(b"", content_type=proper.content_type)


def _cut(fault: Fault, proper: Response) -> Response:
    body = proper.get_data()
    return Response(body[: len(body) // 2], content_type=proper.content_type)


def _list(fault: Fault, proper: Response) -> Response:
    return Response(b'["errcode",0]', content_type=proper.content_type)


def _bytes(fault: Fault, proper: Response) -> Response:
    return Response(b'{"errcode":0,"errmsg":"\xc4\xe3\xff\xfe\x80"}', content_type=proper.content_type)


def _huge(fault: Fault, proper: Response) -> Response:
    response = Response(_spaces(fault.size), content_type=proper.content_type)
    response.content_length = fault.size
    return response


def _spaces(size: int) -> Iterator[bytes]:
    while size > 0:
        yield _CHUNK[:size]
        size -= len(_CHUNK)


def _redirect(fault: Fault, proper: Response) -> Response:
    return Response(b"", status=302, headers={"Location": fault.location or ""})


def _hang(fault: Fault, proper: Response) -> Response:
    time.sleep(fault.wait)
    raise HangupError


def _close(fault: Fault, proper: Response) -> Response:
    raise HangupError


def _slow(fault: Fault, proper: Response) -> Response:
    time.sleep(fault.wait)
    return proper


def _proper(fault: Fault, proper: Response) -> Response:
    return proper


_ACTS: dict[str, Callable[[Fault, Response], Response]] = {
    "status": _status,
    "html": _html,
    "empty": _empty,
    "cut": _cut,
    "list": _list,
    "bytes": _bytes,
    "huge": _huge,
    "redirect": _redirect,
    "hang": _hang,
    "close": _close,
    "slow": _slow,
    "errcode": _proper,
    "token": _proper,
}


def closes_unread(fault: Fault | None) -> bool:
    """Whether the connection closes before the body is read."""
    return fault is not None and (fault.kind == "down" or (fault.kind == "close" and not fault.effect))


def act_out(fault: Fault, proper: Response) -> Response:
    """The answer as `fault` spoils it. `proper` is the real answer, or a stand-in when the call did not take effect."""
    return _ACTS[fault.kind](fault, proper)
