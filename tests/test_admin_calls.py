"""The log of calls in the admin: found by rid, path and word, filtered, explained, and each account's for its own staff."""

from html import unescape
from typing import Any

import pytest
from callback import OPENID
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from wechat import groups
from wechat.admin import calls as page
from wechat.admin import endpoints
from wechat.models import Account, ApiCall, Membership, OutgoingMessage

SEND, MENU = "/cgi-bin/message/custom/send", "/cgi-bin/menu/create"
RID = "6698ef60-27d10c40-100819f9"
HOSTILE = "<script>alert(1)</script>"
LIST = "admin:wechat_apicall_changelist"


def made(account: Account | None, path: str = SEND, **values: Any) -> ApiCall:
    values.setdefault("errcode", 0)
    failed = values["errcode"] != 0
    return ApiCall.objects.create(
        account=account,
        endpoint=path,
        method="POST",
        started_at=timezone.now(),
        milliseconds=81,
        failed=failed,
        **values,
    )


@pytest.fixture
def refused(account: Account) -> ApiCall:
    """A call from an address that is not allowed."""
    errmsg = f"invalid ip 47.63.30.93 ipv6 ::ffff:47.63.30.93, not in whitelist rid: {RID}"
    return made(account, MENU, errcode=40164, rid=RID, error=errmsg)


def listed(visitor: Client, **query: str) -> list[int]:
    return [call.pk for call in visitor.get(reverse(LIST), query).context["cl"].result_list]


def text_of(visitor: Client, call: ApiCall | None = None) -> str:
    url = reverse("admin:wechat_apicall_change", args=[call.pk]) if call else reverse(LIST)
    response = visitor.get(url)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_the_list_says_what_was_asked_and_what_came_of_it(staff: Client, account: Account, refused: ApiCall) -> None:
    made(account)
    made(account, "/cgi-bin/new/thing", errcode=None, error="HTTP 502")
    text = text_of(staff)
    for word in ("40164", "不在白名单", RID, "81", str(endpoints.NAMES[SEND]), "/cgi-bin/new/thing", str(account)):
        assert word in text
    assert "收到的不是微信接口的回答" in text


def test_a_call_is_explained_on_its_page(staff: Client, refused: ApiCall) -> None:
    text = text_of(staff, refused)
    for word in ("47.63.30.93", "设置与开发 › 安全中心 › IP白名单", "请管理员", RID, MENU, str(endpoints.NAMES[MENU])):
        assert word in text
    assert f'href="{reverse(LIST)}?q={RID}"' in text


def test_a_call_that_worked_needs_no_explanation(staff: Client, account: Account) -> None:
    assert "怎么办" not in text_of(staff, made(account))


def test_a_call_leads_to_the_message_it_sent(staff: Client, account: Account) -> None:
    now = timezone.now()
    message = OutgoingMessage.objects.create(
        account=account, openid=OPENID, purpose="quote", content={}, created_at=now, due_at=now, expires_at=now
    )
    url = reverse("admin:wechat_outgoingmessage_change", args=[message.pk])
    assert url in text_of(staff, made(account, message=message))
    call = made(account, message=message)
    message.delete()
    text_of(staff, call)


@pytest.mark.parametrize("typed", [RID, f" rid: {RID} ", RID.upper(), MENU])
def test_a_call_is_found_by_its_rid_and_by_its_path(
    typed: str, staff: Client, account: Account, refused: ApiCall
) -> None:
    made(account)
    assert listed(staff, q=typed) == [refused.pk]


def test_calls_are_found_by_a_word_of_their_name(staff: Client, account: Account, refused: ApiCall) -> None:
    other = made(account)
    assert listed(staff, q=str(endpoints.NAMES[MENU])) == [refused.pk]
    assert listed(staff, q="menu") == [refused.pk]
    assert listed(staff, q="cgi-bin") == [other.pk, refused.pk]
    assert listed(staff, q="nothing") == []


def test_a_word_finds_the_newest_of_each_path(
    staff: Client, account: Account, refused: ApiCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "NEWEST", 2)
    many = [made(account).pk for _number in range(3)]
    assert listed(staff, q="cgi-bin") == [many[2], many[1], refused.pk]


def test_the_filters_tell_the_results_and_the_calls_apart(staff: Client, account: Account, refused: ApiCall) -> None:
    good, silent = made(account), made(account, errcode=None, error="HTTP 502")
    assert listed(staff, result="failed") == [silent.pk, refused.pk]
    assert listed(staff, result="silent") == [silent.pk]
    assert listed(staff, result="ok") == [good.pk]
    assert listed(staff, endpoint=MENU) == [refused.pk]
    assert listed(staff, account__id__exact=str(account.pk)) == [silent.pk, good.pk, refused.pk]


def test_staff_see_the_calls_of_their_accounts_only(viewer: Client, staff: Client, refused: ApiCall) -> None:
    other = made(Account.objects.create(slug="other"), errcode=45009, rid="6698ef60-27d10c40-00000000")
    nobodys = made(None)
    assert listed(viewer) == listed(viewer, q="cgi-bin") == [refused.pk]
    assert listed(viewer, q=str(other.rid)) == []
    for foreign in (other, nobodys):
        assert viewer.get(reverse("admin:wechat_apicall_change", args=[foreign.pk])).status_code == 302
    assert listed(staff) == [nobodys.pk, other.pk, refused.pk]


@pytest.mark.parametrize(
    ("code", "status"), [(groups.SERVICE, 200), (groups.ANALYST, 200), (groups.MANAGER, 200), (groups.EDITOR, 403)]
)
def test_who_sees_messages_sees_the_calls(code: str, status: int, account: Account, refused: ApiCall) -> None:
    user = User.objects.create_user("someone", is_staff=True)
    user.groups.add(Group.objects.get(name=groups.NAMES[code]))
    Membership.objects.create(user=user, account=account)
    visitor = Client()
    visitor.force_login(user)
    assert visitor.get(reverse(LIST)).status_code == status
    assert visitor.post(reverse("admin:wechat_apicall_delete", args=[refused.pk]), {"post": "yes"}).status_code == 403


def test_what_the_platform_wrote_stays_text(staff: Client, account: Account) -> None:
    call = made(account, f"/{HOSTILE}", errcode=99999, error=HOSTILE)
    for url in (reverse(LIST), reverse("admin:wechat_apicall_change", args=[call.pk])):
        assert HOSTILE not in staff.get(url).content.decode()
    assert HOSTILE in text_of(staff, call)


def test_the_list_neither_counts_nor_asks_row_by_row(staff: Client, account: Account, refused: ApiCall) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            staff.get(reverse(LIST))
        return [query["sql"] for query in captured]

    first = len(queries())
    for _number in range(10):
        made(account, errcode=45015)
    assert len(queries()) == first
    assert not [sql for sql in queries() if "COUNT(*)" in sql]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the plan of PostgreSQL depends on how many rows there are")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "call_time"),
        ({"result": "failed"}, "call_failed"),
        ({"q": RID}, "call_of_rid"),
        ({"endpoint": MENU}, "call_of_endpoint"),
        ({"account__id__exact": "1"}, "call_of_account"),
    ],
)
def test_an_index_answers_each_question(query: dict[str, str], index: str, staff: Client, refused: ApiCall) -> None:
    rows = staff.get(reverse(LIST), query).context["cl"].queryset
    assert index in rows.explain()
