"""Reads all followers of an account from the platform, in small turns of the worker, and goes on where it was interrupted.

Comes in: a SyncRun that staff started. Goes out: followers with state, date, source, remark and tags as the platform has them.
A run reads the tags, then the list (10,000 openids a page) with the facts of 100 people at a time, then the block list. Who
was not on the list is marked as not following only at the end of a whole run. What a younger push said is left alone.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from wechat import attempts, conf
from wechat.client import people
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, Fate, PlatformError, Unreachable, fate_of
from wechat.models import Account, Follower, SyncRun, Tag

TURN = 1.0  # seconds
PACE = 0.5  # seconds from one call to the next
SYSTEM_TAGS = frozenset({0, 1, 2})  # the platform's own
MOST_FAILURES = 10  # of one call, in a row: some ten minutes
QUOTA = frozenset({45009, 45011})
_WORN = Follower.tags.through
_TAKEN = ("subscribed", "state_time", "followed_at", "source", "remark", "sync_run")

Info = Mapping[str, Any]
logger = logging.getLogger(__name__)


def start(account: Account) -> SyncRun:
    """Begin a run; one that was stopped by an error is taken up again, and one that runs stays the only one."""
    now = timezone.now()
    last = SyncRun.objects.filter(account=account).first()
    if last and last.state == SyncRun.State.RUNNING:
        return last
    if last and last.state == SyncRun.State.FAILED and now - last.started_at < timedelta(days=1):
        last.state, last.due_at, last.failures, last.error = SyncRun.State.RUNNING, now, 0, ""
        last.save()
        return last
    return SyncRun.objects.create(account=account, started_at=now, due_at=now)


def stop(run: SyncRun) -> None:
    """End a run; what it has read so far stays."""
    running = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING)
    running.update(state=SyncRun.State.STOPPED, page=[], finished_at=timezone.now())


def run() -> int:
    """One turn of the run that has waited longest. Returns how many runs have more to do now."""
    due = SyncRun.objects.filter(state=SyncRun.State.RUNNING, due_at__lte=timezone.now())
    current = due.order_by("due_at").first()
    if current is None:
        return 0
    ends = time.monotonic() + TURN
    while current.state == SyncRun.State.RUNNING and current.due_at <= timezone.now() and time.monotonic() < ends:
        called = time.monotonic()
        _step(current)
        time.sleep(max(0.0, called + PACE - time.monotonic()))
    return due.count()


def _step(current: SyncRun) -> None:
    """One call and what it brings. A failed one is repeated later; the run's row says where it stands."""
    try:
        _STEPS[SyncRun.Step(current.step)](conf.account_by_id(current.account_id), current)
    except CallFailed as error:
        _failed(current, error)
    else:
        current.failures, current.error = 0, ""
        _store(current)


def _store(current: SyncRun) -> None:
    """Write how far it has come, unless somebody stopped it meanwhile. The page, which is large, is written with its step."""
    names = ("state", "step", "next_openid", "position", "total", "done", "added", "gone", "error", "failures")
    values = {name: getattr(current, name) for name in (*names, "due_at", "finished_at")}
    if not SyncRun.objects.filter(pk=current.pk, state=SyncRun.State.RUNNING).update(**values):
        current.refresh_from_db()


def _failed(current: SyncRun, error: CallFailed) -> None:
    now = timezone.now()
    current.error, current.failures = str(error), current.failures + 1
    if isinstance(error, PlatformError) and error.code in QUOTA:
        current.due_at = now + timedelta(seconds=attempts.pause_seconds(error.code, now))
    elif _may_pass(error) and current.failures < MOST_FAILURES:
        current.due_at = now + timedelta(seconds=min(2**current.failures, 120))
    else:
        logger.error("the synchronisation %s has stopped: %s", current.pk, error)
        current.state, current.finished_at = SyncRun.State.FAILED, now
    _store(current)


def _may_pass(error: CallFailed) -> bool:
    if isinstance(error, PlatformError):
        return fate_of(error.code) is Fate.REPEAT
    return isinstance(error, Unreachable)


def _read_tags(account: AccountConfig, current: SyncRun) -> None:
    take_tags(account.id, people.tags(account))
    current.step = SyncRun.Step.PEOPLE


def take_tags(account_id: int, told: Iterable[Info]) -> None:
    """Make our tags those of the platform: found by number, else by name. Tags of ours only stay as they are."""
    known = {int(tag["id"]): str(tag.get("name", ""))[:30] for tag in told if int(tag.get("id", 0)) not in SYSTEM_TAGS}
    with transaction.atomic():
        ours = list(Tag.objects.select_for_update().filter(account_id=account_id))
        for tag in ours:
            if tag.platform_id is not None and tag.platform_id not in known:
                tag.platform_id = None
                tag.save(update_fields=["platform_id"])
        numbered, named = {tag.platform_id: tag for tag in ours}, {tag.name: tag for tag in ours}
        for number, name in known.items():
            tag = numbered.get(number) or named.get(name) or Tag(account_id=account_id)
            tag.platform_id = number
            if name and named.get(name, tag) is tag:
                tag.name = name
            tag.save()


def _read_people(account: AccountConfig, current: SyncRun) -> None:
    if current.position >= len(current.page):
        _turn_page(account, current)
        return
    openids = current.page[current.position : current.position + people.INFOS_AT_ONCE]
    current.added += take_infos(current, people.infos(account, openids))
    current.position += len(openids)
    current.done += len(openids)


