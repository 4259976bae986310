"""The manager of channel codes: list, form, scans, many at once, posters; and that it stays quick with a million scans."""

import io
import re
import zipfile
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import zxingcpp
from callback import Callback
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from quotes import quote

from orders.models import Order
from wechat import channel_codes, channel_table, conf
from wechat.models import Account, ChannelCode, ChannelScan, Follower, Membership, QRCode, Rule, Tag
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/wechat/channelcode/"
ADD, BATCH, MAKE, POSTERS = f"{LIST}add/", f"{LIST}batch/", f"{LIST}batch/make/", f"{LIST}posters/"
SCANS = "/admin/wechat/channelscan/"
CREATE = "/cgi-bin/qrcode/create"
YES = {"_form_submitted": "True"}
TABLE = "名称\t销售\t活动\t类型\t场景\n小区展架\t\t春季焕新\t\t\n小李\t小李\t老客户\t永久\t1001\n小王\t小王\t\t临时\twang_1\n"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_codes, "PACE", 0.0)


def fields(account: Account, **changes: Any) -> dict[str, Any]:
    """A filled-in form."""
    usual = {"account": account.pk, "name": "春季活动", "purpose": "campaign", "kind": "temporary", "days": 30}
    return {**usual, "renew": "on", "enabled": "on", "scene": "", **changes}


def channel(account: Account, scene: str = "spring", **values: Any) -> ChannelCode:
    return ChannelCode.objects.create(account=account, **{"name": "春季活动", "scene": scene, **values})


def ticketed(account: Account, scene: str = "spring", **values: Any) -> ChannelCode:
    """One that has its code."""
    row = channel(account, scene, **values)
    now = timezone.now()
    ends = None if row.permanent else now + timedelta(days=30)
    url = f"http://weixin.qq.com/q/{scene}"
    QRCode.objects.create(
        account=account, scene=scene, kind=row.kind, ticket="t", url=url, created_at=now, expires_at=ends
    )
    return row


def scan(code: ChannelCode, number: int, **values: Any) -> ChannelScan:
    usual = {"openid": f"oPerson_{number:0>8}", "scanned_at": timezone.now()}
    return ChannelScan.objects.create(push_id=number, code=code, account=code.account, **{**usual, **values})


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def text(response: Any) -> str:
    return unescape(response.content.decode())


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def member(*rights: str, account: Account) -> Client:
    user = User.objects.create_user("member", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


# The form.


def test_a_saved_code_has_its_picture_at_once(account: Account, staff: Client, simulator: SimulatorServer) -> None:
    assert staff.post(ADD, fields(account)).status_code == 302
    row = ChannelCode.objects.get()
    code = QRCode.objects.get()
    assert re.fullmatch("c_[a-z0-9]{8}", row.scene)
    assert (code.scene, code.kind) == (row.scene, "temporary")
    assert code.expires_at
    assert code.expires_at - code.created_at == timedelta(days=30)
    shown = text(staff.get(page(row)))
    assert f'data-code-url="{code.url}"' in shown
    assert "<svg" in shown


def test_a_number_scene_travels_as_a_number(account: Account, staff: Client, simulator: SimulatorServer) -> None:
    staff.post(ADD, fields(account, number="on", scene="0042"))
    assert ChannelCode.objects.get().scene == "42"
    [call] = simulator.platform.journal.find(kind="code")
    assert call["scene"] == "42"


def test_a_code_is_kept_when_wechat_fails_and_the_worker_makes_it(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", match=CREATE, errcode=48001, remaining=1)
    said = text(staff.post(ADD, fields(account), follow=True))
    assert "权限" in said
    row = ChannelCode.objects.get()
    assert "权限" in text(staff.get(page(row)))
    ChannelCode.objects.update(due_at=timezone.now())
    channel_codes.make_due()
    assert channel_codes.code_of(row)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"number": "on", "scene": "0"}, "scene"),
        ({"number": "on", "scene": "4294967296"}, "scene"),
        ({"number": "on", "scene": "-1"}, "scene"),
        ({"number": "on", "scene": "１２"}, "scene"),
        ({"number": "on", "scene": ""}, "scene"),
        ({"number": "on", "scene": "100001", "kind": "permanent", "confirm": "on"}, "scene"),
        ({"number": "on", "scene": "77"}, "scene"),
        ({"scene": "x" * 65}, "scene"),
        ({"scene": "a b"}, "scene"),
        ({"scene": "a\u200bb"}, "scene"),
        ({"scene": "123"}, "scene"),
        ({"scene": "taken"}, "scene"),
        ({"days": "0"}, "days"),
        ({"days": "31"}, "days"),
        ({"name": ""}, "name"),
        ({"kind": "permanent"}, "confirm"),
    ],
)
@pytest.mark.usefixtures("order")
def test_what_cannot_be_is_refused_at_its_field_without_a_call(
    account: Account, staff: Client, simulator: SimulatorServer, changes: dict[str, Any], wrong: str
) -> None:
    channel(account, "taken")
    response = staff.post(ADD, fields(account, **changes))
    assert response.status_code == 200
    assert set(response.context["adminform"].form.errors) == {wrong}
    assert ChannelCode.objects.count() == 1
    assert simulator.platform.counters["calls"] == 0


