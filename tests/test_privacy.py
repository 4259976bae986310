"""One person's data: erased without a trace, handed out whole and without secrets."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from callback import OPENID, Callback, event, xml
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Scan
from wechat import conf, outbox, privacy
from wechat.admin.outgoing import send_again
from wechat.models import Account, Follower, Lease, OutgoingMessage, Push, Tag
from wechat.models.followers import ERASED, mask

NEIGHBOUR = "oWXHUB_0000000000000000002"
SECRET_WORDS = "my door code is 4711"
State = OutgoingMessage.State


def everything(push: Callback, account: Account, openid: str) -> None:
    """All that can be kept of a person."""
    push.follow("77", openid=openid)
    push.text(SECRET_WORDS, openid=openid)
    push.click("PRICES", openid=openid)
    push.scan("404", openid=openid)
    push(event("LOCATION", openid, Latitude="23.137466", Longitude="113.352425", Precision="119"))
    push(event("pic_sysphoto", openid, EventKey="ROOM"))
    push(event("TEMPLATESENDJOBFINISH", openid, MsgID="200163836", Status="success"))
    push(event("user_info_modified", "oWXHUB_system", OpenID=openid, UnionID=f"union-{openid}", RevokeInfo="202"))
    push(event("user_get_card", "oWXHUB_0000000000000000003", CardId="p1", FriendUserName=openid))
    Push.objects.filter(openid=openid, kind="click").update(state=Push.State.FAILED, error=f"{openid} {SECRET_WORDS}")
    Follower.objects.filter(openid=openid).update(nickname=f"nick {openid}", avatar=f"https://wx.qlogo.cn/{openid}")
    follower = Follower.objects.get(openid=openid)
    follower.tags.add(Tag.objects.get_or_create(account=account, name="VIP")[0])
    LogEntry.objects.create(
        user=User.objects.get_or_create(username="clerk")[0],
        content_type=ContentType.objects.get_for_model(Follower),
        object_id=str(follower.pk),
        object_repr=str(follower),
        action_flag=CHANGE,
    )


@pytest.fixture
def two(push: Callback, account: Account, order: Order, worker_alive: Lease) -> Account:
    """Two people of whom everything is kept: messages waiting, owed, sent, answers that hold their openid."""
    conf.save(account, {"wechat_redirect_url_pre": "https://firm.cn/q?o=##OPENID##&c=##SHARECODE##"})
    for openid in (OPENID, NEIGHBOUR):
        everything(push, account, openid)
    worker_alive.delete()
    conf.forget()
    push.scan("77")  # no worker: its card is the answer
    push.scan("77", openid=NEIGHBOUR)
    sample = OutgoingMessage.objects.filter(openid=OPENID).first()
    assert sample is not None
    for state in (State.OWED, State.GIVEN_UP, State.SET_ASIDE, State.SENDING):
        sample.pk, sample.state, sample.error, sample.holder = None, state, f"{OPENID} said no", "worker 1"
        sample.save(force_insert=True)
    return account


def cells() -> Iterator[tuple[str, str]]:
    """Every value of every row of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield from ((table, str(value)) for value in row)


def holding(text: str) -> list[str]:
    return sorted({table for table, value in cells() if text in value})


def test_all_that_can_be_kept_is_kept_in_these_tables(two: Account) -> None:
    """Else the next test proves nothing."""
    assert holding(OPENID) == [
        "django_admin_log",
        "orders_scan",
        "wechat_follower",
        "wechat_outgoingmessage",
        "wechat_push",
    ]
    assert Push.objects.filter(answer__contains=OPENID).exists()


def test_an_erased_person_is_in_no_table(two: Account) -> None:
    erased = privacy.erase(two.pk, OPENID)
    assert holding(OPENID) == []
    assert holding(SECRET_WORDS) == ["wechat_push"]  # the neighbour said so too
    assert erased.pushes == 8
    assert erased.messages == OutgoingMessage.objects.filter(openid=ERASED).count()


