"""What a scan does, from the push to the card: who gets which card, by which way, and what never raises."""

import base64
import json
import time
from typing import Any
from urllib.parse import quote as percent_encoded

import pytest
from callback import APPID, OPENID, Callback, answer, event
from quotes import bury_worker, newest_scan, passive_article, quote, send_due

from orders.models import Order, Scan
from wechat import conf
from wechat.models import Account, OutgoingMessage, Push
from wechat.simulator.server import SimulatorServer

ODD_SCENES = [
    "0",
    "00",
    "-1",
    "+77",
    "7 7",
    "4294967296",
    "99999999999999999999",
    "１２３",
    "٧٧",
    "²",
    "1_000",
    "7.7",
    "1e3",
    "0x4D",
    "",
    "x" * 64,
    "报" * 64,
    "77; DROP TABLE orders_order",
    "qrscene_",
    "qrscene_qrscene_77",
    "last_trade_no_77",
]


def card_of(scan: Scan) -> dict[str, str]:
    """The article that this scan caused, as it is stored."""
    assert scan.message is not None
    (article,) = scan.message.content["articles"]
    return dict(article)


@pytest.mark.usefixtures("worker_alive", "order")
def test_a_scan_and_a_follow_by_scan_give_the_same_card(push: Callback) -> None:
    assert answer(push.scan("77")) is None
    by_scan = newest_scan()
    push.follow("77", openid="oNewcomer_1")
    by_follow = newest_scan()
    assert [by_scan.kind, by_follow.kind] == ["scan", "follow"]
    assert [by_scan.scene, by_follow.scene] == ["77", "77"]
    assert by_scan.order == by_follow.order
    one, other = card_of(by_scan), card_of(by_follow)
    assert one.pop("url") != other.pop("url")
    assert one == other
    assert one["description"] == "建筑面积约 110 ㎡，报价 56000 元，市场价 64000 元，为您节省 8000 元。"


@pytest.mark.usefixtures("worker_alive", "order")
def test_the_scan_keeps_who_what_and_which_code(push: Callback) -> None:
    push.scan("77")
    scan = newest_scan()
    assert (scan.openid, scan.ticket, scan.push_id) == (OPENID, "gQ-a-ticket", Push.objects.get().pk)
    assert scan.message is not None
    assert (scan.message.openid, scan.message.purpose, scan.message.about) == (OPENID, "quote", "77")


@pytest.mark.usefixtures("worker_alive", "order")
def test_the_prefix_of_a_follow_is_cut_once(push: Callback) -> None:
    push.follow("qrscene_77")
    assert not OutgoingMessage.objects.exists()
    push.follow("77")
    assert newest_scan().order_id is not None


@pytest.mark.usefixtures("worker_alive")
def test_an_unknown_order_gets_a_polite_text_and_a_scan_without_order(push: Callback) -> None:
    tree = answer(push.scan("404"))
    assert tree is not None
    assert tree["MsgType"] == "text"
    assert "没有找到这份报价" in tree["Content"]
    scan = newest_scan()
    assert (scan.order, scan.message, scan.scene) == (None, None, "404")


@pytest.mark.usefixtures("order", "worker_alive")
def test_the_order_of_another_account_is_unknown(push: Callback) -> None:
    other = Account.objects.create(slug="other", name="Other")
    quote(other, orderid=78)
    tree = answer(push.scan("78"))
    assert tree is not None
    assert tree["MsgType"] == "text"


@pytest.mark.usefixtures("order", "worker_alive")
@pytest.mark.parametrize("scene", ODD_SCENES, ids=ascii)
def test_an_odd_scene_never_raises_and_brings_no_card(push: Callback, scene: str) -> None:
    for response in (push.scan(scene), push.follow(scene)):
        assert response.status_code == 200
    assert not Push.objects.filter(state="failed").exists()
    assert not OutgoingMessage.objects.exists()


@pytest.mark.usefixtures("order", "worker_alive")
def test_a_number_with_leading_zeros_is_taken_for_the_number_or_for_nothing(push: Callback) -> None:
    assert push.scan("0077").status_code == 200
    assert not Push.objects.filter(state="failed").exists()


@pytest.mark.usefixtures("worker_alive")
def test_the_smallest_and_the_largest_number_are_orders(account: Account, push: Callback) -> None:
    for orderid in (1, 4_294_967_295):
        stored = quote(account, orderid=orderid)
        push.scan(str(orderid))
        assert newest_scan().order == stored


@pytest.mark.usefixtures("order", "worker_alive")
def test_a_new_follower_gets_the_welcome_text_beside_his_card(account: Account, push: Callback) -> None:
    conf.save(account, {"wechat_welcome_text": "欢迎"})
    tree = answer(push.follow("77"))
    assert tree is not None
    assert tree["Content"] == "欢迎"
    assert OutgoingMessage.objects.get().route == "customer_service"


@pytest.mark.usefixtures("order", "worker_alive")
@pytest.mark.parametrize("way", ["scan", "follow"])
def test_passive_delivery_answers_with_the_card_itself(account: Account, push: Callback, way: str) -> None:
    conf.save(account, {"wechat_welcome_text": "欢迎"})
    account.delivery = "passive"
    account.save()
    article = passive_article(getattr(push, way)("77"))
    assert article["Url"] == f"http://127.0.0.1:8000/s/{newest_scan().code}/"
    assert article["PicUrl"].startswith("http://127.0.0.1:8000/static/")
    message = OutgoingMessage.objects.get()
    assert (message.route, message.state) == ("passive", "sent")


