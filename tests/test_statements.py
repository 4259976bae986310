"""The callback's own statements: on every database they store and return the same, however many travel together."""

from datetime import UTC
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from wechat import statements
from wechat.models import Account, Follower, OutgoingMessage, Push
from wechat.statements import Insert

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = {"kind": "text", "content": "报价 '\"\\ \u2028 %s"}


def a_push(account: Account, key: str = "one") -> Insert:
    """A push of that key; a second one of the same key is kept out."""
    now = timezone.now()
    values: dict[str, Any] = {
        "account_id": account.pk,
        "key": key,
        "nonce_key": None,
        "received_at": now,
        "openid": "o1",
        "kind": "text",
        "raw": "<xml/>",
        "encrypted": True,
        "state": Push.State.NOTHING,
        "answer": "",
        "error": "",
        "repeats": 0,
    }
    return Insert(Push, values, on_conflict="DO NOTHING")


def a_fatal_push(account: Account) -> Insert:
    """A push of which a second one cannot be kept: it has no word of conflicts."""
    return a_push(account)._replace(on_conflict="")


def a_message(account: Account) -> Insert:
    """A message that waits."""
    now = timezone.now()
    values = {
        "account_id": account.pk,
        "openid": "o1",
        "purpose": "test",
        "about": "",
        "content": CONTENT,
        "route": OutgoingMessage.Route.CUSTOMER_SERVICE,
        "state": OutgoingMessage.State.WAITING,
        "attempts": 0,
        "unknown_outcomes": 0,
        "created_at": now,
        "due_at": now,
        "expires_at": now,
        "holder": "",
        "error": "",
    }
    return Insert(OutgoingMessage, values)


def test_what_it_stores_is_what_the_orm_reads(account: Account) -> None:
    row = statements.insert(Insert(Push, a_push(account).values, returning="id, openid, received_at"))
    assert row is not None
    stored = Push.objects.get(pk=row[0])
    assert (stored.openid, stored.encrypted, stored.nonce_key, stored.state) == ("o1", True, None, Push.State.NOTHING)
    assert row[1] == "o1"
    assert row[2].replace(tzinfo=UTC) == stored.received_at  # SQLite keeps no time zone
    assert timezone.now() >= stored.received_at


def test_a_pair_goes_in_together(account: Account) -> None:
    with transaction.atomic():
        first, second = statements.insert_pair(a_push(account), a_message(account))
    assert first == (Push.objects.get().pk,)
    assert second == (OutgoingMessage.objects.get().pk,)
    assert OutgoingMessage.objects.get().content == CONTENT


def test_the_second_of_a_pair_stays_out_with_the_first(account: Account) -> None:
    statements.insert(a_push(account))
    with transaction.atomic():
        assert statements.insert_pair(a_push(account), a_message(account)) == (None, None)
    assert not OutgoingMessage.objects.exists()


def test_the_first_of_a_pair_goes_in_without_the_second(account: Account) -> None:
    statements.insert(a_push(account))
    with transaction.atomic():
        first, second = statements.insert_pair(a_message(account), a_push(account))
    assert first == (OutgoingMessage.objects.get().pk,)
    assert second is None


def test_the_second_of_a_pair_refers_to_the_first(account: Account) -> None:
    with transaction.atomic():
        statements.insert_pair_later(a_push(account), a_message(account), link="push_id")
    assert OutgoingMessage.objects.get().push == Push.objects.get()


def test_what_was_put_off_is_there_for_whoever_reads_next(account: Account) -> None:
    with transaction.atomic():
        statements.insert_later(a_push(account))
        assert Push.objects.get().key == "one"
        statements.run_later(f"UPDATE {Push._meta.db_table} SET repeats = repeats + %s WHERE key = %s", [2, "one"])
        assert statements.run(f"SELECT repeats FROM {Push._meta.db_table} WHERE key = %s", ["one"]) == (2,)


def test_what_was_put_off_is_committed(account: Account) -> None:
    with transaction.atomic():
        statements.insert_later(a_push(account))
        statements.insert_later(a_push(account, "two"))
    assert set(Push.objects.values_list("key", flat=True)) == {"one", "two"}


def test_without_a_transaction_nothing_is_put_off(account: Account) -> None:
    statements.insert_later(a_push(account))
    connection.close()
    assert Push.objects.count() == 1


def test_what_was_put_off_is_rolled_back(account: Account) -> None:
    @transaction.atomic
    def change_ones_mind() -> None:
        statements.insert_later(a_push(account))
        raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        change_ones_mind()
    with transaction.atomic():
        statements.insert_later(a_push(account, "two"))
    assert Push.objects.get().key == "two"


def test_a_savepoint_takes_back_what_was_put_off_after_it(account: Account) -> None:
    @transaction.atomic
    def change_ones_mind() -> None:
        statements.insert_later(a_push(account, "two"))
        raise RuntimeError("only this")

    with transaction.atomic():
        statements.insert_later(a_push(account))
        with pytest.raises(RuntimeError, match="only this"):
            change_ones_mind()
    assert Push.objects.get().key == "one"


def test_a_savepoint_takes_back_what_could_not_be_kept(account: Account) -> None:
    @transaction.atomic
    def write() -> None:
        statements.insert_later(a_fatal_push(account))
        raise RuntimeError("before it was sent")

    with transaction.atomic():
        statements.insert_later(a_push(account))
        with pytest.raises((RuntimeError, IntegrityError)):  # SQLite sends it at once
            write()
    assert Push.objects.get().key == "one"


def test_what_cannot_be_kept_is_refused_with_the_commit_at_the_latest(account: Account) -> None:
    @transaction.atomic
    def write() -> None:
        Follower.objects.create(account=account, openid="o1", first_seen=timezone.now(), last_seen=timezone.now())
        statements.insert_later(a_fatal_push(account))

    statements.insert(a_push(account))
    with pytest.raises(IntegrityError):
        write()
    assert not Follower.objects.exists()
    assert Push.objects.count() == 1


def test_a_row_that_refers_to_nothing_is_refused(account: Account) -> None:
    message = a_message(account)
    orphan = message._replace(values={**message.values, "account_id": 1_000_000})
    write = transaction.atomic(statements.insert_later)
    with pytest.raises(IntegrityError):
        write(orphan)
    assert not OutgoingMessage.objects.exists()


def test_an_answer_is_the_same_whether_it_was_asked_ahead_or_not(account: Account) -> None:
    question = (f"SELECT name FROM {Account._meta.db_table} WHERE id = %s", [account.pk])
    with transaction.atomic():
        statements.ask_ahead(*question)
        statements.insert(a_push(account))
        assert statements.run(*question) == (account.name,)
    assert statements.run(*question) == (account.name,)


def test_an_answer_lasts_no_longer_than_its_transaction(account: Account) -> None:
    question = (f"SELECT name FROM {Account._meta.db_table} WHERE id = %s", [account.pk])
    with transaction.atomic():
        statements.ask_ahead(*question)
        statements.insert(a_push(account))
    Account.objects.update(name="renamed")
    with transaction.atomic():
        assert statements.run(*question) == ("renamed",)
