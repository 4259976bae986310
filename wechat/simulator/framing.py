"""Whether a page lets itself be shown in a frame of the phone. Browsers do not tell scripts, so its headers are read.

In: an address. Out: yes or no. Only pages on this machine are asked; of all others a yes is assumed, because the phone
offers a tab of its own for every page anyway.
"""

import ipaddress
from urllib.parse import urlsplit

import requests

TIMEOUT = 3.0  # seconds


def may_frame(url: str, *, origin: str) -> bool:
    """Whether the page at `url` may be framed by the simulator at `origin`."""
    parts = urlsplit(url)
    if not _is_loopback(parts.hostname):
        return True
    try:
        response = requests.head(url, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException:
        return True  # the frame shows the browser's own error page
    return _allowed(response, origin, same=f"{parts.scheme}://{parts.netloc}" == origin)


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _allowed(response: requests.Response, origin: str, *, same: bool) -> bool:
    """`frame-ancestors` decides; X-Frame-Options counts only where there is none."""
    for directive in response.headers.get("Content-Security-Policy", "").split(";"):
        name, *sources = directive.split() or [""]
        if name.lower() == "frame-ancestors":
            return any(
                source == "*" or source.rstrip("/") == origin or (source == "'self'" and same) for source in sources
            )
    option = response.headers.get("X-Frame-Options", "").strip().upper()
    return option == "" or (option == "SAMEORIGIN" and same)
