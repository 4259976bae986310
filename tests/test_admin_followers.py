"""The followers in the admin: the list and its filters, tags, the file for a spreadsheet, and one person's data."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from callback import OPENID, Callback, event
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from wechat.admin import spreadsheet
from wechat.models import Account, Follower, Lease, Membership, OutgoingMessage, Push, Tag

LIST = "/admin/wechat/follower/"
YES = {"_form_submitted": "True"}
HOSTILE = '<script>alert(1)</script>"\u202e😀\n=1+1'
FORMULAS = [
    "=1+1",
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "=cmd|' /C calc'!A0",
]


def somebody(account: Account, number: int, **facts: Any) -> Follower:
    now = timezone.now()
    openid = f"oWXHUB_{number:021d}"
    return Follower.objects.create(account=account, openid=openid, first_seen=now, last_seen=now, **facts)


def member(account: Account, *rights: str, name: str = "clerk") -> Client:
    """Staff of that account with these rights."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


def found(client: Client, **query: Any) -> set[int]:
    """Whom the list shows."""
    return set(client.get(LIST, query).context["cl"].queryset.values_list("pk", flat=True))


def page(follower: Follower, name: str = "change") -> str:
    return reverse(f"admin:wechat_follower_{name}", args=[follower.pk])


def text(response: Any) -> str:
    return b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()


def lines(response: Any) -> list[list[str]]:
    content = text(response)
    assert content.startswith("\ufeff")
    return list(csv.reader(io.StringIO(content.removeprefix("\ufeff"))))


# The list.


def test_the_list_says_by_which_code_and_when_he_came(push: Callback, staff: Client) -> None:
    push(event("subscribe", created=1_760_000_000, EventKey="qrscene_poster_7"))
    shown = staff.get(LIST).content.decode()
    assert "poster_7" in shown
    assert "2025" in shown
    assert OPENID not in shown


def test_filters_find_who_is_asked_for(account: Account, staff: Client) -> None:
    vip = Tag.objects.create(account=account, name="VIP")
    stays, left = somebody(account, 1, source="77"), somebody(account, 2, subscribed=False, source="7")
    owed = somebody(account, 3, owed=2)
    owed.tags.add(vip)
    assert found(staff, subscribed__exact="0") == {left.pk}
    assert found(staff, owed="yes") == {owed.pk}
    assert found(staff, tag=vip.pk) == {owed.pk}
    assert found(staff, source=" 77 ") == {stays.pk}
    assert found(staff, account__id__exact=account.pk, source="7") == {left.pk}
    assert found(staff, tag="no number") == found(staff) == {stays.pk, left.pk, owed.pk}


def test_the_typed_filter_keeps_the_others(account: Account, staff: Client) -> None:
    somebody(account, 1, source="77")
    shown = staff.get(LIST, {"source": '"><b>', "subscribed__exact": "1", "q": "小王"}).content.decode()
    assert 'value="&quot;&gt;&lt;b&gt;"' in shown
    assert shown.count('<input type="hidden" name="subscribed__exact" value="1">') == 2  # the search has it too
    assert '<input type="hidden" name="q" value="小王">' in shown


def test_only_tags_of_the_own_accounts_are_offered(account: Account) -> None:
    other = Account.objects.create(slug="other")
    Tag.objects.create(account=account, name="ours")
    theirs = Tag.objects.create(account=other, name="theirs")
    stranger = somebody(other, 9)
    stranger.tags.add(theirs)
    client = member(account, "view_follower")
    shown = client.get(LIST).content.decode()
    assert "ours" in shown
    assert "theirs" not in shown
    assert found(client, tag=theirs.pk) == set()


