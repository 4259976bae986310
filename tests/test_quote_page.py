"""The visitor's page: one code for as long as it is valid, its picture, what the page says when WeChat fails, its progress."""

import io
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
import zxingcpp
from callback import APPID, SECRET, TOKEN, Callback
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image, ImageDraw
from quotes import bury_worker, quote, wait_until

from orders import watching
from orders.models import Order, OrderItem
from wechat import outbox, qr
from wechat.models import Account, OutgoingMessage, QRCode
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db
CREATE = "/cgi-bin/qrcode/create"
ODD_KEYS = [
    "x",
    "A" * 22,
    "A" * 5000,
    "報價",
    "%00",
    "a%00b",
    "%ff",
    "' OR 1=1",
    "..%2f..%2f",
    "None",
    "77",
    "-",
    "%0d%0aX:1",
]


@pytest.fixture
def page(order: Order) -> str:
    """The address of the quote's page."""
    return order.get_absolute_url()


def codes_made(simulator: SimulatorServer) -> int:
    return simulator.platform.accounts[APPID].quotas.calls[CREATE]


def state(client: Client, page: str) -> str:
    """The state that the page's code panel shows."""
    found = re.search(r'data-state="(\w+)"', client.get(page).content.decode())
    assert found
    return found[1]


def drawn(svg: str) -> Image.Image:
    """The picture that an SVG of segno shows: a path of horizontal strokes, one module high."""
    size = int(re.findall(r'viewBox="0 0 (\d+) ', svg)[0])
    picture = Image.new("L", (size * 8, size * 8), 255)
    pen, x, y = ImageDraw.Draw(picture), 0.0, 0.0
    for command, arguments in re.findall(r"([Mmh])([-\d. ]+)", re.findall(r'\sd="([^"]+)"', svg)[0]):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", arguments)]
        if command == "h":
            pen.rectangle((x * 8, (y - 0.5) * 8, (x + numbers[0]) * 8 - 1, (y + 0.5) * 8 - 1), fill=0)
            x += numbers[0]
        else:
            x, y = (numbers[0], numbers[1]) if command == "M" else (x + numbers[0], y + numbers[1])
    return picture


def read_code(picture: Image.Image) -> str:
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


