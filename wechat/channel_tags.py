"""The tags of those who scanned a channel code, put on by the worker: at WeChat first, 50 people a call, then in our rows.

Comes in: ChannelScans that are not `tagged` yet. A call that fails is repeated later; the code's row says for staff what went
wrong. A person whom WeChat refuses for himself (he has 20 tags, he left) stops nobody else.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from wechat import attempts, people_edits
from wechat.client import people
from wechat.errors import CallFailed, PlatformError
from wechat.models import ChannelCode, ChannelScan, Follower, Tag

CODES = 3  # looked after in one turn
LATER = timedelta(minutes=10)
# What is wrong with one of the people: too many tags, not tagged, no openid of this account, no follower.
_PERSONAL = frozenset({40003, 43004, 45059, 45171, 49003, 50005})

logger = logging.getLogger(__name__)


def run() -> int:
    """One turn: a call for each of three codes. Returns how many codes have more people to tag now."""
    waiting = set(ChannelScan.objects.filter(tagged=False).values_list("code_id", flat=True).order_by().distinct())
    may_now = Q(tag_due_at=None) | Q(tag_due_at__lte=timezone.now())
    due = ChannelCode.objects.filter(may_now, pk__in=waiting).select_related("tag")
    left = 0
    for channel in due.order_by("tag_due_at", "pk")[:CODES]:
        left += _tag(channel)
    return left


def _tag(channel: ChannelCode) -> bool:
    """Tag the next people who scanned this code. True when there are more."""
    waiting = ChannelScan.objects.filter(code=channel, tagged=False)
    if channel.tag is None:
        waiting.update(tagged=True)
        return False
    openids = list(dict.fromkeys(waiting.order_by("push_id").values_list("openid", flat=True)[: people.TAGGED_AT_ONCE]))
    followers = list(Follower.objects.filter(account_id=channel.account_id, openid__in=openids))
    done, error = _put(channel.tag, followers)
    people_edits.wear(done, channel.tag)
    gone = set(openids) - {follower.openid for follower in followers}
    waiting.filter(openid__in=[*gone, *_openids(done)]).update(tagged=True)
    if isinstance(error, PlatformError) and error.code in _PERSONAL:
        waiting.filter(openid__in=openids).update(tagged=True)  # asked one by one: again would bring nothing else
        _keep(channel, error, None)
        return waiting.exists()
    _keep(channel, error, _next_try(error, timezone.now()) if error else None)
    return error is None and waiting.exists()


def _put(tag: Tag, followers: Sequence[Follower]) -> tuple[list[Follower], CallFailed | None]:
    """Who has it now, and what stopped it; one by one where one of them is the reason."""
    done, error = people_edits.put_tag(tag, followers, on=True)
    if not (isinstance(error, PlatformError) and error.code in _PERSONAL and len(followers) > 1):
        return done, error
    refused = error
    for follower in (each for each in followers if each not in done):
        one, error = people_edits.put_tag(tag, [follower], on=True)
        done += one
        if error and not (isinstance(error, PlatformError) and error.code in _PERSONAL):
            return done, error
        refused = error if isinstance(error, PlatformError) else refused
    return done, refused


def _next_try(error: CallFailed, now: datetime) -> datetime:
    if isinstance(error, PlatformError) and error.code in (45009, 45011):
        return now + timedelta(seconds=attempts.pause_seconds(error.code, now))
    return now + LATER


def _keep(channel: ChannelCode, error: CallFailed | None, due_at: datetime | None) -> None:
    if error:
        logger.warning("the tag of channel code %s: %s", channel.pk, error)
    said = str(error)[:300] if error else ""
    if (said, due_at) != (channel.tag_error, channel.tag_due_at):
        ChannelCode.objects.filter(pk=channel.pk).update(tag_error=said, tag_due_at=due_at)


def _openids(followers: Iterable[Follower]) -> list[str]:
    return [follower.openid for follower in followers]
