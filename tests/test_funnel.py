"""The funnel: every figure equals what plain Python counts over the same made-up month, and nothing is lost or counted twice.

The month here has 20,000 events; `python -m bench.funnel` compares the same way over 200,000 and 1,000,000.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from callback import OPENID, Callback
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext
from quotes import newest_scan, quote

from bench import funnel_rows as rows
from orders import funnel, journeys
from orders.models import FunnelDay, Journey, Order, PageEvent, Scan
from orders.periods import Asked
from wechat import conf, digest, retention
from wechat.models import Account, ChannelCode, Cursor, FollowerDay, OutgoingMessage, Push

MONTH, DAYS = date(2026, 3, 1), 31
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    journeys._readings.clear()


def work() -> None:
    """What the worker does until nothing is left."""
    while journeys.run():
        pass


def journey(order: Order) -> Journey:
    return Journey.objects.get(pk=order.pk)


def seen(order: Order, kind: str = "shown", *, visitor: str = "a" * 32, link: str = "", **values: Any) -> PageEvent:
    given = {"happened_at": timezone.now(), **values}
    return PageEvent.objects.create(
        account_id=order.account_id, order=order, kind=kind, visitor=visitor, link=link, **given
    )


def made_up(events: int) -> rows.Story:
    """A month of two accounts, followed by the worker."""
    Account.objects.create(slug="other", name="二号店")
    accounts = list(Account.objects.order_by("pk"))
    codes = rows.make_codes(accounts)
    told = rows.tell(events, first=MONTH, days=DAYS, accounts=[one.pk for one in accounts], codes=codes)
    rows.store(told)
    work()
    return told


@pytest.fixture
def story(account: Account) -> rows.Story:
    return made_up(2_000)


def questions(story: rows.Story) -> list[Asked]:
    everything = Asked(MONTH, MONTH + timedelta(days=DAYS - 1), frozenset(story.accounts))
    week = replace(everything, first=MONTH + timedelta(days=7), last=MONTH + timedelta(days=13))
    return [
        everything,
        week,
        replace(everything, last=MONTH),
        replace(everything, accounts=frozenset(story.accounts[:1])),
        replace(everything, code=next(iter(story.codes))),
        replace(week, campaign="活动2"),
        replace(everything, salesperson="销售1", accounts=frozenset(story.accounts[1:])),
        replace(everything, campaign="活动1", salesperson="销售1"),
    ]


def test_every_figure_of_a_month_is_that_counted_by_hand(account: Account) -> None:
    story = made_up(20_000)
    found = rows.reached(story)
    for asked in questions(story):
        quotes = rows.wanted(story, asked)
        assert len(quotes) > 20
        assert list(funnel.totals(asked).values()) == rows.counts(quotes, found)
        by_hand = rows.table(story, quotes, found, "day")
        assert {row.label: list(row.counts) for row in funnel.by_day(asked) if any(row.counts)} == by_hand
        for by, read in (("campaign", funnel.by_campaign), ("salesperson", funnel.by_salesperson)):
            table = {None if row.label == gettext("Without") else row.label: list(row.counts) for row in read(asked)}
            assert table == rows.table(story, quotes, found, by)
        codes = rows.table(story, quotes, found, "code")
        named = [(story.codes[pk][1] if pk else None, counted) for pk, counted in codes.items()]
        shown = [(row.label, list(row.counts)) for row in funnel.by_code(asked)]
        assert sorted(counted for _name, counted in named) == sorted(counted for _label, counted in shown)
        assert {wait.label: (wait.count, wait.median, wait.p95) for wait in funnel.waits(asked).rows} == {
            str(funnel.BY_NAME[step].label): pytest.approx(values) for step, values in rows.times(quotes, found).items()
        }
        assert funnel.waits(asked).since == asked.first


def test_the_period_before_has_as_many_days(story: rows.Story) -> None:
    asked = questions(story)[1]
    assert (asked.before.first, asked.before.last) == (MONTH, MONTH + timedelta(days=6))
    found = rows.reached(story)
    for bar in funnel.bars(asked):
        step = rows.STEPS.index(bar.name)
        now, then = (rows.counts(rows.wanted(story, one), found) for one in (asked, asked.before))
        assert (bar.count, bar.before) == (now[step], then[step])
        assert bar.of_first == pytest.approx(100 * now[step] / now[0])
        assert bar.change == pytest.approx(100 * (now[step] - then[step]) / then[step])
        if bar.name != "made":
            leads = rows.STEPS.index(rows.LEADS[bar.name])
            assert bar.of_previous == pytest.approx(100 * now[step] / now[leads])


def test_followers_are_summed_by_day(story: rows.Story) -> None:
    asked = questions(story)[1]
    expected = [
        (
            day,
            sum(row[2] for row in story.followers if row[1] == day),
            sum(row[3] for row in story.followers if row[1] == day),
        )
        for day in (asked.first + timedelta(days=number) for number in range(7))
    ]
    assert funnel.followers(asked) == expected


def test_with_too_many_quotes_the_times_are_those_of_the_newest_days(
    story: rows.Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = questions(story)[0]
    days = {
        day: row[0] for day, row in rows.table(story, rows.wanted(story, asked), rows.reached(story), "day").items()
    }
    monkeypatch.setattr(funnel, "MOST_JOURNEYS", sum(days[asked.last - timedelta(days=n)] for n in range(3)))
    waits = funnel.waits(asked)
    assert waits.since == asked.last - timedelta(days=2)
    newest = rows.wanted(story, replace(asked, first=waits.since))
    assert waits.rows[0].count == rows.times(newest, rows.reached(story))["shown"][0]


def test_a_day_ends_at_midnight_in_shanghai(account: Account) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=SHANGHAI)
    for number, moment in enumerate((midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=7))):
        Order.objects.filter(pk=quote(account, 100 + number).pk).update(created_at=moment)
    work()
    assert dict(FunnelDay.objects.values_list("day", "made")) == {date(2026, 3, 1): 1, date(2026, 3, 2): 2}


# What is found, and when.


def test_a_quote_is_followed_from_its_making_to_strangers(
    order: Order, push: Callback, worker_alive: Any, simulator: Any
) -> None:
    work()
    assert journey(order).shown_at is None
    shown = seen(order)
    push.scan("77")
    work()
    found = journey(order)
    assert found.shown_at == shown.happened_at
    assert found.scanned_at == newest_scan().scanned_at
    assert found.accepted_at is None


def test_a_card_that_is_accepted_later_is_found(order: Order, push: Callback, worker_alive: Any) -> None:
    push.scan("77")
    work()
    assert journey(order).accepted_at is None
    later = timezone.now() + timedelta(minutes=3)
    OutgoingMessage.objects.update(state="sent", sent_at=later)
    work()
    assert journey(order).accepted_at == later
    assert FunnelDay.objects.get().accepted == 1


def test_a_card_that_travelled_as_the_answer_was_accepted(order: Order, push: Callback) -> None:
    push.scan("77")
    assert newest_scan().message.route == "passive"  # type: ignore[union-attr]  # no worker is alive
    work()
    assert journey(order).accepted_at is not None


def test_a_card_that_was_given_up_is_not_accepted(order: Order, push: Callback, worker_alive: Any) -> None:
    push.scan("77")
    OutgoingMessage.objects.update(state="given_up", sent_at=timezone.now())
    work()
    assert journey(order).accepted_at is None


def test_who_follows_days_after_the_scan_is_a_new_follower(order: Order, push: Callback, worker_alive: Any) -> None:
    push.scan("77")
    work()
    assert journey(order).followed_at is None
    push.follow("77", openid="oLate_000000000000000000000")
    Scan.objects.filter(kind="follow").update(scanned_at=timezone.now() + timedelta(days=3))
    work()
    assert journey(order).followed_at == Scan.objects.get(kind="follow").scanned_at
    assert FunnelDay.objects.get().followed == 1


def test_the_first_browser_is_the_owners_and_another_is_somebody_else(order: Order) -> None:
    first = seen(order, "opened", link="s1")
    work()
    assert (journey(order).opened_at, journey(order).others_at) == (first.happened_at, None)
    seen(order, "opened", link="s1")
    seen(order, "opened", link="s1", visitor="")
    work()
    assert journey(order).others_at is None
    other = seen(order, "opened", link="s1", visitor="b" * 32)
    work()
    assert (journey(order).others_at, journey(order).shared_at) == (other.happened_at, None)


def test_an_opened_forward_proves_that_it_was_shared(order: Order) -> None:
    forwarded = seen(order, "forwarded", link="oX", visitor="b" * 32)
    work()
    found = journey(order)
    assert found.shared_at == found.others_at == forwarded.happened_at
    assert found.opened_at is None


def test_a_step_that_came_before_the_one_that_leads_to_it_has_no_time(order: Order) -> None:
    seen(order, "shared", happened_at=timezone.now() - timedelta(minutes=1))
    seen(order, "opened", link="s1")
    work()
    assert journey(order).shared_wait is None


def test_reading_again_changes_nothing(story: rows.Story) -> None:
    before = list(Journey.objects.order_by("pk").values())
    days = sorted(FunnelDay.objects.values_list("day", "source", "made", "others", "account"), key=str)
    Cursor.objects.filter(name__startswith="journeys:").delete()
    work()
    assert list(Journey.objects.order_by("pk").values()) == before
    assert sorted(FunnelDay.objects.values_list("day", "source", "made", "others", "account"), key=str) == days


def test_nothing_is_written_while_nothing_is_new(order: Order) -> None:
    work()
    with CaptureQueriesContext(connection) as queries:
        assert journeys.run() == 0
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert len(queries) <= 6


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_in_the_middle_leaves_no_gap(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        quote(account, 100 + number)

    class Killed(BaseException):
        pass

    def die(*_arguments: Any, **_options: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Cursor, "save", die)  # all is counted, and the cursor not moved yet
        with pytest.raises(Killed):
            journeys.run()
    assert not Journey.objects.exists()
    assert not FunnelDay.objects.exists()
    work()
    assert FunnelDay.objects.get().made == 5


def test_a_row_that_shows_up_behind_the_reader_is_found_by_the_second_look(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number was given before that of a row which showed first: its transaction lasted longer."""
    late = seen(order)
    moment = late.happened_at
    PageEvent.objects.all().delete()
    seen(order, "shared", pk=late.pk + 1)
    work()
    seen(order, pk=late.pk, happened_at=moment)
    work()
    assert journey(order).shown_at is None
    monkeypatch.setattr(journeys, "SETTLED", 0)
    for _turn in range(3):
        work()
    assert journey(order).shown_at == moment


