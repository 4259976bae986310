"""What the platform reports by itself: the account's verification, a person's authorizations, positions, shop orders."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from callback import OPENID, Callback, event, vectors
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wechat import conf, inbox, messages, notices, routing
from wechat.models import Account, Follower, Membership, Notice, Push
from wechat.signals import merchant_order

PLATFORM = "oWXHUB_system0000000000001"
SAMPLES = {vector["id"]: vector for vector in vectors("messages")["messages"]}
LEVELS = {
    "qualification_verify_success": "success",
    "qualification_verify_fail": "warning",
    "naming_verify_success": "success",
    "naming_verify_fail": "warning",
    "annual_renew": "warning",
    "verify_expired": "danger",
}
REPORTS = [
    *LEVELS,
    "user_info_modified",
    "user_authorization_revoke",
    "user_authorization_cancellation",
    "mass-success",
    "publish-success",
    "poi_check_notify",
    "weapp_audit_success",
    "weapp_audit_fail",
    "debug_demo",
]


@pytest.fixture
def person(push: Callback) -> Follower:
    """Somebody who agreed to show his nickname, and lets us know where he is."""
    push.follow()
    Follower.objects.update(
        nickname="小王",
        avatar="https://wx.qlogo.cn/a",
        latitude=31.2,
        longitude=121.4,
        precision=65,
        located_at=timezone.now(),
    )
    return Follower.objects.get()


def about(name: str, openid: str = OPENID, **nodes: Any) -> str:
    """A report of the platform about a person."""
    return event(name, PLATFORM, OpenID=openid, AppID="wx0000000000000001", **nodes)


@pytest.mark.parametrize(("name", "level"), LEVELS.items())
def test_a_verification_event_becomes_a_notice_of_its_level(
    name: str, level: str, push: Callback, account: Account
) -> None:
    assert push(SAMPLES[name]["xml"]).content == b"success"
    notice, stored = Notice.objects.get(), Push.objects.get()
    assert (notice.account, notice.kind, notice.level) == (account, name, level)
    assert notice.data == {**SAMPLES[name]["normalised"]["data"], "time": SAMPLES[name]["normalised"]["time"]}
    assert (notice.push_id, notice.seen_at, notice.mailed_at) == (stored.pk, None, None)
    assert stored.state == Push.State.DONE


def test_a_notice_says_until_when_and_why() -> None:
    renew = Notice(kind="annual_renew", data={"expiredtime": "1791536000"})
    assert ["2026" in fact for fact in notices.facts(renew)] == [True]
    failed = Notice(kind="naming_verify_fail", data={"failtime": "1760000500", "failreason": "资料\n 不符"})
    assert any("2025" in fact for fact in notices.facts(failed))
    assert any("资料 不符" in fact for fact in notices.facts(failed))


@pytest.mark.parametrize("value", ["", "soon", "-1", "９９", "99999999999999999999", {"a": "b"}, None])
def test_a_time_that_is_none_is_left_out(value: Any) -> None:
    assert notices.facts(Notice(kind="annual_renew", data={"expiredtime": value})) == []


def test_a_repeated_report_gives_one_notice(push: Callback) -> None:
    for _delivery in range(4):
        assert push(SAMPLES["verify_expired"]["xml"]).content == b"success"
    assert Notice.objects.count() == 1
    assert Push.objects.get().repeats == 3


def test_running_a_report_again_gives_no_second_notice(push: Callback) -> None:
    push(SAMPLES["verify_expired"]["xml"])
    assert inbox.run_again(Push.objects.get()) == ""
    assert Notice.objects.count() == 1


def test_a_rehearsed_report_leaves_no_notice(config: conf.AccountConfig) -> None:
    message = messages.parse(SAMPLES["verify_expired"]["xml"].encode())
    assert inbox.rehearse(config, message).error == ""
    assert not Notice.objects.exists()


def test_a_notice_is_undone_with_its_push(push: Callback, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_and_fail(contact: routing.Contact) -> None:
        notices.give(contact)
        raise RuntimeError

    monkeypatch.setitem(routing._handlers, "verify_expired", [give_and_fail])
    assert push(SAMPLES["verify_expired"]["xml"]).content == b"success"
    assert not Notice.objects.exists()
    assert Push.objects.get().state == Push.State.FAILED


@pytest.mark.parametrize("sample", REPORTS)
def test_the_platform_itself_becomes_no_follower(sample: str, push: Callback) -> None:
    assert push(SAMPLES[sample]["xml"]).content == b"success"
    assert Push.objects.count() == 1
    assert not Follower.objects.exists()


@pytest.mark.parametrize("sample", ["template-success", "kf_create_session", "user_get_card", "merchant_order"])
def test_a_report_in_the_name_of_a_person_is_a_contact_of_his(sample: str, push: Callback) -> None:
    push(SAMPLES[sample]["xml"])
    assert Follower.objects.get().openid == OPENID


@pytest.mark.parametrize(
    "sample", ["template-success", "template-user-block", "mass-success", "mass-empty-results", "publish-success"]
)
def test_what_became_of_a_send_job_is_kept(sample: str, push: Callback) -> None:
    assert push(SAMPLES[sample]["xml"]).content == b"success"
    stored = messages.parse(Push.objects.get().raw.encode()).normalised()
    assert stored == SAMPLES[sample]["normalised"]


def test_a_changed_profile_is_dropped(push: Callback, person: Follower) -> None:
    assert push(about("user_info_modified", RevokeInfo="205")).content == b"success"
    person.refresh_from_db()
    assert (person.nickname, person.avatar) == ("", "")
    assert person.latitude == 31.2


@pytest.mark.parametrize(
    ("info", "profile", "position"),
    [("205", False, True), ("206", True, False), ("205,206", False, False), ("201", True, True), ("", False, False)],
)
def test_what_he_takes_back_is_erased_and_nothing_else(
    info: str, profile: bool, position: bool, push: Callback, person: Follower
) -> None:
    nodes = {"RevokeInfo": info} if info else {}
    assert push(about("user_authorization_revoke", **nodes)).content == b"success"
    person.refresh_from_db()
    assert (bool(person.nickname), bool(person.avatar)) == (profile, profile)
    assert (person.latitude is not None, person.located_at is not None) == (position, position)


def test_a_position_that_is_taken_back_is_in_no_push_either(push: Callback, person: Follower) -> None:
    push(event("LOCATION", Latitude="23.137466", Longitude="113.352425", Precision="119"))
    push(about("user_authorization_revoke", RevokeInfo="206"))
    assert not Push.objects.filter(raw__contains="113.352425").exists()


def test_somebody_elses_data_stays(push: Callback, person: Follower) -> None:
    push(about("user_authorization_revoke", openid="oWXHUB_0000000000000000009", RevokeInfo="205"))
    push(about("user_authorization_cancellation", openid="oWXHUB_0000000000000000009"))
    person.refresh_from_db()
    assert person.nickname == "小王"


def test_a_closed_wechat_account_erases_the_person(push: Callback, person: Follower) -> None:
    assert push(about("user_authorization_cancellation", RevokeInfo="1")).content == b"success"
    assert not Follower.objects.exists()
    assert not Push.objects.filter(openid=OPENID).exists()
    assert not Push.objects.filter(raw__contains=OPENID).exists()
    assert not Push.objects.exclude(state=Push.State.DONE).filter(kind="user_authorization_cancellation").exists()


def test_a_closed_account_is_reported_twice_and_erased_once(push: Callback, person: Follower) -> None:
    report = about("user_authorization_cancellation")
    push(report)
    push.text("I am back")
    assert push(report).content == b"success"
    assert Follower.objects.get().openid == OPENID  # the repeat of an old report is no new one


@pytest.mark.parametrize("name", ["user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"])
def test_a_report_that_names_nobody_is_only_recorded(name: str, push: Callback, person: Follower) -> None:
    assert push(event(name, PLATFORM, RevokeInfo="205")).content == b"success"
    person.refresh_from_db()
    assert person.nickname == "小王"
    assert Push.objects.get(kind=name).state == Push.State.DONE


def test_a_report_with_padded_json_keys_is_understood(push: Callback, person: Follower) -> None:
    vector = next(one for one in vectors("messages")["json"] if one["id"] == "json-authorization-padded-keys")
    assert push(vector["body"]).content == b"success"
    person.refresh_from_db()
    assert person.nickname == ""


def where(latitude: str, longitude: str, created: int, **nodes: Any) -> str:
    return event("LOCATION", created=created, Latitude=latitude, Longitude=longitude, **nodes)


def test_a_position_is_kept_with_its_time_and_never_answered(push: Callback, account: Account) -> None:
    conf.save(account, {"wechat_default_reply": "We will call you."})
    at = int(time.time()) - 100
    assert push(where("23.137466", "113.352425", at, Precision="119.385040")).content == b"success"
    person = Follower.objects.get()
    assert (person.latitude, person.longitude) == (23.137466, 113.352425)
    assert person.precision == pytest.approx(119.38504)
    assert person.located_at == datetime.fromtimestamp(at, UTC)
    assert Push.objects.get().state == Push.State.DONE


def test_the_younger_position_stays_whichever_comes_last(push: Callback) -> None:
    now = int(time.time())
    push(where("1", "1", now - 50))
    push(where("2", "2", now - 90))
    assert Follower.objects.get().latitude == 1
    push(where("3", "3", now - 10))
    assert Follower.objects.get().latitude == 3


def test_a_position_from_the_future_does_not_hold_for_ever(push: Callback) -> None:
    push(where("1", "1", int(time.time()) + 10**6))
    located_at = Follower.objects.get().located_at
    assert located_at is not None
    assert located_at < timezone.now() + timedelta(minutes=6)


@pytest.mark.parametrize(("latitude", "longitude"), [("", "1"), ("91", "0"), ("0", "-181"), ("nan", "1"), ("1", "inf")])
def test_a_position_that_is_none_is_left_alone(latitude: str, longitude: str, push: Callback) -> None:
    push(where("1", "1", int(time.time()) - 50))
    assert push(where(latitude, longitude, int(time.time()))).content == b"success"
    assert Follower.objects.get().latitude == 1


def test_a_paid_shop_order_reaches_whoever_listens(push: Callback) -> None:
    paid: list[Any] = []

    def listen(contact: routing.Contact, **_signal: object) -> None:
        paid.append((contact.message.sender, contact.message.fields["data"]["orderid"]))

    merchant_order.connect(listen)
    try:
        assert push(SAMPLES["merchant_order"]["xml"]).content == b"success"
        push(SAMPLES["merchant_order"]["xml"])
    finally:
        merchant_order.disconnect(listen)
    assert paid == [(OPENID, "MO0000000001")]
    assert Push.objects.get().state == Push.State.DONE


def test_a_listener_that_fails_leaves_the_order_for_staff(push: Callback) -> None:
    def broken(**_signal: object) -> None:
        Notice.objects.create(account=Account.objects.get(), kind="half", level="danger", created_at=timezone.now())
        raise RuntimeError("the stock is down")

    merchant_order.connect(broken)
    try:
        assert push(SAMPLES["merchant_order"]["xml"]).content == b"success"
    finally:
        merchant_order.disconnect(broken)
    stored = Push.objects.get()
    assert stored.state == Push.State.FAILED
    assert "the stock is down" in stored.error
    assert not Notice.objects.exists()
    assert inbox.run_again(stored) == ""
    stored.refresh_from_db()
    assert stored.state == Push.State.DONE


# Mail.


@pytest.fixture
def mailing(settings: Any) -> None:
    settings.SENDS_MAIL = True


@pytest.fixture
def team(account: Account) -> dict[str, User]:
    """Staff of all sorts, each with an address."""
    change = Permission.objects.get(codename="change_account")
    view = Permission.objects.get(codename="view_account")
    other = Account.objects.create(slug="other")

    def hire(name: str, *rights: Permission, at: Account | None = account, **facts: Any) -> User:
        user = User.objects.create_user(name, f"{name}@firm.cn", is_staff=True, **facts)
        user.user_permissions.set(rights)
        if at:
            Membership.objects.create(user=user, account=at)
        return user

    return {
        "manager": hire("manager", change),
        "left": hire("left", change, is_active=False),
        "looks": hire("looks", view),
        "elsewhere": hire("elsewhere", change, at=other),
        "nowhere": hire("nowhere", change, at=None),
        "boss": User.objects.create_superuser("boss", "boss@firm.cn"),
        "mute": User.objects.create_superuser("mute", ""),
    }


def test_a_notice_is_mailed_once_to_those_who_can_act(push: Callback, team: dict[str, User], mailing: None) -> None:
    push(SAMPLES["verify_expired"]["xml"])
    assert (notices.mail_due(), notices.mail_due()) == (1, 0)
    (letter,) = mail.outbox
    assert letter.to == ["boss@firm.cn", "manager@firm.cn"]
    assert "示例" in letter.subject
    notice = Notice.objects.get()
    assert f"http://127.0.0.1:8000/admin/wechat/notice/{notice.pk}/change/" in str(letter.body)
    assert notice.mailed_at is not None


def test_without_mail_in_the_configuration_none_is_sent(push: Callback, team: dict[str, User]) -> None:
    push(SAMPLES["verify_expired"]["xml"])
    assert notices.mail_due() == 0
    assert mail.outbox == []
    assert Notice.objects.get().mailed_at is None


def test_what_is_old_or_put_away_is_no_news(push: Callback, team: dict[str, User], mailing: None) -> None:
    push(SAMPLES["verify_expired"]["xml"])
    push(SAMPLES["annual_renew"]["xml"])
    Notice.objects.filter(kind="verify_expired").update(created_at=timezone.now() - timedelta(days=4))
    Notice.objects.filter(kind="annual_renew").update(seen_at=timezone.now())
    assert notices.mail_due() == 0
    assert mail.outbox == []


def test_a_notice_waits_while_nobody_can_be_told(push: Callback, account: Account, mailing: None) -> None:
    push(SAMPLES["verify_expired"]["xml"])
    assert notices.mail_due() == 0
    User.objects.create_superuser("boss", "boss@firm.cn")
    assert notices.mail_due() == 1


def test_a_mail_that_fails_is_tried_again(
    push: Callback, team: dict[str, User], mailing: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    push(SAMPLES["verify_expired"]["xml"])
    push(SAMPLES["annual_renew"]["xml"])
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens
    assert notices.mail_due() == 0
    assert Notice.objects.filter(mailed_at=None).count() == 2
    assert "ConnectionRefusedError" in caplog.text
    settings.EMAIL_BACKEND = working
    assert notices.mail_due() == 2


def test_a_notice_that_another_worker_has_claimed_is_not_mailed_again(
    push: Callback, team: dict[str, User], mailing: None
) -> None:
    push(SAMPLES["verify_expired"]["xml"])
    mine = Notice.objects.select_related("account").get()
    Notice.objects.update(mailed_at=timezone.now())
    assert notices._mail(mine) is False
    assert mail.outbox == []


def test_a_subject_holds_no_second_line(push: Callback, account: Account, team: dict[str, User], mailing: None) -> None:
    Account.objects.update(name="示例\r\nBcc: all@firm.cn")
    push(SAMPLES["naming_verify_fail"]["xml"])
    assert notices.mail_due() == 1
    assert "\n" not in mail.outbox[0].subject


def test_the_page_of_a_notice_says_what_to_do(push: Callback, staff: Client) -> None:
    push(SAMPLES["naming_verify_fail"]["xml"].replace("资料不符", "<b>资料不符</b>"))
    notice = Notice.objects.get()
    page = staff.get(reverse("admin:wechat_notice_change", args=[notice.pk])).content.decode()
    assert "&lt;b&gt;资料不符&lt;/b&gt;" in page
    assert reverse("admin:wechat_push_change", args=[notice.push_id]) in page
