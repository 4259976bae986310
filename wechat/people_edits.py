"""What staff change of people on the platform: tags, remarks, the block list. WeChat first, then our rows: both agree.

Every function may raise CallFailed; what WeChat had accepted until then is in our rows.
"""

from collections.abc import Iterable, Iterator, Sequence

from wechat import conf
from wechat.client import people
from wechat.errors import CallFailed, PlatformError
from wechat.models import Follower, Tag

REMARK_BYTES = 30  # a remark is shorter
UNKNOWN_TAG = 45159
_WORN = Follower.tags.through


def publish_tag(tag: Tag) -> None:
    """Make a tag of ours on the platform; one of the same name that is there already is taken."""
    account = conf.account_by_id(tag.account_id)
    try:
        number = people.create_tag(account, tag.name)
    except PlatformError as error:
        if error.code != 45157:  # the name is taken
            raise
        named = [int(one["id"]) for one in people.tags(account) if one.get("name") == tag.name]
        if not named or named[0] < 3:  # the platform's own
            raise
        number = named[0]
    Tag.objects.filter(pk=tag.pk).update(platform_id=number)
    tag.platform_id = number


def rename_tag(tag: Tag, name: str) -> None:
    """Give a tag another name there; one that only we know needs nothing."""
    if tag.platform_id is not None:
        people.rename_tag(conf.account_by_id(tag.account_id), tag.platform_id, name)


def delete_tag(tag: Tag) -> None:
    """Delete a tag there; one that is gone already is no failure."""
    if tag.platform_id is None:
        return
    try:
        people.delete_tag(conf.account_by_id(tag.account_id), tag.platform_id)
    except PlatformError as error:
        if error.code != UNKNOWN_TAG:
            raise


def put_tag(tag: Tag, followers: Sequence[Follower], *, on: bool) -> tuple[list[Follower], CallFailed | None]:
    """Put a tag on people there, or take it off. Returns for whom it is so now, and what stopped it before the others."""
    if tag.platform_id is None:
        return list(followers), None
    done = [follower for follower in followers if not follower.subscribed]  # WeChat tags only those who follow
    account = conf.account_by_id(tag.account_id)
    for batch in _batches([one for one in followers if one.subscribed], people.TAGGED_AT_ONCE):
        try:
            people.put_tag(account, tag.platform_id, [follower.openid for follower in batch], on=on)
        except CallFailed as error:
            return done, error
        done += batch
    return done, None


def wear(followers: Iterable[Follower], tag: Tag) -> int:
    """Note in our rows that these people have the tag, those who are of its account. Returns how many these are."""
    mine = [follower.pk for follower in followers if follower.account_id == tag.account_id]
    rows = [_WORN(follower_id=number, tag_id=tag.pk) for number in mine]
    _WORN._default_manager.bulk_create(rows, ignore_conflicts=True)
    return len(mine)


def set_remark(follower: Follower, remark: str) -> None:
    """Give a person another remark."""
    people.set_remark(conf.account_by_id(follower.account_id), follower.openid, remark)
    Follower.objects.filter(pk=follower.pk).update(remark=remark)


def block(followers: Sequence[Follower], *, blocked: bool) -> int:
    """Block people, or let them back. Returns how many."""
    count = 0
    for account_id in {follower.account_id for follower in followers}:
        account = conf.account_by_id(account_id)
        mine = [follower for follower in followers if follower.account_id == account_id]
        for batch in _batches(mine, people.BLOCKED_AT_ONCE):
            people.block(account, [follower.openid for follower in batch], blocked=blocked)
            count += Follower.objects.filter(pk__in=[follower.pk for follower in batch]).update(blocked=blocked)
    return count


def _batches(followers: Sequence[Follower], size: int) -> Iterator[Sequence[Follower]]:
    return (followers[first : first + size] for first in range(0, len(followers), size))
