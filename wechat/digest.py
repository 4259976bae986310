"""Counts what came in, a few seconds after the fact: how often each rule answered, which texts nobody answered, and how many
people began and ended to follow.

Comes in: the pushes after those it has read, in the order of their primary key. Goes out: rows of RuleDay, UnansweredText and
FollowerDay.
The callback itself counts nothing: its transaction would wait for that of everybody else who says the same.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from django.db import transaction
from django.utils import timezone

from wechat import messages
from wechat.models import Cursor, FollowerDay, Push, Rule, RuleDay, UnansweredText
from wechat.pushes import SPOKEN

NAME = "digest"
BATCH = 500  # pushes in one transaction: some milliseconds of SQLite's one write lock
# A number is given when a push is stored, but seen only when its transaction ends: a younger one may show first. What came
# longer ago than any callback may take is complete.
SETTLED = timedelta(seconds=10)
TEXT_LENGTH = 200  # of UnansweredText.text
CHANGES = ("subscribe", "unsubscribe")

Key = tuple[int, str, str]  # account, source, text


def run() -> int:
    """Count the next pushes. Returns how many were counted when there may be more, else 0.

    The cursor moves in the same transaction: a worker that is killed counts nothing twice, and nothing not at all.
    """
    with transaction.atomic():
        cursor, _created = Cursor.objects.select_for_update().get_or_create(name=NAME)
        pushes = _settled(cursor.position)
        if not pushes:
            return 0
        _count_hits(pushes)
        _group_unanswered(pushes)
        _count_followers(pushes)
        cursor.position = pushes[-1].pk
        cursor.save(update_fields=["position"])
    return len(pushes) if len(pushes) == BATCH else 0


def _settled(position: int) -> list[Push]:
    now = timezone.now()
    columns = Push.objects.only("account_id", "rule_id", "kind", "state", "answered_by", "received_at", "raw")
    following = columns.filter(pk__gt=position).order_by("pk")[:BATCH]
    # One from the future (a clock was wrong) is not waited for.
    return list(takewhile(lambda push: abs(now - push.received_at) >= SETTLED, following))


def _count_hits(pushes: Iterable[Push]) -> None:
    hits = Counter((push.rule_id, _day(push)) for push in pushes if push.rule_id)
    living = set(Rule.objects.filter(pk__in={rule_id for rule_id, _day in hits}).values_list("pk", flat=True))
    hits = Counter({key: count for key, count in hits.items() if key[0] in living})
    known = RuleDay.objects.filter(rule_id__in=living, day__in={day for _rule_id, day in hits})
    before = {(row.rule_id, row.day): row.hits for row in known}
    RuleDay.objects.bulk_create(
        [
            RuleDay(rule_id=rule_id, day=day, hits=count + before.get((rule_id, day), 0))
            for (rule_id, day), count in hits.items()
        ],
        update_conflicts=True,
        unique_fields=["rule", "day"],
        update_fields=["hits"],
    )


def _count_followers(pushes: Iterable[Push]) -> None:
    """Each push counts: who leaves and comes back on one day is lost once and won once."""
    changes = Counter((push.account_id, _day(push), push.kind) for push in pushes if push.kind in CHANGES)
    days = {(account_id, day) for account_id, day, _kind in changes}
    known = FollowerDay.objects.filter(
        account_id__in={each for each, _day in days}, day__in={day for _each, day in days}
    )
    rows = {(row.account_id, row.day): row for row in known}
    for account_id, day in days:
        row = rows.setdefault((account_id, day), FollowerDay(account_id=account_id, day=day))
        row.won += changes[account_id, day, "subscribe"]
        row.lost += changes[account_id, day, "unsubscribe"]
    FollowerDay.objects.bulk_create(
        [FollowerDay(account_id=key[0], day=key[1], won=rows[key].won, lost=rows[key].lost) for key in days],
        update_conflicts=True,
        unique_fields=["account", "day"],
        update_fields=["won", "lost"],
    )


def _day(push: Push) -> date:
    return timezone.localtime(push.received_at).date()


@dataclass
class _Said:
    """The same text, some times."""

    count: int
    first: datetime
    last: datetime


def _group_unanswered(pushes: Sequence[Push]) -> None:
    groups: dict[Key, _Said] = {}
    for push in pushes:
        if key := _unanswered(push):
            said = groups.setdefault(key, _Said(0, push.received_at, push.received_at))
            said.count += 1
            said.first, said.last = min(said.first, push.received_at), max(said.last, push.received_at)
    known = UnansweredText.objects.filter(
        account_id__in={account for account, _source, _text in groups}, text__in={text for *_rest, text in groups}
    )
    for row in known:
        if again := groups.get((row.account_id, row.source, row.text)):
            again.count += row.count
            again.first, again.last = min(again.first, row.first_at), max(again.last, row.last_at)
    UnansweredText.objects.bulk_create(
        [
            UnansweredText(
                account_id=account, source=source, text=text, count=said.count, first_at=said.first, last_at=said.last
            )
            for (account, source, text), said in groups.items()
        ],
        update_conflicts=True,
        unique_fields=["account", "source", "text"],
        update_fields=["count", "first_at", "last_at"],
    )


def _unanswered(push: Push) -> Key | None:
    """The group of a push that nobody answered; None for any other, and for one without words."""
    silence = push.state == Push.State.NOTHING and push.kind in SPOKEN
    if push.answered_by != Push.AnsweredBy.DEFAULT and not silence:
        return None
    try:
        fields = messages.parse(push.raw.encode()).fields
    except (messages.Unreadable, messages.Hostile):
        return None
    words = fields.get("content") or fields.get("recognition") or fields.get("eventkey") or ""
    text = " ".join(words.split())[:TEXT_LENGTH]
    return (push.account_id, "" if push.kind == "text" else push.kind[:20], text) if text else None
