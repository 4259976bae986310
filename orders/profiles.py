"""Nickname and avatar of who scanned, as he agreed to show them: kept with the scan, taken back, gone with its link.
The follower bears the same name, for staff and for texts with ##NICKNAME##.

Comes in: what WeChat says of him, all of it text of his own. Goes out: a Profile that any page may show.
"""

import re
import unicodedata

from django.conf import settings
from django.db import transaction

from orders.models import Profile, Scan
from wechat import followers
from wechat.browsers import origin_of

NICKNAME_LENGTH = 40  # characters; WeChat itself allows 16 Chinese ones
AVATAR_LENGTH = 500
MARKS = 3  # combining marks on one character: more grow over the lines around it
# The joiners make one emoji of several. All other characters that have no shape can only mislead who reads.
_JOINERS = "\u200c\u200d"
_SHAPELESS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*")


def profile_of(scan: Scan) -> Profile | None:
    """What he shows, None before he agreed and after he took it back."""
    return Profile.objects.filter(pk=scan.pk).first()


def keep(scan: Scan, *, nickname: str, avatar: str) -> Profile:
    """Keep what he agreed to show, in the place of what was there."""
    shown = {"nickname": clean_nickname(nickname), "avatar": allowed_avatar(avatar)}
    with transaction.atomic():
        profile = Profile.objects.update_or_create(scan=scan, defaults=shown)[0]
        _tell_follower(scan)
    return profile


def take_back(scan: Scan) -> bool:
    """Show the placeholder from now on. False when there was nothing to take back."""
    with transaction.atomic():
        taken = bool(Profile.objects.filter(pk=scan.pk).delete()[0])
        _tell_follower(scan)
    return taken


def _tell_follower(scan: Scan) -> None:
    """Staff, and texts with his name, know him by what he shows now: with several links, by what he said last."""
    of_him = Profile.objects.filter(scan__account_id=scan.account_id, scan__openid=scan.openid)
    last = of_him.order_by("-given_at").first()
    nickname, avatar = (last.nickname, last.avatar) if last else ("", "")
    followers.known_as(scan.account_id, scan.openid, nickname=nickname, avatar=avatar)


def revoke(scan: Scan) -> bool:
    """End the scan's link and all that were passed on from it, and forget the profile. False when it had ended before."""
    with transaction.atomic():
        take_back(scan)
        return bool(Scan.objects.filter(pk=scan.pk, revoked=False).update(revoked=True))


def clean_nickname(nickname: str) -> str:
    """The name as a line of text: without control characters, of at most 40 characters. It may be empty."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", nickname[: 10 * NICKNAME_LENGTH]):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if kind in _SHAPELESS and character not in _JOINERS:
            kept.append(" " if kind in ("Cc", "Zl", "Zp") else "")
        elif marks <= MARKS:
            kept.append(character)
    return " ".join("".join(kept).split())[:NICKNAME_LENGTH].strip(f"{_JOINERS} ")


def allowed_avatar(address: str) -> str:
    """The address of a picture at one of settings.WECHAT_AVATAR_ORIGINS; empty for any other."""
    whole = len(address) <= AVATAR_LENGTH and bool(_ADDRESS.fullmatch(address))
    return address if whole and origin_of(address) in settings.WECHAT_AVATAR_ORIGINS else ""
