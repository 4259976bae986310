"""The media ID of a material at this moment: answers name a material as `material:7`, because its ID changes with a renewal.

Comes in: a reply with such names. Goes out: the reply with media IDs that work now, or None where there is none.
"""

from dataclasses import replace

from django.utils import timezone

from wechat.models import Material
from wechat.models.materials import REFERENCE
from wechat.replies import Image, Music, Reply, Video, Voice


def number_in(text: str) -> int | None:
    """The primary key in `material:7`; None for anything else."""
    number = text.removeprefix(REFERENCE)
    named = text.startswith(REFERENCE) and number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if named else None


def current(account_id: int, text: str) -> str:
    """The media ID that `text` stands for; any other text as it is; empty when the material is gone or has expired."""
    if not text.startswith(REFERENCE):
        return text
    mine = Material.objects.filter(account_id=account_id, pk=number_in(text) or 0)
    row = mine.values_list("media_id", "expires_at").first()
    if row is None or (row[1] is not None and row[1] <= timezone.now()):
        return ""
    return str(row[0])


def resolved(reply: Reply, account_id: int) -> Reply | None:
    """The reply with media IDs in the place of names. Costs one query for each name, and none without."""
    if isinstance(reply, Image | Voice | Video) and reply.media.startswith(REFERENCE):
        media = current(account_id, reply.media)
        if not media:
            return None
        reply = replace(reply, media=media)
    if isinstance(reply, Video | Music) and reply.thumb.startswith(REFERENCE):
        thumb = current(account_id, reply.thumb)
        if not thumb and isinstance(reply, Music):
            return None
        reply = replace(reply, thumb=thumb)
    return reply
