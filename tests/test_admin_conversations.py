"""The conversation in the admin: what it shows, what it sends, who may, and that nothing typed or written does harm."""

import re
from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID, Callback, body, event
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from quotes import send_due

from wechat.models import Account, Follower, Material, Membership, MessageTemplate, OutgoingMessage, Push, Rule
from wechat.replies import Text
from wechat.simulator.server import SimulatorServer

HOSTILE = "<script>alert(1)</script> ]]> =1+1 😀"
READING = ("view_follower", "view_push", "view_outgoingmessage")


@pytest.fixture
def member(account: Account) -> Any:
    """Makes a visitor with these rights, who works for `demo`."""

    def make(*rights: str, works: bool = True) -> Client:
        user = User.objects.create_user(f"u{User.objects.count()}", last_name="陈", first_name="晨", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        if works:
            Membership.objects.create(user=user, account=account)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def clerk(member: Any) -> Client:
    return member(*READING, "change_follower")


def page(part: str = "") -> str:
    return f"/admin/wechat/follower/{Follower.objects.get(openid=OPENID).pk}/conversation/{part}"


def shown(client: Client, **query: str) -> str:
    response = client.get(page(), query)
    assert response.status_code == 200
    return response.content.decode()


def say(client: Client, **fields: Any) -> HttpResponse:
    """What the script posts."""
    return client.post(page(), {"kind": "text", **fields}, headers={"Accept": "application/json"})


def lines(client: Client, **query: str) -> dict[str, Any]:
    return dict(client.get(page("lines/"), query).json())


def make_row(account: Account, **fields: Any) -> OutgoingMessage:
    now = timezone.now()
    usual = {"purpose": "staff", "content": Text("好").stored(), "created_at": now, "due_at": now, "expires_at": now}
    return OutgoingMessage.objects.create(account=account, openid=OPENID, **{**usual, **fields})


# What it shows.


def test_all_kinds_of_pushes_are_readable(push: Callback, staff: Client) -> None:
    push.text("想问报价")
    push(body("image", PicUrl="http://mmbiz.qpic.cn/x/0", MediaId="m1"))
    push(body("voice", MediaId="m2", Format="amr", Recognition="语音的话"))
    push(body("location", Location_X="23.1", Location_Y="113.3", Scale="16", Label="天河路 1 号"))
    push(body("link", Title="一篇文章", Description="说明", Url="https://a.test/1"))
    push(body("video", MediaId="m3", ThumbMediaId="t"))
    push.click("PRICES")
    push(event("weird_event", EventKey="k"))
    text = shown(staff)
    for words in (
        "想问报价",
        "语音的话",
        "天河路 1 号",
        "23.1, 113.3",
        "一篇文章",
        "https://a.test/1",
        "PRICES",
        "weird_event",
    ):
        assert words in text
    assert 'src="https://mmbiz.qpic.cn/x/0"' in text
    assert text.index("想问报价") < text.index("语音的话") < text.index("weird_event")


def test_foreign_text_is_text(push: Callback, staff: Client, account: Account) -> None:
    push(
        body("text", Content="a").replace(
            "<![CDATA[a]]>", "&lt;script&gt;alert(1)&lt;/script&gt; ]]&gt; =1+1 😀\u202egnp.exe"
        )
    )
    push(body("link", Title="<b>t</b>", Description="d", Url="javascript:alert(1)"))
    push(body("image", PicUrl="javascript:alert(1)", MediaId="m"))
    push(event("CLICK", EventKey='"><img src=x onerror=alert(1)>'))
    make_row(account, content=Text(HOSTILE + ' <a href="javascript:alert(1)">x</a>').stored(), state="sent")
    text = shown(staff) + "".join(line["html"] for line in lines(staff)["lines"])
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text
    assert not re.search(r"(href|src)=\"\s*javascript:", text)
    assert "\u202e" not in text
    assert "U+202E" in text
    assert "]]&gt; =1+1 😀" in text


def test_it_says_who_answered(push: Callback, staff: Client, account: Account) -> None:
    rule = Rule.objects.create(
        account=account,
        name="报价规则",
        keywords=[{"kind": "exact", "text": "报价"}],
        answers=[{"kind": "text", "content": "请看报价单"}],
    )
    push.text("报价")
    text = shown(staff)
    assert "请看报价单" in text
    assert f"/admin/wechat/rule/{rule.pk}/change/" in text


def test_it_says_how_each_message_stands_and_why(push: Callback, staff: Client, account: Account) -> None:
    push.text("您好")
    boss = User.objects.get(username="boss")
    User.objects.update(last_name="王", first_name="店长")
    boss.refresh_from_db()
    make_row(account, state="sent", sent_at=timezone.now(), written_by=boss, agent="anna@wxhub")
    make_row(
        account, state="owed", errcode=45047, error="/cgi-bin/message/custom/send: 45047 out of response count limit"
    )
    make_row(account, state="given_up", error="the person unfollowed")
    template = MessageTemplate.objects.create(
        account=account, template_id="T1", title="报价通知", synced_at=timezone.now()
    )
    content = {"kind": "template", "template_id": template.template_id, "data": {"thing1": "三居室"}, "url": ""}
    make_row(account, state="sent", route="template", content=content, delivery="blocked", purpose="job")
    text = shown(staff)
    for words in ("王店长", "anna@wxhub", "报价通知", "三居室", "用户拒收", "cv-state cv-warning"):
        assert words in text, words
    assert 'class="cv-why"' in text


def test_older_lines_come_on_demand_with_and_without_a_script(push: Callback, staff: Client) -> None:
    for number in range(45):
        push.text(f"第{number}句")
    text = shown(staff)
    assert "第44句" in text
    assert "第3句" not in text
    link = re.search(r'href="\?before=([\d.]+)"', text)
    assert link
    assert "第3句" in shown(staff, before=link[1])
    found = lines(staff, before=link[1])
    assert "第3句" in "".join(line["html"] for line in found["lines"])
    assert found["older"] is None
    assert "windows" not in found
    assert staff.get(page(), {"before": "x"}).status_code == 404


def test_news_come_only_when_something_changed(push: Callback, staff: Client, account: Account) -> None:
    push.text("一")
    first = lines(staff)
    assert len(first["lines"]) == 1
    assert "lines" not in lines(staff, stamp=first["stamp"])
    row = make_row(account, state="waiting")
    second = lines(staff, stamp=first["stamp"])
    assert second["lines"][-1]["key"] == f"m{row.pk}"
    OutgoingMessage.objects.update(state="sent", sent_at=timezone.now())
    assert "lines" in lines(staff, stamp=second["stamp"])


# What it sends.


def test_a_text_goes_into_the_outbox_and_names_its_writer(push: Callback, clerk: Client) -> None:
    push.text("您好")
    OutgoingMessage.objects.all().delete()
    assert say(clerk, content="马上 <查>\n第二行").json() == {"sent": True, "errors": {}}
    row = OutgoingMessage.objects.get()
    assert row.content == {"kind": "text", "content": "马上 <查>\n第二行"}
    assert (row.purpose, row.state) == ("staff", "waiting")
    assert row.written_by
    assert "陈晨" in shown(clerk)


def test_without_a_script_it_comes_back_to_the_page(push: Callback, clerk: Client) -> None:
    push.text("您好")
    response = clerk.post(page(), {"kind": "text", "content": "好的"})
    assert (response.status_code, response["Location"]) == (302, page())
    response = clerk.post(page(), {"kind": "news", "title": "没有链接的卡片"})
    assert response.status_code == 400
    assert 'value="没有链接的卡片"' in response.content.decode()


KINDS = [
    (
        {"kind": "news", "title": "案例", "description": "说明", "url": "https://a.test/", "picurl": ""},
        {"articles": [{"title": "案例", "description": "说明", "url": "https://a.test/", "picurl": ""}]},
    ),
    (
        {"kind": "msgmenu", "head": "满意吗？", "items": "满意\n\n 不满意 ", "tail": "谢谢"},
        {"items": [["101", "满意"], ["102", "不满意"]], "head": "满意吗？", "tail": "谢谢"},
    ),
    (
        {"kind": "miniprogrampage", "card_title": "小程序", "appid": "wx2", "pagepath": "p/i", "cover_id": "cover"},
        {"title": "小程序", "appid": "wx2", "pagepath": "p/i", "thumb": "cover"},
    ),
    ({"kind": "image", "image": "photo"}, {"media": "photo"}),
    ({"kind": "image", "image_id": "typed-1"}, {"media": "typed-1"}),
    ({"kind": "voice", "voice_id": "v-1"}, {"media": "v-1"}),
    (
        {"kind": "video", "video_id": "film", "thumb_id": "cover", "video_title": "工地", "video_description": ""},
        {"media": "film", "title": "工地", "description": "", "thumb": "cover"},
    ),
]


@pytest.mark.parametrize(("fields", "content"), KINDS)
def test_every_kind_can_be_sent(
    push: Callback, clerk: Client, account: Account, fields: dict[str, str], content: dict[str, Any]
) -> None:
    Material.objects.create(account=account, kind="image", name="样板间", media_id="photo", permanent=True)
    push.text("您好")
    assert say(clerk, **fields).status_code == 200
    row = OutgoingMessage.objects.filter(purpose="staff").get()
    assert row.content == {"kind": fields["kind"], **content}
    assert "cv-kind-" in shown(clerk)


BAD = [
    ({"content": "  \n "}, "content"),
    ({"content": "长" * 683}, "content"),
    ({"kind": "news", "title": "t", "url": "javascript:alert(1)"}, "url"),
    ({"kind": "news", "title": "t", "url": "https://a.test/", "picurl": "file:///etc/passwd"}, "picurl"),
    ({"kind": "news", "title": "", "url": "https://a.test/"}, "title"),
    ({"kind": "msgmenu", "head": "？", "items": ""}, "items"),
    ({"kind": "msgmenu", "head": "？", "items": "\n".join("abcdefghijk")}, "items"),
    ({"kind": "msgmenu", "head": "？", "items": "长" * 86}, "items"),
    ({"kind": "miniprogrampage", "card_title": "t", "appid": "", "pagepath": "p", "cover_id": "c"}, "appid"),
    ({"kind": "image", "image_id": "../../x"}, "image_id"),
    ({"kind": "image", "image": "somebody-elses"}, "image"),
    ({"kind": "video", "video_id": "film"}, "thumb"),
    ({"kind": "nonsense"}, "kind"),
    ({"content": "好", "agent": "<x>@y"}, "agent"),
]


@pytest.mark.parametrize(("fields", "field"), BAD)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_sent(
    push: Callback, clerk: Client, account: Account, fields: dict[str, str], field: str
) -> None:
    Material.objects.create(account=account, kind="image", name="样板间", media_id="photo", permanent=True)
    push.text("您好")
    before = OutgoingMessage.objects.count()
    response = say(clerk, **fields)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]
    assert OutgoingMessage.objects.count() == before


