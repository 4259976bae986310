"""How an account looks to its visitors: its name, logo and colour, and the two files in which logo and colour travel.

Comes in: an account. Goes out: what templates/base_public.html needs, by one line in a view:

    context = {"order": order, **brands.shown(order.account)}

The files have their version in the address, so browsers keep them; any other version than today's is not found. The colour
travels as a style sheet, because the pages' policy allows no style within them.
"""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from PIL import Image

from wechat.colours import DARK, LIGHT, Shades, shades
from wechat.models import Account, Brand

MOST_WIDE, MOST_HIGH = 160, 36  # of a logo on a page, in CSS pixels
_forever = cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)


@dataclass(frozen=True)
class Look:
    """Addresses on this site, empty where staff have set nothing; and the logo's measures on a page, in CSS pixels."""

    logo_url: str = ""
    style_url: str = ""
    width: int = 0
    height: int = 0


def shown(account: Account) -> dict[str, Any]:
    """The part of a public page's context that says whose page it is: `account_name` and `look`. One query."""
    return {"account_name": str(account), "look": look_of(account)}


def look_of(account: Account) -> Look:
    """Where logo and colour of the account are."""
    row = Brand.objects.filter(account=account).values_list("colour", "logo_version").first()
    colour, version = row or ("", "")
    return Look(
        reverse("brand-logo", args=[account.slug, version]) if version else "",
        reverse("brand-style", args=[account.slug, _digest(style(colour).encode(), 12)]) if colour else "",
        *_measures(version),
    )


def logo_version(logo: bytes) -> str:
    """The name of a logo's file: its measures, so that a page keeps room for it, and a digest. At most 16 characters."""
    with Image.open(io.BytesIO(logo), formats=["PNG"]) as picture:
        return f"{picture.width}x{picture.height}-{_digest(logo, 8)}"


def _measures(version: str) -> tuple[int, int]:
    """How large a logo is drawn: as large as fits into the line at the top of the page."""
    if not version:
        return 0, 0
    width, height = map(int, version.partition("-")[0].split("x"))
    scale = min(MOST_WIDE / width, MOST_HIGH / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _digest(content: bytes, length: int) -> str:
    return hashlib.sha256(content).hexdigest()[:length]


def style(colour: str) -> str:
    """The style sheet that puts the colour in the place of our own. On paper it is as in the light."""
    return (
        f":root{{{_properties(shades(colour, LIGHT))}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_properties(shades(colour, DARK))}}}}}\n"
    )


def _properties(of: Shades) -> str:
    return f"--accent:{of.accent};--accent-soft:{of.soft};--accent-ink:{of.ink}"


@require_safe
@_forever
def logo(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """The logo, a PNG."""
    brand = _brand(slug)
    if not brand.logo or brand.logo_version != version:
        raise Http404
    return _file(bytes(brand.logo), "image/png")


@require_safe
@_forever
def stylesheet(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """The colour, as custom properties of public.css."""
    brand = _brand(slug)
    content = style(brand.colour).encode() if brand.colour else b""
    if not content or _digest(content, 12) != version:
        raise Http404
    return _file(content, "text/css; charset=utf-8")


def _brand(slug: str) -> Brand:
    brand = Brand.objects.filter(account__slug=slug).first()
    if brand is None:
        raise Http404
    return brand


def _file(content: bytes, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    return response
