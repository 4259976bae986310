"""Keeps our list of an account's templates as the platform's: what is new, what changed, what is gone.

Comes in: an account. Goes out: rows of MessageTemplate. Nothing is deleted: jobs point here, and a template may come back.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from wechat.client import templates
from wechat.conf import AccountConfig
from wechat.errors import CallFailed
from wechat.models import MessageTemplate

Kind = MessageTemplate.Kind
_CALLS: Mapping[str, tuple[str, Callable[[AccountConfig], templates.Listed]]] = {
    Kind.TEMPLATE: ("template_id", templates.private_templates),
    Kind.SUBSCRIPTION: ("priTmplId", templates.subscription_templates),
}


@dataclass
class Outcome:
    """What a synchronisation brought. `refused` has the kinds whose list the account may not read, or that failed."""

    found: int = 0
    new: int = 0
    gone: int = 0
    refused: dict[str, CallFailed] = field(default_factory=dict)


def synchronise(account: AccountConfig) -> Outcome:
    """Read both lists and store them. Where one is refused, our rows of that kind stay as they are."""
    outcome = Outcome()
    for kind, (key, call) in _CALLS.items():
        try:
            listed = call(account)
        except CallFailed as error:
            outcome.refused[kind] = error
        else:
            _store(account.id, kind, dict(_readable(listed, key)), outcome)
    return outcome


def _readable(listed: templates.Listed, key: str) -> Iterator[tuple[str, dict[str, str]]]:
    for entry in listed:
        number = entry.get(key)
        if isinstance(number, str) and 0 < len(number) <= 64:
            texts = {name: _text(entry, name) for name in ("title", "content", "example")}
            yield number, {**texts, "title": texts["title"][:100]}


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value.replace("\0", "") if isinstance(value, str) else ""


def _store(account_id: int, kind: str, listed: Mapping[str, dict[str, str]], outcome: Outcome) -> None:
    now = timezone.now()
    with transaction.atomic():
        for number, texts in listed.items():
            _row, made = MessageTemplate.objects.update_or_create(
                account_id=account_id,
                template_id=number,
                defaults={**texts, "kind": kind, "synced_at": now, "gone_at": None},
            )
            outcome.new += made
        left = MessageTemplate.objects.filter(account_id=account_id, kind=kind, gone_at=None)
        outcome.gone += left.exclude(template_id__in=listed).update(gone_at=now)
    outcome.found += len(listed)
