"""What must hold after every fault (I1 … I5 and I10), over the whole database and the simulator's journal."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from bench.pushes import fingerprint
from bench.soak.ground import Ground
from bench.stand import SECRET

ENDS = {"sent", "owed", "given_up", "set_aside"}
Facts = dict[str, Any]


def broken(stand: Ground) -> list[str]:
    """Which of them do not hold, in words. Waits until everything has come to its end."""
    stand.wait(lambda: not _under_way(stand.facts()), 70)
    stand.wait(lambda: not stand.spooled(), 20)
    found, pushes = stand.facts(), stand.pushes()
    return [*_stored(found, pushes), *_once(found, stand), *_ended(found), *_tokens(stand), *_secrets(stand)]


def _under_way(found: Facts) -> list[Facts]:
    return [message for message in found["messages"] if message["state"] not in ENDS]


def _stored(found: Facts, pushes: list[Facts]) -> Iterator[str]:
    """I1: what was answered 200 is stored. The apology for what is stored nowhere is no such answer."""
    stored = Counter(push[0] for push in found["pushes"])
    lost = [push for push in pushes if _was_answered(push) and not stored[fingerprint(push["xml"])]]
    if lost:
        yield f"I1: {len(lost)} pushes were answered 200 and are not stored"
    twice = [count for count in stored.values() if count > 1]
    if twice:
        yield f"I2: {len(twice)} pushes are stored more than once"


def _was_answered(push: Facts) -> bool:
    return any(each["status"] == 200 and "系统正忙" not in str(each.get("answer", "")) for each in push["attempts"])


def _once(found: Facts, stand: Ground) -> Iterator[str]:
    """I2: no person got more than what was written for him, but where an outcome stayed unknown."""
    written: Counter[str] = Counter()
    for message in found["messages"]:
        if message["route"] != "passive":
            written[message["openid"]] += 1 + message["unknown_outcomes"]
    got = Counter(entry["openid"] for entry in stand.accepted())
    too_many = {openid: count for openid, count in got.items() if count > written[openid]}
    if too_many:
        yield f"I2: {len(too_many)} people got more than was written for them"


def _ended(found: Facts) -> Iterator[str]:
    """I3: everything ends, and I5: nothing goes out after its window."""
    if waiting := _under_way(found):
        yield f"I3: {len(waiting)} messages have not come to an end"
    if silent := [push for push in found["pushes"] if push[1] == "failed" and not push[3]]:
        yield f"I3: {len(silent)} pushes failed without a reason"
    late = [message for message in found["messages"] if message["sent"] and message["sent"] > message["expires"] + 5]
    if late:
        yield f"I5: {len(late)} messages went out after their window"


def _tokens(stand: Ground) -> Iterator[str]:
    """I4: at most one fetch under way."""
    counters = stand.simulator("counters")
    if counters["fetch_peak"] > 1:
        yield f"I4: {counters['fetch_peak']} token fetches at once"


def _secrets(stand: Ground) -> Iterator[str]:
    """I10: no secret in what the processes printed."""
    printed = stand.printed()
    tokens = [each["ends_with"] for account in stand.simulator("accounts")["accounts"] for each in account["tokens"]]
    if any(secret in printed for secret in (SECRET, *tokens)):
        yield "I10: a secret stands in the log"
