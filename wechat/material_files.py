"""Files that staff upload: what they are is read from their content, and pictures are drawn anew before anybody gets them.

Comes in: the bytes of a stranger's file. Goes out: a Checked file, or ValidationError in words; nothing is stored here. A
picture's measures are read from its header before it is decoded. Drawing anew drops what the picture says of the camera, the
place and the program, and whatever else was hidden in it; its orientation is applied first.
"""

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, ImageSequence

KB, MB = 1024, 1024 * 1024
LARGEST: Mapping[str, int] = {"image": 10 * MB, "voice": 2 * MB, "video": 10 * MB, "thumb": 64 * KB}
VOICE_SECONDS = 60.0
PIXELS = 40_000_000  # of a picture, all its frames together 4 times that: some 160 MB while it is decoded
FRAMES = 300
PREVIEW = (240, 240)
QUALITY = 90

# Content types by the suffix under which a file is stored; only these are ever handed out.
TYPES: Mapping[str, str] = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".amr": "audio/amr",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
}
_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF", b"BM": "BMP"}
_AMR, _AMR_BYTES = b"#!AMR\n", (12, 13, 15, 17, 19, 20, 26, 31, 5)  # of a frame's mode, without its first byte
_MP3_RATES = {  # kbit/s by the index in a frame's head: MPEG 1, MPEG 2 and 2.5
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_HERTZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
    MemoryError,
    EOFError,
)  # what Pillow raises for a broken file


@dataclass(frozen=True)
class Checked:
    """A file fit to be stored and sent. `measures` are pixels or seconds; `preview` is a small JPEG of a picture."""

    content: bytes
    suffix: str
    measures: str = ""
    preview: bytes = b""


def check(kind: str, content: bytes, *, permanent: bool = False) -> Checked:
    """The file as it may be sent as this kind. Raises ValidationError that says what is wrong and what would do."""
    if not content:
        raise ValidationError(_("The file is empty."))
    most = LARGEST[kind]
    if len(content) > most:
        raise ValidationError(_too_large(kind))
    return _CHECKS[kind](content, permanent)


def _too_large(kind: str) -> str:
    most = LARGEST[kind]
    size = f"{most // MB} MB" if most >= MB else f"{most // KB} KB"
    return _("The file is too large: WeChat takes at most %(most)s of this kind.") % {"most": size}


def _image(content: bytes, permanent: bool) -> Checked:  # noqa: FBT001
    written = _written(content)
    if written is None or (written == "BMP" and not permanent):
        raise ValidationError(
            _("This is no picture that WeChat takes. Choose a PNG, JPEG or GIF file; a permanent one may also be BMP.")
        )
    return _picture("image", content, written)


def _thumb(content: bytes, _permanent: bool) -> Checked:  # noqa: FBT001
    if _written(content) != "JPEG":
        raise ValidationError(_("A thumbnail must be a JPG picture of at most 64 KB."))
    return _picture("thumb", content, "JPEG")


def _written(content: bytes) -> str | None:
    return next((name for start, name in _FORMATS.items() if content.startswith(start)), None)


def _picture(kind: str, content: bytes, written: str) -> Checked:
    try:
        with Image.open(io.BytesIO(content), formats=[written]) as picture:
            if picture.width * picture.height > PIXELS:
                raise ValidationError(too_many_pixels())
            measures = f"{picture.width} × {picture.height}"
            redrawn, suffix = _animation(picture) if written == "GIF" else _still(picture, written)
            preview = _preview(redrawn)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValidationError(too_many_pixels()) from None
    except BROKEN:
        raise ValidationError(
            _("The picture is broken and cannot be read. Save it anew in a picture program.")
        ) from None
    if len(redrawn) > LARGEST[kind]:
        raise ValidationError(_too_large(kind))
    return Checked(redrawn, suffix, measures, preview)


def too_many_pixels() -> str:
    """Why a picture is refused before it is decoded."""
    most = PIXELS // 1_000_000
    return _("The picture has too many pixels: at most %(most)d million. Make it smaller first.") % {"most": most}


def _still(picture: Image.Image, written: str) -> tuple[bytes, str]:
    """One picture, drawn anew: JPEG stays JPEG, everything else becomes PNG."""
    upright = ImageOps.exif_transpose(picture)
    jpeg = written == "JPEG"
    wanted = ("L", "RGB") if jpeg else ("1", "L", "LA", "P", "RGB", "RGBA")
    bare = upright if upright.mode in wanted else upright.convert("RGB")
    transparency = bare.info.get("transparency")
    bare.info = {} if jpeg or transparency is None else {"transparency": transparency}
    return _saved(bare, "JPEG", quality=QUALITY) if jpeg else _saved(bare, "PNG", optimize=True)


