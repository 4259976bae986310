"""The list of followers as a file for a spreadsheet."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import spreadsheet
from wechat.models import Account, Follower
from wechat.models.followers import mask

_CHUNK = 2000  # people read at once
_FIELDS = (
    "pk",
    "account_id",
    "nickname",
    "openid",
    "subscribed",
    "followed_at",
    "source",
    "first_seen",
    "last_seen",
    "owed",
)
_COLUMNS = (
    _("account"),
    _("nickname"),
    "openid",
    _("follows"),
    _("followed"),
    _("came by the code"),
    _("tags"),
    _("first seen"),
    _("last seen"),
    _("messages owed"),
)


def download(chosen: QuerySet[Follower], *, whole: bool) -> StreamingHttpResponse:
    """These people, one per line. `whole` openids are for those who may act on them; all others get masked ones."""
    return spreadsheet.download(f"followers-{timezone.localdate()}.csv", _COLUMNS, _rows(chosen, whole=whole))


def _rows(chosen: QuerySet[Follower], *, whole: bool) -> Iterator[tuple[object, ...]]:
    # Not as objects with their tags prefetched: of a million people that takes three times as long.
    accounts = {account.pk: str(account) for account in Account.objects.all()}
    people = chosen.select_related(None).prefetch_related(None).values_list(*_FIELDS, named=True)
    following, not_following = gettext("Following"), gettext("Not following")
    lines = people.iterator(chunk_size=_CHUNK)
    while chunk := list(islice(lines, _CHUNK)):
        tags = _tags([person.pk for person in chunk])
        for person in chunk:
            yield (
                accounts.get(person.account_id, ""),
                person.nickname,
                person.openid if whole else mask(person.openid),
                following if person.subscribed else not_following,
                _plain(person.followed_at),
                person.source,
                "、".join(tags.get(person.pk, ())),
                _plain(person.first_seen),
                _plain(person.last_seen),
                person.owed,
            )


def _tags(numbers: list[int]) -> dict[int, list[str]]:
    """The names of the tags that these people have."""
    worn: dict[int, list[str]] = {}
    pairs = Follower.tags.through._default_manager.filter(follower_id__in=numbers).order_by("tag__name")
    for number, name in pairs.values_list("follower_id", "tag__name"):
        worn.setdefault(number, []).append(name)
    return worn


def _plain(moment: datetime | None) -> str:
    """In the form that every spreadsheet takes for a moment."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else ""
