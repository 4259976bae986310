"""The real processes under bursts, kills and an API that is down; then the simulator's journal and the outbox are counted.

    .venv/bin/python -m bench.soak [burst] [kills] [outage] [long] [--database postgres://…/postgres]

`long` takes six minutes. Prints one line per scenario; exit status 1 when an expectation did not hold.
"""

import argparse
import sys
import threading
import time
from collections import Counter
from contextlib import nullcontext

from bench.stand import Stand, fresh_postgres

SEND = "/cgi-bin/message/custom/send"


def burst(stand: Stand) -> tuple[bool, str]:
    """500 different scans, each three times at once, in 10 s: 500 cards, one each."""
    scenes = range(1000, 1500)
    stand.orders(scenes)
    told = stand.simulator(
        "scans", {"scenes": [*map(str, scenes)], "persons": 500, "copies": 3, "rate": 50, "follows": True}
    )
    stand.wait(lambda: stand.simulator("counters")["messages"] >= 500, 30)
    time.sleep(2)
    each = _cards(stand)
    ms = told["ms"]
    held = len(each) == 500 and set(each.values()) == {1} and not told["not_200"]
    return (
        held,
        f"{len(each)} of 500 got a card, at most {max(each.values())} each; p50 {ms['p50']} ms, p99 {ms['p99']} ms",
    )


def kills(stand: Stand) -> tuple[bool, str]:
    """kill -9 of the worker ten times in 300 sends: none missing; a repeat only where the outcome was unknown, and marked."""
    scenes = range(2000, 2300)
    stand.orders(scenes)
    stand.simulator("faults", {"path": SEND, "kind": "slow", "seconds": 0.3})
    scans = {"scenes": [*map(str, scenes)], "persons": 300, "rate": 20, "follows": True}
    driving = threading.Thread(target=stand.simulator, args=("scans", scans))
    driving.start()
    for _ in range(10):
        time.sleep(1.3)
        stand.kill("worker")
        time.sleep(0.1)
        stand.start_worker()
    driving.join()
    stand.wait(lambda: stand.outbox().get("sent", 0) + stand.outbox().get("given_up", 0) >= 300, 60)
    each, outbox = _cards(stand), stand.outbox()
    twice = sum(count > 1 for count in each.values())
    passive = outbox["passive"]
    held = len(each) + passive >= 300 and max(each.values()) <= 2 and twice <= outbox["unknown"]
    return (
        held,
        f"{len(each)} by API and {passive} passively of 300; {twice} twice, {outbox['unknown']} marked; {outbox}",
    )


def outage(stand: Stand) -> tuple[bool, str]:
    """The API down for 30 s under scans: every card inside its minute."""
    return _down(stand, range(3000, 3060), seconds=30, rate=2)


def long(stand: Stand) -> tuple[bool, str]:
    """Down for 5 minutes: none late, all owed or given passively; the owed ones go out at the next contact."""
    held, figures = _down(stand, range(4000, 4060), seconds=300, rate=2)
    owing = stand.outbox().get("owed", 0)
    for person in stand.simulator("persons")["persons"]:
        stand.simulator("actions/text", {"openid": person["openid"], "text": "你好"})
    stand.wait(lambda: not stand.outbox().get("owed", 0), 30)
    time.sleep(3)
    left = stand.outbox().get("owed", 0)
    return held and not left, f"{figures}; then {owing} owed, {left} left after everybody wrote"


def _down(stand: Stand, scenes: range, *, seconds: float, rate: float) -> tuple[bool, str]:
    stand.orders(scenes)
    stand.simulator("faults", {"path": "/cgi-bin/*", "kind": "down"})
    started = time.monotonic()
    stand.simulator("scans", {"scenes": [*map(str, scenes)], "persons": len(scenes), "rate": rate, "follows": True})
    time.sleep(max(0.0, seconds - (time.monotonic() - started)))
    stand.simulator("faults", method="DELETE")
    stand.wait(lambda: not {"waiting", "sending"} & stand.outbox().keys(), 60)
    outbox, each = stand.outbox(), _cards(stand)
    late = _late(stand)
    reached = len(each) + outbox["passive"] + outbox.get("owed", 0)
    held = reached == len(scenes) and not late and set(each.values()) <= {1}
    figures = f"{len(each)} by API, {outbox['passive']} passively, {outbox.get('owed', 0)} owed of {len(scenes)}"
    return held, f"{figures}; {late} late"


def _cards(stand: Stand) -> Counter[str]:
    entries = stand.simulator("messages?limit=100000")["entries"]
    return Counter(entry["openid"] for entry in entries if entry["message"]["msgtype"] == "news")


def _late(stand: Stand) -> int:
    """Cards that went out more than a minute after their scan."""
    pushed = {entry["openid"]: entry["time"] for entry in stand.simulator("journal?kind=push&limit=100000")["entries"]}
    entries = stand.simulator("messages?limit=100000")["entries"]
    return sum(entry["time"] - pushed.get(entry["openid"], entry["time"]) > 60 for entry in entries)


SCENARIOS = {scenario.__name__: scenario for scenario in (burst, kills, outage, long)}


def main() -> int:
    """Run the scenarios, each on a stand of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help=f"of: {', '.join(SCENARIOS)}; default: all but long")
    parser.add_argument("--database", help="a PostgreSQL server, postgres://…/postgres; default: SQLite")
    options = parser.parse_args()
    failed = False
    for name in options.scenarios or ["burst", "kills", "outage"]:
        with (
            fresh_postgres(options.database) if options.database else nullcontext("") as database,
            Stand(database) as stand,
        ):
            held, figures = SCENARIOS[name](stand)
        failed |= not held
        print(
            f"{'holds ' if held else 'BROKEN'} {name:7} {SCENARIOS[name].__doc__}\n               {figures}", flush=True
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
