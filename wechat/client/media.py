"""Files of the account: temporary ones (临时素材), permanent ones (永久素材).

https://developers.weixin.qq.com/doc/service/api/material/
"""

import json
from collections.abc import Mapping
from typing import Any

from wechat.client.core import get, post, upload
from wechat.conf import AccountConfig
from wechat.transport import File, Json

LISTED = ("image", "voice", "video", "news")  # what the platform lists; covers it does not
PAGE = 20


def upload_temporary(account: AccountConfig, kind: str, file: File) -> tuple[str, int]:
    """Store a file for three days; its media_id and when that began. image 10 MB, voice 2 MB and 60 s, video 10 MB,
    thumb 64 KB. https://developers.weixin.qq.com/doc/service/api/material/temporary/api_uploadtempmedia
    """
    answer = upload(account, "/cgi-bin/media/upload", file, type=kind)
    return str(answer.get("thumb_media_id") or answer.get("media_id") or ""), int(answer.get("created_at") or 0)


def add_permanent(account: AccountConfig, kind: str, file: File, *, video: Mapping[str, str] | None = None) -> Json:
    """Store a file for good: `media_id`, and `url` of a picture. 100,000 pictures, 1,000 of the others. A video has a
    `title` and an `introduction`. https://developers.weixin.qq.com/doc/service/api/material/permanent/api_addmaterial
    """
    form = {"description": json.dumps(dict(video), ensure_ascii=False)} if video else {}
    return upload(
        account, "/cgi-bin/material/add_material", File(file.name, file.content, file.content_type, form), type=kind
    )


def delete_permanent(account: AccountConfig, media_id: str) -> None:
    """Delete a permanent file. 40007: it is not there; 48005: a menu or a reply of the platform uses it."""
    post(account, "/cgi-bin/material/del_material", {"media_id": media_id})


def count_permanent(account: AccountConfig) -> dict[str, int]:
    """How many permanent files there are, by kind."""
    answer = get(account, "/cgi-bin/material/get_materialcount")
    return {kind: int(answer.get(f"{kind}_count") or 0) for kind in LISTED}


def list_permanent(account: AccountConfig, kind: str, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How many permanent files of a kind there are, and 20 of them: `media_id`, `name`, `update_time`, `url`."""
    body = {"type": kind, "offset": offset, "count": PAGE}
    answer = post(account, "/cgi-bin/material/batchget_material", body)
    items = answer.get("item")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return int(answer.get("total_count") or 0), found