def test_the_neighbour_stays_as_he_is(two: Account) -> None:
    def his() -> list[Any]:
        tables: list[Any] = [Push, OutgoingMessage, Follower, Scan]
        return [list(table.objects.filter(openid=NEIGHBOUR).order_by("pk").values()) for table in tables]

    before = his()
    privacy.erase(two.pk, OPENID)
    assert his() == before
    assert Follower.objects.get(openid=NEIGHBOUR).tags.count() == 1
    assert NEIGHBOUR in Push.objects.filter(kind="user_get_card").latest("pk").raw


def test_what_is_counted_goes_on_counting(two: Account) -> None:
    before = list(Push.objects.order_by("pk").values_list("pk", "key", "kind", "state", "received_at"))
    privacy.erase(two.pk, OPENID)
    assert list(Push.objects.order_by("pk").values_list("pk", "key", "kind", "state", "received_at")) == before
    assert set(Push.objects.filter(openid=ERASED).values_list("raw", "answer", "error")) == {("", "", "")}
    assert Scan.objects.filter(openid=ERASED, order__orderid=77).count() == 2


def test_nothing_goes_out_to_an_erased_person(two: Account) -> None:
    in_hand = OutgoingMessage.objects.get(state=State.SENDING, openid=OPENID)
    privacy.erase(two.pk, OPENID)
    states = set(OutgoingMessage.objects.filter(openid=ERASED).values_list("state", flat=True))
    assert states == {State.SENT, State.GIVEN_UP}
    assert set(OutgoingMessage.objects.filter(openid=ERASED).values_list("error", flat=True)) == {"", privacy.REASON}
    assert not outbox.keep(in_hand)  # what a worker holds, but has not sent yet
    assert not outbox.settle(in_hand, State.SENT)
    claimed = outbox.claim("worker 2", 100)
    assert {message.openid for message in claimed} <= {NEIGHBOUR}


def test_an_erased_message_cannot_be_sent_again(two: Account) -> None:
    privacy.erase(two.pk, OPENID)
    message = OutgoingMessage.objects.filter(openid=ERASED, state=State.GIVEN_UP).first()
    assert message is not None
    assert send_again(message, timezone.now()) == ""
    message.refresh_from_db()
    assert message.state == State.GIVEN_UP


def test_his_shared_links_open_nothing_any_more(two: Account, client: Client) -> None:
    scan = Scan.objects.filter(openid=OPENID, order__isnull=False).first()
    assert scan is not None
    assert client.get(scan.get_absolute_url()).status_code == 200
    privacy.erase(two.pk, OPENID)
    assert client.get(scan.get_absolute_url()).status_code == 404


def test_scans_whose_pushes_were_removed_are_found_too(two: Account) -> None:
    Push.objects.filter(openid=OPENID).delete()
    privacy.erase(two.pk, OPENID)
    assert not Scan.objects.filter(openid=OPENID).exists()


def test_a_late_repeat_of_an_old_push_brings_nobody_back(push: Callback, order: Order, account: Account) -> None:
    body = event("SCAN", EventKey="77", Ticket="t")
    push(body)
    privacy.erase(account.pk, OPENID)
    assert push(body).content == b"success"
    assert not Follower.objects.exists()
    assert Push.objects.get().repeats == 1


def test_who_comes_back_begins_anew(push: Callback, order: Order, two: Account) -> None:
    privacy.erase(two.pk, OPENID)
    push.text("hello again")
    person = Follower.objects.get(openid=OPENID)
    assert (person.nickname, person.source, person.owed, person.tags.count()) == ("", "", 0, 0)
    assert Push.objects.filter(openid=OPENID).count() == 1


def test_other_accounts_keep_what_is_theirs(two: Account) -> None:
    other = Account.objects.create(slug="other")
    now = timezone.now()
    Follower.objects.create(account=other, openid=OPENID, first_seen=now, last_seen=now)
    Push.objects.create(account=other, key="k", openid=OPENID, raw=OPENID, kind="text", received_at=now)
    privacy.erase(two.pk, OPENID)
    assert Follower.objects.filter(account=other, openid=OPENID).exists()
    assert Push.objects.get(account=other).raw == OPENID


