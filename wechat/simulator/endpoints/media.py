"""Temporary files, which live three days, and pictures for the texts of articles. Source: wechat-api.md, section 13.1."""

import secrets

from werkzeug import Response

from wechat.simulator.calls import VERIFIED, Answer, Call, endpoint
from wechat.simulator.endpoints.file_rules import ARTICLE_PICTURE, TEMPORARY, Upload, rule_of, uploaded
from wechat.simulator.errors import ApiError
from wechat.simulator.library import LIFETIME, Media, Shelf
from wechat.simulator.samples import own_file

DAILY_UPLOADS, DAILY_DOWNLOADS = 100_000, 200_000


@endpoint("/cgi-bin/media/upload", method="POST", kinds=VERIFIED, daily=DAILY_UPLOADS, test_daily=500, json_body=False)
def upload_media(call: Call) -> Answer:
    """Store a file for three days."""
    kind = call.query.get("type", "")
    file = uploaded(call, rule_of(kind, TEMPORARY))
    media_id = shelved(call, call.account.media, file, kind, expires=call.now + LIFETIME)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: media_id, "created_at": int(call.now)}


@endpoint("/cgi-bin/media/get", method="GET", kinds=VERIFIED, daily=DAILY_DOWNLOADS, test_daily=1_000)
def download_media(call: Call) -> Answer:
    """The bytes of a file, or the address of a video. Also of what followers sent."""
    media_id = call.query.get("media_id")
    if not media_id:
        raise ApiError(41006)
    media = call.account.media.find(media_id, call.now)
    if media is None:
        raise ApiError(40007)
    if media.kind == "video":
        return {"video_url": f"{call.platform.url}{media.picture}"}
    return as_file(media)


@endpoint("/cgi-bin/media/uploadimg", method="POST", kinds=VERIFIED, daily=DAILY_UPLOADS, json_body=False)
def upload_article_picture(call: Call) -> Answer:
    """Store a picture that the text of an article may show; it gets an address and no media_id."""
    file = uploaded(call, ARTICLE_PICTURE)
    shelf = call.account.pictures
    key = shelved(call, shelf, file, "image", expires=None)
    return {"url": f"{call.platform.url}{shelf[key].picture}"}


def shelved(call: Call, shelf: Shelf, file: Upload, kind: str, *, expires: float | None) -> str:
    """Store an upload; the id it gets. The phone and browsers find it under /media/."""
    address = f"/media/{secrets.token_urlsafe(24)}"
    media = Media(kind, file.name, file.content, file.content_type, call.now, expires, picture=address)
    media_id = shelf.keep(media)
    call.platform.show_file(media)
    call.platform.note("media", appid=call.account.appid, type=kind, name=file.name, bytes=len(file.content))
    return media_id


def as_file(media: Media) -> Response:
    """The bytes as a download."""
    content, content_type = media.content, media.content_type
    if not content:
        content, content_type = own_file(media.picture) or (b"", "")
    if not content:
        raise ApiError(46001)
    suffix = content_type.rpartition("/")[2]
    name = media.name or f"media.{suffix}"
    headers = {"Content-disposition": f'attachment; filename="{name.replace(chr(34), "")}"'}
    return Response(content, content_type=content_type, headers=headers)