def test_the_largest_and_the_smallest_scenes_are_taken(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    for changes in (
        {"number": "on", "scene": "1"},
        {"number": "on", "scene": "4294967295"},
        {"number": "on", "scene": "100000", "kind": "permanent", "confirm": "on"},
        {"scene": "报" * 64},
    ):
        assert staff.post(ADD, fields(account, **changes)).status_code == 302
    assert QRCode.objects.count() == 4


def test_a_permanent_code_needs_a_yes_and_is_counted(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    asked = text(staff.post(ADD, fields(account, kind="permanent")))
    assert "100000" in asked
    staff.post(ADD, fields(account, kind="permanent", confirm="on"))
    assert QRCode.objects.get().expires_at is None
    assert '<meter class="ch-bar" min="0" max="100000" high="90000" value="1">' in text(staff.get(LIST))


def test_near_the_limit_staff_are_warned_and_used_up_is_explained(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    now = timezone.now()
    rows = (
        QRCode(account=account, scene=str(n), kind="permanent", ticket="t", url="u", created_at=now)
        for n in range(90_000)
    )
    QRCode.objects.bulk_create(rows, batch_size=5000)
    assert 'class="ch-bad"' in text(staff.get(LIST))
    simulator.platform.faults.set(kind="errcode", match=CREATE, errcode=45029)
    said = text(staff.post(ADD, fields(account, kind="permanent", confirm="on"), follow=True))
    assert "改用临时二维码" in said


def test_scene_kind_and_account_stay_what_is_printed(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    row = ticketed(account)
    forged = fields(account, name="新名字", scene="other", kind="permanent", number="on", confirm="on")
    assert staff.post(page(row), forged).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.scene, row.kind, row.number) == ("新名字", "spring", "temporary", False)


def test_tag_and_rule_of_another_account_are_refused(account: Account, staff: Client) -> None:
    other = Account.objects.create(slug="other", name="Other")
    tag, rule = (
        Tag.objects.create(account=other, name="x"),
        Rule.objects.create(account=other, name="x", keywords=[], answers=[]),
    )
    response = staff.post(ADD, fields(account, tag=tag.pk, rule=rule.pk))
    assert set(response.context["adminform"].form.errors) == {"tag", "rule"}


def test_the_address_of_the_quote_form_stands_on_the_page(account: Account, staff: Client) -> None:
    assert "/quotes/new/?c=spring" in text(staff.get(page(channel(account))))


# What staff do with a code.


def test_a_new_code_is_made_by_a_click_that_asks_first(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    row = ticketed(account)
    assert staff.get(page(row, "make_now")).status_code == 200
    assert QRCode.objects.count() == 1
    staff.post(page(row, "make_now"), YES)
    assert QRCode.objects.count() == 2


def test_a_code_is_switched_off_and_on(account: Account, staff: Client, push: Callback) -> None:
    row = ticketed(account)
    staff.post(page(row, "switch_off"), YES)
    push.scan("spring")
    assert not ChannelScan.objects.exists()
    staff.post(LIST, {"action": "switch_on_chosen", "_selected_action": [row.pk]})
    push.scan("spring")
    assert ChannelScan.objects.count() == 1
    assert row.history.count() == 3  # type: ignore[attr-defined]


def test_the_code_alone_is_read_from_its_png_and_is_an_svg(account: Account, staff: Client) -> None:
    row = ticketed(account)
    png = staff.get(page(row, "code_png"))
    assert png["Content-Disposition"].startswith("attachment")
    image = Image.open(io.BytesIO(png.content))
    assert [found.text for found in zxingcpp.read_barcodes(image)] == ["http://weixin.qq.com/q/spring"]
    assert image.width > 1000
    assert staff.get(page(row, "code_svg")).content.startswith(b"<svg")


def test_a_deleted_code_is_counted_and_its_scans_go_with_it(
    account: Account, staff: Client, django_assert_max_num_queries: Any
) -> None:
    row = ticketed(account)
    for number in range(30):
        scan(row, number + 1)
    with django_assert_max_num_queries(25):
        shown = text(staff.get(page(row, "delete")))
    assert "30" in shown
    staff.post(page(row, "delete"), {"post": "yes"})
    assert not ChannelScan.objects.exists()


# The list.


def test_the_list_counts_scans_newcomers_and_the_last_scan(account: Account, staff: Client) -> None:
    row = ticketed(account, salesperson="小李", campaign="春季焕新")
    for number in range(1, 6):
        scan(row, number, new=number < 3)
    shown = text(staff.get(LIST))
    assert f'href="{SCANS}?code={row.pk}">5<' in shown
    assert f'href="{SCANS}?code={row.pk}&new__exact=1">2<' in shown
    for word in ("春季活动", "spring", "小李", "春季焕新"):
        assert word in shown


def test_the_list_is_searched_and_filtered(account: Account, staff: Client) -> None:
    channel(account, "one", name="甲", salesperson="小李")
    channel(account, "two", name="乙", campaign="夏季", purpose="sales")
    for query, found in (
        ("q=小李", {"甲"}),
        ("q=two", {"乙"}),
        ("campaign=夏季", {"乙"}),
        ("salesperson=小李", {"甲"}),
        ("purpose__exact=sales", {"乙"}),
        ("q=nothing", set()),
    ):
        listed = staff.get(f"{LIST}?{query}").context["cl"].result_list
        assert {row.name for row in listed} == found, query


def test_the_list_costs_the_same_for_one_code_and_for_fifty(
    account: Account, staff: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        row = ticketed(account, f"scene_{number}")
        scan(row, number + 1)
    with django_assert_max_num_queries(16):
        assert staff.get(LIST).status_code == 200


# Scans.


def test_the_scans_of_one_code_are_listed_with_masked_people(account: Account, staff: Client) -> None:
    one, other = ticketed(account), ticketed(account, "other")
    scan(one, 1, new=True)
    scan(other, 2, openid="oSomebodyElse_1")
    shown = text(staff.get(f"{SCANS}?code={one.pk}"))
    assert "oPer…0001" in shown
    assert "oSom" not in shown
    assert staff.get(f"{SCANS}?code=x").status_code == 200
    assert staff.get(f"{SCANS}?code=99999").context["cl"].result_list.count() == 0


def test_the_file_has_the_same_scans_and_no_formulas(account: Account, staff: Client) -> None:
    row = ticketed(account, name="=1+1", campaign="@x")
    scan(row, 1, new=True)
    scan(ticketed(account, "other"), 2)
    content = body(staff.get(f"{SCANS}export/?code={row.pk}")).decode()
    _heading, line = content.strip().splitlines()
    assert ",'=1+1,spring,'@x," in line
    assert "oPerson_00000001" in line


def test_who_may_not_act_on_people_gets_masked_ones_in_the_file(account: Account) -> None:
    scan(ticketed(account), 1)
    client = member("view_channelscan", account=account)
    assert "oPer…0001" in body(client.get(f"{SCANS}export/")).decode()


def test_another_accounts_codes_and_scans_do_not_exist(account: Account) -> None:
    other = Account.objects.create(slug="other", name="Other")
    row = ticketed(other, name="别家", campaign="别家活动", batch="abc")
    scan(row, 1)
    rights = [f"{verb}_{model}" for verb in ("view", "change", "add") for model in ("channelcode", "channelscan")]
    client = member(*rights, account=account)
    for address in (
        LIST,
        f"{LIST}?batch=abc",
        SCANS,
        f"{SCANS}?code={row.pk}",
        f"{SCANS}export/",
        f"{POSTERS}?codes={row.pk}",
    ):
        assert "别家" not in body(client.get(address, follow=True)).decode()


# Many at once.


def preview(staff: Client, account: Account, table: str = TABLE, **more: Any) -> Any:
    return staff.post(BATCH, {"account": account.pk, "kind": "temporary", "table": table, **more})


def draft(response: Any) -> str:
    found = re.search(r'name="draft" value="(\w+)"', text(response))
    return found[1] if found else ""


def test_a_table_is_shown_then_made_and_the_worker_gets_the_codes(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    shown = preview(staff, account, confirm="on")
    assert shown.status_code == 200
    assert not ChannelCode.objects.exists()
    made = staff.post(MAKE, {"draft": draft(shown)}, follow=True)
    rows = {row.name: row for row in ChannelCode.objects.all()}
    assert {(row.scene, row.number, row.kind, row.purpose) for row in rows.values()} >= {
        ("1001", True, "permanent", "sales"),
        ("wang_1", False, "temporary", "sales"),
    }
    assert rows["小区展架"].scene.startswith("c_")
    assert rows["小区展架"].campaign == "春季焕新"
    assert all(row.history.count() == 1 for row in rows.values())
    assert "data-running" in text(made)
    while channel_codes.make_due():
        pass
    batch = rows["小李"].batch
    done = text(staff.get(f"{LIST}?batch={batch}"))
    assert 'value="3" max="3"' in done
    assert "data-running" not in done
    config = conf.account_by_id(account.pk)
    assert set(config.channels) == {row.scene for row in rows.values()}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("\t小李\t\t\t", 2),
        ("x" * 61 + "\t\t\t\t", 2),
        ("甲\t\t\t长久\t", 2),
        ("甲\t\t\t永久\t100001", 2),
        ("甲\t\t\t\t77", 2),
        ("甲\t\t\t\ttaken", 2),
        ("甲\t\t\t\ta b", 2),
        ("甲\t\t\t\tsame\n乙\t\t\t\tsame", 3),
        ("甲\t\t\t\t\t多", 2),
    ],
)
@pytest.mark.usefixtures("order")
def test_one_wrong_line_makes_nothing_and_is_named(account: Account, staff: Client, line: str, place: int) -> None:
    channel(account, "taken")
    response = preview(staff, account, f"名称\t销售\t活动\t类型\t场景\n{line}\n好的\t\t\t\t\n", confirm="on")
    assert response.status_code == 422
    assert draft(response) == ""
    assert [each.place for each in response.context["lines"] if each.faults] == [place]
    assert ChannelCode.objects.count() == 1


@pytest.mark.parametrize(
    "table", ["", "名称\n", "名称\t天气\n甲\t晴\n", "a\n" * 1001, '"' + "x" * 50_000], ids=lambda table: table[:8]
)
def test_what_is_no_table_is_refused_in_words(account: Account, staff: Client, table: str) -> None:
    response = preview(staff, account, table)
    assert response.status_code == 422
    assert not ChannelCode.objects.exists()


def test_permanent_lines_need_a_yes(account: Account, staff: Client) -> None:
    assert preview(staff, account).status_code == 422
    assert preview(staff, account, confirm="on").status_code == 200


def test_a_scene_that_was_taken_meanwhile_makes_nothing_at_all(account: Account, staff: Client) -> None:
    shown = preview(staff, account, confirm="on")
    quote(account, orderid=1001)
    staff.post(MAKE, {"draft": draft(shown)})
    assert not ChannelCode.objects.exists()


def test_a_table_is_made_once_and_by_who_showed_it(account: Account, staff: Client) -> None:
    shown = preview(staff, account, "甲\n乙\n")
    foreign = member("view_channelcode", "add_channelcode", account=account)
    foreign.post(MAKE, {"draft": draft(shown)})
    assert not ChannelCode.objects.exists()
    for _time in range(2):
        staff.post(MAKE, {"draft": draft(shown)})
    assert ChannelCode.objects.count() == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_files_of_excel_and_wps_are_read(encoding: str, separator: str, account: Account) -> None:
    raw = (
        separator.join(["名称", "销售"]).encode(encoding)
        + b"\r\n"
        + separator.join(["展架", "小李"]).encode(encoding.removesuffix("-sig"))
    )
    [line] = channel_table.read(channel_table.text_of(raw), account.pk, kind="temporary")
    assert (line.values["name"], line.values["salesperson"], line.faults) == ("展架", "小李", [])


# Posters.


def test_posters_of_one_code_as_picture_pdf_and_preview(account: Account, staff: Client) -> None:
    row = ticketed(account, kind="permanent")
    shown = text(staff.get(f"{POSTERS}?codes={row.pk}"))
    assert "as=preview" in shown
    for kind, begin in (("preview", b"\x89PNG"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        response = staff.get(f"{POSTERS}?codes={row.pk}&size=a6&headline=扫一扫&place=code&as={kind}")
        assert body(response).startswith(begin)
    png = body(staff.get(f"{POSTERS}?codes={row.pk}&as=png"))
    assert [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))] == [
        "http://weixin.qq.com/q/spring"
    ]


def test_posters_of_a_batch_are_one_pdf_or_one_zip(account: Account, staff: Client) -> None:
    rows = [ticketed(account, f"scene_{number}", batch="abc") for number in range(3)]
    channel(account, "without", batch="abc")
    archive = zipfile.ZipFile(io.BytesIO(body(staff.get(f"{POSTERS}?batch=abc&size=a6&as=zip"))))
    assert archive.namelist() == [f"poster-{row.pk}.png" for row in rows]
    read = [zxingcpp.read_barcodes(Image.open(io.BytesIO(archive.read(name))))[0].text for name in archive.namelist()]
    assert read == [f"http://weixin.qq.com/q/scene_{number}" for number in range(3)]
    pdf = body(staff.get(f"{POSTERS}?batch=abc&size=a6&as=pdf"))
    assert re.findall(rb"/Count (\d+)", pdf)[-1] == b"3"


@pytest.mark.parametrize("query", ["", "codes=", "codes=x,,1e9", "codes=999999999999999999999", "batch=nothing"])
def test_posters_of_nothing_lead_back(account: Account, staff: Client, query: str) -> None:
    assert staff.get(f"{POSTERS}?{query}").status_code == 302


@pytest.mark.parametrize("query", ["size=a0", "place=x", "headline=", f"headline={'x' * 61}", "as=exe"])
def test_an_odd_request_for_a_poster_never_fails(account: Account, staff: Client, query: str) -> None:
    row = ticketed(account)
    assert staff.get(f"{POSTERS}?codes={row.pk}&as=png&{query}").status_code == 200


def test_a_poster_of_a_quote_has_its_own_code_for_a_month(
    order: Order, staff: Client, simulator: SimulatorServer
) -> None:
    shown = staff.get(page(order, "poster"))
    assert shown.status_code == 200
    code = QRCode.objects.get()
    assert code.expires_at
    assert code.expires_at > timezone.now() + timedelta(days=29)
    png = body(staff.get(f"{page(order, 'poster')}?as=png"))
    assert [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))] == [code.url]
    assert QRCode.objects.count() == 1


def test_a_poster_of_a_quote_without_a_code_says_why(order: Order, staff: Client, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="errcode", match=CREATE, errcode=48001)
    assert "权限" in text(staff.get(page(order, "poster"), follow=True))


def test_a_follower_is_one_click_from_his_scan(account: Account, staff: Client) -> None:
    now = timezone.now()
    Follower.objects.create(account=account, openid="oPerson_00000001", first_seen=now, last_seen=now)
    row = scan(ticketed(account), 1)
    assert "/admin/wechat/follower/?q=oPerson_00000001" in text(staff.get(page(row)))