def test_quotes_from_before_the_funnel_are_picked_up(order: Order, push: Callback) -> None:
    push.scan("77")
    assert not Journey.objects.exists()
    work()
    assert journey(order).scanned_at


def test_many_cards_of_one_instant_are_all_read(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "BATCH", 3)
    now = timezone.now()
    for number in range(8):
        order = quote(account, 100 + number)
        sent = {"purpose": "quote", "about": order.orderid, "content": {}, "state": "sent", "sent_at": now}
        OutgoingMessage.objects.create(
            account=account, openid=OPENID, created_at=now, due_at=now, expires_at=now, **sent
        )
    work()
    assert Journey.objects.filter(accepted_at=now).count() == 8


# What staff change.


def test_another_channel_code_moves_the_quote_in_the_funnel(order: Order, account: Account) -> None:
    first, second = (ChannelCode.objects.create(account=account, name=name, scene=name) for name in "ab")
    order.source = first
    order.save()
    work()
    order.source = second
    order.save()
    assert list(FunnelDay.objects.values_list("source", "made")) == [(second.pk, 1)]
    assert journey(order).source == second


def test_a_deleted_quote_is_counted_no_more(account: Account, staff: Client) -> None:
    kept, gone = quote(account, 100), quote(account, 101)
    seen(gone)
    work()
    assert FunnelDay.objects.get().made == 2
    staff.post(f"/admin/orders/order/{gone.pk}/delete/", {"post": "yes"})
    assert (FunnelDay.objects.get().made, FunnelDay.objects.get().shown) == (1, 0)
    kept.delete()
    assert not FunnelDay.objects.exists()


