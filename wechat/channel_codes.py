"""The tickets of channel codes: made when a code is new, renewed before they end, by staff's click or by the worker.

Comes in: a ChannelCode. Goes out: a QRCode of its scene. `due_at` of the row says when the next one is to be made, `error`
what stopped the last attempt: the worker tries again by itself, and never more than a few a second.
"""

import logging
import time
from datetime import datetime, timedelta

from django.utils import timezone

from wechat import attempts, circuit, conf, leases, qr
from wechat.errors import CallFailed, PlatformError
from wechat.models import ChannelCode, QRCode

PERMANENT_LIMIT = 100_000  # in the life of an account (wechat-api.md section 5)
NEARLY = 90_000  # from here on staff are warned
USED_UP = 45029
AT_ONCE = 3  # codes in one turn of the worker
PACE = 0.3  # seconds from one call to the next
SPARE_PART, SPARE_DAYS = 0.2, timedelta(days=1)  # of its life that is left when a code is renewed
AGAIN, LATER = timedelta(seconds=30), timedelta(minutes=10)  # after a failure that may pass, and after another one
_QUOTA = frozenset({45009, 45011})

logger = logging.getLogger(__name__)


def code_of(channel: ChannelCode) -> QRCode | None:
    """The valid code of this channel, if there is one now."""
    return qr.valid_code(channel.account_id, channel.scene, kind=QRCode.Kind(channel.kind))


def make(channel: ChannelCode) -> QRCode:
    """Ask the platform for a code; a permanent one that is there is never made twice.

    Raises CallFailed; then the row keeps what went wrong, and when the worker tries again.
    """
    seconds = None if channel.permanent else channel.days * 86_400
    try:
        made = qr.new_code(conf.account_by_id(channel.account_id), channel.scene_value, seconds=seconds)
    except CallFailed as error:
        _keep(channel, due_at=_next_try(error, timezone.now()), error=str(error)[:300])
        raise
    _keep(channel, due_at=_end_of(channel, made), error="")
    return made


def plan(channel: ChannelCode) -> None:
    """Say when the next code is to be made, after the row was made or changed by staff."""
    code = code_of(channel)
    if code:
        _keep(channel, due_at=_end_of(channel, code), error="")
        return
    had_one = QRCode.objects.filter(account_id=channel.account_id, scene=channel.scene, kind=channel.kind).exists()
    _keep(channel, due_at=timezone.now() if channel.renew or not had_one else None, error="")


def make_due() -> int:
    """One turn of the worker: the codes that have been due longest. Returns how many more are due."""
    due = ChannelCode.objects.filter(enabled=True, due_at__lte=timezone.now()).order_by("due_at", "pk")
    for channel in due[:AT_ONCE]:
        began = time.monotonic()
        if leases.is_held(circuit.name(channel.account_id)):
            _keep(channel, due_at=timezone.now() + AGAIN, error=channel.error)
            continue
        try:
            make(channel)
        except (CallFailed, KeyError) as error:  # KeyError: the account is gone
            logger.warning("channel code %s got no code: %s", channel.pk, error)
        time.sleep(max(0.0, began + PACE - time.monotonic()))
    return due.count()


def is_scene(scene: str) -> bool:
    """Whether some account has a channel code of this scene, on or off."""
    return ChannelCode.objects.filter(scene=scene).exists()


def permanent_count(account_id: int) -> int:
    """How many permanent codes were made from here; WeChat does not tell how many others there are."""
    return QRCode.objects.filter(account_id=account_id, kind=QRCode.Kind.PERMANENT).count()


def renewal_of(code: QRCode) -> datetime | None:
    """When a new one should follow: a fifth of its life before its end, or a day, whichever is earlier; None: never.

    A code of a day or two is half over by then.
    """
    if code.expires_at is None:
        return None
    life = code.expires_at - code.created_at
    return code.expires_at - max(SPARE_PART * life, min(SPARE_DAYS, life / 2))


def _end_of(channel: ChannelCode, code: QRCode) -> datetime | None:
    return renewal_of(code) if channel.renew else None


def _next_try(error: CallFailed, now: datetime) -> datetime | None:
    if isinstance(error, PlatformError):
        if error.code == USED_UP:
            return None  # staff have to choose another kind
        if error.code in _QUOTA:
            return now + timedelta(seconds=attempts.pause_seconds(error.code, now))
    return now + (AGAIN if error.may_repeat else LATER)


def _keep(channel: ChannelCode, *, due_at: datetime | None, error: str) -> None:
    channel.due_at, channel.error = due_at, error
    ChannelCode.objects.filter(pk=channel.pk).update(due_at=due_at, error=error)
