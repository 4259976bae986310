"""Avatar and name on a shared quote: who is asked, who may give them, what is kept of them, and how they go again."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from callback import OPENID, Callback, event
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from owners import IN_WECHAT, address, agree, go, path_of, person, tap, wechat
from quotes import newest_scan

from orders import profiles
from orders.links import onward_code
from orders.models import Order, Profile, Scan
from wechat import conf, privacy
from wechat.models import Account, Authorization, Follower
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.usefixtures("worker_alive")
OFFER = "owner/show"
AVATAR = "https://thirdwx.qlogo.cn/mmopen/vi_32/abc_DEF-1/132"


@pytest.fixture
def scan(order: Order, push: Callback, simulator: SimulatorServer, settings: Any) -> Scan:
    """The person with OPENID scanned quote 77, and has his phone in hand."""
    settings.WECHAT_AVATAR_ORIGINS = ["https://thirdwx.qlogo.cn", simulator.url]
    push.scan("77")
    person(simulator, nickname="小王 🌸", avatar=AVATAR)
    return newest_scan()


def page_of(scan: Scan, browser: Client | None = None, part: str = "") -> str:
    """The shared page, or a page of its owner, as this browser sees it; else as a stranger's outside of WeChat does."""
    response = (browser or Client()).get(f"{scan.get_absolute_url()}{part}")
    assert response.status_code == 200
    return response.content.decode()


def owner_of(scan: Scan) -> Client:
    """The browser of the person who scanned, after he has agreed."""
    browser = wechat()
    go(browser, scan)
    assert Profile.objects.filter(pk=scan.pk).exists()
    return browser


# Who is asked.


def test_in_wechat_the_page_offers_to_show_who_he_is_and_says_why(scan: Scan) -> None:
    html = page_of(scan, wechat())
    assert OFFER in html
    assert "mine__text" in html
    assert '<form method="post"' in html


def test_nobody_gets_a_cookie_before_he_taps(scan: Scan) -> None:
    browser = wechat()
    for part in ("", "owner/"):
        page_of(scan, browser, part)
    assert not browser.cookies


def test_outside_of_wechat_nobody_is_asked(scan: Scan) -> None:
    html = page_of(scan)
    assert OFFER not in html
    assert "/owner/" not in html


def test_in_a_frame_of_the_phone_he_is_asked_too(scan: Scan, settings: Any) -> None:
    framed = Client(headers={"sec-fetch-dest": "iframe"})
    assert OFFER not in page_of(scan, framed)
    settings.FRAME_ANCESTORS = ["http://127.0.0.1:8100"]
    assert OFFER in page_of(scan, framed)


def test_on_a_link_that_was_passed_on_nobody_is_asked(scan: Scan) -> None:
    code = onward_code(scan, None)
    browser = wechat()
    html = browser.get(f"/s/{code}/").content.decode()
    assert "56,000" in html
    assert OFFER not in html
    for part in ("", "show", "prove", "withdraw", "revoke", "stranger/"):
        assert browser.get(f"/s/{code}/owner/{part}").status_code in (404, 405)
    assert browser.post(f"/s/{code}/owner/show", headers={"origin": "http://testserver"}).status_code == 404


@pytest.mark.parametrize("kind", ["service", "verified_subscription", "subscription"])
def test_an_account_that_may_not_ask_offers_nothing(scan: Scan, kind: str) -> None:
    Account.objects.update(kind=kind)
    html = page_of(scan, wechat())
    assert OFFER not in html
    assert "/owner/" not in html
    assert wechat().get(f"{scan.get_absolute_url()}owner/").status_code == 404


def test_a_test_account_may_ask(scan: Scan) -> None:
    Account.objects.update(kind="test")
    assert OFFER in page_of(scan, wechat())


# What the page sends along.


def test_a_page_with_a_form_names_its_origin_to_us_alone(scan: Scan, settings: Any) -> None:
    """Else Chromium sends `Origin: null` with the form; and the policy must let it go on to WeChat."""
    for part in ("", "owner/"):
        response = wechat().get(f"{scan.get_absolute_url()}{part}")
        assert response["Referrer-Policy"] == "same-origin"
        assert '<meta name="referrer" content="same-origin">' in response.content.decode()
        assert f"form-action 'self' {settings.WECHAT_OPEN_BASE}" in response["Content-Security-Policy"]
        assert "no-store" in response["Cache-Control"]


