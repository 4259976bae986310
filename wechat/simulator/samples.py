"""What stands ready on the phone: photos (drawn for this page, in `static/simulator/photos/`) and a voice."""

import mimetypes
from pathlib import Path

from werkzeug.security import safe_join

STATIC = Path(__file__).resolve().parent.parent.parent / "static" / "simulator"
ADDRESS = "/static/simulator/"
VOICE = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 150  # three silent seconds
PHOTOS = tuple(f"{ADDRESS}photos/{name}.jpg" for name in ("plan", "livingroom", "kitchen", "sketch"))


def own_file(address: str) -> tuple[bytes, str] | None:
    """Content and content type of a file under /static/simulator/; None when there is no such file."""
    if not address.startswith(ADDRESS):
        return None
    path = safe_join(str(STATIC), address.removeprefix(ADDRESS))
    if path is None or not Path(path).is_file():
        return None
    return Path(path).read_bytes(), mimetypes.guess_type(path)[0] or "application/octet-stream"