def _turn_page(account: AccountConfig, current: SyncRun) -> None:
    """The next page of the list; after the last one the block list."""
    if current.page and not current.next_openid:
        _turn(current, SyncRun.Step.BLOCKED)
        return
    page = people.followers(account, current.next_openid)
    current.total = page.total
    if not page.openids:
        _turn(current, SyncRun.Step.BLOCKED)
        return
    _turn(current, SyncRun.Step.PEOPLE, page)


def _turn(current: SyncRun, step: SyncRun.Step, page: people.Page | None = None) -> None:
    current.step, current.position = step, 0
    current.page, current.next_openid = (page.openids, page.next_openid) if page else ([], "")
    running = SyncRun.objects.filter(pk=current.pk)
    running.update(page=current.page, next_openid=current.next_openid, position=0, step=step)


def take_infos(current: SyncRun, infos: Iterable[Info]) -> int:
    """Store what the platform says of these people; returns how many were new. Who left meanwhile is not made."""
    told = {str(info.get("openid", ""))[:64]: info for info in infos if info.get("subscribe")}
    told.pop("", None)
    with transaction.atomic():
        mine = Follower.objects.filter(account_id=current.account_id, openid__in=told)
        known = set(mine.values_list("openid", flat=True))
        made = [_made(current, openid, info) for openid, info in told.items() if openid not in known]
        Follower.objects.bulk_create(made, ignore_conflicts=True)
        rows = list(mine.select_for_update().order_by("pk"))
        for row in rows:
            _take(row, told[row.openid], current)
        _write(rows)
        _take_tags_of(current.account_id, rows, told)
    return len(made)


def _write(rows: Sequence[Follower]) -> None:
    """Update all of them in one statement; the ORM's own bulk_update takes ten times as long."""
    names = ("account_id", "openid", "first_seen", "last_seen", *_TAKEN)
    copies = [Follower(**{name: getattr(row, name) for name in names}) for row in rows]
    Follower.objects.bulk_create(
        copies, update_conflicts=True, unique_fields=["account", "openid"], update_fields=list(_TAKEN)
    )


def _made(current: SyncRun, openid: str, info: Info) -> Follower:
    at = _followed_at(info)
    seen = at or current.started_at
    return Follower(
        account_id=current.account_id, openid=openid, subscribed=False, state_time=-1, first_seen=seen, last_seen=seen
    )


def _take(row: Follower, info: Info, current: SyncRun) -> None:
    at = _followed_at(info)
    seconds = int(at.timestamp()) if at else 0
    if row.state_time <= seconds:  # a younger push knows better
        row.subscribed, row.state_time = True, seconds
    if at and (row.followed_at is None or row.followed_at <= at):
        row.followed_at = at
        row.source = str(info.get("qr_scene_str") or info.get("qr_scene") or "")[:64]
    row.remark = str(info.get("remark") or "").replace("\0", "")[:30]
    row.sync_run = current.pk


def _followed_at(info: Info) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(info.get("subscribe_time") or 0), UTC) if info.get("subscribe_time") else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _take_tags_of(account_id: int, rows: Sequence[Follower], told: Mapping[str, Info]) -> None:
    """Give people the tags they have on the platform, and take off those they have there no more."""
    tags = Tag.objects.filter(account_id=account_id, platform_id__isnull=False)
    numbers = {tag.platform_id: tag.pk for tag in tags}
    wanted = {
        (row.pk, numbers[number])
        for row in rows
        for number in (told[row.openid].get("tagid_list") or ())
        if number in numbers
    }
    worn: Any = _WORN._default_manager
    there = worn.filter(follower_id__in=[row.pk for row in rows], tag_id__in=numbers.values())
    has = {(one.follower_id, one.tag_id): one.pk for one in there}
    worn.filter(pk__in=[pk for pair, pk in has.items() if pair not in wanted]).delete()
    new = [_WORN(follower_id=person, tag_id=tag) for person, tag in wanted - has.keys()]
    worn.bulk_create(new, ignore_conflicts=True)


def _read_blocked(account: AccountConfig, current: SyncRun) -> None:
    page = people.blocked(account, current.next_openid)
    listed = [*current.page, *page.openids]
    if page.openids and page.next_openid and len(listed) < page.total:
        _turn(current, SyncRun.Step.BLOCKED, people.Page(page.total, listed, page.next_openid))
        return
    mine = Follower.objects.filter(account_id=current.account_id)
    for first in range(0, len(listed), 500):
        mine.filter(openid__in=listed[first : first + 500]).update(blocked=True)
    gone = set(mine.filter(blocked=True).values_list("openid", flat=True)) - set(listed)
    mine.filter(openid__in=gone).update(blocked=False)
    _turn(current, SyncRun.Step.END)


def _finish(_account: AccountConfig, current: SyncRun) -> None:
    """The list was read to its end: who was not on it left. Blocked people may be missing there and are left as they are."""
    began = int(current.started_at.timestamp())
    following = Follower.objects.filter(account_id=current.account_id, subscribed=True, blocked=False)
    absent = following.filter(state_time__lt=began).exclude(sync_run__isnull=False, sync_run=current.pk)
    current.gone = absent.update(subscribed=False, state_time=began)
    current.state, current.finished_at = SyncRun.State.DONE, timezone.now()


_STEPS: Mapping[SyncRun.Step, Callable[[AccountConfig, SyncRun], None]] = {
    SyncRun.Step.TAGS: _read_tags,
    SyncRun.Step.PEOPLE: _read_people,
    SyncRun.Step.BLOCKED: _read_blocked,
    SyncRun.Step.END: _finish,
}