def test_a_page_without_one_names_it_to_nobody(scan: Scan) -> None:
    response = Client().get(scan.get_absolute_url())
    assert response["Referrer-Policy"] == "no-referrer"
    assert '<meta name="referrer" content="no-referrer">' in response.content.decode()
    assert re.search(r"form-action 'self'(;|$)", response["Content-Security-Policy"])


# The owner.


def test_once_he_agreed_everybody_sees_him(scan: Scan) -> None:
    owner_of(scan)
    html = page_of(scan)
    assert "小王 🌸" in html
    assert f'<img class="who__avatar" src="{AVATAR}"' in html
    assert 'referrerpolicy="no-referrer" data-fallback="/static/img/avatar.svg"' in html


def test_a_link_that_was_passed_on_shows_him_too(scan: Scan) -> None:
    owner_of(scan)
    assert "小王 🌸" in Client().get(f"/s/{onward_code(scan, None)}/").content.decode()


def test_he_is_not_asked_again(scan: Scan) -> None:
    browser = owner_of(scan)
    html = page_of(scan, browser)
    assert OFFER not in html
    assert "/owner/" in html


def test_agreeing_again_brings_his_new_name(scan: Scan, simulator: SimulatorServer) -> None:
    browser = owner_of(scan)
    person(simulator).nickname = "老王"
    go(browser, scan)
    assert Profile.objects.get().nickname == "老王"


def test_staff_and_texts_to_him_know_him_by_that_name(scan: Scan, push: Callback, simulator: SimulatorServer) -> None:
    browser = owner_of(scan)
    [contact] = Follower.objects.values_list("nickname", "avatar")
    assert contact == ("小王 🌸", AVATAR)
    conf.save(scan.account, {"wechat_default_reply": "您好，##NICKNAME##"})
    assert "您好，小王 🌸" in push.text("在吗").content.decode()
    browser.post(f"{scan.get_absolute_url()}owner/withdraw")
    assert list(Follower.objects.values_list("nickname", "avatar")) == [("", "")]


def test_of_two_links_the_one_that_is_left_names_him(scan: Scan, push: Callback, simulator: SimulatorServer) -> None:
    browser = owner_of(scan)
    push.scan("77")
    other = newest_scan()
    person(simulator).nickname = "老王"
    go(browser, other)
    assert Follower.objects.get().nickname == "老王"
    profiles.revoke(other)
    assert Follower.objects.get().nickname == "小王 🌸"


def test_only_this_scan_shows_him(scan: Scan, push: Callback) -> None:
    push.scan("77")
    other = newest_scan()
    owner_of(scan)
    assert not Profile.objects.filter(pk=other.pk).exists()
    assert "小王" not in page_of(other)


def test_a_stranger_never_becomes_the_owner(scan: Scan, simulator: SimulatorServer) -> None:
    person(simulator, "oStranger", nickname="张三")
    browser = wechat()
    response = go(browser, scan)
    assert response.headers["Location"] == f"{scan.get_absolute_url()}owner/stranger/"
    assert "张三" not in page_of(scan, browser, "owner/stranger/")
    go(browser, scan, "prove")
    assert "owner/withdraw" not in page_of(scan, browser, "owner/")
    assert not Profile.objects.exists()
    assert set(Authorization.objects.values_list("outcome", flat=True)) == {"stranger"}


def test_a_stranger_does_not_take_the_owners_place(scan: Scan, simulator: SimulatorServer) -> None:
    owner_of(scan)
    person(simulator, "oStranger", nickname="张三")
    go(wechat(), scan)
    assert Profile.objects.get().nickname == "小王 🌸"


def test_the_same_person_at_another_account_is_somebody_else(scan: Scan) -> None:
    """An openid is one of an account; the same letters elsewhere mean nobody we know."""
    browser = wechat()
    url = path_of(agree(address(tap(browser, scan))))
    other = Account.objects.create(slug="other")
    Scan.objects.filter(pk=scan.pk).update(account=other)
    browser.get(url)
    assert Authorization.objects.get().outcome == "stranger"