def test_only_files_that_are_valid_and_of_the_account_are_offered(
    push: Callback, clerk: Client, account: Account
) -> None:
    other, soon = Account.objects.create(slug="other", name="别家"), timezone.now() + timedelta(hours=1)
    image = {"kind": "image", "account": account}
    Material.objects.create(**image, name="永久图", media_id="p1", permanent=True)
    Material.objects.create(**image, name="临时图", media_id="p2", expires_at=soon)
    Material.objects.create(**image, name="过期图", media_id="p3", expires_at=soon - timedelta(hours=2))
    Material.objects.create(**image, name="未上传图", media_id="", permanent=True)
    Material.objects.create(kind="image", account=other, name="别家的图", media_id="p5", permanent=True)
    push.text("您好")
    text = shown(clerk)
    offered = [name for name in ("永久图", "临时图", "过期图", "未上传图", "别家的图") if name in text]
    assert offered == ["永久图", "临时图"]


def test_when_the_window_is_used_up_the_box_closes_and_offers_what_works(push: Callback, clerk: Client) -> None:
    push.text("您好")
    OutgoingMessage.objects.all().delete()
    for number in range(5):
        assert lines(clerk)["windows"]["left"] == 5 - number
        assert say(clerk, content=f"第{number + 1}条", number=f"aaaaaaaa{number:04d}").status_code == 200
    state = lines(clerk)["windows"]
    assert (state["open"], state["can_wait"], state["left"]) == (False, True, 0)
    assert state["reason"]
    assert 'data-open="0"' in shown(clerk)
    refused = say(clerk, content="第六条")
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["__all__"]
    page_again = clerk.post(page(), {"kind": "text", "content": "第六条，打了很久"})
    assert "第六条，打了很久" in page_again.content.decode()
    assert say(clerk, content="第六条", may_wait="on").status_code == 200
    assert OutgoingMessage.objects.get(state="owed").content["content"] == "第六条"
    assert Follower.objects.get().owed == 1


