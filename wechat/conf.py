"""The configuration of an account as the rest of the code reads it: one frozen view, cached in the process.

A process reads the rows again only when an account's stamp moved, and looks at the stamps once a second at most: a push
costs no query for configuration. The same look brings what the callback must know of the others: is a worker alive, is
the API failing.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import DatabaseError, InterfaceError, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wechat import crypto
from wechat.models import Account, ChannelCode, ConfigRow, Lease, Rule
from wechat.registry import ROWS, moment
from wechat.sealing import SealBroken, seal, unseal

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between two looks at the stamps
_LENT = ("public_wechat_accesstoken", "public_wechat_jsapi_ticket")


class Channel(NamedTuple):
    """What a push must know of a channel code that is on; `tags` says whether it puts a tag on people."""

    id: int
    rule_id: int | None
    tags: bool


@dataclass(frozen=True)
class AccountConfig:
    """An account with all of its rows, as one process sees it for about a second. `values` hold no absent rows."""

    id: int
    slug: str
    name: str
    mode: str
    original_id: str
    delivery: str
    may_send: bool
    rules_stamp: int
    values: Mapping[str, str] = field(repr=False)
    aes_keys: tuple[bytes, ...] = field(repr=False)
    old_token: tuple[str, float] = field(repr=False)  # and until when (Unix time) it is still accepted
    channels: Mapping[str, Channel] = field(repr=False)  # by their scenes

    def get(self, name: str) -> str:
        """The row's value, or its default."""
        return self.values.get(name) or ROWS[name].default()

    @property
    def appid(self) -> str:
        return self.get("public_wechat_appid")

    @property
    def token(self) -> str:
        return self.get("public_wechat_token")

    @property
    def tokens(self) -> tuple[str, ...]:
        """What a push may be signed with now: the token, and while it is being changed the one before."""
        old, until = self.old_token
        return (self.token, old) if old and time.time() < until else (self.token,)


@dataclass(frozen=True)
class Snapshot:
    """What one look brought: all accounts, and which leases run until when."""

    accounts: Mapping[str, AccountConfig]
    stamps: tuple[tuple[str, int, int], ...]
    leases: Mapping[str, float]
    looked_at: float

    def holds(self, prefix: str) -> bool:
        """Whether a lease of that name, or beginning with it when it ends in a colon, runs now."""
        now = time.time()
        if prefix.endswith(":"):
            return any(until > now for name, until in self.leases.items() if name.startswith(prefix))
        return self.leases.get(prefix, 0) > now


_snapshot: Snapshot | None = None
_looking = threading.Lock()


def snapshot() -> Snapshot:
    """The configuration of all accounts, at most about a second old."""
    current = _snapshot
    if current and time.monotonic() - current.looked_at < LOOK_EVERY:
        return current
    # One thread looks, the others go on with what they have, if they have anything.
    if _looking.acquire(blocking=current is None):
        try:
            return _look(_snapshot)
        except (DatabaseError, InterfaceError) as error:
            if current is None:
                raise
            logger.error("the configuration cannot be read, what was read before goes on: %s", error)
            return _keep(current)
        finally:
            _looking.release()
    return current or snapshot()


def account(slug: str) -> AccountConfig | None:
    """The account of that short name, or None."""
    return snapshot().accounts.get(slug)


def account_by_id(account_id: int) -> AccountConfig:
    """The account with that primary key. Raises KeyError when it was deleted."""
    for _look_again in range(2):
        for config in snapshot().accounts.values():
            if config.id == account_id:
                return config
        forget()  # another process may have made it since
    raise KeyError(account_id)


def forget() -> None:
    """Let the next snapshot() read everything again."""
    global _snapshot
    _snapshot = None


def save(owner: Account, values: Mapping[str, str]) -> None:
    """Check and store rows of `owner`. Raises ValidationError by row name; then nothing is stored."""
    errors, cleaned = {}, {}
    for name, value in values.items():
        try:
            cleaned[name] = ROWS[name].clean(value)
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)
    for name, value in cleaned.items():
        stored = seal(value) if ROWS[name].secret else value
        ConfigRow.objects.update_or_create(account=owner, conf_name=name, defaults={"conf_value": stored})
    if {"public_wechat_appid", "public_wechat_appsecret"} & cleaned.keys():
        ConfigRow.objects.filter(account=owner, conf_name__in=_LENT).delete()  # they were the old one's
    touch(owner)


