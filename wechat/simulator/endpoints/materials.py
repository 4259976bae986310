"""Permanent files: store, fetch, list, count, delete. Source: wechat-api.md, section 13.1."""

import json
from typing import Any

from wechat.simulator.calls import OK, VERIFIED, Answer, Call, endpoint
from wechat.simulator.endpoints.file_rules import PERMANENT, rule_of, uploaded
from wechat.simulator.endpoints.media import as_file, shelved
from wechat.simulator.errors import ApiError
from wechat.simulator.library import Media

LISTED = ("voice", "video", "image", "news")
MOST_AT_ONCE = 20
DAILY = 10_000  # not published


@endpoint("/cgi-bin/material/add_material", method="POST", kinds=VERIFIED, daily=DAILY, json_body=False)
def add_material(call: Call) -> Answer:
    """Store a file for good. A video needs a title and an introduction."""
    kind = call.query.get("type", "")
    file = uploaded(call, rule_of(kind, PERMANENT))
    description = _description(call) if kind == "video" else {"title": "", "introduction": ""}
    media_id = shelved(call, call.account.materials, file, kind, expires=None)
    media = call.account.materials[media_id]
    media.title, media.introduction = description["title"], description["introduction"]
    return {"media_id": media_id, **({"url": _address(call, media)} if kind in ("image", "thumb") else {})}


def _description(call: Call) -> dict[str, str]:
    """The form field `description` of a video. Raises ApiError 40035."""
    try:
        value = json.loads(call.request.form.get("description", ""))
    except ValueError as error:
        raise ApiError(40035) from error
    if not isinstance(value, dict) or not isinstance(value.get("title"), str) or not value["title"]:
        raise ApiError(40035)
    return {"title": value["title"], "introduction": str(value.get("introduction") or "")}


@endpoint("/cgi-bin/material/get_material", method="POST", kinds=VERIFIED, daily=DAILY)
def get_material(call: Call) -> Answer:
    """A file's bytes; of a video its title and address."""
    _, media = _wanted(call)
    if media.kind != "video":
        return as_file(media)
    return {"title": media.title, "description": media.introduction, "down_url": _address(call, media)}


@endpoint("/cgi-bin/material/del_material", method="POST", kinds=VERIFIED, daily=DAILY)
def delete_material(call: Call) -> Answer:
    """Delete a file, unless a menu button sends it."""
    media_id, media = _wanted(call)
    if call.account.menus.uses(media_id):
        raise ApiError(48005)
    del call.account.materials[media_id]
    call.platform.files.pop(media.picture, None)
    call.platform.note("media", appid=call.account.appid, type=media.kind, name=media.name, deleted=True)
    return dict(OK)


def _wanted(call: Call) -> tuple[str, Media]:
    """The id and the file. Raises ApiError 41006 or 40007."""
    media_id = call.body.get("media_id")
    if not media_id:
        raise ApiError(41006)
    media = call.account.materials.find(media_id, call.now)
    if media is None:
        raise ApiError(40007)
    return media_id, media


@endpoint("/cgi-bin/material/get_materialcount", method="GET", kinds=VERIFIED, daily=DAILY)
def count_materials(call: Call) -> Answer:
    """How many files there are of each kind; covers are not counted."""
    kinds = [media.kind for media in call.account.materials.values()]
    return {f"{kind}_count": kinds.count(kind) for kind in LISTED}


@endpoint("/cgi-bin/material/batchget_material", method="POST", kinds=VERIFIED, daily=DAILY)
def list_materials(call: Call) -> Answer:
    """Some files of one kind, newest first."""
    kind, offset, count = (call.body.get(name) for name in ("type", "offset", "count"))
    if kind not in LISTED:
        raise ApiError(40004)
    if not isinstance(offset, int) or not isinstance(count, int) or offset < 0 or not 1 <= count <= MOST_AT_ONCE:
        raise ApiError(40007)
    found = [(media_id, media) for media_id, media in call.account.materials.items() if media.kind == kind][::-1]
    shown = [_listed(call, media_id, media) for media_id, media in found[offset : offset + count]]
    return {"total_count": len(found), "item_count": len(shown), "item": shown}


def _listed(call: Call, media_id: str, media: Media) -> dict[str, Any]:
    row: dict[str, Any] = {"media_id": media_id, "name": media.name, "update_time": int(media.created)}
    return {**row, **({"url": _address(call, media)} if media.kind == "image" else {})}


def _address(call: Call, media: Media) -> str:
    return f"{call.platform.url}{media.picture}"