def test_the_same_message_twice_is_sent_once(push: Callback, clerk: Client) -> None:
    push.text("您好")
    for _each in range(2):
        assert say(clerk, content="好", number="0123456789ab").status_code == 200
    assert OutgoingMessage.objects.filter(purpose="staff").count() == 1


def test_to_who_left_nothing_is_offered(push: Callback, clerk: Client) -> None:
    push.text("您好")
    Follower.objects.update(subscribed=False)
    assert lines(clerk)["windows"]["can_wait"] is False
    assert say(clerk, content="好", may_wait="on").status_code == 400
    assert OutgoingMessage.objects.filter(purpose="staff").count() == 0


# Typing and agents.


@pytest.fixture
def talking(push: Callback, simulator: SimulatorServer) -> Any:
    """The person, on the platform too, has just written."""
    platform = simulator.platform
    person = platform.add_person(next(iter(platform.accounts.values())), openid=OPENID, follows=True)
    person.windows.open("user_msg", platform.clock.now())
    person.last_contact = platform.clock.now()
    push.text("您好")
    return person


def test_typing_is_shown_and_asked_for_rarely(talking: Any, clerk: Client, simulator: SimulatorServer) -> None:
    for _each in range(3):
        assert clerk.post(page("typing/")).json() == {"shown": True, "stop": False}
    assert talking.typing
    assert len(simulator.platform.journal.find(kind="typing")) == 1


