"""What may be the scene of a channel code, and scenes for those that staff leave to us (wechat-api.md section 5)."""

import secrets
import string

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from wechat import qr
from wechat.models import ChannelCode, QRCode

LETTERS = string.ascii_lowercase + string.digits
LENGTH = 8  # random letters of a scene of ours: a trillion of them
LONGEST = 64


def new_scene() -> str:
    """A text scene that nobody has: `c_` and eight letters at random."""
    return "c_" + "".join(secrets.choice(LETTERS) for _letter in range(LENGTH))


def clean(scene: str, *, number: bool, kind: str) -> str:
    """The scene as it comes back in a push. Raises ValidationError with what to do instead."""
    scene = scene.strip()
    if number:
        return _clean_number(scene, permanent=kind == QRCode.Kind.PERMANENT)
    if not 1 <= len(scene) <= LONGEST:
        raise ValidationError(_("A text scene has 1 to 64 characters."))
    if any(each.isspace() or not each.isprintable() for each in scene):
        raise ValidationError(_("A scene has neither spaces nor line breaks."))
    if scene.isascii() and scene.isdigit():
        raise ValidationError(_("Digits only are a number scene: check “the scene is a number”, or add a letter."))
    return scene


def taken(account_id: int, scenes: list[str]) -> set[str]:
    """Those of the scenes that channel codes of the account have."""
    return set(ChannelCode.objects.filter(account_id=account_id, scene__in=scenes).values_list("scene", flat=True))


def _clean_number(scene: str, *, permanent: bool) -> str:
    most = qr.MOST_PERMANENT if permanent else qr.MOST_TEMPORARY
    right = scene.isascii() and scene.isdigit() and len(scene) <= 10
    if not (right and 1 <= int(scene) <= most):
        raise ValidationError(_("The number of this kind of code is 1 to %(most)d.") % {"most": most})
    return str(int(scene))
