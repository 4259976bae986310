"""A push that the database does not take waits on the disk, is answered without `success`, and is handled afterwards."""

import json
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from callback import OPENID, Callback, body, event
from django.conf import LazySettings
from django.db import connection, connections
from django.utils import timezone

from orders.models import Order, Scan
from wechat import conf, outbox, spool
from wechat.models import Account, Follower, Notice, OutgoingMessage, Push

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """The spool of this test; what its process remembers of an outage ends with it."""
    settings.SPOOL_DIR = tmp_path / "spool"
    yield settings.SPOOL_DIR
    for thread in threading.enumerate():
        if thread.name == "spool":
            thread.join()
    spool._outage.__init__()  # type: ignore[misc]


@contextmanager
def locked_database() -> Iterator[None]:
    """Another program holds the database: nothing can be written, and this process waits only a little."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100" if sqlite else "SET lock_timeout = '100ms'")
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN EXCLUSIVE" if sqlite else "BEGIN")
            if not sqlite:
                cursor.execute("LOCK TABLE wechat_push IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 4000" if sqlite else "SET lock_timeout = '4s'")


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("*.push"))


def drained(folder: Path) -> None:
    """Everything in the spool has been brought in: by this call, or by the thread of the recovered process."""
    for _ in range(100):
        spool.drain()
        if not kept(folder):
            return
        time.sleep(0.05)
    raise AssertionError("the spool is not empty")


@pytest.mark.usefixtures("account")
def test_a_push_that_cannot_be_stored_waits_on_the_disk_and_is_not_answered_success(
    push: Callback, folder: Path
) -> None:
    before = timezone.now()
    with locked_database():
        response = push(body("text", Content="in der Zwischenzeit 期间"))
        assert (response.status_code, response.content) == (200, b"")
        (file,) = kept(folder)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    after = timezone.now()
    assert not Push.objects.exists()
    drained(folder)
    stored = Push.objects.get()
    assert "期间" in stored.raw
    assert before <= stored.received_at <= after
    assert Follower.objects.filter(openid=OPENID, message_at=stored.received_at).exists()


@pytest.mark.usefixtures("account")
def test_copies_that_come_while_nothing_is_stored_have_one_effect(push: Callback, folder: Path) -> None:
    content = body("text", Content="once")
    with locked_database():
        assert {push(content, mode="safe").content for _ in range(3)} == {b""}
        assert len(kept(folder)) == 1
    drained(folder)
    spool._outage._until = 0.0  # else the next second goes to the spool without a try
    assert push(content, mode="safe").content == b"success"
    assert Push.objects.get().repeats == 1


@pytest.mark.usefixtures("account")
def test_while_the_database_fails_only_one_push_waits_for_it(push: Callback, folder: Path) -> None:
    with locked_database():
        with connection.cursor() as cursor:
            cursor.execute(
                "PRAGMA busy_timeout = 1500" if connection.vendor == "sqlite" else "SET lock_timeout = '1500ms'"
            )
        began = time.monotonic()
        for number in range(20):
            assert push(body("text", Content=f"push {number}")).status_code == 200
        assert time.monotonic() - began < 10 * 1.5  # each on its own would take 30 s
        assert len(kept(folder)) == 20
    drained(folder)
    assert Push.objects.count() == 20


@pytest.mark.usefixtures("worker_alive", "order")
def test_a_scan_that_waited_gets_its_card_inside_its_minute(push: Callback, folder: Path, account: Account) -> None:
    order = Order.objects.get()
    with locked_database():
        push(event("SCAN", EventKey=str(order.orderid), Ticket="t"))
    drained(folder)
    card = OutgoingMessage.objects.get()
    assert (card.state, card.purpose) == (OutgoingMessage.State.WAITING, "quote")
    assert card.expires_at == Push.objects.get().received_at + outbox.EVENT_WINDOW
    assert Scan.objects.get().order == order


@pytest.mark.usefixtures("worker_alive", "order")
def test_a_scan_that_waited_too_long_is_owed(push: Callback, folder: Path) -> None:
    with locked_database():
        push(event("SCAN", EventKey=str(Order.objects.get().orderid), Ticket="t"))
    (file,) = kept(folder)
    record = json.loads(file.read_text())
    record["came_at"] = (timezone.now() - timedelta(minutes=5)).isoformat()
    file.write_text(json.dumps(record))
    drained(folder)
    outbox.close_windows()
    assert OutgoingMessage.objects.get().state == OutgoingMessage.State.OWED


def test_the_answer_of_a_push_that_waited_travels_as_a_message(push: Callback, folder: Path, account: Account) -> None:
    conf.save(account, {"wechat_default_reply": "您好"})
    with locked_database():
        assert push(body("text", Content="hello")).content == b""
    drained(folder)
    assert OutgoingMessage.objects.get().content["content"] == "您好"
    assert Push.objects.get().answer == ""


def test_where_the_disk_fails_too_the_person_is_asked_to_try_again(
    push: Callback, account: Account, settings: LazySettings, tmp_path: Path
) -> None:
    conf.save(account, {"wechat_try_again_text": "请再试一次"})
    push.text("warm up")
    blocked = tmp_path / "file"
    blocked.touch()
    settings.SPOOL_DIR = blocked / "spool"
    with locked_database():
        said = push(body("text", Content="hello"))
        left = push(event("unsubscribe"))
    assert said.status_code == 200
    assert "请再试一次" in said.content.decode()
    assert left.status_code == 503  # nobody could be told: the platform pushes it again
    assert Push.objects.count() == 1


def test_staff_are_told_what_happened_when_the_database_works_again(
    push: Callback, account: Account, folder: Path
) -> None:
    push.text("before")
    with locked_database():
        push.text("meanwhile")
    spool._outage._until = 0.0
    assert push.text("after").content == b"success"
    notice = Notice.objects.get()
    assert (notice.account, notice.kind, notice.data["kept"], notice.data["lost"]) == (account, "storing_failed", 1, 0)
    drained(folder)
    assert Push.objects.count() == 3


@pytest.mark.usefixtures("account")
def test_a_file_that_cannot_be_read_is_put_aside_and_holds_up_nothing(push: Callback, folder: Path) -> None:
    with locked_database():
        push.text("a real one")
    (folder / "0.push").write_text("half a rec")
    drained(folder)
    assert [path.name for path in folder.glob("*.aside")] == ["0.aside"]
    assert Push.objects.count() == 1


@pytest.mark.usefixtures("account")
def test_the_configuration_that_was_read_goes_on_when_the_database_fails() -> None:
    known = conf.snapshot()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE wechat_account RENAME TO wechat_account_away")
    try:
        conf._snapshot = conf.replace(known, looked_at=0.0)
        assert conf.snapshot().accounts == known.accounts
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE wechat_account_away RENAME TO wechat_account")


def test_a_missing_table_is_never_answered_success(push: Callback, account: Account, folder: Path) -> None:
    push.text("warm up")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE wechat_push RENAME TO wechat_push_away")
    try:
        assert push.text("hi", openid=OPENID).content == b""
        assert len(kept(folder)) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE wechat_push_away RENAME TO wechat_push")
    drained(folder)
    assert Push.objects.count() == 2