def _animation(picture: Image.Image) -> tuple[bytes, str]:
    """All frames, drawn anew; refused when they are more than anybody could look at."""
    frames, durations = [], []
    for number, frame in enumerate(ImageSequence.Iterator(picture), start=1):
        if number > FRAMES or number * picture.width * picture.height > 4 * PIXELS:
            raise ValidationError(_("The animation is too long: at most %(most)d pictures.") % {"most": FRAMES})
        durations.append(int(frame.info.get("duration") or 0))
        frames.append(frame.convert("RGBA"))
    for frame in frames:
        frame.info = {}
    if len(frames) == 1:
        return _saved(frames[0], "GIF")
    return _saved(
        frames[0], "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, disposal=2, comment=b""
    )


def _saved(picture: Image.Image, written: str, **options: Any) -> tuple[bytes, str]:
    target = io.BytesIO()
    picture.save(target, written, **options)
    return target.getvalue(), {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif"}[written]


def _preview(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        picture.draft("RGB", PREVIEW)
        small = picture.convert("RGBA")
    small.thumbnail(PREVIEW)
    ground = Image.new("RGB", small.size, "white")
    ground.paste(small, mask=small)
    return _saved(ground, "JPEG", quality=80)[0]


def _voice(content: bytes, _permanent: bool) -> Checked:  # noqa: FBT001
    if content.startswith(_AMR):
        seconds, suffix = _amr_seconds(content), ".amr"
    else:
        seconds, suffix = _mp3_seconds(content), ".mp3"
    if not seconds:
        raise ValidationError(_("This is no recording that WeChat takes. Choose an AMR or MP3 file."))
    if seconds > VOICE_SECONDS:
        text = _("The recording is too long: %(seconds)d seconds, WeChat takes 60.")
        raise ValidationError(text % {"seconds": round(seconds)})
    return Checked(content, suffix, f"{seconds:.0f} s")


def _amr_seconds(content: bytes) -> float:
    """The length of a recording of 20 ms frames; 0 for what is none."""
    position, frames = len(_AMR), 0
    while position < len(content):
        mode = content[position] >> 3 & 15
        if mode < len(_AMR_BYTES):
            position += 1 + _AMR_BYTES[mode]
        elif mode == 15:  # a silent frame
            position += 1
        else:
            return 0
        frames += 1
    return frames * 0.02


def _mp3_seconds(content: bytes) -> float:
    """The length of the frames of an MP3 file; 0 for what is none: it needs two frames, one after the other."""
    position = 0
    if content.startswith(b"ID3") and len(content) > 10:
        position = 10 + sum((byte & 127) << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    lengths = list(_mp3_frames(content, position))
    return sum(lengths) if len(lengths) > 1 else 0


def _mp3_frames(content: bytes, position: int) -> Iterator[float]:
    while position + 4 <= len(content):
        head = int.from_bytes(content[position : position + 4])
        version, layer = head >> 19 & 3, head >> 17 & 3
        rate, hertz = head >> 12 & 15, head >> 10 & 3
        if head >> 21 != 0x7FF or layer != 1 or version == 1 or rate in (0, 15) or hertz == 3:
            return  # the tags that may stand at the end, or no MP3 at all
        samples = 1152 if version == 3 else 576
        frequency = _MP3_HERTZ[version][hertz]
        bits = _MP3_RATES[3 if version == 3 else 2][rate - 1] * 1000
        yield samples / frequency
        position += samples // 8 * bits // frequency + (head >> 9 & 1)


def _video(content: bytes, _permanent: bool) -> Checked:  # noqa: FBT001
    if {b"ftyp", b"moov"} <= set(_boxes(content)) and content[4:8] == b"ftyp":
        return Checked(content, ".mp4")
    raise ValidationError(_("This is no video that WeChat takes. Choose an MP4 file."))


def _boxes(content: bytes) -> Iterator[bytes]:
    """The names of the boxes an MP4 file consists of, up to the first one that is not whole."""
    position = 0
    while position + 8 <= len(content):
        size, name = struct.unpack(">I4s", content[position : position + 8])
        if size == 1 and position + 16 <= len(content):
            (size,) = struct.unpack(">Q", content[position + 8 : position + 16])
        elif size == 0:
            size = len(content) - position
        if size < 8 or position + size > len(content):
            return
        yield name
        position += size


_CHECKS: Mapping[str, Callable[[bytes, bool], Checked]] = {
    "image": _image,
    "voice": _voice,
    "video": _video,
    "thumb": _thumb,
}