def test_a_list_costs_the_same_with_few_tags_and_with_many(account: Account, staff: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            staff.get(LIST)
        return len(queries)

    somebody(account, 1).tags.add(Tag.objects.create(account=account, name="a"))
    cost()
    first = cost()
    for number in range(2, 20):
        somebody(account, number).tags.add(Tag.objects.create(account=account, name=f"tag {number}"))
    assert cost() == first


def test_hostile_names_stay_text(account: Account, staff: Client) -> None:
    person = somebody(
        account, 1, nickname=HOSTILE, avatar="javascript:alert(1)", source=HOSTILE, followed_at=timezone.now()
    )
    person.tags.add(Tag.objects.create(account=account, name="<i>x</i>"))
    for address in (LIST, page(person), page(person, "choose_tags"), "/admin/wechat/tag/"):
        shown = staff.get(address).content.decode()
        assert "<script>alert(1)" not in shown
        assert "<i>x</i>" not in shown
        assert 'href="javascript' not in shown


def test_the_page_says_all_that_is_known(account: Account, staff: Client) -> None:
    at = datetime(2025, 10, 9, 8, 0, tzinfo=UTC)
    person = somebody(
        account,
        1,
        latitude=31.230412,
        longitude=-121.4737,
        precision=64.7,
        located_at=at,
        picture_key="ROOM",
        picture_at=at,
    )
    shown = staff.get(page(person)).content.decode()
    assert "31.23041, -121.47370 ± 65 m" in shown
    assert "ROOM" in shown
    assert f"/admin/wechat/push/?q={person.openid}" in shown
    assert f"/admin/wechat/outgoingmessage/?q={person.openid}" in shown


# Tags.


def choose(client: Client, action: str, people: list[Follower], **fields: Any) -> Any:
    chosen = {"action": action, "_selected_action": [one.pk for one in people], **fields}
    return client.post(LIST, chosen)


def test_a_tag_is_put_on_the_chosen_and_taken_off_again(account: Account, staff: Client) -> None:
    vip = Tag.objects.create(account=account, name="VIP")
    people = [somebody(account, number) for number in range(3)]
    asked = choose(staff, "add_tag", people[:2], index="0")
    assert asked.status_code == 200
    assert not vip.followers.exists()
    choose(staff, "add_tag", people[:2], answered="yes", tag=vip.pk)
    choose(staff, "add_tag", people[:2], answered="yes", tag=vip.pk)
    assert set(vip.followers.all()) == set(people[:2])
    choose(staff, "remove_tag", people[1:], answered="yes", tag=vip.pk)
    assert list(vip.followers.all()) == [people[0]]
    assert LogEntry.objects.filter(object_id=str(people[0].pk)).count() == 2


def test_a_new_tag_can_be_made_on_the_way(account: Account, staff: Client) -> None:
    other = Account.objects.create(slug="other")
    people = [somebody(account, 1), somebody(other, 2)]
    choose(staff, "add_tag", people, answered="yes", name="  old   friends ")
    assert [(tag.account, tag.name) for tag in Tag.objects.order_by("account_id")] == [
        (account, "old friends"),
        (other, "old friends"),
    ]
    assert [one.tags.get().account for one in people] == [account, other]


@pytest.mark.parametrize("answer", [{}, {"tag": "1", "name": "x"}, {"tag": "999"}, {"name": " "}, {"name": "x" * 31}])
def test_an_unclear_answer_is_asked_again(answer: dict[str, str], account: Account, staff: Client) -> None:
    Tag.objects.create(pk=1, account=account, name="VIP")
    response = choose(staff, "add_tag", [somebody(account, 1)], answered="yes", **answer)
    assert response.context["form"].errors
    assert not Follower.tags.through.objects.exists()
    assert Tag.objects.count() == 1


def test_a_tag_of_another_account_is_put_on_nobody(account: Account) -> None:
    other = Account.objects.create(slug="other")
    theirs = Tag.objects.create(account=other, name="theirs")
    person, stranger = somebody(account, 1), somebody(other, 2)
    clerk = member(account, "view_follower", "change_follower", "add_tag")
    assert choose(clerk, "add_tag", [person, stranger], answered="yes", tag=theirs.pk).context["form"].errors
    choose(clerk, "add_tag", [person, stranger], answered="yes", name="ours")
    assert person.tags.get().account == account
    assert not stranger.tags.exists()


def test_who_may_not_make_tags_chooses_one(account: Account) -> None:
    clerk = member(account, "view_follower", "change_follower")
    person = somebody(account, 1)
    assert choose(clerk, "add_tag", [person], answered="yes", name="new").context["form"].errors
    assert not Tag.objects.exists()


def test_tags_of_one_person_are_checked_on_his_page(account: Account, staff: Client) -> None:
    a, b = Tag.objects.create(account=account, name="aaa"), Tag.objects.create(account=account, name="bbb")
    person = somebody(account, 1)
    person.tags.add(a)
    dialog = staff.get(page(person, "choose_tags")).content.decode()
    assert "aaa" in dialog
    assert len(re.findall(r"\schecked[\s>=]", dialog)) == 1
    staff.post(page(person, "choose_tags"), {**YES, "tags": [b.pk]})
    assert list(person.tags.all()) == [b]
    staff.post(page(person, "choose_tags"), YES)
    assert not person.tags.exists()


def test_a_tags_name_is_unique_in_its_account(account: Account, staff: Client) -> None:
    other = Account.objects.create(slug="other")
    vip, _friend = Tag.objects.create(account=account, name="VIP"), Tag.objects.create(account=account, name="friend")
    assert staff.post("/admin/wechat/tag/add/", {"account": account.pk, "name": " VIP "}).status_code == 200
    assert staff.post("/admin/wechat/tag/add/", {"account": other.pk, "name": "VIP"}).status_code == 302
    assert staff.post(f"/admin/wechat/tag/{vip.pk}/change/", {"name": "friend"}).status_code == 200
    assert staff.post(f"/admin/wechat/tag/{vip.pk}/change/", {"name": "VIP 2"}).status_code == 302
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["VIP", "VIP 2", "friend"]


def test_deleting_a_tag_says_how_many_lose_it_and_deletes_nobody(account: Account, staff: Client) -> None:
    tag = Tag.objects.create(account=account, name="VIP")
    for number in range(3):
        somebody(account, number).tags.add(tag)
    with CaptureQueriesContext(connection) as queries:
        asked = staff.get(f"/admin/wechat/tag/{tag.pk}/delete/")
    assert [count for _name, count in asked.context["model_count"]] == [1, 3]
    assert not [query for query in queries if "follower_id" in query["sql"]]  # nobody is read one by one
    staff.post(f"/admin/wechat/tag/{tag.pk}/delete/", {"post": "yes"})
    assert Follower.objects.count() == 3
    assert not Tag.objects.exists()


# The file for a spreadsheet.


@pytest.mark.parametrize("value", FORMULAS)
def test_no_cell_is_a_formula(value: str, account: Account, staff: Client) -> None:
    person = somebody(account, 1, nickname=value, source=value)
    person.tags.add(Tag.objects.create(account=account, name=value))
    cells = lines(staff.get(f"{LIST}export/"))[1]
    assert cells.count(f"'{value}") == 3
    assert not [cell for cell in cells if cell.lstrip("\ufeff").startswith(tuple("=+-@\t\r\n＝＋－＠"))]


@pytest.mark.parametrize("value", ["小王", "77", "a=b", "", "2025-10-09", "👍🏽", 'say "hi", ok', "two\nlines"])
def test_ordinary_cells_stay_as_they_are(value: str) -> None:
    assert spreadsheet.cell(value) == value


def test_the_file_holds_the_list_as_it_is_filtered(account: Account, staff: Client) -> None:
    somebody(account, 1, nickname="小王", source="77", followed_at=datetime(2025, 10, 9, 4, 0, tzinfo=UTC))
    somebody(account, 2, source="66")
    response = staff.get(f"{LIST}export/", {"source": "77"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="followers-')
    heading, row = lines(response)
    assert len(heading) == len(row)
    assert (row[0], row[1], row[5]) == ("示例", "小王", "77")
    assert "2025-10-09 12:00:00" in row
    shown = staff.get(LIST, {"source": "77"}).content.decode()
    assert f"{LIST}export/?source=77" in shown


def test_whole_openids_are_for_those_who_may_erase(account: Account, staff: Client) -> None:
    person = somebody(account, 1)
    assert person.openid in text(staff.get(f"{LIST}export/"))
    manager = member(account, "view_follower", "change_follower", "delete_follower", name="manager")
    assert person.openid in text(manager.get(f"{LIST}export/"))
    for name, rights in (("clerk", ["change_follower"]), ("analyst", [])):
        content = text(member(account, "view_follower", *rights, name=name).get(f"{LIST}export/"))
        assert person.openid not in content
        assert person.masked_openid in content


def test_the_file_holds_nobody_of_other_accounts(account: Account) -> None:
    other = Account.objects.create(slug="other")
    somebody(account, 1, nickname="ours")
    somebody(other, 2, nickname="theirs")
    content = text(member(account, "view_follower").get(f"{LIST}export/"))
    assert "ours" in content
    assert "theirs" not in content


def test_the_file_is_not_for_everybody(account: Account, client: Client) -> None:
    assert client.get(f"{LIST}export/").status_code == 302
    assert member(account, "view_push").get(f"{LIST}export/").status_code == 403


def test_an_address_that_makes_no_sense_leads_back_to_the_list(account: Account, staff: Client) -> None:
    assert staff.get(f"{LIST}export/", {"nonsense__exact": "1"}).status_code in (302, 400)
    assert staff.get(f"{LIST}export/", {"subscribed__exact": "x"}).status_code == 302


def test_the_file_is_sent_piece_by_piece(account: Account, staff: Client) -> None:
    for number in range(1200):
        somebody(account, number)
    response = staff.get(f"{LIST}export/")
    assert response.streaming
    pieces = list(response.streaming_content)  # type: ignore[attr-defined]
    assert len(pieces) > 2
    assert b"".join(pieces).count(b"\r\n") == 1201


# One person's data.


@pytest.fixture
def person(push: Callback, order: Order, worker_alive: Lease) -> Follower:
    push.follow("77")
    push.text("my words")
    Follower.objects.update(nickname="小王")
    return Follower.objects.get()


def test_a_persons_data_is_a_file(person: Follower, staff: Client) -> None:
    assert page(person, "export_person") in staff.get(page(person)).content.decode()
    response = staff.get(page(person, "export_person"))
    assert response["Content-Disposition"] == f'attachment; filename="person-{person.pk}.json"'
    data = json.loads(text(response))
    assert data["person"][0]["nickname"] == "小王"
    assert data["pushes"][1]["said"]["Content"] == "my words"
    assert LogEntry.objects.get().object_repr == person.masked_openid  # without the nickname


def test_erasing_asks_first_and_says_what_goes(person: Follower, staff: Client) -> None:
    assert page(person, "erase_person") in staff.get(page(person)).content.decode()
    dialog = staff.get(page(person, "erase_person"))
    assert dialog.status_code == 200
    staff.post(page(person, "erase_person"), {})
    assert Follower.objects.exists()
    done = staff.post(page(person, "erase_person"), YES, follow=True)
    assert done.redirect_chain[-1][0] == LIST
    assert not Follower.objects.exists()
    assert not Push.objects.filter(raw__contains="my words").exists()
    assert not OutgoingMessage.objects.filter(openid=OPENID).exists()
    assert LogEntry.objects.get().object_repr == "erased"


def test_erasing_needs_the_forms_token(person: Follower, staff: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(page(person, "erase_person"), YES).status_code == 403
    assert Follower.objects.exists()


def test_only_who_may_delete_followers_erases(person: Follower, account: Account) -> None:
    clerk = member(account, "view_follower", "change_follower")
    shown = clerk.get(page(person)).content.decode()
    assert page(person, "erase_person") not in shown
    assert page(person, "export_person") in shown
    assert clerk.post(page(person, "erase_person"), YES).status_code == 403
    assert Follower.objects.exists()
    manager = member(account, "view_follower", "delete_follower", name="manager")
    manager.post(page(person, "erase_person"), YES)
    assert not Follower.objects.exists()


def test_a_viewer_can_do_nothing(person: Follower, account: Account) -> None:
    viewer = member(account, "view_follower")
    for name in ("choose_tags", "export_person", "erase_person"):
        assert page(person, name) not in viewer.get(page(person)).content.decode()
        assert viewer.post(page(person, name), YES).status_code == 403
    choose(viewer, "add_tag", [person], answered="yes", name="x")
    assert not Tag.objects.exists()
    assert viewer.post(page(person), {"nickname": "x"}).status_code == 403


def test_people_of_other_accounts_do_not_exist(person: Follower) -> None:
    elsewhere = member(
        Account.objects.create(slug="other"), "view_follower", "change_follower", "delete_follower", name="elsewhere"
    )
    assert found(elsewhere) == set()
    assert elsewhere.get(page(person)).status_code in (302, 403)
    for name in ("choose_tags", "export_person", "erase_person"):
        assert elsewhere.post(page(person, name), YES).status_code == 403
    assert Follower.objects.exists()


def test_an_address_of_nobody_leads_to_the_list(staff: Client, account: Account) -> None:
    for name in ("choose_tags", "export_person", "erase_person"):
        for number in ("999", "nonsense"):
            response = staff.post(f"{LIST}{number}/{name}/", YES)
            assert response.status_code == 302, name
            assert response["Location"] == LIST