@pytest.mark.usefixtures("order", "worker_alive")
def test_an_account_without_verification_answers_passively_by_default(account: Account, push: Callback) -> None:
    for kind in ("service", "subscription", "verified_subscription", "test"):
        account.kind = kind
        account.save()
        assert "报价" in passive_article(push.scan("77"))["Title"]


@pytest.mark.usefixtures("order", "worker_alive")
def test_the_card_travels_passively_by_itself_when_the_worker_dies(push: Callback) -> None:
    assert answer(push.scan("77")) is None
    bury_worker()
    conf.forget()
    assert passive_article(push.scan("77"))["Url"].endswith(f"/s/{newest_scan().code}/")


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("alive", [True, False])
def test_a_repeat_gets_the_same_answer_and_causes_nothing(push: Callback, worker_alive: Any, alive: bool) -> None:
    if not alive:
        bury_worker()
        conf.forget()
    content = event("SCAN", EventKey="77", Ticket="t")
    answers = {push(content).content for _ in range(4)}
    assert len(answers) == 1
    assert (Push.objects.count(), Scan.objects.count(), OutgoingMessage.objects.count()) == (1, 1, 1)


@pytest.mark.usefixtures("worker_alive")
def test_two_codes_in_one_second_are_two_cards(account: Account, push: Callback) -> None:
    now = int(time.time())
    for orderid in (1001, 1002):
        quote(account, orderid=orderid)
        push(event("SCAN", created=now, EventKey=str(orderid), Ticket=f"t{orderid}"))
    assert set(OutgoingMessage.objects.values_list("about", flat=True)) == {"1001", "1002"}


@pytest.mark.usefixtures("order", "worker_alive")
def test_the_same_code_scanned_twice_gives_two_links(push: Callback) -> None:
    push.scan("77")
    first = card_of(newest_scan())["url"]
    push.scan("77")
    assert card_of(newest_scan())["url"] != first


@pytest.mark.usefixtures("order", "worker_alive")
def test_a_staff_made_link_gets_openid_and_order_number_encoded(account: Account, push: Callback) -> None:
    conf.save(account, {"wechat_redirect_url_pre": "https://firm.example/?o=##OPENID##&n=##ORDERID##&s=##SHARECODE##"})
    openid = "o&n=78#/?+%"
    push.scan("77", openid=openid)
    scan = newest_scan()
    expected = f"https://firm.example/?o={percent_encoded(openid, safe='')}&n=77&s={scan.code}"
    assert card_of(scan)["url"] == expected


@pytest.mark.usefixtures("worker_alive")
def test_our_own_link_holds_neither_openid_nor_order_number(account: Account, push: Callback) -> None:
    orderid = 3_141_592_653
    quote(account, orderid=orderid)
    push.scan(str(orderid))
    link = card_of(newest_scan())["url"]
    for value in (OPENID, str(orderid), f"{orderid:x}", f"{orderid:X}"):
        assert value not in link
        for shift in range(3):  # base64 of a text looks different at each place modulo 3
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                assert encode(b"_" * shift + value.encode()).decode()[4:-4] not in link


@pytest.mark.usefixtures("worker_alive", "order")
def test_the_card_arrives_as_the_platform_wants_it(push: Callback, simulator: SimulatorServer) -> None:
    account = simulator.platform.accounts[APPID]
    simulator.platform.add_person(account, openid=OPENID, follows=True)
    simulator.phone.scan(OPENID, simulator.phone.code(account, scene="77"))
    push.scan("77")
    assert send_due() == 1
    (entry,) = simulator.platform.journal.find(kind="message")
    sent = entry["message"]
    assert (sent["touser"], sent["msgtype"]) == (OPENID, "news")
    (article,) = sent["news"]["articles"]
    assert sorted(article) == ["description", "picurl", "title", "url"]
    assert article["title"] == "您的装修报价已生成"
    assert article["url"] == f"http://127.0.0.1:8000/s/{newest_scan().code}/"
    assert OutgoingMessage.objects.get().state == "sent"


@pytest.mark.usefixtures("worker_alive")
def test_a_quote_deleted_before_the_card_went_out_still_arrives(
    order: Order, push: Callback, simulator: SimulatorServer
) -> None:
    account = simulator.platform.accounts[APPID]
    simulator.platform.add_person(account, openid=OPENID, follows=True)
    simulator.phone.scan(OPENID, simulator.phone.code(account, scene="77"))
    push.scan("77")
    order.delete()
    assert send_due() == 1
    (entry,) = simulator.platform.journal.find(kind="message")
    assert "56000" in json.dumps(entry["message"])


@pytest.mark.usefixtures("order", "worker_alive")
def test_who_leaves_gets_nothing_any_more(push: Callback) -> None:
    push.scan("77")
    assert answer(push.unfollow()) is None
    message = OutgoingMessage.objects.get()
    assert (message.state, message.error) == ("given_up", "the person unfollowed")
    assert send_due() == 0
