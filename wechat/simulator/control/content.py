"""Control of what an account has and sent: menus, templates, files, agents, quotas."""

from typing import Any

from wechat.simulator.accounts import Account
from wechat.simulator.control.routing import Order, OrderError, route
from wechat.simulator.endpoints import ENDPOINTS
from wechat.simulator.library import Media
from wechat.simulator.template_library import Template

_AGENT = {"nickname": str, "online": bool, "bound": bool}


@route("GET", "/accounts/<appid>/menus")
def show_menus(order: Order, appid: str) -> Any:
    """The default menu, the conditional ones (oldest first), and the one of the website."""
    menus = order.account(appid).menus
    return {"default": menus.default, "conditional": menus.conditional, "website": menus.website}


@route("PUT", "/accounts/<appid>/website_menu")
def set_website_menu(order: Order, appid: str) -> Any:
    """A menu made on the website: `button` in the form of get_current_selfmenu_info."""
    account = order.account(appid)
    buttons = order.body.get("button")
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise OrderError("button is a list of buttons")
    with order.platform.lock:
        account.menus.website = {"is_menu_open": 1, "selfmenu_info": {"button": buttons}}
        order.platform.note("menu", appid=appid, buttons=len(buttons))
    return account.menus.website


@route("GET", "/accounts/<appid>/templates")
def show_templates(order: Order, appid: str) -> Any:
    """The templates for messages and for subscription notices."""
    account = order.account(appid)
    return {
        "templates": [_template(template) for template in account.templates.private.values()],
        "subscriptions": [_template(template) for template in account.subscriptions.private.values()],
    }


def _template(template: Template) -> dict[str, Any]:
    fields = [
        {"key": keyword.key, "name": keyword.name, "rule": keyword.rule, "choices": list(keyword.choices)}
        for keyword in template.keywords
    ]
    return {"id": template.id, "title": template.title, "kind": template.kind, "fields": fields}


@route("GET", "/accounts/<appid>/sent")
def show_sent(order: Order, appid: str) -> Any:
    """Accepted template messages: how many, to how many persons, to whom more than once; the newest `limit` in full."""
    account = order.account(appid)
    with order.platform.lock:
        wanted = order.request.args.get("template_id")
        sent = [message for message in account.templates.sent if wanted in (None, message.template_id)]
    counts: dict[str, int] = {}
    for message in sent:
        counts[message.openid] = counts.get(message.openid, 0) + 1
    limit = order.number("limit", 100)
    return {
        "total": len(sent),
        "persons": len(counts),
        "repeated": [openid for openid, number in counts.items() if number > 1],
        "messages": [vars(message) for message in sent[-limit:]] if limit else [],
    }


@route("GET", "/accounts/<appid>/files")
def show_files(order: Order, appid: str) -> Any:
    """Temporary and permanent files by media_id, and pictures of article texts."""
    account, now = order.account(appid), order.platform.clock.now()
    with order.platform.lock:
        return {
            name: {media_id: _file(media, now) for media_id, media in shelf.items()}
            for name, shelf in (
                ("temporary", account.media),
                ("permanent", account.materials),
                ("pictures", account.pictures),
            )
        }


def _file(media: Media, now: float) -> dict[str, Any]:
    seconds = None if media.expires is None else round(media.expires - now)
    names = ("kind", "name", "content_type", "created", "picture", "title")
    return {**{name: getattr(media, name) for name in names}, "bytes": len(media.content), "seconds": seconds}


@route("GET", "/accounts/<appid>/agents")
def list_agents(order: Order, appid: str) -> Any:
    """The agents, and who is served by whom."""
    desk = order.account(appid).desk
    sessions = {openid: session.kf_account for openid, session in desk.sessions.items()}
    return {"agents": [agent.as_json() for agent in desk.agents.values()], "sessions": sessions}


@route("PUT", "/accounts/<appid>/agents/<kf_account>")
def set_agent(order: Order, appid: str, kf_account: str) -> Any:
    """Add an agent, or change `nickname`, `online` and `bound` of one."""
    for name, value in order.body.items():
        if name not in _AGENT or not isinstance(value, _AGENT[name]):
            raise OrderError(f"{name} cannot be set to that; there is {', '.join(_AGENT)}")
    with order.platform.lock:
        return order.account(appid).desk.set(kf_account, **order.body).as_json()


@route("GET", "/accounts/<appid>/quotas")
def show_quotas(order: Order, appid: str) -> Any:
    """What each path has used today, of how many; and how often the counters were cleared this month."""
    account, now = order.account(appid), order.platform.clock.now()
    with order.platform.lock:
        return {
            "paths": {path: _quota(account, path, now) for path in sorted(account.quotas.calls)},
            "cleared": account.quotas.cleared(now),
        }


def _quota(account: Account, path: str, now: float) -> dict[str, Any]:
    limits = account.quotas.limits(path, ENDPOINTS[path].limits_for(account.kind))
    return {"used": account.quotas.used_today(path, now), "daily": limits.daily, "minute": limits.minute}
