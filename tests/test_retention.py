"""What an account keeps no longer goes, in the background; what still matters stays."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from callback import OPENID, Callback, body, event
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Scan
from orders.progress import progress_of
from wechat import conf, retention
from wechat.models import Account, Cursor, Follower, Lease, OutgoingMessage, Push, Rule, RuleDay, UnansweredText
from wechat.pushes import first_since

Keep = Callable[..., None]
State = OutgoingMessage.State
NOTHING_KEPT = dict.fromkeys(("messages", "events", "positions", "sent", "unanswered"), 30)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE", 0)


@pytest.fixture
def keep(account: Account) -> Keep:
    """`keep(messages=30, sent=0)`: the days of the account."""

    def store(**days: int) -> None:
        conf.save(account, {f"wechat_keep_{name}_days": str(number) for name, number in days.items()})

    return store


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def stored(account: Account, kind: str = "text", days: float = 100, **values: Any) -> Push:
    number = Push.objects.count() + 1000 * account.pk
    return Push.objects.create(
        account=account, key=f"key{number}", kind=kind, raw=body("text"), openid=OPENID, received_at=ago(days), **values
    )


def sent(account: Account, days: float = 100, state: str = "sent", **values: Any) -> OutgoingMessage:
    then = ago(days)
    return OutgoingMessage.objects.create(
        account=account,
        openid=OPENID,
        purpose="quote",
        content={"kind": "text", "content": "x"},
        state=state,
        created_at=then,
        due_at=then,
        expires_at=then,
        **values,
    )


def again() -> None:
    """The next turn, and the walks from their beginning, as on the next day."""
    Lease.objects.filter(name=retention.ANEW).delete()
    run_to_the_end()


def run_to_the_end() -> None:
    while retention.run():
        pass


def left() -> list[str]:
    return list(Push.objects.order_by("pk").values_list("kind", flat=True))


def test_by_default_only_positions_go(account: Account) -> None:
    kinds = ("text", "image", "file", "qr", "subscribe", "brand_new_event", "trace")
    for kind in kinds:
        stored(account, kind, days=4000)
    sent(account, days=4000)
    run_to_the_end()
    assert left() == list(kinds[:-1])
    assert OutgoingMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("what", "stay"),
    [
        ("messages", ["qr", "brand_new_event", "trace"]),
        ("events", ["text", "file", "trace"]),
        ("positions", ["text", "file", "qr", "brand_new_event"]),
    ],
)
def test_each_kind_has_its_own_days(what: str, stay: list[str], keep: Keep, account: Account) -> None:
    keep(positions=0)
    keep(**{what: 30})
    for kind in ("text", "file", "qr", "brand_new_event", "trace"):
        stored(account, kind)
    run_to_the_end()
    assert left() == stay


def test_what_is_younger_stays(keep: Keep, account: Account) -> None:
    keep(messages=30)
    for days in (40, 31, 29, 1, 0):
        stored(account, days=days)
    run_to_the_end()
    assert Push.objects.count() == 3
    assert not Push.objects.filter(received_at__lt=ago(30)).exists()


def test_nothing_goes_where_the_days_are_nought_or_empty(keep: Keep, account: Account) -> None:
    keep(messages=0, positions=0)
    conf.save(account, {"wechat_keep_events_days": ""})
    for kind in ("text", "qr", "trace"):
        stored(account, kind, days=4000)
    run_to_the_end()
    assert left() == ["text", "qr", "trace"]


def test_each_account_has_its_own_days(keep: Keep, account: Account) -> None:
    keep(messages=30)
    other = Account.objects.create(slug="other")
    mine, his = stored(account), stored(other)
    run_to_the_end()
    assert list(Push.objects.all()) == [his]
    assert mine.account_id != his.account_id


@pytest.mark.parametrize("state", [State.WAITING, State.SENDING, State.OWED, State.SET_ASIDE])
def test_a_message_that_is_not_finished_is_never_removed(state: str, keep: Keep, account: Account) -> None:
    keep(sent=1)
    sent(account, state=state)
    sent(account, state=State.GIVEN_UP)
    run_to_the_end()
    assert OutgoingMessage.objects.get().state == state


def test_a_message_that_is_sent_late_goes_the_next_day(keep: Keep, account: Account) -> None:
    keep(sent=1)
    owed = sent(account, state=State.OWED)
    sent(account)
    run_to_the_end()
    OutgoingMessage.objects.filter(pk=owed.pk).update(state=State.SENT)
    run_to_the_end()
    assert OutgoingMessage.objects.exists()
    again()
    assert not OutgoingMessage.objects.exists()


def test_the_last_position_of_a_person_goes_with_the_reports(keep: Keep, account: Account) -> None:
    keep(positions=30)
    for number, days in enumerate((100, 1)):
        position = {"latitude": 31.2, "longitude": 121.4, "precision": 60.0, "located_at": ago(days)}
        now = timezone.now()
        Follower.objects.create(account=account, openid=f"o{number}", first_seen=now, last_seen=now, **position)
    run_to_the_end()
    old, young = Follower.objects.order_by("pk")
    assert (old.latitude, old.longitude, old.precision, old.located_at) == (None, None, None, None)
    assert young.latitude == 31.2


def test_unanswered_texts_go_by_the_last_time(keep: Keep, account: Account) -> None:
    keep(unanswered=30)
    for text, last in (("old", 31), ("asked again", 2)):
        UnansweredText.objects.create(account=account, text=text, first_at=ago(300), last_at=ago(last), count=5)
    run_to_the_end()
    assert UnansweredText.objects.get().text == "asked again"


def test_counts_and_scans_stay(keep: Keep, push: Callback, order: Order, account: Account, worker_alive: Lease) -> None:
    keep(**NOTHING_KEPT)
    rule = Rule.objects.create(account=account, name="r")
    RuleDay.objects.create(rule=rule, day=ago(200).date(), hits=3)
    push.scan("77")
    _grow_old()
    run_to_the_end()
    assert (Push.objects.count(), OutgoingMessage.objects.count()) == (0, 0)
    assert (Scan.objects.count(), RuleDay.objects.count(), Order.objects.count()) == (1, 1, 1)


def _grow_old() -> None:
    Push.objects.update(received_at=ago(100))
    OutgoingMessage.objects.update(created_at=ago(100), state=State.SENT)
    Scan.objects.update(scanned_at=ago(100))


def test_pages_tolerate_what_is_gone(
    keep: Keep, push: Callback, order: Order, worker_alive: Lease, staff: Client
) -> None:
    push.scan("77")
    push.text("boom")
    kept = sent(order.account, push=Push.objects.earliest("pk"), days=1)
    keep(**NOTHING_KEPT)
    scan = Scan.objects.get()
    OutgoingMessage.objects.exclude(pk=kept.pk).update(created_at=ago(100), state=State.SENT)
    Push.objects.filter(kind="qr").update(received_at=ago(100))
    run_to_the_end()
    assert (Push.objects.count(), OutgoingMessage.objects.count()) == (1, 1)
    for row in (kept, scan, order, Push.objects.get(), Follower.objects.get()):
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        assert staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, row
        assert staff.get(reverse(f"{name}_changelist")).status_code == 200, row
    assert staff.get(reverse("admin:index")).status_code == 200
    assert staff.get(order.get_absolute_url()).status_code == 200
    assert staff.get(scan.get_absolute_url()).status_code == 200


def test_a_card_that_is_removed_was_sent(keep: Keep, push: Callback, order: Order, worker_alive: Lease) -> None:
    keep(sent=30)
    push.scan("77")
    _grow_old()
    run_to_the_end()
    progress = progress_of(order.key)
    assert progress is not None
    assert progress.state == "sent"


def test_a_repeat_still_finds_its_record(keep: Keep, push: Callback) -> None:
    keep(**dict.fromkeys(NOTHING_KEPT, 1))
    raw = body("text", Content="在吗")
    push(raw)
    run_to_the_end()
    push(raw)
    assert Push.objects.get().repeats == 1


def test_rows_go_in_small_batches(keep: Keep, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    keep(messages=30)
    for _number in range(10):
        stored(account)
    with CaptureQueriesContext(connection) as queries:
        run_to_the_end()
    deletions = [query["sql"] for query in queries if query["sql"].startswith("DELETE") and "push" in query["sql"]]
    assert len(deletions) == 3
    assert not Push.objects.exists()


def test_a_turn_ends_and_says_that_there_is_more(keep: Keep, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "TURN", 0)
    keep(messages=30)
    for _number in range(5):
        stored(account)
    assert [retention.run() for _turn in range(4)] == [2, 2, 1, 0]


def test_what_was_passed_is_not_read_again(keep: Keep, account: Account) -> None:
    keep(events=30)
    for kind in ("text", "qr", "text"):
        stored(account, kind)
    young = stored(account, "qr", days=1)
    run_to_the_end()
    assert left() == ["text", "text", "qr"]
    assert Cursor.objects.get(name=f"retention:events:{account.pk}").position == young.pk - 1


def test_nothing_that_points_here_is_looked_for(keep: Keep, account: Account) -> None:
    keep(**NOTHING_KEPT)
    stored(account)
    sent(account)
    with CaptureQueriesContext(connection) as queries:
        run_to_the_end()
    assert not [query["sql"] for query in queries if "UPDATE" in query["sql"] and "wechat_outgoing" in query["sql"]]
    assert not [query["sql"] for query in queries if "orders_scan" in query["sql"]]


@pytest.mark.parametrize("days", ["-1", "1.5", "ten", "３", "999999", "1" * 5000])
def test_odd_numbers_of_days_are_refused(days: str, account: Account) -> None:
    with pytest.raises(ValidationError):
        conf.save(account, {"wechat_keep_messages_days": days})


@pytest.mark.parametrize("ages", [[], [5], [5, 4], [9, 8, 7, 3, 2, 1], [3, 2, 1], [9, 8], [5] * 7])
def test_halving_finds_where_the_young_ones_begin(ages: list[int], account: Account) -> None:
    rows = [stored(account, days=days) for days in ages]
    Push.objects.filter(pk__in=[row.pk for row in rows[1::4]]).delete()  # gaps
    pushes = Push.objects.all()
    for days in (10, 6, 4.5, 2.5, 0):
        start = first_since(pushes, "received_at", ago(days))
        young = set(pushes.filter(received_at__gte=ago(days)))
        assert set(pushes.filter(pk__gte=start)) == young, days


@pytest.mark.django_db(transaction=True)
def test_pushes_come_in_while_a_great_many_are_removed(
    keep: Keep, push: Callback, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAUSE", 0.01)
    keep(messages=30)
    then = datetime(2024, 1, 1, tzinfo=UTC)
    Push.objects.bulk_create(
        Push(account=account, key=f"k{n}", raw=body("text"), openid=OPENID, kind="text", received_at=then)
        for n in range(6000)
    )
    removing = threading.Thread(target=lambda: (run_to_the_end(), connections.close_all()))
    removing.start()
    slowest, answered = 0.0, 0
    while removing.is_alive():
        began = time.monotonic()
        push(event("VIEW", EventKey="https://example.com/"))
        slowest, answered = max(slowest, time.monotonic() - began), answered + 1
    removing.join()
    assert answered > 5
    assert slowest < 1.5
    assert set(left()) == {"view"}