def test_a_snapshot_visitor_is_never_kept_and_learns_how_to_go_on(scan: Scan) -> None:
    browser = wechat()
    response = go(browser, scan, snapshot=True)
    assert response.headers["Location"] == f"{scan.get_absolute_url()}owner/snapshot/"
    assert "使用完整服务" in page_of(scan, browser, "owner/snapshot/")
    assert "sessionid" not in browser.cookies
    assert not Profile.objects.exists()
    assert go(browser, scan, "prove", snapshot=True).headers["Location"].endswith("/owner/snapshot/")


def test_a_link_that_ended_meanwhile_keeps_nobody(scan: Scan) -> None:
    browser = wechat()
    url = path_of(agree(address(tap(browser, scan))))
    Scan.objects.update(revoked=True)
    assert browser.get(url).headers["Location"] == "/"
    assert not Profile.objects.exists()


# What is kept of what he shows.


@pytest.mark.parametrize(
    ("nickname", "kept"),
    [
        ("小王", "小王"),
        ("  a \t b\r\n c ", "a b c"),
        ("陈\x02晨", "陈 晨"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u2066b\u200bc\ufeffd", "abcd"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 家", "\U0001f468\u200d\U0001f469\u200d\U0001f467 家"),
        ("👍🏽", "👍🏽"),
        ("❤️", "❤️"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a" + "\u0323" * 200, "ạ\u0323\u0323\u0323"),
        ("字" * 500, "字" * 40),
        ("\x00\x1b[31m\x85", "[31m"),
        ("\ud800x", "x"),
        ("\u200d\u200d", ""),
        ("", ""),
    ],
    ids=ascii,
)
def test_a_nickname_becomes_one_line_of_text(nickname: str, kept: str) -> None:
    assert profiles.clean_nickname(nickname) == kept


@pytest.mark.parametrize(
    "avatar",
    [
        "http://thirdwx.qlogo.cn/x",
        "https://thirdwx.qlogo.cn.evil.example/x",
        "https://thirdwx.qlogo.cn@evil.example/x",
        "https://thirdwx.qlogo.cn:8443/x",
        "https://evil.example/thirdwx.qlogo.cn",
        "//thirdwx.qlogo.cn/x",
        "https:thirdwx.qlogo.cn/x",
        "https://thirdwx.qlogo.cn\\@evil.example/x",
        "javascript:alert(1)",
        "data:image/svg+xml,<svg/onload=alert(1)>",
        'https://thirdwx.qlogo.cn/x"onerror="alert(1)',
        "https://thirdwx.qlogo.cn/x y",
        "https://thirdwx.qlogo.cn/x\n",
        "https://127.0.0.1/x",
        "https://[::1/x",
        f"https://thirdwx.qlogo.cn/{'x' * 500}",
        "",
    ],
)
def test_an_avatar_that_lies_elsewhere_is_left_out(avatar: str) -> None:
    assert profiles.allowed_avatar(avatar) == ""


@pytest.mark.parametrize("host", ["thirdwx.qlogo.cn", "wx.qlogo.cn"])
def test_an_avatar_of_wechat_is_shown(host: str) -> None:
    avatar = f"https://{host}/mmopen/vi_32/Q0j4TwGTfTK-a_b/132?x=1"
    assert profiles.allowed_avatar(avatar) == avatar


def test_what_wechat_gives_is_cleaned_before_it_is_kept(scan: Scan, simulator: SimulatorServer) -> None:
    someone = person(simulator)
    someone.nickname, someone.avatar = "\u202e李\x02梅", "https://evil.example/x.svg"
    owner_of(scan)
    profile = Profile.objects.get()
    assert (profile.nickname, profile.avatar) == ("李 梅", "")
    assert 'src="/static/img/avatar.svg"' in page_of(scan)


def test_without_a_name_the_picture_is_shown_alone(scan: Scan, simulator: SimulatorServer) -> None:
    person(simulator).nickname = "\u200b"
    owner_of(scan)
    html = page_of(scan)
    assert AVATAR in html
    assert "<title></title>" not in html


# He takes it back, and ends the link.


def test_who_has_not_shown_that_he_is_the_owner_is_asked_to(scan: Scan) -> None:
    browser = wechat()
    assert "owner/prove" in page_of(scan, browser, "owner/")
    for deed in ("withdraw", "revoke"):
        for way in (browser.get, browser.post):
            response = way(f"{scan.get_absolute_url()}owner/{deed}")
            assert response.headers["Location"] == f"{scan.get_absolute_url()}owner/"
    assert not Scan.objects.get().revoked


def test_outside_of_wechat_he_learns_where_to_open_the_page(scan: Scan) -> None:
    html = page_of(scan, Client(), "owner/")
    assert "owner/prove" not in html
    assert "WeChat" in html or "微信" in html


def test_he_shows_that_he_is_the_owner_without_being_asked(scan: Scan) -> None:
    browser = wechat()
    response = go(browser, scan, "prove")
    assert response.headers["Location"] == f"{scan.get_absolute_url()}owner/"
    html = page_of(scan, browser, "owner/")
    assert "owner/revoke" in html
    assert "owner/withdraw" not in html  # nothing is shown yet
    assert not Profile.objects.exists()


def test_he_takes_avatar_and_name_back(scan: Scan) -> None:
    browser = owner_of(scan)
    deed = f"{scan.get_absolute_url()}owner/withdraw"
    assert "owner/withdraw" in page_of(scan, browser, "owner/")
    assert '<form method="post">' in page_of(scan, browser, "owner/withdraw")
    assert Profile.objects.exists(), "it asks first"
    response = browser.post(deed, follow=True)
    assert response.redirect_chain[-1][0] == f"{scan.get_absolute_url()}owner/withdrawn/"
    assert "weui-icon-success" in response.content.decode()
    assert "小王" not in page_of(scan)
    assert browser.get(deed).headers["Location"] == f"{scan.get_absolute_url()}owner/"
    assert OFFER in page_of(scan, browser), "he may change his mind"


def test_he_ends_the_link_and_all_that_came_of_it(scan: Scan) -> None:
    browser = owner_of(scan)
    passed_on = f"/s/{onward_code(scan, None)}/"
    assert '<form method="post">' in page_of(scan, browser, "owner/revoke")
    assert not Scan.objects.get().revoked, "it asks first"
    response = browser.post(f"{scan.get_absolute_url()}owner/revoke")
    assert "weui-icon-success" in response.content.decode()
    assert {Client().get(url).status_code for url in (scan.get_absolute_url(), passed_on)} == {404}
    assert browser.get(f"{scan.get_absolute_url()}owner/").status_code == 404
    assert not Profile.objects.exists()


@pytest.mark.parametrize("deed", ["withdraw", "revoke"])
def test_another_site_does_neither(scan: Scan, deed: str) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"user-agent": IN_WECHAT})
    go(browser, scan)
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {}):
        assert browser.post(f"{scan.get_absolute_url()}owner/{deed}", headers=headers).status_code == 403
    assert Profile.objects.exists()
    assert not Scan.objects.get().revoked