def test_typing_is_not_asked_for_half_a_minute_after_the_last_word(
    talking: Any, clerk: Client, simulator: SimulatorServer
) -> None:
    Follower.objects.update(last_seen=timezone.now() - timedelta(seconds=31))
    assert clerk.post(page("typing/")).json()["shown"] is False
    assert not talking.typing


@pytest.mark.parametrize(("code", "stop"), [(48001, True), (45080, False), (45081, False), (45009, False)])
def test_a_refused_typing_disturbs_nobody(
    talking: Any, clerk: Client, simulator: SimulatorServer, code: int, stop: bool
) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=code, match="/cgi-bin/message/custom/typing", remaining=1)
    response = clerk.post(page("typing/"))
    assert response.status_code == 200
    assert response.json()["stop"] is stop


def test_agents_are_listed_and_asked_for_once(
    talking: Any, clerk: Client, simulator: SimulatorServer, worker_alive: object
) -> None:
    found = clerk.get(page("agents/")).json()["agents"]
    assert {"name": "客服小安", "account": "anna@wxhub"} in found
    simulator.platform.faults.set(kind="errcode", errcode=48001, match="/cgi-bin/customservice/getkflist", remaining=9)
    assert clerk.get(page("agents/")).json()["agents"] == found


def test_the_agent_stands_above_the_message_on_the_phone(talking: Any, clerk: Client, worker_alive: object) -> None:
    OutgoingMessage.objects.all().delete()
    say(clerk, content="我是小安", agent="anna@wxhub")
    send_due()
    assert (talking.chat[-1]["text"], talking.chat[-1]["agent"]) == ("我是小安", "客服小安")


def test_without_agents_nothing_is_offered(talking: Any, clerk: Client, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=48001, match="/cgi-bin/customservice/getkflist", remaining=1)
    assert clerk.get(page("agents/")).json()["agents"] == []


# Who may.


def test_reading_takes_two_rights_and_answering_a_third(push: Callback, member: Any) -> None:
    push.text("您好")
    reader = member(*READING)
    text = shown(reader)
    assert "cv-box" not in text
    assert say(reader, content="好").status_code == 403
    assert reader.post(page("typing/")).status_code == 403
    assert OutgoingMessage.objects.filter(purpose="staff").count() == 0
    for rights in (["view_follower"], ["view_push"], []):
        client = member(*rights)
        assert [client.get(page(part)).status_code for part in ("", "lines/", "agents/")] == [403] * 3


def test_a_foreign_conversation_does_not_exist(push: Callback, member: Any) -> None:
    push.text("您好")
    stranger = member(*READING, "change_follower", works=False)
    Membership.objects.create(user=User.objects.latest("pk"), account=Account.objects.create(slug="other", name="别家"))
    codes = [stranger.get(page(part)).status_code for part in ("", "lines/", "agents/")]
    assert codes == [404] * 3
    assert say(stranger, content="好").status_code == 404
    assert stranger.post(page("typing/")).status_code == 404
    assert OutgoingMessage.objects.filter(purpose="staff").count() == 0


def test_it_is_reached_from_the_person_the_push_and_the_message(
    push: Callback, staff: Client, account: Account
) -> None:
    push.text("您好")
    row = make_row(account)
    follower = Follower.objects.get()
    for url in (
        f"/admin/wechat/follower/{follower.pk}/change/",
        f"/admin/wechat/push/{Push.objects.get().pk}/change/",
        f"/admin/wechat/outgoingmessage/{row.pk}/change/",
    ):
        assert page() in staff.get(url).content.decode()


def test_a_form_without_its_token_is_refused(push: Callback) -> None:
    push.text("您好")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss2"))
    assert client.post(page(), {"kind": "text", "content": "好"}).status_code == 403
    assert client.post(page("typing/")).status_code == 403