def require_key(owner: Account) -> None:
    """Raise ValidationError if the account's mode needs an EncodingAESKey that it does not have."""
    if (
        owner.mode != Account.Mode.PLAIN
        and not owner.rows.filter(conf_name="public_wechat_aes_key").exclude(conf_value="").exists()
    ):
        raise ValidationError({"public_wechat_aes_key": _("Compatible and safe mode need the EncodingAESKey.")})


def touch(owner: Account) -> None:
    """Tell every process that this account changed; this one at once, the others within a second."""
    Account.objects.filter(pk=owner.pk).update(stamp=models.F("stamp") + 1)
    forget()


def rules_changed(instance: Rule, **_signal: object) -> None:
    """The signal handler of a saved or deleted Rule: every process builds its index anew, within two seconds."""
    Account.objects.filter(pk=instance.account_id).update(rules_stamp=models.F("rules_stamp") + 1)
    forget()


def channels_changed(instance: ChannelCode, **_signal: object) -> None:
    """The signal handler of a saved or deleted ChannelCode; to be called once for many that were written at once."""
    Account.objects.filter(pk=instance.account_id).update(stamp=models.F("stamp") + 1)
    forget()


def account_changed(instance: Account, **_signal: object) -> None:
    """The signal handler of a saved or deleted Account."""
    touch(instance)


def open_row(row: ConfigRow) -> str:
    """The value of a row, unsealed when it is a secret. Raises SealBroken."""
    known = ROWS.get(row.conf_name)
    return unseal(row.conf_value) if known and known.secret else row.conf_value


def _look(previous: Snapshot | None) -> Snapshot:
    global _snapshot
    stamps = tuple(Account.objects.order_by("slug").values_list("slug", "stamp", "rules_stamp"))
    leases = {
        name: until.timestamp()
        for name, until in Lease.objects.filter(until__gt=timezone.now()).values_list("name", "until")
        if not name.startswith("code:")
    }
    accounts = previous.accounts if previous and previous.stamps == stamps else _load()
    _snapshot = Snapshot(accounts, stamps, leases, time.monotonic())
    return _snapshot


def _keep(current: Snapshot) -> Snapshot:
    """Go on with it until the next look: who pushes must not wait for a database that fails."""
    global _snapshot
    _snapshot = replace(current, looked_at=time.monotonic())
    return _snapshot


def _load() -> dict[str, AccountConfig]:
    channels: dict[int, dict[str, Channel]] = {}
    enabled = ChannelCode.objects.filter(enabled=True).order_by()
    for account_id, scene, pk, rule_id, tag_id in enabled.values_list("account_id", "scene", "pk", "rule_id", "tag_id"):
        channels.setdefault(account_id, {})[scene] = Channel(pk, rule_id, tag_id is not None)
    return {
        owner.slug: _freeze(owner, channels.get(owner.pk, {})) for owner in Account.objects.prefetch_related("rows")
    }


def _freeze(owner: Account, channels: Mapping[str, Channel]) -> AccountConfig:
    values = dict(_readable(owner))
    keys = (values.get("public_wechat_aes_key"), values.get("public_wechat_aes_key_previous"))
    return AccountConfig(
        id=owner.pk,
        slug=owner.slug,
        name=str(owner),
        mode=owner.mode,
        original_id=owner.original_id,
        delivery=owner.way_of_delivery,
        may_send=owner.may_send_customer_service,
        rules_stamp=owner.rules_stamp,
        values=values,
        aes_keys=tuple(crypto.decode_aes_key(key) for key in keys if key),
        old_token=_old_token(values),
        channels=channels,
    )


def _old_token(values: Mapping[str, str]) -> tuple[str, float]:
    until = moment(values.get("public_wechat_token_previous_until", ""))
    return values.get("public_wechat_token_previous", ""), until.timestamp() if until else 0.0


def _readable(owner: Account) -> Iterator[tuple[str, str]]:
    for row in owner.rows.all():
        if row.conf_name in _LENT:
            continue  # wechat.credentials reads them, from the row
        try:
            yield row.conf_name, open_row(row)
        except SealBroken as error:  # one lost key must not stop the other accounts
            logger.error("account %s, row %s: %s", owner.slug, row.conf_name, error)