def test_the_form_of_our_own_page_does(scan: Scan) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"user-agent": IN_WECHAT})
    go(browser, scan)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page_of(scan, browser, "owner/withdraw"))
    assert token
    deed, own = f"{scan.get_absolute_url()}owner/withdraw", {"origin": "http://testserver"}
    assert browser.post(deed, {"csrfmiddlewaretoken": token[1]}, headers=own).status_code == 302
    assert not Profile.objects.exists()


def test_the_owner_of_one_scan_is_not_that_of_another(scan: Scan, push: Callback) -> None:
    browser = owner_of(scan)
    push.scan("77", openid="oSomebody_else")
    other = newest_scan()
    assert "owner/withdraw" not in page_of(other, browser, "owner/")
    browser.post(f"{other.get_absolute_url()}owner/revoke")
    assert not Scan.objects.get(pk=other.pk).revoked


def test_all_pages_of_an_unknown_link_are_the_same_404(scan: Scan) -> None:
    browser = owner_of(scan)
    wrong = f"/s/{scan.push_id}.{'x' * 22}/"
    parts = ("", "owner/", "owner/withdraw", "owner/revoke", "owner/stranger/", "owner/nonsense/")
    answers = [browser.get(f"{wrong}{part}") for part in parts]
    answers.append(browser.get(f"{scan.get_absolute_url()}owner/granted/"))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_no_page_of_the_owner_tells_openid_or_order_number(scan: Scan) -> None:
    Order.objects.update(orderid=3_141_592_653)
    browser = owner_of(scan)
    parts = ("", "owner/", "owner/withdraw", "owner/revoke", *(f"owner/{each}/" for each in ("stranger", "failed")))
    for part in parts:
        html = page_of(scan, browser, part)
        assert OPENID not in html
        assert "3141592653" not in html


