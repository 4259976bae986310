"""Pictures, voices and videos of an account: stored here once, sent to the platform, and renewed before they end there.

Comes in: a checked file (wechat.material_files). Goes out: a Material with a media ID. Answers name it as `material:7`
(wechat.media_ids), so that they need not change when a renewal brings another ID.
"""

import json
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from wechat import conf
from wechat.client import media
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError
from wechat.material_files import TYPES, Checked
from wechat.media_ids import number_in
from wechat.models import Material, Rule
from wechat.models.materials import REFERENCE
from wechat.transport import File

LASTS = timedelta(days=3)
RENEW_BEFORE = timedelta(hours=12)
AFTER_FAILURE = timedelta(minutes=10)
AT_ONCE = 5  # files in one turn: each may take some seconds
GONE = 40007  # the platform does not know the media ID

logger = logging.getLogger(__name__)


def label(name: str) -> str:
    """What staff read of a file's name: its last part, without what no row can hold."""
    last = PurePath(name.replace("\\", "/")).name
    shown = "".join(character for character in last if character.isprintable()).strip(". ")
    return shown[:100] or "file"


def keep(material: Material, checked: Checked) -> None:
    """Store a new row with its file."""
    material.size, material.measures = len(checked.content), checked.measures
    material.file.save(f"file{checked.suffix}", ContentFile(checked.content), save=False)
    if checked.preview:
        material.preview.save("preview.jpg", ContentFile(checked.preview), save=False)
    material.save()


def upload(material: Material) -> None:
    """Send the file to the platform, for the first time or again. Raises CallFailed; the row keeps what went wrong.

    The old media ID of a temporary one stays good until its own end.
    """
    try:
        values = _sent(conf.account_by_id(material.account_id), material)
    except CallFailed as error:
        _set(material, error=str(error), failed_at=timezone.now())
        raise
    _set(material, **values, error="", failed_at=None, uploaded_at=timezone.now())


def _sent(account: AccountConfig, material: Material) -> dict[str, Any]:
    with material.file.open("rb") as opened:
        content = opened.read()
    suffix = PurePath(str(material.file.name)).suffix
    file = File(f"material-{material.pk}{suffix}", content, TYPES[suffix])  # ASCII: it takes no other name
    if material.permanent:
        video = {"title": material.title or material.name, "introduction": material.introduction}
        answer = media.add_permanent(
            account, material.kind, file, video=video if material.kind == Material.Kind.VIDEO else None
        )
        return {"media_id": str(answer.get("media_id", "")), "url": str(answer.get("url", ""))[:500]}
    media_id, created = media.upload_temporary(account, material.kind, file)
    now = timezone.now()
    began = min(datetime.fromtimestamp(created, UTC), now) if created else now
    return {"media_id": media_id, "expires_at": max(began, now - timedelta(hours=1)) + LASTS}


def _set(material: Material, **values: Any) -> None:
    for name, value in values.items():
        setattr(material, name, value)
    Material.objects.filter(pk=material.pk).update(**values)


def remove(material: Material) -> None:
    """Delete a material here, and a permanent one on the platform first. Raises CallFailed; then nothing is deleted."""
    if material.permanent and material.media_id:
        delete_there(conf.account_by_id(material.account_id), material.media_id)
    material.delete()


def delete_there(account: AccountConfig, media_id: str) -> None:
    """Delete a permanent file on the platform; one that is gone already is no failure."""
    try:
        media.delete_permanent(account, media_id)
    except PlatformError as error:
        if error.code != GONE:
            raise


def remove_file(instance: Material, **_signal: object) -> None:
    """The signal handler of a deleted Material: its files go with it."""
    for file in (instance.file, instance.preview):
        if file:
            file.delete(save=False)


def used_by(material: Material) -> list[Rule]:
    """The rules whose answers name this material, or its media ID."""
    wanted = {material.reference, material.media_id} - {""}
    rules = Rule.objects.filter(account_id=material.account_id)
    return [rule for rule in rules if wanted & set(_named(rule.answers))]


def _named(answers: Iterable[Any]) -> Iterator[str]:
    for answer in answers:
        if isinstance(answer, dict):
            yield from (text for text in (answer.get("media"), answer.get("thumb")) if isinstance(text, str))


def in_use() -> set[int]:
    """The materials that answers of rules name."""
    answers = Rule.objects.filter(enabled=True, answers__icontains=REFERENCE).values_list("answers", flat=True)
    found = (
        number_in(text) for each in answers for text in _named(json.loads(each) if isinstance(each, str) else each)
    )
    return {number for number in found if number is not None}


def renew_due() -> int:
    """Upload again what ends within 12 hours and is still wanted. Returns how many more are due; 0 when it should wait."""
    now = timezone.now()
    due = list(_ending(now))
    failed = False
    began = time.monotonic()
    for done, material in enumerate(due[:AT_ONCE], start=1):
        try:
            upload(material)
        except (CallFailed, KeyError, OSError) as error:  # the account is gone, or the file: the others need not wait
            logger.warning("material %s could not be renewed: %s", material.pk, error)
            _set(material, failed_at=now, error=material.error or str(error))
            failed = True
        if time.monotonic() - began > 10:  # the lease of a turn is 30 s
            return len(due) - done
    return 0 if failed else max(0, len(due) - AT_ONCE)


def _ending(now: datetime) -> Iterator[Material]:
    ending = Material.objects.filter(permanent=False, expires_at__lte=now + RENEW_BEFORE).exclude(file="")
    used: set[int] | None = None
    for material in ending.order_by("expires_at"):
        if material.failed_at and now - material.failed_at < AFTER_FAILURE:
            continue
        if not material.keep and used is None:
            used = in_use()
        if material.keep or material.pk in (used or ()):
            yield material


def choices(account_ids: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """What a form may offer in the place of a media ID, newest first: reference, kind, account and name. What has ended
    or never arrived is not offered. None: of all accounts."""
    now = timezone.now()
    rows = Material.objects.exclude(media_id="").only("kind", "name", "account_id", "expires_at", "preview")
    if account_ids is not None:
        rows = rows.filter(account_id__in=list(account_ids))
    return [
        {"value": row.reference, "kind": row.kind, "account": row.account_id, "label": row.name}
        for row in rows.order_by("-pk")[:500]
        if row.expires_at is None or row.expires_at > now
    ]


def listed(account: AccountConfig, kind: str, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """What the platform holds of a kind: how many, and 20 of them, each with our own row, if there is one, under `here`."""
    total, items = media.list_permanent(account, kind, offset)
    numbers = [str(item.get("media_id", "")) for item in items]
    ours = {row.media_id: row for row in Material.objects.filter(account_id=account.id, media_id__in=numbers)}
    return total, [{**item, "here": ours.get(str(item.get("media_id", "")))} for item in items]


def take_in(account: AccountConfig, kind: str, item: dict[str, str]) -> Material:
    """A row for a permanent file that exists on the platform only; its bytes stay there."""
    values = {
        "kind": kind,
        "name": label(item.get("name", "") or item["media_id"]),
        "permanent": True,
        "url": item.get("url", "")[:500],
        "uploaded_at": timezone.now(),
    }
    row, _created = Material.objects.get_or_create(account_id=account.id, media_id=item["media_id"], defaults=values)
    return row