class Addresses(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def outside(self) -> Iterator[str]:
        """Addresses of other machines."""
        for _tag, attributes in self.elements:
            for name in ("src", "href", "action", "srcset", "poster", "data"):
                value = attributes.get(name) or ""
                if "//" in value:
                    yield value


def test_the_page_shows_the_numbers_and_a_code(
    client: Client, order: Order, page: str, simulator: SimulatorServer
) -> None:
    OrderItem.objects.create(order=order, name="水电改造 <b>", quantity=2, unit="项", amount=18900)
    html = client.get(page).content.decode()
    for text in ("王女士", "56,000", "64,000", "8,000", "110 ㎡", "18,900", "水电改造 &lt;b&gt;", "<svg"):
        assert text in html
    assert state(client, page) == "waiting"


def test_a_reload_shows_the_same_code_without_a_call(client: Client, page: str, simulator: SimulatorServer) -> None:
    urls = set()
    for path in (page, page, f"{page}code", f"{page}qr.svg", f"{page}qr.png", page):
        assert client.get(path).status_code == 200
        urls.add(QRCode.objects.get().url)
    assert (len(urls), codes_made(simulator)) == (1, 1)


def test_the_code_is_kept_with_ticket_and_end(client: Client, page: str, simulator: SimulatorServer) -> None:
    client.get(page)
    code = QRCode.objects.get()
    made = simulator.platform.accounts[APPID].codes[code.ticket]
    assert (code.scene, code.url) == ("77", made.url)
    assert code.expires_at is not None
    assert (code.expires_at - code.created_at).total_seconds() == 1800
    assert made.expires is not None
    assert abs(made.expires - code.expires_at.timestamp()) < 5


def test_a_code_that_has_run_out_is_replaced_on_reload(client: Client, page: str, simulator: SimulatorServer) -> None:
    client.get(page)
    QRCode.objects.update(expires_at=timezone.now() + timedelta(seconds=1))
    assert state(client, page) == "waiting"
    assert (QRCode.objects.count(), codes_made(simulator)) == (2, 2)


def test_the_pictures_hold_exactly_the_address_of_the_code(
    client: Client, page: str, simulator: SimulatorServer
) -> None:
    svg, png = client.get(f"{page}qr.svg"), client.get(f"{page}qr.png")
    assert (svg["Content-Type"], png["Content-Type"]) == ("image/svg+xml", "image/png")
    url = QRCode.objects.get().url
    assert read_code(drawn(svg.content.decode())) == url
    assert read_code(Image.open(io.BytesIO(png.content))) == url
    inline = re.findall(r"<svg[^>]*segno.*?</svg>", client.get(page).content.decode(), re.DOTALL)
    assert read_code(drawn(inline[0])) == url


@pytest.mark.parametrize("url", ["http://weixin.qq.com/q/02x" + "y" * 60, "https://例子.cn/?a=b&c=\"<>'"])
def test_every_address_can_be_read_back_from_its_picture(url: str) -> None:
    assert read_code(drawn(qr.svg(url))) == url
    assert read_code(Image.open(io.BytesIO(qr.png(url)))) == url


def test_while_the_api_is_down_the_page_says_so_at_once_and_recovers(
    client: Client, page: str, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qr, "FAILURE_LASTS", 0.2)
    simulator.stop_listening()
    started = time.monotonic()
    assert state(client, page) == "unavailable"
    assert time.monotonic() - started < 1
    html = client.get(page).content.decode()
    assert "56,000" in html
    assert "暂时" in html or "无法" in html
    simulator.listen()
    wait_until(lambda: state(client, page) == "waiting", 5, "the code is back")


def test_a_failure_is_remembered_so_that_no_page_hangs_on_it(
    client: Client, page: str, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=45009, match=CREATE)
    assert [state(client, page) for _ in range(5)] == ["unavailable"] * 5
    assert len(simulator.platform.journal.find(kind="call", endpoint=CREATE)) == 1


@pytest.mark.parametrize("errcode", [48001, 45009, -1, 40013, 61450])
def test_when_no_code_is_given_the_quote_is_still_there(
    client: Client, page: str, simulator: SimulatorServer, errcode: int
) -> None:
    simulator.platform.faults.set(kind="errcode", errcode=errcode, match=CREATE)
    assert state(client, page) == "unavailable"
    assert "56,000" in client.get(page).content.decode()
    for picture in ("qr.svg", "qr.png"):
        response = client.get(f"{page}{picture}")
        assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_an_account_that_may_make_no_codes_still_shows_its_quotes(
    client: Client, page: str, simulator: SimulatorServer
) -> None:
    simulator.platform.accounts[APPID].kind = "subscription"
    assert client.get(page).status_code == 200
    assert state(client, page) == "unavailable"


def test_a_code_that_was_made_survives_an_outage(client: Client, page: str, simulator: SimulatorServer) -> None:
    client.get(page)
    simulator.stop_listening()
    assert state(client, page) == "waiting"


@pytest.mark.parametrize(
    ("card", "shown"),
    [
        ("waiting", "scanned"),
        ("sending", "scanned"),
        ("sent", "sent"),
        ("owed", "owed"),
        ("given_up", "failed"),
        ("set_aside", "failed"),
    ],
)
@pytest.mark.usefixtures("worker_alive")
def test_the_progress_follows_the_card(
    client: Client, page: str, push: Callback, simulator: SimulatorServer, card: str, shown: str
) -> None:
    client.get(page)
    push.scan("77")
    OutgoingMessage.objects.update(state=card)
    assert client.get(f"{page}status").json()["state"] == shown
    assert state(client, page) == shown


def test_the_progress_tells_waiting_and_expired(client: Client, page: str, simulator: SimulatorServer) -> None:
    assert client.get(f"{page}status").json() == {"state": "waiting", "expires_in": 0}
    client.get(page)
    found = client.get(f"{page}status").json()
    assert found["state"] == "waiting"
    assert 1790 <= found["expires_in"] <= 1800
    QRCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(f"{page}status").json()["state"] == "expired"


def test_a_card_that_travelled_passively_counts_as_sent(
    client: Client, page: str, push: Callback, simulator: SimulatorServer
) -> None:
    client.get(page)
    bury_worker()
    push.scan("77")
    assert client.get(f"{page}status").json()["state"] == "sent"


@pytest.mark.parametrize(
    ("errcode", "error", "shown", "reason"),
    [
        (43004, "require subscribe", "follow", ""),
        (50005, "user is unsubscribed", "follow", ""),
        (40003, "invalid openid", "follow", ""),
        (None, outbox.UNFOLLOWED, "follow", ""),
        (-1, outbox.UNFOLLOWED, "follow", ""),
        (48002, "user block receive message", "failed", "refused"),
        (43019, "require remove blacklist", "failed", "refused"),
        (-1, f"{outbox.LOST}: connection lost", "failed", "unsure"),
        (45008, "article size out of limit", "failed", "ours"),
        (None, "Traceback", "failed", "ours"),
    ],
)
@pytest.mark.usefixtures("worker_alive")
def test_the_page_says_why_no_card_came(
    client: Client,
    page: str,
    push: Callback,
    simulator: SimulatorServer,
    errcode: int | None,
    error: str,
    shown: str,
    reason: str,
) -> None:
    push.scan("77")
    OutgoingMessage.objects.update(state="given_up", errcode=errcode, error=error)
    found = client.get(f"{page}status").json()
    assert (found["state"], found.get("reason", "")) == (shown, reason)
    html = client.get(page).content.decode()
    assert f'data-state="{shown}" data-reason="{reason}"' in html
    assert "data-qr" in html, "he can scan once more"


@pytest.mark.usefixtures("worker_alive")
def test_who_unfollows_before_his_card_comes_is_asked_to_follow(
    client: Client, page: str, push: Callback, simulator: SimulatorServer
) -> None:
    push.scan("77")
    push.unfollow()
    assert client.get(f"{page}status").json()["state"] == "follow"
    push.follow("77")
    assert client.get(f"{page}status").json()["state"] == "scanned"


def test_a_page_that_looks_leaves_a_code_that_ran_out_and_one_tap_renews_it(
    client: Client, page: str, simulator: SimulatorServer
) -> None:
    client.get(page)
    QRCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for _ in range(3):
        looked = client.get(f"{page}code?look").content.decode()
        assert 'data-state="expired"' in looked
        assert "data-renew" in looked
    assert codes_made(simulator) == 1
    assert 'data-state="waiting"' in client.get(f"{page}code").content.decode()
    assert codes_made(simulator) == 2
    assert 'data-state="waiting"' in client.get(f"{page}code?look").content.decode()


@pytest.mark.usefixtures("worker_alive")
def test_many_open_pages_share_their_looks_and_each_sees_what_is_true_now(
    client: Client, account: Account, push: Callback, simulator: SimulatorServer
) -> None:
    quotes = [quote(account, orderid=1000 + number) for number in range(60)]
    with CaptureQueriesContext(connection) as first:
        for order in quotes:
            client.get(f"{order.get_absolute_url()}status")
    with CaptureQueriesContext(connection) as second:
        states = [client.get(f"{order.get_absolute_url()}status").json()["state"] for order in quotes]
    assert (len(first), len(second), set(states)) == (60, 1, {"waiting"})
    push.scan("1059")
    asked_again = [client.get(f"{order.get_absolute_url()}status").json()["state"] for order in quotes]
    assert asked_again == ["waiting"] * 59 + ["scanned"], "nobody is handed the same look twice"


@pytest.mark.usefixtures("worker_alive")
def test_a_look_is_not_used_for_longer_than_a_second(
    client: Client, account: Account, push: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_LASTS", 0.2)
    one, other = (quote(account, orderid=number).get_absolute_url() + "status" for number in (1, 2))
    for url in (one, other, one):  # the third look brings both
        client.get(url)
    push.scan("2")
    time.sleep(0.25)
    assert client.get(other).json()["state"] == "scanned"


@pytest.mark.usefixtures("worker_alive")
def test_the_last_scan_decides(client: Client, page: str, push: Callback, simulator: SimulatorServer) -> None:
    push.scan("77")
    OutgoingMessage.objects.update(state="given_up")
    push.scan("77", openid="oSomebodyElse")
    assert client.get(f"{page}status").json()["state"] == "scanned"


@pytest.mark.usefixtures("worker_alive")
def test_the_progress_costs_one_query_and_no_call(
    client: Client, page: str, push: Callback, simulator: SimulatorServer
) -> None:
    client.get(page)
    push.scan("77")
    calls = sum(simulator.platform.accounts[APPID].quotas.calls.values())
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{page}status")
    assert len(queries) == 1
    assert sum(simulator.platform.accounts[APPID].quotas.calls.values()) == calls


def test_every_wrong_key_gets_the_same_404(client: Client, order: Order) -> None:
    order.key = "Kk_" + "a" * 19
    order.save()
    keys = [*ODD_KEYS, order.key[:-1], order.key + "a", str(order.pk)]
    for end in ("", "status", "qr.svg", "qr.png", "code"):
        answers = [client.get(f"/quotes/{key}/{end}") for key in keys]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1


def test_a_key_is_exact(client: Client, order: Order, simulator: SimulatorServer) -> None:
    assert client.get(f"/quotes/{order.key.swapcase()}/").status_code == 404


def headers_are_strict(response: HttpResponse) -> None:
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_every_answer_forbids_keeping_and_foreign_code(client: Client, page: str, simulator: SimulatorServer) -> None:
    for end in ("", "code", "status", "qr.svg", "qr.png"):
        response = client.get(f"{page}{end}")
        headers_are_strict(response)
        assert not response.cookies


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(
    client: Client, page: str, simulator: SimulatorServer
) -> None:
    found = Addresses(client.get(page).content.decode())
    for tag, attributes in found.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "style"
        if tag == "script":
            assert (attributes.get("src") or "").startswith("/static/")
    assert set(found.outside()) == {QRCode.objects.get().url}


@pytest.mark.usefixtures("worker_alive")
def test_the_page_tells_no_secret(client: Client, page: str, push: Callback, simulator: SimulatorServer) -> None:
    push.scan("77")
    for end in ("", "code", "status"):
        text = client.get(f"{page}{end}").content.decode()
        for secret in (SECRET, TOKEN, APPID, push.slug + "/callback", "oWXHUB_"):
            assert secret not in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_pages_are_for_reading_only(page: str, method: str) -> None:
    client = Client(enforce_csrf_checks=False)
    for end in ("", "code", "status", "qr.svg"):
        assert client.generic(method, f"{page}{end}").status_code == 405


def test_the_page_needs_no_cookie_and_no_login(page: str, simulator: SimulatorServer) -> None:
    response = Client().get(page, headers={"cookie": "sessionid=nonsense; csrftoken=x"})
    assert response.status_code == 200