def test_the_pages_can_be_loaded_again(scan: Scan) -> None:
    for outcome in ("stranger", "snapshot", "refused", "failed", "withdrawn"):
        for _time in range(2):
            html = page_of(scan, Client(), f"owner/{outcome}/")
        assert scan.get_absolute_url() in html


# WeChat, staff and the law.


def revoked(**data: str) -> str:
    return event("user_authorization_revoke", "gh_platform", OpenID=OPENID, **data)


def test_what_he_takes_back_in_wechat_is_gone_here(scan: Scan, push: Callback) -> None:
    owner_of(scan)
    push(revoked(RevokeInfo="206"))
    assert Profile.objects.exists(), "that was his position"
    push(revoked(RevokeInfo="205"))
    assert not Profile.objects.exists()


def test_a_changed_profile_is_shown_no_more(scan: Scan, push: Callback) -> None:
    owner_of(scan)
    push(event("user_info_modified", "gh_platform", OpenID=OPENID))
    assert not Profile.objects.exists()


def test_his_data_hold_what_he_showed(scan: Scan, account: Account) -> None:
    owner_of(scan)
    (facts,) = json.loads("".join(privacy.export(account.pk, OPENID)))["scans"]
    assert (facts["shown"]["nickname"], facts["shown"]["avatar"]) == ("小王 🌸", AVATAR)
    assert [one["outcome"] for one in facts["web_authorizations"]] == ["granted"]


def test_an_erased_person_is_shown_nowhere(scan: Scan, push: Callback, account: Account) -> None:
    owner_of(scan)
    push.scan("77", openid="oSomebody_else")
    other = newest_scan()
    profiles.keep(other, nickname="阿明", avatar="")
    tap(wechat(), other)
    privacy.erase(account.pk, OPENID)
    assert list(Profile.objects.values_list("pk", flat=True)) == [other.pk]
    assert list(Authorization.objects.values_list("about", flat=True)) == [str(other.pk)]


def test_staff_see_what_is_shown_and_can_remove_it(scan: Scan, staff: Client) -> None:
    owner_of(scan)
    page = reverse("admin:orders_scan_change", args=[scan.pk])
    html = staff.get(page).content.decode()
    assert "小王 🌸" in html
    assert f'href="{AVATAR}"' in html
    remove = reverse("admin:orders_scan_remove_profile", args=[scan.pk])
    assert staff.get(remove).status_code == 200
    assert Profile.objects.exists(), "it asks first"
    staff.post(remove, {"_form_submitted": "True"})
    assert not Profile.objects.exists()
    assert LogEntry.objects.filter(object_id=str(scan.pk)).count() == 1
    assert "remove_profile" not in staff.get(page).content.decode()


def test_who_may_only_look_removes_nothing(scan: Scan, viewer: Client) -> None:
    owner_of(scan)
    viewer.post(reverse("admin:orders_scan_remove_profile", args=[scan.pk]), {"_form_submitted": "True"})
    assert Profile.objects.exists()


def test_staff_who_revoke_the_link_forget_him_too(scan: Scan, staff: Client) -> None:
    owner_of(scan)
    staff.post(reverse("admin:orders_scan_revoke", args=[scan.pk]), {"_form_submitted": "True"})
    assert Scan.objects.get().revoked
    assert not Profile.objects.exists()


def test_a_deleted_quote_takes_him_along(scan: Scan, order: Order) -> None:
    owner_of(scan)
    order.delete()
    assert not Profile.objects.exists()


def test_who_it_shows_costs_one_query_and_the_session_another(scan: Scan) -> None:
    browser = owner_of(scan)
    counts = []
    for visitor in (Client(), browser):
        page_of(scan, visitor)
        with CaptureQueriesContext(connection) as made:
            page_of(scan, visitor)
        counts.append(len(made))
        assert len([one for one in made if Profile._meta.db_table in one["sql"]]) == 1
    assert counts[1] == counts[0] + 1


def test_nothing_is_fetched_when_the_page_is_shown(scan: Scan, simulator: SimulatorServer) -> None:
    owner_of(scan)
    before = simulator.platform.journal.seq
    page_of(scan)
    assert simulator.platform.journal.seq == before
    assert urlsplit(Profile.objects.get().avatar).hostname == "thirdwx.qlogo.cn"
