"""A made-up period of quotes and what became of them, the same in every run; written fast, and counted by hand.

The counting knows nothing of the product's: it goes through the same lists in plain Python. bench.funnel and
tests/test_funnel.py compare the two.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bench.inbox_rows import write
from orders.models import Order, PageEvent, Scan
from wechat.models import Account, ChannelCode, FollowerDay, OutgoingMessage

SHANGHAI = ZoneInfo("Asia/Shanghai")
ORDERID = 50_000_000  # of the first quote
STEPS = ("made", "shown", "scanned", "followed", "accepted", "opened", "shared", "others")
LEADS = {
    "shown": "made",
    "scanned": "shown",
    "followed": "scanned",
    "accepted": "scanned",
    "opened": "accepted",
    "shared": "opened",
    "others": "shared",
}


class Quote(NamedTuple):
    number: int
    account: int
    source: int | None
    made: datetime


class Event(NamedTuple):
    quote: int
    account: int
    link: str
    kind: str
    visitor: str
    moment: datetime


class Seen(NamedTuple):
    number: int
    quote: int
    account: int
    kind: str
    moment: datetime
    sent: datetime | None


@dataclass
class Story:
    """Everything that happened. Quotes, events and scans are numbered from 1, in the order of their primary keys."""

    first: date
    days: int
    accounts: Sequence[int]
    codes: dict[int, tuple[int, str, str, str]]  # code: account, name, campaign, salesperson
    quotes: list[Quote] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    scans: list[Seen] = field(default_factory=list)
    followers: list[tuple[int, date, int, int]] = field(default_factory=list)

    sent: int = 0

    @property
    def count(self) -> int:
        """How many events there are in all: quotes made, pages opened, scans, cards sent."""
        return len(self.quotes) + len(self.events) + len(self.scans) + self.sent


def make_codes(accounts: Sequence[Account], number: int = 12) -> dict[int, tuple[int, str, str, str]]:
    """Channel codes of these accounts: every campaign has two salespeople."""
    for account in accounts:
        ChannelCode.objects.bulk_create(
            ChannelCode(
                account=account,
                name=f"渠道{n:02}",
                scene=f"c{n}",
                campaign=f"活动{n % 4}" if n % 5 else "",
                salesperson=f"销售{n % 3}" if n % 4 else "",
            )
            for n in range(number)
        )
    rows = ChannelCode.objects.order_by("pk").values_list("pk", "account_id", "name", "campaign", "salesperson")
    return {pk: (account, name, campaign, person) for pk, account, name, campaign, person in rows}


def tell(events: int, *, first: date, days: int, accounts: Sequence[int], codes: dict[int, Any]) -> Story:
    """Make up about so many events."""
    chance, story = random.Random(11), Story(first, days, accounts, codes)
    begin = datetime.combine(first, datetime.min.time(), SHANGHAI)
    by_account = {pk: [None, *(code for code, row in codes.items() if row[0] == pk)] for pk in accounts}
    for made in _moments(events // 5, begin, days, chance):  # a quote has five events and a few
        account = chance.choice(accounts)
        quote = Quote(len(story.quotes) + 1, account, chance.choice(by_account[account]), made)
        story.quotes.append(quote)
        _follow(story, quote, chance)
    story.events.sort(key=lambda event: event.moment)
    for account in accounts:
        for number in range(days):
            day = first + timedelta(days=number)
            story.followers.append((account, day, chance.randrange(200), chance.randrange(60)))
    return story


def _moments(number: int, begin: datetime, days: int, chance: random.Random) -> list[datetime]:
    """When quotes are made, in this order; some in the first or the last microseconds of a day."""
    moments = [begin + timedelta(microseconds=chance.randrange(days * 86_400_000_000)) for _quote in range(number)]
    for quote in range(0, number, 50):
        midnight = begin + timedelta(days=chance.randrange(1, days))
        moments[quote] = midnight - timedelta(microseconds=chance.choice((0, 1, 999_999)))
    return sorted(moments)


def _later(moment: datetime, mean: float, chance: random.Random) -> datetime:
    return moment + timedelta(microseconds=int(chance.expovariate(1 / mean) * 1_000_000))


def _visitor(chance: random.Random) -> str:
    return f"{chance.getrandbits(128):032x}" if chance.random() > 0.02 else ""


def _follow(story: Story, quote: Quote, chance: random.Random) -> None:
    """What becomes of one quote."""
    at = quote.made
    if chance.random() < 0.9:
        at = _later(at, 40, chance)
        visitor = _visitor(chance)
        for _time in range(chance.choice((1, 1, 2))):
            story.events.append(Event(quote.number, quote.account, "", "shown", visitor, at))
            at = _later(at, 2000, chance)
        at = _later(quote.made, 90, chance)  # some scan before the page has said that it is shown
    for _scan in range(chance.choice((0, 1, 1, 1, 2))):
        at = _later(at, 60, chance)
        sent = _later(at, 2, chance) if chance.random() < 0.85 else None
        if sent and chance.random() < 0.03:
            sent = _later(at, 86_400, chance)
        kind = chance.choice(("scan", "follow", "follow"))
        story.sent += sent is not None
        story.scans.append(Seen(len(story.scans) + 1, quote.number, quote.account, kind, at, sent))
        if sent and chance.random() < 0.7:
            _open(story, quote, len(story.scans), _later(sent, 300, chance), chance)


def _open(story: Story, quote: Quote, scan: int, at: datetime, chance: random.Random) -> None:
    owner, link = _visitor(chance), f"s{scan}"
    story.events.append(Event(quote.number, quote.account, link, "opened", owner, at))
    if chance.random() < 0.3:
        story.events.append(Event(quote.number, quote.account, link, "shared", owner, _later(at, 30, chance)))
    for _other in range(chance.choice((0, 0, 0, 1, 3))):
        at = _later(at, 4000, chance)
        forwarded = chance.random() < 0.5
        visitor = _visitor(chance) if chance.random() < 0.9 else owner
        name = f"o{chance.getrandbits(64):016x}" if forwarded else link
        story.events.append(
            Event(quote.number, quote.account, name, "forwarded" if forwarded else "opened", visitor, at)
        )


def store(story: Story) -> None:
    """Write it all down, as the product would have it before the worker looks."""
    write(Order, _orders(story))
    write(PageEvent, _events(story))
    write(OutgoingMessage, _messages(story))
    write(Scan, _scans(story))
    write(
        FollowerDay,
        (
            {"id": number, "account_id": account, "day": day, "won": won, "lost": lost}
            for number, (account, day, won, lost) in enumerate(story.followers, start=1)
        ),
    )


def _orders(story: Story) -> Iterator[dict[str, Any]]:
    for quote in story.quotes:
        yield {
            "id": quote.number,
            "account_id": quote.account,
            "orderid": ORDERID + quote.number,
            "key": f"key-{quote.number}",
            "customer": "",
            "total_money": 86500,
            "saved_money": 0,
            "source_id": quote.source,
            "created_at": quote.made,
            "updated_at": quote.made,
        }


def _events(story: Story) -> Iterator[dict[str, Any]]:
    for number, event in enumerate(story.events, start=1):
        yield {
            "id": number,
            "account_id": event.account,
            "order_id": event.quote,
            "link": event.link,
            "kind": event.kind,
            "visitor": event.visitor,
            "happened_at": event.moment,
        }


def _messages(story: Story) -> Iterator[dict[str, Any]]:
    for scan in story.scans:
        yield {
            "id": scan.number,
            "account_id": scan.account,
            "openid": f"oFUNNEL{scan.number:021d}",
            "purpose": "quote",
            "about": str(ORDERID + scan.quote),
            "content": {"kind": "text", "content": "x"},
            "push_id": scan.number,
            "route": "customer_service",
            "state": "sent" if scan.sent else "given_up",
            "attempts": 1,
            "unknown_outcomes": 0,
            "created_at": scan.moment,
            "due_at": scan.moment,
            "expires_at": scan.moment,
            "holder": "",
            "sent_at": scan.sent,
            "error": "",
        }


def _scans(story: Story) -> Iterator[dict[str, Any]]:
    for scan in story.scans:
        yield {
            "push_id": scan.number,
            "order_id": scan.quote,
            "account_id": scan.account,
            "openid": f"oFUNNEL{scan.number:021d}",
            "scene": str(ORDERID + scan.quote),
            "ticket": "",
            "kind": scan.kind,
            "secret": "s" * 22,
            "revoked": False,
            "message_id": scan.number,
            "scanned_at": scan.moment,
        }


# Counting by hand.

Reached = dict[str, datetime]


def reached(story: Story) -> dict[int, Reached]:  # noqa: C901  # as plain as can be
    """Quote by quote: when it first reached each step."""
    found: dict[int, Reached] = {quote.number: {"made": quote.made} for quote in story.quotes}

    def note(quote: int, step: str, moment: datetime) -> None:
        found[quote][step] = min(moment, found[quote].get(step, moment))

    owners: dict[str, str] = {}
    for event in story.events:
        if event.kind == "shown":
            note(event.quote, "shown", event.moment)
        elif event.kind == "shared":
            note(event.quote, "shared", event.moment)
        elif event.kind == "forwarded":
            note(event.quote, "shared", event.moment)
            note(event.quote, "others", event.moment)
        elif event.visitor == owners.setdefault(event.link, event.visitor):
            note(event.quote, "opened", event.moment)
        elif event.visitor and owners[event.link]:
            note(event.quote, "others", event.moment)
    for scan in story.scans:
        note(scan.quote, "scanned", scan.moment)
        if scan.kind == "follow":
            note(scan.quote, "followed", scan.moment)
        if scan.sent:
            note(scan.quote, "accepted", scan.sent)
    return found


def wanted(story: Story, asked: Any) -> list[Quote]:
    """The quotes that a question is about."""
    return [quote for quote in story.quotes if _fits(quote, story, asked)]


def _fits(quote: Quote, story: Story, asked: Any) -> bool:
    _account, _name, campaign, person = story.codes.get(quote.source or 0, (0, "", "", ""))
    return (
        asked.first <= quote.made.astimezone(SHANGHAI).date() <= asked.last
        and quote.account in asked.accounts
        and (not asked.code or quote.source == asked.code)
        and (not asked.campaign or campaign == asked.campaign)
        and (not asked.salesperson or person == asked.salesperson)
    )


def counts(quotes: Sequence[Quote], found: dict[int, Reached]) -> list[int]:
    """How many of these quotes reached each step."""
    return [sum(1 for quote in quotes if step in found[quote.number]) for step in STEPS]


def table(story: Story, quotes: Sequence[Quote], found: dict[int, Reached], by: str) -> dict[Any, list[int]]:
    """The same for each day, code, campaign or salesperson; what has none of these under None."""
    groups: dict[Any, list[Quote]] = defaultdict(list)
    for quote in quotes:
        code = story.codes.get(quote.source or 0, (0, "", "", ""))
        values = {"day": quote.made.astimezone(SHANGHAI).date(), "code": quote.source}
        groups[values.get(by) if by in values else code[2 if by == "campaign" else 3] or None].append(quote)
    return {label: counts(some, found) for label, some in groups.items()}


def times(quotes: Sequence[Quote], found: dict[int, Reached]) -> dict[str, tuple[int, float, float]]:
    """Number, median and 95th percentile in seconds of each time between two steps, interpolated between ranks."""
    waits: dict[str, list[int]] = defaultdict(list)
    for quote in quotes:
        moments = found[quote.number]
        for step, before in LEADS.items():
            if step in moments and before in moments and moments[step] >= moments[before]:
                waits[step].append((moments[step] - moments[before]) // timedelta(milliseconds=1))
    return {
        step: (len(some), percentile(some, 0.5) / 1000, percentile(some, 0.95) / 1000) for step, some in waits.items()
    }


def percentile(values: Sequence[int], share: float) -> float:
    """Interpolated between the two nearest ranks."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
