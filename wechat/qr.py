"""Parametric QR codes: a valid code for a scene, made once and used again, and its picture drawn from the code's address.

Comes in: an account and a scene. Goes out: a QRCode row, and SVG or PNG. Pages may call this: it asks the platform only if
there is no valid code, one at a time, and remembers a failure for a few seconds so that a page never hangs on it twice.
"""

import io
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

import segno
from django.db.models import F, Q
from django.utils import timezone

from wechat import circuit, client, leases
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError, Unreachable
from wechat.models import QRCode

LONGEST = 2_592_000  # seconds, 30 days
MOST_TEMPORARY, MOST_PERMANENT = 4_294_967_295, 100_000  # number scenes
FOR_PAPER = timedelta(days=7)
SPARE = timedelta(seconds=5)  # a code this close to its end is not shown any more
CALLS_AT_ONCE = 4  # of the 16 threads of a web process; the callback needs the others
WAIT = 0.5  # seconds for one of these
FAILURE_LASTS = 5.0  # seconds

PERMANENT = QRCode.Kind.PERMANENT

_calls = threading.BoundedSemaphore(CALLS_AT_ONCE)
_failures: dict[int, tuple[float, CallFailed]] = {}


def valid_code(account_id: int, scene: str, *, kind: QRCode.Kind | None = None) -> QRCode | None:
    """The code of this scene, of that kind only or of any, that is valid longest, if there is one."""
    valid = Q(kind=PERMANENT) | Q(expires_at__gt=timezone.now() + SPARE)
    codes = QRCode.objects.filter(valid, account_id=account_id, scene=scene, **({"kind": kind} if kind else {}))
    return codes.order_by(F("expires_at").desc(nulls_first=True), "-pk").first()


def code_for(account: AccountConfig, scene: int | str) -> QRCode:
    """A valid temporary code for `scene` (1 … 4294967295, or a text of 1 … 64 characters).

    Raises ValueError for another scene, CallFailed when the platform gives none now.
    """
    check_scene(scene)
    code = valid_code(account.id, str(scene))
    return code or _make_once(account, scene)


def lasting_code(account: AccountConfig, scene: int | str) -> QRCode:
    """A code for paper: one with a week left at least, else a new one for 30 days. Raises like code_for."""
    code = valid_code(account.id, str(scene))
    lasts = code and (code.expires_at is None or code.expires_at > timezone.now() + FOR_PAPER)
    return code if code and lasts else new_code(account, scene, seconds=LONGEST)


def new_code(account: AccountConfig, scene: int | str, *, seconds: int | None) -> QRCode:
    """A code that lasts `seconds`, made now also beside a valid one; None: the permanent one, which is made only once.

    One that another process makes at this moment serves as well. Raises like code_for, but remembers no failure.
    """
    check_scene(scene, permanent=seconds is None)
    began = timezone.now()

    def found() -> QRCode | None:
        mine = QRCode.objects.filter(account_id=account.id, scene=str(scene))
        if seconds is None:
            return mine.filter(kind=PERMANENT).last()
        return mine.filter(kind=QRCode.Kind.TEMPORARY, created_at__gte=began).last()

    return found() or _make(account, scene, seconds, found)


def check_scene(scene: int | str, *, permanent: bool = False) -> None:
    """Raise ValueError for what the platform takes for no scene."""
    if isinstance(scene, int) and not isinstance(scene, bool):
        most = MOST_PERMANENT if permanent else MOST_TEMPORARY
        if not 1 <= scene <= most:
            raise ValueError(f"a number scene is 1 to {most}")
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
        seconds = min(int(account.get("wechat_qr_expire_seconds")), LONGEST)
        return _make(account, scene, seconds, lambda: valid_code(account.id, str(scene)))
    except CallFailed as error:
        _failures[account.id] = (time.monotonic() + FAILURE_LASTS, error)
        raise
    finally:
        _calls.release()


def _make(account: AccountConfig, scene: int | str, seconds: int | None, found: Callable[[], QRCode | None]) -> QRCode:
    """Make one, unless meanwhile another thread or process made one that is `found`."""
    lease, holder = f"code:{account.id}:{scene}"[:80], f"{threading.get_ident()}:{time.monotonic()}"
    deadline = time.monotonic() + 1.0
    while not leases.claim(lease, holder, 10.0):  # two people opened the page at once: one code serves both
        time.sleep(0.05)
        if code := found():
            return code
        if time.monotonic() > deadline:
            raise Unreachable("qrcode/create", "another process makes this code and does not finish")
    try:
        return found() or _create(account, scene, seconds)
    finally:
        leases.release(lease, holder)


def _create(account: AccountConfig, scene: int | str, seconds: int | None) -> QRCode:
    created = timezone.now()
    if seconds is None:
        answer = client.create_permanent_code(account, scene)
    else:
        answer = client.create_temporary_code(account, scene, seconds)
    ticket, url = answer.get("ticket"), answer.get("url")
    if not (isinstance(ticket, str) and isinstance(url, str) and ticket and url):
        raise PlatformError(-1, "the answer holds no ticket", "/cgi-bin/qrcode/create")
    return QRCode.objects.create(
        account_id=account.id,
        scene=str(scene),
        kind=PERMANENT if seconds is None else QRCode.Kind.TEMPORARY,
        ticket=ticket,
        url=url,
        created_at=created,
        expires_at=None if seconds is None else created + _lasts(answer.get("expire_seconds"), seconds),
    )


def _lasts(told: object, asked: int) -> timedelta:
    """How long the platform says that a code is valid; what was asked for where it says nothing sensible."""
    return timedelta(seconds=told if isinstance(told, int) and 0 < told <= LONGEST else asked)
