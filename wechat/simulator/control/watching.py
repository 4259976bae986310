"""Following what happens: journal, accepted messages, codes, and waiting for a change."""

from typing import Any

from wechat.simulator.control.routing import Order, OrderError, route
from wechat.simulator.framing import may_frame

LONGEST_WAIT = 25  # seconds
MOST_ENTRIES = 50_000


@route("GET", "/changes")
def wait_for_changes(order: Order) -> Any:
    """Answers as soon as the journal is past `since`."""
    wait = min(order.number("wait", 20), LONGEST_WAIT)
    return {"seq": order.platform.wait_for_change(order.number("since", 0), wait)}


@route("GET", "/journal")
def show_journal(order: Order) -> Any:
    """Entries oldest first; of more than `limit` (default 200) the newest."""
    wanted = {name: order.request.args.get(name) for name in ("kind", "appid", "openid", "endpoint", "event")}
    return _entries(order, wanted)


@route("GET", "/messages")
def show_messages(order: Order) -> Any:
    """Customer-service messages that were accepted, as they were sent."""
    wanted = {name: order.request.args.get(name) for name in ("appid", "openid")}
    return _entries(order, {"kind": "message", **wanted})


def _entries(order: Order, wanted: dict[str, Any]) -> dict[str, Any]:
    limit = min(order.number("limit", 200), MOST_ENTRIES)
    with order.platform.lock:
        entries = order.platform.journal.find(since=order.number("since", 0), limit=limit, **wanted)
        return {"seq": order.platform.journal.seq, "entries": [dict(entry) for entry in entries]}


@route("GET", "/codes")
def show_codes(order: Order) -> Any:
    """The newest codes, newest first."""
    limit = order.number("limit", 20)
    with order.platform.lock:
        now = order.platform.clock.now()
        newest = list(order.platform.codes_by_key.values())[-limit:][::-1]
        return {
            "codes": [
                {
                    "appid": account.appid,
                    "scene": code.scene,
                    "ticket": code.ticket,
                    "url": code.url,
                    "created": code.created,
                    "seconds": None if code.expires is None else round(code.expires - now),
                }
                for account, code in newest
            ]
        }


@route("GET", "/framing")
def ask_framing(order: Order) -> Any:
    """Whether the phone's browser may show `url` in a frame."""
    url = order.request.args.get("url", "")
    if not url.startswith(("http://", "https://")):
        raise OrderError("url must be an http or https address")
    return {"framed": may_frame(url, origin=order.request.host_url.rstrip("/"))}
