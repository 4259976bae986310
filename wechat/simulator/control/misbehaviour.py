"""Control of faults, and of how long calls take."""

from dataclasses import asdict
from typing import Any

from wechat.simulator.control.routing import Order, route
from wechat.simulator.faults import CALL_KINDS, PUSH_KINDS


@route("GET", "/faults")
def list_faults(order: Order) -> Any:
    """The faults in force, and the kinds there are."""
    with order.platform.lock:
        return {"faults": order.platform.faults.as_json(), "kinds": {"call": CALL_KINDS, "push": PUSH_KINDS}}


@route("POST", "/faults")
def set_fault(order: Order) -> Any:
    """A fault for the next `calls` (left out: until cleared) of `path`, or the next `pushes` of `event`."""
    wish = dict(order.body)
    if "path" in wish:
        wish |= {"scope": "call", "match": wish.pop("path")}
    if "event" in wish:
        wish |= {"scope": "push", "match": wish.pop("event")}
    for name in ("calls", "pushes"):
        if name in wish:
            wish["remaining"] = wish.pop(name)
    with order.platform.lock:
        fault = order.platform.faults.set(**wish)
        order.platform.note("fault", fault=asdict(fault))
        return asdict(fault)


@route("DELETE", "/faults")
def clear_faults(order: Order) -> Any:
    """Behave again."""
    return _clear(order, None)


@route("DELETE", "/faults/<int:fault_id>")
def clear_fault(order: Order, fault_id: int) -> Any:
    """Lift one fault."""
    return _clear(order, fault_id)


def _clear(order: Order, fault_id: int | None) -> dict[str, int]:
    with order.platform.lock:
        cleared = order.platform.faults.clear(fault_id)
        order.platform.note("fault", cleared=cleared)
        return {"cleared": cleared}


@route("GET", "/latencies")
def list_latencies(order: Order) -> Any:
    """Seconds by path."""
    with order.platform.lock:
        return {"latencies": dict(order.platform.latencies)}


@route("PUT", "/latencies")
def set_latency(order: Order) -> Any:
    """Let calls of `path` (a trailing `*` stands for any ending) take `seconds`, whatever they answer; 0 lifts it."""
    path, seconds = str(order.body["path"]), float(order.body["seconds"])
    with order.platform.lock:
        order.platform.latencies.pop(path, None)
        if seconds > 0:
            order.platform.latencies[path] = seconds
        order.platform.note("fault", latency=seconds, path=path)
    return list_latencies(order)
