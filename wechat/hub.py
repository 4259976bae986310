"""The token hub: other programs of the firm get the account's access token here, and fetch none of their own.

Comes in: which account, and who asks. Goes out: the token with its seconds, or an error that says why there is none. A forced
renewal costs one of the platform's twenty a day, 30 s apart; what was spent stands in the database, so that no restart
forgets it. Source: https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
"""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone

from wechat import leases, tokens
from wechat.conf import AccountConfig
from wechat.models import ApiKey, ConfigRow, Lease, TokenRequest

PER_DAY, APART = 20, 30.0  # forced renewals, and the seconds between two of them
LEAST = 20  # seconds that a token is good for at least when it is given away
BEIJING = ZoneInfo("Asia/Shanghai")  # where the platform's day ends

Kind = TokenRequest.Kind


@dataclass(frozen=True)
class Given:
    """The token as it is given away. `expires_in` counts to the moment from which another one is to be asked for."""

    access_token: str = field(repr=False)
    expires_in: int
    fetched_at: datetime


class TooOften(Exception):
    """A renewal that the platform would not take; `seconds` says when it may be asked for again."""

    def __init__(self, *, seconds: int, of_today: bool) -> None:
        super().__init__("renewed too often")
        self.seconds, self.of_today = seconds, of_today


def current(account: AccountConfig, key: ApiKey) -> Given:
    """The token that is valid now. Raises CallFailed when none can be had."""
    given = _given(account)
    _record(account, key, Kind.READ)
    return given


def renew(account: AccountConfig, key: ApiKey) -> Given:
    """Another token than the present one, which ends at once. Raises TooOften, CallFailed."""
    try:
        _spend(account, key)
    except TooOften:
        _record(account, key, Kind.REFUSED)
        raise
    tokens.renew(account, tokens.get(account))
    leases.extend(f"renewed:{account.id}", APART)  # it was asked for: no sign that renewing is of no use
    return _given(account)


def renewals_today(account_id: int) -> int:
    """How many forced renewals were spent since midnight in Beijing."""
    day = timezone.now().astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    spent = TokenRequest.objects.filter(account_id=account_id, kind=Kind.RENEWED, hour__gte=day)
    return spent.aggregate(all=Sum("count"))["all"] or 0


def _spend(account: AccountConfig, key: ApiKey) -> None:
    """Count one renewal, before it is made: what became of a call that broke off nobody knows."""
    names = (f"forced:{account.id}", f"renewed:{account.id}")  # the second: a refused token was renewed by ourselves
    if renewals_today(account.id) >= PER_DAY:
        now = timezone.now().astimezone(BEIJING)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        raise TooOften(seconds=_seconds_until(midnight), of_today=True)
    running = Lease.objects.filter(name__in=names, until__gt=timezone.now()).order_by("-until").first()
    if running or not leases.claim(names[0], secrets.token_hex(8), APART):
        raise TooOften(seconds=_seconds_until(running.until) if running else int(APART), of_today=False)
    _record(account, key, Kind.RENEWED)


def _seconds_until(moment: datetime) -> int:
    return max(1, int((moment - timezone.now()).total_seconds()) + 1)


def _given(account: AccountConfig) -> Given:
    value = tokens.get(account)
    stored = tokens.stored(account)
    fetched = ConfigRow.objects.filter(account_id=account.id, conf_name=tokens.TOKEN_ROW)
    return Given(
        access_token=value,
        expires_in=max(LEAST, int(stored.expires - time.time())),
        fetched_at=fetched.values_list("updated_at", flat=True).first() or timezone.now(),
    )


def _record(account: AccountConfig, key: ApiKey, kind: Kind) -> None:
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    mine = {"account_id": account.id, "key_prefix": key.prefix, "kind": kind, "hour": hour}
    for _again in range(2):
        if TokenRequest.objects.filter(**mine).update(count=F("count") + 1, last_at=now, key_name=key.name[:50]):
            return
        try:
            with transaction.atomic():
                TokenRequest.objects.create(**mine, last_at=now, key_name=key.name[:50])
        except IntegrityError:
            continue  # another process was the first of this hour
        return
