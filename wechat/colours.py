"""The firm's colour, made readable: out of any colour come shades that people can read on the public pages' grounds.

Comes in: a colour such as #128552. Goes out: the shades of static/css/public.css for light and dark. Whatever staff choose,
text and grounds keep the contrast of WCAG 2.2 AA (1.4.3: 4.5 to 1); the colour moves towards black or white only as far as that
needs, so its tone stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

ENOUGH = 4.5
STEPS = 100


@dataclass(frozen=True)
class Scheme:
    """The grounds of the public pages, as public.css has them, and where a colour goes that cannot be read on them."""

    paper: str
    surface: str
    towards: str
    soft_share: float  # how much of the surface is in the soft ground


@dataclass(frozen=True)
class Shades:
    """`accent` is read on paper, surface and `soft`, and fills buttons on which `ink` is read."""

    accent: str
    soft: str
    ink: str


LIGHT = Scheme(paper="#f6f2ec", surface="#ffffff", towards="#000000", soft_share=0.88)
DARK = Scheme(paper="#161412", surface="#211e1b", towards="#ffffff", soft_share=0.82)


@lru_cache(maxsize=256)
def shades(colour: str, scheme: Scheme) -> Shades:
    """What becomes of the colour (#rrggbb) in one of the two schemes. Raises ValueError for what is no such colour."""
    soft = mixed(colour, scheme.surface, scheme.soft_share)
    accent = readable(colour, (scheme.paper, scheme.surface, soft), scheme.towards)
    return Shades(accent, soft, scheme.surface)


def readable(colour: str, grounds: Iterable[str], towards: str) -> str:
    """The nearest shade between the colour and `towards` that can be read on all of the grounds."""
    asked = tuple(grounds)
    steps = (mixed(colour, towards, step / STEPS) for step in range(STEPS + 1))
    return next((shade for shade in steps if all(contrast(shade, ground) >= ENOUGH for ground in asked)), towards)


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white): WCAG 2.2, "contrast ratio"."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(colour: str, other: str, share: float) -> str:
    """The colour with so much of the other one in it, 0 to 1."""
    parts = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def _luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> tuple[int, int, int]:
    if len(colour) != 7 or not colour.startswith("#"):
        raise ValueError(f"{colour!r} is no colour of the form #rrggbb")
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue
