"""The platform's return codes, and what becomes of a call after one. Data: errcodes.json (全局返回码).

What staff read about them stands in wechat.explanations.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

_RID = re.compile(r"rid:\s*([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})")

TOKEN_ENDPOINTS = frozenset({"/cgi-bin/token", "/cgi-bin/stable_token", "access token"})
TOKEN_REFUSED = frozenset({40001, 40014, 42001})

# Business outcomes of a customer-service message: the window closed, or its messages are used up. Not errors of ours.
_NO_WINDOW = frozenset({45015, 45047})
# This person cannot be written to: gone, blocked, refused, or never known here.
_THIS_PERSON = frozenset({40003, 43004, 43019, 46004, 48002, 49003, 50002, 50005, 70000})
# Nobody can be written to until a quota turns or somebody acts in the platform's console.
_QUOTA = frozenset({45009, 45011, 45040, 45093, 45104})
_CONFIRMATION = frozenset(range(89501, 89508))
_BLOCKED = frozenset({45035, 45102, 45501, 48001, 48004, 50004, 50007, 61004})
_CREDENTIALS = frozenset({40013, 40125, 40164, 40243, 41002, 41004})
_WHOLE_CHANNEL = TOKEN_REFUSED | _QUOTA | _CONFIRMATION | _BLOCKED | _CREDENTIALS
LEFT = frozenset({43004, 50005})
# Seconds for which the administrator has shut out our address: to ask sooner only makes it worse.
SHUT_OUT: Mapping[int, float] = {89506: 86_400.0, 89507: 3_600.0}


class Fate(Enum):
    """What becomes of a message after a return code."""

    REPEAT = "repeat"
    OWE = "owe"
    GIVE_UP = "give up"
    PAUSE = "pause"
    SET_ASIDE = "set aside"


@dataclass(frozen=True)
class Meaning:
    """One entry of the dictionary of return codes, in words for staff."""

    code: int
    zh: str
    en: str
    remedy: str
    retryable: str


class CallFailed(Exception):
    """A call to the platform that brought no result. `may_repeat` says whether trying again can help by itself."""

    may_repeat = True


class PlatformError(CallFailed):
    """The platform refused: it answered with an errcode."""

    def __init__(self, code: int, errmsg: str, endpoint: str) -> None:
        super().__init__(f"{endpoint}: {code} {errmsg}")
        self.code = code
        self.errmsg = errmsg
        self.endpoint = endpoint
        self.rid = rid_in(errmsg)
        self.may_repeat = fate_of(code) is Fate.REPEAT
        self.of_token = endpoint in TOKEN_ENDPOINTS


class Unreachable(CallFailed):
    """No usable answer. `outcome_unknown`: the request went out and the connection was lost, so it may have worked."""

    def __init__(self, endpoint: str, reason: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(f"{endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason
        self.outcome_unknown = outcome_unknown


def rid_in(errmsg: str) -> str:
    """The platform's request id, which ends the text of every refusal; empty when there is none."""
    found = _RID.search(errmsg)
    return found[1] if found else ""


@cache
def meanings() -> Mapping[int, Meaning]:
    """All known return codes."""
    entries = json.loads((Path(__file__).parent / "errcodes.json").read_text("utf-8"))["codes"]
    names = ("code", "zh", "en", "remedy", "retryable")
    return {entry["code"]: Meaning(**{name: entry[name] for name in names}) for entry in entries}


def fate_of(code: int) -> Fate:
    """What to do with a message that was refused with `code`. A code nobody knows is repeated by the caller once."""
    if code in _NO_WINDOW:
        return Fate.OWE
    if code in _THIS_PERSON:
        return Fate.GIVE_UP
    if code in _WHOLE_CHANNEL:
        return Fate.PAUSE
    known = meanings().get(code)
    return Fate.REPEAT if known and known.retryable == "backoff" else Fate.SET_ASIDE


def is_known(code: int) -> bool:
    """Whether the dictionary has this code."""
    return code in meanings()
