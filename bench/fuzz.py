"""Sends whatever a stranger, and a member of staff, could send to every address of the site: no answer may be a 5xx.

`python -m bench.fuzz --minutes 30 --seed 7` runs on a database of its own in a temporary folder, without a network, and prints
every request that was answered with a server error. The tests run a few seconds of the same (tests/test_d5_site.py).
"""

import argparse
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ODD = (
    "", "0", "-1", "1", "9" * 40, "1e999", "NaN", "true", "null", "[]", "{}", "%", "%00", "\x00", "\ud800", "é", "中文", "😀",
    "'", '"', "<script>", "../../etc/passwd", "..\\x", "//evil.example", "javascript:alert(1)", "{{7*7}}", "##TOKEN##",
    "a" * 5000, " ", "\r\nSet-Cookie: x=1", "2026-13-45", "0000-00-00", "10000-01-01T00:00", "demo", "wxhub", "=1+1", "\u202e",
)  # fmt: skip
NAMES = (
    "q", "p", "o", "e", "all", "next", "format", "account", "id", "page", "state__exact", "account__id__exact", "pk__in",
    "received_at__gte", "action", "_selected_action", "code", "state", "signature", "timestamp", "nonce", "echostr", "openid",
    "room_area", "total_money", "orderid", "plan", "c", "lang", "from", "to", "days", "part", "do", "name", "text", "kind",
    "username", "password", "csrfmiddlewaretoken", "_popup", "_to_field", "app_label", "model_name", "field_name", "term",
)  # fmt: skip
TYPES = (
    "", "text/xml", "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain; charset=utf-7",
    "multipart/form-data; boundary=x", "application/json; charset=rot13", ";=;", "image/png", "application/octet-stream",
)  # fmt: skip
METHODS = ("GET",) * 6 + ("POST",) * 6 + ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE")
HEADERS = (
    "Accept", "Accept-Language", "Authorization", "Cookie", "Referer", "Origin", "X-Forwarded-For", "X-Requested-With",
    "If-Modified-Since", "If-None-Match", "Range", "HX-Request", "Sec-Fetch-Mode", "User-Agent", "Accept-Encoding",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request, as a werkzeug client makes it."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    """What came of a run: answers by status, and the requests that were answered with a server error."""

    statuses: Counter[int] = field(default_factory=Counter)
    failed: list[Request] = field(default_factory=list)
    slowest: float = 0.0


def requests(routes: Sequence[str], seed: int) -> Iterator[Request]:
    """Requests without end, the same for the same seed. `routes` are addresses whose parameters are `x`, `1` or `demo`."""
    dice = random.Random(seed)
    while True:
        yield _one(dice, dice.choice(routes))


def run(ask: Callable[[Request], int], wanted: Iterator[Request], *, seconds: float) -> Outcome:
    """Ask for that long. `ask` answers with the status; what it raises counts as a 500."""
    outcome, ends = Outcome(), time.monotonic() + seconds
    for request in wanted:
        started = time.monotonic()
        if started > ends:
            return outcome
        try:
            status = ask(request)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            status = 500
        outcome.slowest = max(outcome.slowest, time.monotonic() - started)
        outcome.statuses[status] += 1
        if status >= 500:
            outcome.failed.append(request)
    return outcome


def _one(dice: random.Random, route: str) -> Request:
    path = re.sub(r"(?<=/)(?:x|1|demo)(?=/|$)", lambda kept: _part(dice, kept[0]), route)
    query = "&".join(f"{_name(dice)}={_value(dice)}" for _each in range(dice.choice((0, 0, 1, 2, 5))))
    options: dict[str, Any] = {"query_string": query.encode("utf-8", "surrogatepass").decode("latin-1")}
    method = dice.choice(METHODS)
    if method in ("POST", "PUT", "PATCH"):
        options |= {"data": _body(dice), "content_type": dice.choice(TYPES)}
    options["headers"] = {name: _header(dice) for name in dice.sample(HEADERS, dice.choice((0, 0, 1, 3)))}
    return Request(method, path, options)


def _part(dice: random.Random, kept: str) -> str:
    odd = dice.choice(ODD)[:200].encode("utf-8", "surrogatepass").decode("latin-1")
    return kept if dice.random() < 0.6 else re.sub(r"[?#\r\n]", "", odd) or kept


def _name(dice: random.Random) -> str:
    return dice.choice(NAMES) if dice.random() < 0.9 else _value(dice)


def _value(dice: random.Random) -> str:
    return re.sub(r"[#\r\n ]", "+", dice.choice(ODD))


def _header(dice: random.Random) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", dice.choice((*ODD, "Api-Key x.y", "sessionid=x", "bytes=0-", "zh-hans", "*/*")))


def _body(dice: random.Random) -> bytes:
    choice = dice.randrange(5)
    if choice == 0:
        return dice.randbytes(dice.choice((0, 1, 200, 5000)))
    if choice == 1:
        return ("[" * dice.choice((1, 50, 5000))).encode()
    if choice == 2:
        return f'{{"{dice.choice(NAMES)}": "{_value(dice)}"}}'.encode("utf-8", "surrogatepass")
    if choice == 3:
        return f"<xml><FromUserName>{_value(dice)}</FromUserName></xml>".encode("utf-8", "surrogatepass")
    return "&".join(f"{_name(dice)}={_value(dice)}" for _each in range(8)).encode("utf-8", "surrogatepass")


def main() -> int:
    """Exit status 1 when an address answered with a server error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wxhub-fuzz-") as folder:
        outcome = _on_a_site_of_its_own(Path(folder), options.minutes * 60, options.seed)
    print(
        f"{outcome.statuses.total()} requests, slowest {outcome.slowest:.2f} s: {dict(sorted(outcome.statuses.items()))}"
    )
    for request in outcome.failed[:20]:
        print(request)
    return 1 if outcome.failed else 0


def _on_a_site_of_its_own(folder: Path, seconds: float, seed: int) -> Outcome:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "wxhub.settings",
        "DEBUG": "true",
        "DATABASE_URL": f"sqlite:///{folder / 'fuzz.sqlite3'}",
        "MEDIA_ROOT": str(folder / "media"),
        "SPOOL_DIR": str(folder / "spool"),
        "PUBLIC_URL": "http://127.0.0.1:8000",
        **{f"WECHAT_{name}_BASE": "http://127.0.0.1:9" for name in ("API", "MP", "OPEN")},
    }
    # Only now: Django reads the environment when it is imported.
    from bench.fuzz_site import prepare

    ask, routes = prepare()
    return run(ask, requests(routes, seed), seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
