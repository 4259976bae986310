"""A poster with a code: one drawing, to print (A4, A6) or to show on a phone (square), as PNG and as PDF with many pages.

Comes in: a Poster, whose texts staff wrote. Goes out: a picture of 300 dots an inch. The code carries error correction H: the
firm's logo in its middle hides a twentieth of it. Chinese is drawn with the fonts of wechat/fonts (wechat.poster_text).
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

import segno
from PIL import Image, ImageDraw

from wechat.poster_text import Block, contained

DPI = 300
SIZES = {"a4": (2480, 3508), "a6": (1240, 1748), "square": (1440, 1440)}  # pixels
PLACES = ("code", "top", "both", "none")  # where the logo goes
QUIET = 4  # modules of white around a code
LOGO_PART, RING_PART = 0.18, 0.23  # of the code's width: the logo, and the white under it
LOGO_PIXELS = 16_000_000  # a larger picture is not opened
COLOUR = "#0b7a43"  # where the firm has chosen none
INK, DIM, WHITE = (24, 28, 33), (92, 99, 107), (255, 255, 255)
READABLE = 4.5  # contrast of text (WCAG AA)

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Poster:
    """What stands on it. `logo` is a picture file or empty, `colour` like #128552 or empty; see SIZES and PLACES."""

    url: str
    firm: str
    headline: str
    subline: str = ""
    label: str = ""
    colour: str = ""
    logo: bytes = b""
    place: str = "code"
    size: str = "a4"


def png(poster: Poster, *, width: int = 0) -> bytes:
    """The poster as PNG; with a `width` in pixels a small one to look at."""
    image = draw(poster)
    if width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def write_pdf(posters: Iterable[Poster], file: IO[bytes]) -> None:
    """One page per poster, written one after the other: only one picture is in memory at a time."""
    for number, poster in enumerate(posters):
        file.seek(0)
        draw(poster).save(file, "PDF", resolution=DPI, quality=92, subsampling=0, append=number > 0, title=poster.firm)


def draw(poster: Poster) -> Image.Image:
    """The poster: a band in the firm's colour, headline, code, label, and the firm's name at the foot."""
    width, height = SIZES[poster.size]
    accent = readable(poster.colour or COLOUR)
    image = Image.new("RGB", (width, height), WHITE)
    pen = ImageDraw.Draw(image)
    foot = round(height * (0.085 if poster.size == "square" else 0.07))
    pen.rectangle((0, 0, width, height // 90), fill=accent)
    pen.rectangle((0, height - foot, width, height), fill=accent)
    side = round(width * (0.48 if poster.size == "square" else 0.6))
    blocks = _blocks(poster, width, accent)
    above, below = blocks[: len(blocks) - 1], blocks[-1]
    used = sum(block.height for block in blocks) + side
    gap = max(0, height - height // 90 - foot - used) // (len(blocks) + 2)
    top = height // 90 + gap
    for block in above:
        block.draw(image, top)
        top += block.height + gap
    _framed_code(image, poster, ((width - side) // 2, top, side), accent)
    below.draw(image, top + side + gap)
    name = Block(poster.firm, "bold", width * 0.036, WHITE, room=width * 0.84, lines=1)
    name.draw(image, height - foot + (foot - name.height) // 2)
    return image


def code(url: str, side: int, logo: bytes = b"") -> Image.Image:
    """The code alone with its quiet zone, at most `side` pixels wide, whole pixels per module; the logo in its middle."""
    made = segno.make(url, error="h", micro=False)
    modules = len(made.matrix) + 2 * QUIET
    scale = max(1, side // modules)
    out = io.BytesIO()
    made.save(out, kind="png", scale=scale, border=QUIET)
    image = Image.open(out).convert("RGB")
    if picture := opened(logo):
        _put_logo(image, picture, scale * (modules - 2 * QUIET))
    return image


def opened(logo: bytes) -> Image.Image | None:
    """The logo with its transparency; None where there is none, or none that can be drawn."""
    if not logo:
        return None
    try:
        picture = Image.open(io.BytesIO(logo))
        if picture.width * picture.height > LOGO_PIXELS:
            return None
        return picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError):  # what Pillow raises for a broken file
        return None


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str) -> Colour:
    """The colour `#rrggbb`, darkened until white text on it can be read."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    while contrast((red, green, blue), WHITE) < READABLE:
        red, green, blue = (int(part * 0.95) for part in (red, green, blue))
    return red, green, blue


def _blocks(poster: Poster, width: int, accent: Colour) -> list[Block]:
    """What stands above the code, and at last what stands below it."""
    room = width * 0.84
    square = poster.size == "square"
    above: list[Block] = []
    logo = opened(poster.logo) if poster.place in ("top", "both") else None
    if logo:
        above.append(Block.of_picture(logo, (width * 0.4, width * (0.09 if square else 0.14))))
    above.append(Block(poster.headline, "bold", width * (0.06 if square else 0.085), INK, room=room, lines=2))
    if poster.subline:
        above.append(
            Block(
                poster.subline,
                "regular",
                width * (0.034 if square else 0.042),
                DIM,
                room=room,
                lines=2 if square else 3,
            )
        )
    below = Block(poster.label, "bold", width * 0.042, accent, room=room, lines=2)
    return [*above, below]


def _framed_code(image: Image.Image, poster: Poster, place: tuple[int, int, int], accent: Colour) -> None:
    """The code in a frame of the firm's colour, in the square that begins at (left, top)."""
    left, top, side = place
    line = max(4, side // 110)
    box = (left, top, left + side, top + side)
    ImageDraw.Draw(image).rounded_rectangle(box, radius=side // 18, fill=WHITE, outline=accent, width=line)
    logo = poster.logo if poster.place in ("code", "both") else b""
    drawn = code(poster.url, side - 8 * line, logo)
    image.paste(drawn, (left + (side - drawn.width) // 2, top + (side - drawn.height) // 2))


def _put_logo(image: Image.Image, logo: Image.Image, width: int) -> None:
    ring = Image.new("RGBA", (round(width * RING_PART),) * 2, (0, 0, 0, 0))
    ImageDraw.Draw(ring).rounded_rectangle((0, 0, ring.width - 1, ring.height - 1), radius=ring.width // 6, fill=WHITE)
    most = round(width * LOGO_PART)
    fitted = contained(logo, (most, most))
    ring.alpha_composite(fitted, ((ring.width - fitted.width) // 2, (ring.height - fitted.height) // 2))
    image.paste(ring, ((image.width - ring.width) // 2, (image.height - ring.height) // 2), ring)


def _luminance(colour: Colour) -> float:
    parts = (part / 255 for part in colour)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
