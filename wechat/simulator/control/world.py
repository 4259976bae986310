"""Control of what there is: accounts, clock, settings, counters, reset."""

from dataclasses import asdict, fields
from typing import Any

from wechat.simulator.accounts import Account
from wechat.simulator.control import __doc__ as table
from wechat.simulator.control.people import person_as_json
from wechat.simulator.control.routing import Order, OrderError, route
from wechat.simulator.quotas import Limits
from wechat.simulator.state import Settings

_SETTABLE = ("secret", "token", "aes_key", "mode", "kind", "name", "original_id", "callback_url", "ip_allowlist")


@route("GET", "/")
def list_requests(order: Order) -> Any:
    """What this API can do."""
    rows = (line.strip("| ").split(" | ", 1) for line in (table or "").splitlines() if "/sim/api/" in line)
    return {"requests": dict(rows)}


@route("GET", "/state")
def show_state(order: Order) -> Any:
    """Everything the phone page draws, but the chats."""
    platform = order.platform
    with platform.lock:
        now = platform.clock.now()
        return {
            "seq": platform.journal.seq,
            "now": now,
            "offset": platform.clock.offset,
            "chosen": platform.chosen,
            "codes": len(platform.codes_by_key),
            "accounts": [_account(account, now) for account in platform.accounts.values()],
            "persons": [person_as_json(person, now) for person in list(platform.persons.values())[:200]],
            "persons_total": len(platform.persons),
            "faults": platform.faults.as_json(),
            "settings": asdict(platform.settings),
            "counters": dict(platform.counters),
        }


def _account(account: Account, now: float) -> dict[str, Any]:
    return {**account.settings_as_json(), "menu": account.menus.default, "tokens": account.tokens.as_json(now)}


@route("GET", "/accounts")
def list_accounts(order: Order) -> Any:
    """Settings and tokens of all accounts."""
    with order.platform.lock:
        now = order.platform.clock.now()
        return {"accounts": [_account(account, now) for account in order.platform.accounts.values()]}


@route("POST", "/accounts")
def add_account(order: Order) -> Any:
    """A new account; of the same appid, a replacement with no tokens, codes and counters."""
    account = order.platform.add_account(Account(**order.body))
    return _account(account, order.platform.clock.now())


@route("PATCH", "/accounts/<appid>")
def change_account(order: Order, appid: str) -> Any:
    """Change settings; tokens, codes and followers stay."""
    account = order.account(appid)
    unknown = set(order.body) - set(_SETTABLE)
    if unknown:
        raise OrderError(f"cannot set {', '.join(sorted(unknown))}; only {', '.join(_SETTABLE)}")
    Account(**{**account.settings_as_json(), **order.body})  # raises ValueError before anything has changed
    with order.platform.lock:
        for name, value in order.body.items():
            setattr(account, name, value)
    return _account(account, order.platform.clock.now())


@route("POST", "/accounts/<appid>/tokens")
def spoil_tokens(order: Order, appid: str) -> Any:
    """Make the account's tokens expired, replaced or unknown."""
    account, now = order.account(appid), order.platform.clock.now()
    with order.platform.lock:
        match order.body.get("action"):
            case "expire":
                account.tokens.expire(now)
            case "revoke":
                account.tokens.revoke(now)
            case "forget":
                account.tokens.forget()
            case _:
                raise OrderError("action is expire, revoke or forget")
        return {"tokens": account.tokens.as_json(now)}


@route("POST", "/accounts/<appid>/quotas")
def set_quota(order: Order, appid: str) -> Any:
    """Limits of one path; null is no limit."""
    limits = Limits(daily=order.body.get("daily"), minute=order.body.get("minute"))
    order.account(appid).quotas.overrides[order.body["path"]] = limits
    return {"path": order.body["path"], **asdict(limits)}


@route("POST", "/accounts/<appid>/verify")
def verify_callback(order: Order, appid: str) -> Any:
    """The check the console makes when a callback URL is saved."""
    return order.phone.pushes.verify(order.account(appid))


@route("GET", "/clock")
def show_clock(order: Order) -> Any:
    """Unix time of the simulator, and its distance from real time in seconds."""
    return {"now": order.platform.clock.now(), "offset": order.platform.clock.offset}


@route("POST", "/clock")
def set_clock(order: Order) -> Any:
    """Move the clock."""
    clock = order.platform.clock
    clock.offset = float(order.body.get("offset", clock.offset)) + float(order.body.get("advance", 0))
    order.platform.note("clock", offset=clock.offset)
    return show_clock(order)


@route("PATCH", "/settings")
def change_settings(order: Order) -> Any:
    """How the platform behaves in general."""
    settings = order.platform.settings
    known = {item.name for item in fields(Settings)}
    if set(order.body) - known:
        raise OrderError(f"there is only {', '.join(sorted(known))}")
    for name, value in order.body.items():
        setattr(settings, name, type(getattr(settings, name))(value))
    return asdict(settings)


@route("GET", "/counters")
def show_counters(order: Order) -> Any:
    """Numbers since the start or the last reset; `calls` of an account counts by path what passed the token check."""
    with order.platform.lock:
        counters: dict[str, Any] = {"token_fetches": 0, "fetch_peak": 0, "messages": 0, **order.platform.counters}
        counters["accounts"] = {appid: dict(account.quotas.calls) for appid, account in order.platform.accounts.items()}
        return counters


@route("POST", "/listener")
def refuse_connections(order: Order) -> Any:
    """Stop listening (connection refused, kept-alive connections cut), and listen again after `seconds`."""
    seconds = float(order.body.get("seconds", 5))
    order.refuse_connections(seconds)
    return {"seconds": seconds}


@route("POST", "/reset")
def reset(order: Order) -> Any:
    """Start over: no persons, codes, tokens, faults, journal; the accounts stay as they are set."""
    order.platform.reset()
    return {"seq": order.platform.journal.seq}
