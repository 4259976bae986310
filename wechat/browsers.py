"""What a request says of the browser it comes from: whether it is WeChat's own, and whether one of our pages sent it."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def in_wechat(request: HttpRequest) -> bool:
    """Whether the page is opened inside WeChat. What it offers there is not secret: anybody may say so of himself.

    A page in a frame is inside WeChat too: nothing but the simulator's phone may frame one (settings.FRAME_ANCESTORS).
    """
    framed = bool(settings.FRAME_ANCESTORS) and request.headers.get("Sec-Fetch-Dest") == "iframe"
    return framed or "micromessenger" in request.headers.get("User-Agent", "").lower()


def from_own_page(request: HttpRequest) -> bool:
    """Whether a form of ours sent this POST: every browser names the origin of the page, and scripts cannot change it.

    For forms on pages that set no cookie, and thus have no token to compare. The page must send its origin:
    `Referrer-Policy: same-origin`; with `no-referrer` it is `null`.
    """
    own = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    return request.headers.get("Origin", "") in own


def origin_of(url: str) -> str:
    """`https://host:port` of an address, the way browsers and policies write it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