def test_a_room_that_fails_undoes_everything(two: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_person: privacy.Person) -> None:
        Scan.objects.all().delete()
        raise RuntimeError

    monkeypatch.setattr(privacy, "_erasers", [*privacy._erasers, broken])
    with pytest.raises(RuntimeError):
        privacy.erase(two.pk, OPENID)
    assert Follower.objects.filter(openid=OPENID).exists()
    assert Scan.objects.exists()


def test_erasing_somebody_unknown_does_nothing(account: Account) -> None:
    assert privacy.erase(account.pk, "nobody") == privacy.Erased(0, 0)


def test_the_pages_of_erased_rows_open_and_say_so(two: Account, staff: Client) -> None:
    privacy.erase(two.pk, OPENID)
    rows: list[Any] = [*Push.objects.filter(openid=ERASED), *OutgoingMessage.objects.filter(openid=ERASED)]
    for row in [*rows, *Scan.objects.filter(openid=ERASED)]:
        page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        assert staff.get(page).status_code == 200, page
    assert mask(ERASED) in staff.get(reverse("admin:wechat_push_changelist")).content.decode()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table of a few rows without its indexes")
def test_everything_of_a_person_is_found_by_an_index(two: Account) -> None:
    person = privacy.Person(two.pk, OPENID)
    assert "push_of_person" in person.pushes().explain()
    assert "outgoing_of_person" in person.messages().explain()
    for pushes in person.naming(privacy.ABOUT_HIM + privacy.NAMING_HIM):
        assert "push_of_rare_kind" in pushes.explain()


# The export.


def exported(account: Account) -> dict[str, Any]:
    return dict(json.loads("".join(privacy.export(account.pk, OPENID))))


def test_an_export_holds_everything_of_this_person_and_nobody_else(two: Account) -> None:
    data = exported(two)
    assert list(data) == ["person", "channel_codes", "pushes", "messages", "scans"]
    (person,) = data["person"]
    assert (person["openid"], person["source"], person["tags"]) == (OPENID, "77", ["VIP"])
    assert (person["latitude"], person["picture_key"]) == (23.137466, "ROOM")
    kinds = [push["kind"] for push in data["pushes"]]
    assert sorted(set(kinds)) == sorted(
        ["subscribe", "text", "click", "qr", "trace", "pic_sysphoto", "templatesendjobfinish", "user_info_modified"]
    )
    assert SECRET_WORDS in [push["said"].get("Content") for push in data["pushes"]]
    assert {scan["quote"] for scan in data["scans"]} == {77, None}
    assert len(data["messages"]) == OutgoingMessage.objects.filter(openid=OPENID).count()
    assert NEIGHBOUR not in json.dumps(data)


def test_an_export_holds_no_secret(two: Account) -> None:
    text = "".join(privacy.export(two.pk, OPENID))
    for scan in Scan.objects.filter(openid=OPENID):
        assert scan.secret not in text
    assert "gQ-a-ticket" not in text
    assert "https://firm.cn/…" in text


def test_an_export_of_what_nobody_can_read_holds_it_as_it_is(push: Callback, account: Account) -> None:
    push.text('"}],\n<b>x</b> \u202e 😀 ]]]]><![CDATA[>')
    Push.objects.create(
        account=account, key="k", openid=OPENID, raw="<!DOCTYPE x><xml/>", kind="text", received_at=timezone.now()
    )
    said = [one["said"] for one in exported(account)["pushes"]]
    assert said[0]["Content"] == '"}],\n<b>x</b> \u202e 😀 ]]>'
    assert said[1] == "<!DOCTYPE x><xml/>"


def test_an_export_of_nobody_is_empty(account: Account) -> None:
    assert exported(account) == {"person": [], "channel_codes": [], "pushes": [], "messages": [], "scans": []}


def test_a_code_scanned_by_json_keeps_its_ticket_out(push: Callback, account: Account) -> None:
    push(
        xml(
            ToUserName="gh_x",
            FromUserName=OPENID,
            CreateTime=1760000000,
            MsgType="event",
            Event="SCAN",
            EventKey="9",
            Ticket="t0p",
        )
    )
    assert "t0p" not in "".join(privacy.export(account.pk, OPENID))
