"""Parametric QR codes: a valid code for a scene, made once and used again, and its picture drawn from the code's address.

Comes in: an account and a scene. Goes out: a QRCode row, and SVG or PNG. Pages may call this: it asks the platform only if
there is no valid code, one at a time, and remembers a failure for a few seconds so that a page never hangs on it twice.
"""

import io
import threading
import time
from datetime import timedelta
from functools import lru_cache

import segno
from django.utils import timezone

from wechat import circuit, client, leases
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError, Unreachable
from wechat.models import QRCode

LONGEST = 2_592_000  # seconds, 30 days
SPARE = timedelta(seconds=5)  # a code this close to its end is not shown any more
CALLS_AT_ONCE = 4  # of the 16 threads of a web process; the callback needs the others
WAIT = 0.5  # seconds for one of these
FAILURE_LASTS = 5.0  # seconds

_calls = threading.BoundedSemaphore(CALLS_AT_ONCE)
_failures: dict[int, tuple[float, CallFailed]] = {}


def valid_code(account_id: int, scene: str) -> QRCode | None:
    """The code of this scene that is valid longest, if there is one."""
    codes = QRCode.objects.filter(account_id=account_id, scene=scene, expires_at__gt=timezone.now() + SPARE)
    return codes.order_by("-expires_at").first()


def code_for(account: AccountConfig, scene: int | str) -> QRCode:
    """A valid temporary code for `scene` (1 … 4294967295, or a text of 1 … 64 characters).

    Raises ValueError for another scene, CallFailed when the platform gives none now.
    """
    check_scene(scene)
    code = valid_code(account.id, str(scene))
    return code or _make_once(account, scene)


def check_scene(scene: int | str) -> None:
    """Raise ValueError for what the platform takes for no scene."""
    if isinstance(scene, int) and not isinstance(scene, bool):
        if not 1 <= scene <= 4_294_967_295:
            raise ValueError("a number scene is 1 to 4294967295")
    elif not isinstance(scene, str) or not 1 <= len(scene) <= 64:
        raise ValueError("a text scene has 1 to 64 characters")


def svg(url: str) -> str:
    """The code as an SVG document, to be put into a page as it is."""
    return _draw(url, "svg").decode()


def png(url: str) -> bytes:
    """The code as a PNG, about 400 pixels wide."""
    return _draw(url, "png")


@lru_cache(maxsize=512)  # drawing costs some 5 ms
def _draw(url: str, kind: str) -> bytes:
    out = io.BytesIO()
    code = segno.make(url, error="m", micro=False)
    if kind == "svg":
        code.save(out, kind="svg", border=2, xmldecl=False, svgns=True, omitsize=True, title="")
    else:
        code.save(out, kind="png", border=2, scale=max(1, 400 // (code.symbol_size(border=2)[0])))
    return out.getvalue()


def _make_once(account: AccountConfig, scene: int | str) -> QRCode:
    until, failure = _failures.get(account.id, (0.0, None))
    if failure and time.monotonic() < until:
        raise failure.with_traceback(None)
    if leases.is_held(circuit.name(account.id)):
        raise Unreachable("qrcode/create", "WeChat's API is failing at the moment")
    if not _calls.acquire(timeout=WAIT):  # then the page says so and asks again: its thread is needed
        raise Unreachable("qrcode/create", "too many codes are being made at this moment")
    try:
        return _make(account, scene)
    except CallFailed as error:
        _failures[account.id] = (time.monotonic() + FAILURE_LASTS, error)
        raise
    finally:
        _calls.release()


def _make(account: AccountConfig, scene: int | str) -> QRCode:
    lease, holder = f"code:{account.id}:{scene}"[:80], f"{threading.get_ident()}:{time.monotonic()}"
    deadline = time.monotonic() + 1.0
    while not leases.claim(lease, holder, 10.0):  # two people opened the page at once: one code serves both
        time.sleep(0.05)
        if code := valid_code(account.id, str(scene)):
            return code
        if time.monotonic() > deadline:
            raise Unreachable("qrcode/create", "another process makes this code and does not finish")
    try:
        return valid_code(account.id, str(scene)) or _create(account, scene)
    finally:
        leases.release(lease, holder)


def _create(account: AccountConfig, scene: int | str) -> QRCode:
    seconds = min(int(account.get("wechat_qr_expire_seconds")), LONGEST)
    created = timezone.now()
    answer = client.create_temporary_code(account, scene, seconds)
    ticket, url = answer.get("ticket"), answer.get("url")
    if not (isinstance(ticket, str) and isinstance(url, str) and ticket and url):
        raise PlatformError(-1, "the answer holds no ticket", "/cgi-bin/qrcode/create")
    valid = answer.get("expire_seconds")
    lasts = valid if isinstance(valid, int) and 0 < valid <= LONGEST else seconds
    return QRCode.objects.create(
        account_id=account.id,
        scene=str(scene),
        ticket=ticket,
        url=url,
        created_at=created,
        expires_at=created + timedelta(seconds=lasts),
    )
