"""The followers as the platform knows them: the list, facts, remarks, tags, the block list.

https://developers.weixin.qq.com/doc/service/api/usermanage/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wechat.client.core import get, post
from wechat.conf import AccountConfig
from wechat.transport import Json

INFOS_AT_ONCE, TAGGED_AT_ONCE, BLOCKED_AT_ONCE = 100, 50, 20  # people in one call


@dataclass(frozen=True)
class Page:
    """Some openids of a list; without `next_openid` the last ones."""

    total: int
    openids: list[str]
    next_openid: str


def followers(account: AccountConfig, after: str = "") -> Page:
    """10,000 followers after this one; 500 calls a day."""
    params = {"next_openid": after} if after else {}
    return _page(get(account, "/cgi-bin/user/get", **params))


def infos(account: AccountConfig, openids: Sequence[str]) -> list[dict[str, Any]]:
    """What is known of at most 100 people. Who does not follow has `subscribe` 0 and nothing else."""
    wanted = [{"openid": openid, "lang": "zh_CN"} for openid in openids]
    found = post(account, "/cgi-bin/user/info/batchget", {"user_list": wanted}).get("user_info_list")
    return [info for info in found if isinstance(info, dict)] if isinstance(found, list) else []


def blocked(account: AccountConfig, after: str = "") -> Page:
    """1,000 of the blocked people after this one."""
    return _page(post(account, "/cgi-bin/tags/members/getblacklist", {"begin_openid": after}))


def set_remark(account: AccountConfig, openid: str, remark: str) -> None:
    """The account's own name for a follower: under 30 bytes (40092)."""
    post(account, "/cgi-bin/user/info/updateremark", {"openid": openid, "remark": remark})


def block(account: AccountConfig, openids: Sequence[str], *, blocked: bool) -> None:
    """Block at most 20 people, or let them back."""
    name = "batchblacklist" if blocked else "batchunblacklist"
    post(account, f"/cgi-bin/tags/members/{name}", {"openid_list": list(openids)})


def tags(account: AccountConfig) -> list[dict[str, Any]]:
    """All tags: `id`, `name`, `count`. 0, 1 and 2 are the platform's own."""
    found = get(account, "/cgi-bin/tags/get").get("tags")
    return [tag for tag in found if isinstance(tag, dict)] if isinstance(found, list) else []


def create_tag(account: AccountConfig, name: str) -> int:
    """A new tag of at most 30 characters; its number. 100 per account (45056); 45157: the name is taken."""
    return int(post(account, "/cgi-bin/tags/create", {"tag": {"name": name}})["tag"]["id"])


def rename_tag(account: AccountConfig, number: int, name: str) -> None:
    """Another name for a tag."""
    post(account, "/cgi-bin/tags/update", {"tag": {"id": number, "name": name}})


def delete_tag(account: AccountConfig, number: int) -> None:
    """Delete a tag; 45057: more than 100,000 people have it."""
    post(account, "/cgi-bin/tags/delete", {"tag": {"id": number}})


def put_tag(account: AccountConfig, number: int, openids: Sequence[str], *, on: bool) -> None:
    """Put a tag on at most 50 people, or take it off. 45059: somebody has 20 already; 45171: some could not be tagged."""
    name = "batchtagging" if on else "batchuntagging"
    post(account, f"/cgi-bin/tags/members/{name}", {"openid_list": list(openids), "tagid": number})


def _page(answer: Json) -> Page:
    data = answer.get("data")
    listed = data.get("openid") if isinstance(data, dict) else None
    openids = [openid for openid in listed if isinstance(openid, str)] if isinstance(listed, list) else []
    return Page(int(answer.get("total") or 0), openids, str(answer.get("next_openid") or "") if openids else "")
