"""Many scans at once, for load tests."""

import time
from concurrent.futures import wait
from typing import Any

from wechat.simulator.accounts import Account, Code
from wechat.simulator.control.routing import Order, OrderError, route
from wechat.simulator.journal import Entry
from wechat.simulator.phone import Phone
from wechat.simulator.pushes import Copies, Push

MOST_SCANS = 50_000
LONGEST = 600  # seconds that the answer may take


@route("POST", "/scans")
def scan_many(order: Order) -> Any:
    """Scan `scenes` or `tickets` by `openids` or by `persons` new ones.

    `pair`: each with each (product) or in turn (zip). `rate`: scans a second (0: as fast as possible), each in `copies`
    (`fresh`: each copy signed anew). New persons follow already unless `follows` is false; then their scan makes them
    follow. Answers when all pushes have ended.
    """
    account = order.account()
    codes = _codes(order, account)
    openids = _openids(order, account)
    pairs = _pairs(codes, openids, str(order.body.get("pair", "zip")))
    if len(pairs) > MOST_SCANS:
        raise OrderError(f"at most {MOST_SCANS} scans")
    copies = Copies(count=int(order.body.get("copies", 1)), fresh=bool(order.body.get("fresh", False)))
    started = time.monotonic()
    pushes = _run(order.phone, pairs, rate=float(order.body.get("rate", 0)), copies=copies)
    wait([push.done for push in pushes], timeout=LONGEST)
    seconds = time.monotonic() - started
    return {
        "scans": len(pairs),
        "seconds": round(seconds, 2),
        "openids": openids,
        **_summary([push.entry for push in pushes]),
    }


def _codes(order: Order, account: Account) -> list[Code]:
    scenes, tickets = order.body.get("scenes", []), order.body.get("tickets", [])
    codes = [order.phone.code(account, scene=str(scene)) for scene in scenes]
    codes += [order.phone.code(account, ticket=str(ticket)) for ticket in tickets]
    if not codes:
        raise OrderError("give scenes or tickets")
    return codes


def _openids(order: Order, account: Account) -> list[str]:
    follows = bool(order.body.get("follows", True))
    platform = order.platform
    with platform.lock:
        openids = [str(openid) for openid in order.body.get("openids", [])]
        for openid in openids:
            if openid not in platform.persons:
                platform.add_person(account, openid=openid, follows=follows)
        new = int(order.body.get("persons", 0 if openids else 1))
        return openids + [platform.add_person(account, follows=follows).openid for _ in range(new)]


def _pairs(codes: list[Code], openids: list[str], pair: str) -> list[tuple[Code, str]]:
    if pair == "product":
        return [(code, openid) for code in codes for openid in openids]
    longer = max(len(codes), len(openids))
    return [(codes[number % len(codes)], openids[number % len(openids)]) for number in range(longer)]


def _run(phone: Phone, pairs: list[tuple[Code, str]], *, rate: float, copies: Copies) -> list[Push]:
    """Start all scans at the given rate. Expired codes cause no push."""
    started = time.monotonic()
    pushes = []
    for number, (code, openid) in enumerate(pairs):
        if rate:
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
        push = phone.scan(openid, code, follow=True, copies=copies).push
        if push:
            pushes.append(push)
    return pushes


def _summary(entries: list[Entry]) -> dict[str, Any]:
    outcomes: dict[str, int] = {}
    for entry in entries:
        outcomes[entry["outcome"]] = outcomes.get(entry["outcome"], 0) + 1
    attempts = [attempt for entry in entries for attempt in entry["attempts"]]
    times = sorted(attempt["ms"] for attempt in attempts) or [0.0]
    return {
        "pushes": len(entries),
        "deliveries": len(attempts),
        "outcomes": outcomes,
        "not_200": sum(attempt["status"] != 200 for attempt in attempts),
        "ms": {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "max": times[-1]},
    }
