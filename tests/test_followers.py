"""What pushes leave on a follower: since when he follows and by which code, and which picture button he tapped."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from callback import OPENID, Callback, event
from django.utils import timezone

from wechat import followers
from wechat.models import Account, Follower

LONG_AGO = 1_760_000_000


def person() -> Follower:
    return Follower.objects.get()


def follow(at: int, scene: str = "") -> str:
    return event("subscribe", created=at, EventKey=f"qrscene_{scene}" if scene else "")


def leave(at: int) -> str:
    return event("unsubscribe", created=at, EventKey="")


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_a_follow_by_a_code_keeps_the_code_and_the_platforms_time(push: Callback) -> None:
    push(follow(LONG_AGO, "quote_2025_001"))
    assert (person().source, person().followed_at) == ("quote_2025_001", moment(LONG_AGO))
    assert person().first_seen > moment(LONG_AGO)


@pytest.mark.parametrize("key", ["", "last_trade_no_4001", "qrscene_"])
def test_a_follow_without_a_code_has_no_source(key: str, push: Callback) -> None:
    push(event("subscribe", created=LONG_AGO, EventKey=key))
    assert (person().source, person().followed_at) == ("", moment(LONG_AGO))


def test_of_two_follows_the_younger_counts_whichever_comes_last(push: Callback) -> None:
    push(follow(LONG_AGO + 200, "77"))
    push(follow(LONG_AGO + 100, "66"))
    assert (person().source, person().followed_at) == ("77", moment(LONG_AGO + 200))
    push(follow(LONG_AGO + 300))
    assert (person().source, person().followed_at) == ("", moment(LONG_AGO + 300))


def test_an_unfollow_that_comes_before_its_follow_wins_by_its_time(push: Callback) -> None:
    push(leave(LONG_AGO + 300))
    push(follow(LONG_AGO + 200, "77"))
    assert not person().subscribed
    assert (person().source, person().followed_at) == ("77", moment(LONG_AGO + 200))
    push(follow(LONG_AGO + 400, "88"))
    assert person().subscribed
    assert person().source == "88"


def test_a_follow_that_comes_after_a_younger_scan_is_kept_all_the_same(push: Callback) -> None:
    push(event("SCAN", created=LONG_AGO + 50, EventKey="99", Ticket="t"))
    push(follow(LONG_AGO, "77"))
    assert person().subscribed
    assert (person().source, person().state_time) == ("77", LONG_AGO + 50)


def test_a_repeated_follow_changes_nothing(push: Callback) -> None:
    body = follow(LONG_AGO, "77")
    push(body)
    push(leave(LONG_AGO + 10))
    push(body)
    assert not person().subscribed


@pytest.mark.parametrize("name", ["SCAN", "CLICK", "VIEW"])
def test_nothing_but_a_follow_touches_the_source(name: str, push: Callback) -> None:
    push(follow(LONG_AGO, "77"))
    push(event(name, EventKey="88"))
    push.text("hello")
    push.unfollow()
    assert (person().source, person().followed_at) == ("77", moment(LONG_AGO))


def test_a_clock_that_runs_ahead_does_not_hold_for_ever(push: Callback) -> None:
    push(follow(int(time.time()) + 10**7, "77"))
    followed_at = person().followed_at
    assert followed_at is not None
    assert followed_at < timezone.now() + timedelta(minutes=6)


def test_a_follow_that_says_no_time_happened_when_it_came(push: Callback) -> None:
    push(follow(LONG_AGO, "77").replace(f"<CreateTime>{LONG_AGO}</CreateTime>", ""))
    followed_at = person().followed_at
    assert followed_at is not None
    assert timezone.now() - followed_at < timedelta(minutes=1)


def test_a_scene_that_is_too_long_is_cut(push: Callback) -> None:
    push(follow(LONG_AGO, "界" * 200))
    assert person().source == "界" * 64


def test_two_accounts_know_one_person_apart(push: Callback, account: Account) -> None:
    other = Account.objects.create(slug="other")
    now = timezone.now()
    Follower.objects.create(account=other, openid=OPENID, first_seen=now, last_seen=now, source="11")
    push(follow(LONG_AGO, "77"))
    assert Follower.objects.get(account=other).source == "11"
    assert followers.picture_key_of(other.pk, OPENID, now) == ""


@pytest.mark.parametrize("name", ["pic_sysphoto", "pic_photo_or_album", "pic_weixin"])
def test_pictures_belong_to_the_button_for_two_minutes(name: str, push: Callback, account: Account) -> None:
    assert push(event(name, EventKey="MY_ROOM")).content == b"success"
    tapped = person().picture_at
    assert tapped is not None
    for later, key in ((0, "MY_ROOM"), (119, "MY_ROOM"), (121, ""), (-1, "")):
        at = tapped + timedelta(seconds=later)
        assert followers.picture_key_of(account.pk, OPENID, at) == key, later


def test_the_last_button_counts(push: Callback, account: Account) -> None:
    push(event("pic_sysphoto", EventKey="FIRST"))
    push(event("pic_weixin", EventKey="長" * 200))
    assert followers.picture_key_of(account.pk, OPENID, timezone.now()) == "長" * 128


def test_nobody_tapped_anything(account: Account) -> None:
    assert followers.picture_key_of(account.pk, "nobody", timezone.now()) == ""
