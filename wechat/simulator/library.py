"""The files of one account: temporary ones that live three days, permanent ones, and pictures for article texts.

Source: wechat-api.md, section 13.1. The caller holds the platform's lock.
"""

import secrets
from dataclasses import dataclass
from itertools import takewhile

LIFETIME = 3 * 86400.0  # seconds, of a temporary file
ID_BYTES = 48  # 64 characters of a media_id


@dataclass
class Media:
    """One file. `kind` is image, voice, video or thumb (empty: fits everywhere); `picture` is what the phone shows."""

    kind: str = ""
    name: str = ""
    content: bytes = b""
    content_type: str = ""
    created: float = 0.0
    expires: float | None = None  # None: never
    picture: str = ""
    title: str = ""
    introduction: str = ""


class Shelf(dict[str, Media]):
    """Files by media_id, oldest first."""

    def keep(self, media: Media) -> str:
        """Store a file under a new media_id, and let go of those that have expired: the oldest ones."""
        self.sweep(media.created)
        media_id = secrets.token_urlsafe(ID_BYTES)
        self[media_id] = media
        return media_id

    def find(self, media_id: object, now: float) -> Media | None:
        """The file of this id, unless it has expired or never was."""
        media = self.get(media_id) if isinstance(media_id, str) else None
        return None if media is None or _expired(media, now) else media

    def sweep(self, now: float) -> None:
        """Forget the expired files at the old end; all of a shelf live equally long."""
        for media_id in list(takewhile(lambda media_id: _expired(self[media_id], now), self)):
            del self[media_id]


def _expired(media: Media, now: float) -> bool:
    return media.expires is not None and now >= media.expires
