"""What WeChat says about the account: a banner on the pages of the right people, until one of them puts it away."""

from typing import Any

import pytest
from callback import Callback, event
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from wechat.models import Account, Membership, Notice, Push

INDEX = reverse("admin:index")
PLATFORM = "oWXHUB_system0000000000001"
YES = {"_form_submitted": "True"}


def say(push: Callback, name: str, **nodes: Any) -> Notice:
    push(event(name, PLATFORM, **nodes))
    return Notice.objects.latest("pk")


def member(account: Account, *rights: str, name: str = "clerk") -> Client:
    """Staff of that account with these rights."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


def banners(client: Client, page: str = INDEX) -> str:
    """The part of the page that shows them; empty without."""
    shown = client.get(page).content.decode()
    _before, _mark, rest = shown.partition('<section id="notices"')
    return rest.partition("</section>")[0]


def put_away(notice: Notice) -> str:
    return reverse("admin:wechat_notice_put_away", args=[notice.pk])


def test_a_banner_says_which_account_what_until_when_and_what_to_do(push: Callback, staff: Client) -> None:
    notice = say(push, "verify_expired", ExpiredTime=1791536000)
    shown = banners(staff)
    assert "示例" in shown
    assert "2026" in shown
    assert "bg-red-100" in shown
    assert reverse("admin:wechat_push_change", args=[Push.objects.get().pk]) in shown
    assert put_away(notice) in shown


@pytest.mark.parametrize(
    ("name", "colour"),
    [("qualification_verify_success", "green"), ("naming_verify_fail", "orange"), ("annual_renew", "orange")],
)
def test_the_colour_says_how_grave_it_is(name: str, colour: str, push: Callback, staff: Client) -> None:
    say(push, name)
    assert f"bg-{colour}-100" in banners(staff)


def test_it_stands_on_every_page(push: Callback, staff: Client, account: Account) -> None:
    say(push, "verify_expired")
    number = Push.objects.get().pk
    for page in (
        reverse("admin:wechat_push_changelist"),
        reverse("admin:wechat_push_change", args=[number]),
        reverse("admin:wechat_account_change", args=[account.pk]),
        reverse("admin:auth_user_add"),
        reverse("admin:password_change"),
    ):
        assert banners(staff, page), page


def test_only_people_of_the_account_see_it(push: Callback, account: Account) -> None:
    notice = say(push, "verify_expired")
    other = Account.objects.create(slug="other")
    assert banners(member(account, "view_notice", name="analyst"))
    assert not banners(member(other, "view_notice", "change_notice", name="elsewhere"))
    assert not banners(member(account, "view_push", name="without"))
    elsewhere = Client()
    elsewhere.force_login(User.objects.get(username="elsewhere"))
    assert elsewhere.post(put_away(notice), YES).status_code == 403
    assert elsewhere.get(reverse("admin:wechat_notice_changelist")).context["cl"].queryset.count() == 0
    assert Notice.objects.filter(seen_at=None).exists()


def test_strangers_and_visitors_see_nothing(push: Callback, client: Client) -> None:
    say(push, "verify_expired")
    assert "notices" not in client.get(reverse("admin:login")).content.decode()
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert not [query for query in queries if "wechat_notice" in query["sql"]]


def test_who_may_only_look_cannot_put_it_away(push: Callback, account: Account) -> None:
    notice = say(push, "verify_expired")
    analyst = member(account, "view_notice")
    shown = banners(analyst)
    assert put_away(notice) not in shown
    assert "/admin/wechat/push/" not in shown  # he may not see pushes
    assert analyst.post(put_away(notice), YES).status_code == 403
    notice.refresh_from_db()
    assert notice.seen_at is None
    assert analyst.get(reverse("admin:wechat_notice_change", args=[notice.pk])).status_code == 200


def test_putting_it_away_leads_back_to_where_it_stood(push: Callback, account: Account) -> None:
    notice = say(push, "verify_expired")
    clerk = member(account, "view_notice", "change_notice", "view_push")
    page = reverse("admin:wechat_push_changelist") + "?kind=text"
    assert f'name="next" value="{page}"' in banners(clerk, page)
    response = clerk.post(put_away(notice), {**YES, "next": page})
    assert response["Location"] == page
    assert not banners(clerk)
    notice.refresh_from_db()
    assert str(notice.seen_by) == "clerk"
    assert notice.seen_at is not None
    assert LogEntry.objects.get().object_id == str(notice.pk)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_nobody_is_led_astray(elsewhere: str, push: Callback, staff: Client) -> None:
    notice = say(push, "verify_expired")
    response = staff.post(put_away(notice), {**YES, "next": elsewhere})
    assert response["Location"] == reverse("admin:wechat_notice_change", args=[notice.pk])


def test_it_is_put_away_once(push: Callback, staff: Client) -> None:
    notice = say(push, "verify_expired")
    staff.post(put_away(notice), YES)
    first = Notice.objects.get().seen_at
    staff.post(put_away(notice), YES)
    assert Notice.objects.get().seen_at == first
    assert LogEntry.objects.count() == 1
    assert put_away(notice) not in staff.get(reverse("admin:wechat_notice_change", args=[notice.pk])).content.decode()


def test_looking_at_the_address_changes_nothing_and_the_token_is_needed(push: Callback, staff: Client) -> None:
    notice = say(push, "verify_expired")
    assert staff.get(put_away(notice)).status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(put_away(notice), YES).status_code == 403
    assert Notice.objects.filter(seen_at=None).exists()


def test_a_banner_carries_a_token_that_works(push: Callback, staff: Client) -> None:
    notice = say(push, "verify_expired")
    token = banners(staff).partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(put_away(notice), {**YES, "csrfmiddlewaretoken": token}).status_code == 302


def test_the_gravest_come_first_and_the_rest_is_counted(push: Callback, staff: Client) -> None:
    for name in (
        "verify_expired",
        "naming_verify_success",
        "annual_renew",
        "naming_verify_fail",
        "naming_verify_success",
    ):
        say(push, name)
    shown = banners(staff)
    assert shown.count("<article") == 3
    assert shown.index("bg-red-100") < shown.index("bg-orange-100")
    assert "bg-green-100" not in shown
    assert f"{reverse('admin:wechat_notice_changelist')}?waiting=yes" in shown


def test_what_the_platform_says_stays_text(push: Callback, staff: Client) -> None:
    notice = say(push, "naming_verify_fail", FailReason="<script>alert(1)</script> ##OPENID## %(time)s")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ##OPENID## %(time)s" in banners(staff)
    assert "<script>alert(1)" not in staff.get(reverse("admin:wechat_notice_change", args=[notice.pk])).content.decode()


def test_the_list_is_filtered_and_cannot_be_edited(push: Callback, staff: Client) -> None:
    away, waiting = say(push, "annual_renew"), say(push, "verify_expired")
    staff.post(put_away(away), YES)
    address = reverse("admin:wechat_notice_changelist")
    assert [one.pk for one in staff.get(address, {"waiting": "yes"}).context["cl"].result_list] == [waiting.pk]
    assert [one.pk for one in staff.get(address, {"waiting": "no"}).context["cl"].result_list] == [away.pk]
    assert [one.pk for one in staff.get(address, {"level__exact": "danger"}).context["cl"].result_list] == [waiting.pk]
    assert staff.get(address, {"q": "x"}).status_code == 200
    assert staff.get(reverse("admin:wechat_notice_add")).status_code == 403
    assert staff.post(reverse("admin:wechat_notice_delete", args=[away.pk]), {"post": "yes"}).status_code == 403


def test_a_notice_of_a_kind_we_forgot_is_shown_all_the_same(staff: Client, account: Account) -> None:
    Notice.objects.create(account=account, kind="old_kind", level="danger", created_at=timezone.now())
    assert "示例" in banners(staff)
    assert staff.get(reverse("admin:wechat_notice_changelist")).status_code == 200


def test_banners_cost_one_query(push: Callback, staff: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            staff.get(INDEX)
        return len([query for query in queries if "wechat_notice" in query["sql"]])

    for _number in range(8):
        say(push, "verify_expired")
    assert cost() == 1
