"""A logo that staff upload, drawn anew: what comes out is a small PNG that holds nothing but its points.

Comes in: the bytes of a stranger's file. Goes out: a PNG of at most 512 points a side and 200 kB, or ValidationError in words.
As in wechat.material_files, what it is is read from its content, and its measures before it is decoded.
"""

import io

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from wechat.material_files import BROKEN, PIXELS, too_many_pixels

UPLOAD = 5 * 1024 * 1024  # bytes that are read at all
SIDE, LARGEST = 512, 200 * 1000
_SMALLER = (SIDE, 384, 256, 128)  # tried one after the other until the file is small enough


def redrawn(content: bytes) -> bytes:
    """The logo as it is stored. Raises ValidationError that says what is wrong and what would do."""
    if len(content) > UPLOAD:
        raise ValidationError(_("The file is too large: a logo has at most 5 MB."))
    written = _written(content)
    if written is None:
        raise ValidationError(_refusal(content))
    try:
        with Image.open(io.BytesIO(content), formats=[written]) as picture:
            if picture.width * picture.height > PIXELS:
                raise ValidationError(too_many_pixels())
            drawn = ImageOps.exif_transpose(picture).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValidationError(too_many_pixels()) from None
    except BROKEN:
        raise ValidationError(
            _("The picture is broken and cannot be read. Save it anew in a picture program.")
        ) from None
    return _small(drawn)


def _written(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if content.startswith(b"RIFF") and content[8:12] == b"WEBP" else None


def _refusal(content: bytes) -> str:
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")):
        return _("An SVG file is a program, not a picture. Export the logo as PNG, at least 256 points wide.")
    return _("A logo is a PNG, JPEG or WebP picture.")


def _small(picture: Image.Image) -> bytes:
    """As a PNG within the limits: with all its colours if that is small enough, else with 256, else smaller."""
    for side in _SMALLER:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        for drawn in (picture, picture.quantize(256, Image.Quantize.FASTOCTREE)):
            content = _png(drawn)
            if len(content) <= LARGEST:
                return content
    raise ValidationError(_("The logo cannot be made small enough. Choose a simpler one."))


def _png(picture: Image.Image) -> bytes:
    bare = picture.copy()
    bare.info = {name: bare.info[name] for name in ("transparency",) if name in bare.info}
    target = io.BytesIO()
    bare.save(target, "PNG", optimize=True)
    return target.getvalue()
