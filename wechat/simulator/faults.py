"""Misbehaviour on command: which fault the next calls of a path, or the next pushes of an event, meet.

A fault is data; `calls_faulty` acts out those of calls, `pushes` those of pushes.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

CALL_KINDS = {
    "errcode": "answers `errcode` (and `errmsg`, by default the observed wording)",
    "status": "answers HTTP `status` with an HTML page",
    "html": "answers 200 with an HTML page",
    "empty": "answers 200 with an empty body",
    "cut": "answers JSON that breaks off in the middle",
    "list": "answers a JSON list",
    "bytes": "answers bytes that are not UTF-8",
    "huge": "answers `size` bytes (default 50 MB)",
    "redirect": "answers 302 to `location` (default another host name of the simulator)",
    "slow": "waits `seconds`, then goes on as usual",
    "hang": "says nothing for `seconds`, then closes",
    "close": "closes the connection without reading the body",
    "lost": "does what was asked, then closes without an answer",
    "down": "as close, for whatever is called",
    "token": "a token answer with odd `expires_in` (any JSON; `absent` leaves it out) or `length` characters of token",
}
PUSH_KINDS = {
    "copies": "sends every push `count` times at once, with one query, or `fresh`ly signed ones",
    "late": "sends `seconds` late",
    "swap": "holds the push back until the next one has gone (at most `seconds`)",
    "drop": "never arrives",
    "signature": "carries a wrong signature",
    "timestamp": "carries a timestamp `seconds` old",
}
WITH_EFFECT = frozenset(
    {"status", "html", "empty", "cut", "list", "bytes", "huge", "hang", "close", "slow", "errcode", "redirect"}
)
# What `seconds` means when it is left out.
SECONDS = {"slow": 5.0, "hang": 60.0, "late": 5.0, "swap": 10.0, "timestamp": 900.0}
HUGE = 50 * 1024 * 1024


@dataclass
class Fault:
    """One order to misbehave.

    `match` is a path of the API or, for pushes, an event or message type; a trailing `*` stands for any ending.
    `remaining` counts down (None: until cleared). `effect`: the call is carried out before its answer goes wrong.
    """

    kind: str
    scope: str = "call"
    match: str = "*"
    remaining: int | None = None
    appid: str | None = None
    effect: bool = False
    errcode: int = -1
    errmsg: str | None = None
    status: int = 502
    seconds: float | None = None
    size: int = HUGE
    location: str | None = None
    count: int = 2
    fresh: bool = False
    expires_in: Any = None
    length: int | None = None
    id: int = 0

    def __post_init__(self) -> None:
        kinds = {"call": CALL_KINDS, "push": PUSH_KINDS}.get(self.scope)
        if kinds is None:
            raise ValueError("scope is call or push")
        if self.kind not in kinds:
            raise ValueError(f"kind is one of {', '.join(kinds)}")
        if self.kind == "lost":
            self.kind, self.effect = "close", True
        if self.effect and self.kind not in WITH_EFFECT:
            raise ValueError(f"{self.kind} cannot take effect first")

    @property
    def wait(self) -> float:
        """The seconds ordered, or what is usual for this kind."""
        return SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def concerns(self, scope: str, name: str, appid_of: Callable[[], str | None]) -> bool:
        """Whether this fault is meant for `name` (a path, or an event); the account is asked for only if it matters."""
        if scope != self.scope or self.remaining == 0:
            return False
        match, name = self.match.lower(), name.lower()
        meant = name.startswith(match[:-1]) if match.endswith("*") else name == match
        return meant and (self.appid is None or self.appid == appid_of())


class FaultBoard:
    """The faults in force, oldest first. The caller holds the platform's lock."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._ids = 0

    def set(self, **order: Any) -> Fault:
        """Add a fault. Raises ValueError for an unknown kind or field."""
        unknown = set(order) - {item.name for item in fields(Fault)}
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        fault = Fault(**order)
        self._ids += 1
        fault.id = self._ids
        self.active.append(fault)
        return fault

    def take(self, scope: str, name: str, appid_of: Callable[[], str | None]) -> Fault | None:
        """The first fault that concerns this call or push; it counts as used once."""
        for fault in self.active:
            if not fault.concerns(scope, name, appid_of):
                continue
            if fault.remaining is not None:
                fault.remaining -= 1
                if not fault.remaining:
                    self.active.remove(fault)
            return fault
        return None

    def clear(self, fault_id: int | None = None) -> int:
        """Lift one fault, or all of them. Returns how many there were."""
        before = len(self.active)
        self.active = [fault for fault in self.active if fault_id not in (None, fault.id)]
        return before - len(self.active)

    def as_json(self) -> list[dict[str, Any]]:
        """The faults in force."""
        return [asdict(fault) for fault in self.active]