def test_a_deleted_code_leaves_the_figures(order: Order, account: Account) -> None:
    code = ChannelCode.objects.create(account=account, name="a", scene="a")
    Order.objects.update(source=code)
    quote(account, 100)
    work()
    code.delete()
    asked = Asked(timezone.localdate(), timezone.localdate(), frozenset({account.pk}))
    assert [row.counts[0] for row in funnel.by_code(asked)] == [2]
    quote(account, 101)
    work()
    assert funnel.totals(asked)["made"] == 3


def test_visits_go_after_their_days_and_not_before_they_are_counted(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf.save(order.account, {"wechat_keep_visits_days": "5"})
    seen(order, happened_at=timezone.now() - timedelta(days=6))
    kept = seen(order, visitor="b" * 32)
    retention.run()
    assert PageEvent.objects.count() == 2
    monkeypatch.setattr(journeys, "SETTLED", 0)
    for _turn in range(4):
        work()
    Cursor.objects.filter(name__startswith="retention").delete()
    retention.run()
    assert list(PageEvent.objects.all()) == [kept]
    assert journey(order).shown_at < kept.happened_at - timedelta(days=5)


# Followers.


def pushed(account: Account, kind: str, moment: datetime) -> None:
    number = Push.objects.count()
    Push.objects.create(
        account=account, key=f"k{number}", kind=kind, openid=OPENID, received_at=moment, raw="<xml/>", state="done"
    )


def test_followers_won_and_lost_are_counted_by_local_day(account: Account) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=SHANGHAI)
    for kind, moment in (
        ("subscribe", midnight - timedelta(seconds=1)),
        ("subscribe", midnight),
        ("unsubscribe", midnight + timedelta(hours=1)),
        ("subscribe", midnight + timedelta(hours=2)),
        ("text", midnight),
    ):
        pushed(account, kind, moment)
    while digest.run():
        pass
    pushed(account, "unsubscribe", midnight)
    while digest.run():
        pass
    rows_of = FollowerDay.objects.order_by("day").values_list("day", "won", "lost")
    assert list(rows_of) == [(date(2026, 3, 1), 1, 0), (date(2026, 3, 2), 2, 2)]
