"""Codes of shared links: what opens, what never does, and how a forward descends from another one."""

import base64
import random
import re
import secrets
import string
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from callback import OPENID, Callback
from django.db import connections
from django.http import Http404
from django.test import Client, RequestFactory
from django.utils import timezone
from quotes import newest_scan, quote

from orders import sharing
from orders.links import Link, link_of, onward_code
from orders.models import Onward, Order, Scan
from orders.views.share import onward as onward_view
from orders.views.share import wechat as wechat_view
from orders.views.shared import shared as shared_view
from wechat import conf
from wechat.models import Account

pytestmark = pytest.mark.usefixtures("worker_alive")
LETTERS = string.ascii_letters + string.digits + "-_"
UNUSED = 10**9  # a number that no row has


@pytest.fixture
def scan(order: Order, push: Callback) -> Scan:
    """Somebody scanned quote 77."""
    push.scan("77")
    return newest_scan()


def opened(code: str) -> Link:
    link = link_of(code)
    assert link is not None
    return link


def code_of(address: str) -> str:
    match = re.search(r"/s/([^/]+)/$", address)
    assert match
    return match[1]


def forward(code: str) -> str:
    """The code that the next person gets, as the page's script asks for it."""
    response = Client().get(f"/s/{code}/onward")
    assert response.status_code == 200
    return code_of(response.json()["link"])


def test_a_forward_opens_the_same_quote(scan: Scan) -> None:
    code = forward(scan.code)
    assert code != scan.code
    assert opened(code).scan == scan
    assert "56,000" in Client().get(f"/s/{code}/").content.decode()


def test_each_forward_has_a_code_of_its_own(scan: Scan) -> None:
    assert len({forward(scan.code) for _ in range(50)}) == 50


def test_codes_are_short_and_have_128_bits_of_proof(scan: Scan) -> None:
    code = forward(forward(scan.code))
    assert len(code) < 120
    assert len(onward_code(Scan(push_id=10**17, secret="x" * 32), Onward(pk=10**17))) < 120
    mac = code.rpartition(".")[2]
    assert len(base64.urlsafe_b64decode(mac + "==")) == 16


def test_the_chain_of_forwards_is_kept_as_it_was(scan: Scan) -> None:
    first = forward(scan.code)
    second = forward(first)
    third = forward(second)
    forward(third)
    one, two, three = Onward.objects.order_by("pk")
    assert (one.parent, two.parent, three.parent) == (None, one, two)
    assert [row.depth for row in (one, two, three)] == [1, 2, 3]
    assert {row.scan_id for row in (one, two, three)} == {scan.pk}
    assert [opened(code).onward for code in (first, second, third)] == [one, two, three]


def test_staff_see_how_far_a_link_went(scan: Scan, staff: Client) -> None:
    page = f"/admin/orders/scan/{scan.pk}/change/"
    assert "→ " not in staff.get(page).content.decode()
    one, other = forward(scan.code), forward(scan.code)
    two = forward(one)
    for code in (other, two):
        forward(code)
    assert [row.depth for row in sharing.chain(scan)] == [1, 2, 1]
    assert sharing.extent(scan) == {"count": 3, "depth": 2}
    html = staff.get(page).content.decode()
    assert "→ → " in html
    assert not any(row.nonce in html for row in sharing.chain(scan))


def test_looking_at_a_page_writes_nothing(scan: Scan) -> None:
    code = forward(scan.code)
    for agent in ("Googlebot/2.1", "TelegramBot", "curl/8", "Mozilla/5.0 MicroMessenger/8.0"):
        for method in ("GET", "HEAD"):
            assert Client(headers={"user-agent": agent}).generic(method, f"/s/{code}/").status_code == 200
    assert not Onward.objects.exists()


def test_a_link_makes_one_row_however_often_it_is_opened(scan: Scan) -> None:
    code = forward(scan.code)
    for _ in range(30):
        forward(code)
    assert Onward.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_link_makes_one_row_when_many_open_it_at_once(scan: Scan) -> None:
    code = forward(scan.code)
    start, numbers = threading.Barrier(8), []

    def open_it() -> None:
        link = opened(code)
        start.wait()
        row = sharing.kept(link)
        numbers.append(row.pk if row else None)
        connections.close_all()

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 8
    assert len(set(numbers)) == 1
    assert Onward.objects.count() == 1


def test_at_the_depth_limit_the_link_itself_is_passed_on(scan: Scan) -> None:
    code = scan.code
    for _ in range(sharing.DEEPEST + 3):
        code = forward(code)
    assert Onward.objects.count() == sharing.DEEPEST
    assert forward(code) == code
    assert opened(code).scan == scan


def test_beyond_the_limit_of_a_scan_links_open_and_are_not_kept(scan: Scan) -> None:
    rows = (Onward(scan=scan, nonce=secrets.token_urlsafe(12)) for _ in range(sharing.MOST))
    Onward.objects.bulk_create(rows)
    code = forward(scan.code)
    assert forward(code) == code
    assert Onward.objects.count() == sharing.MOST


def test_a_link_is_named_without_being_told(scan: Scan) -> None:
    code = forward(scan.code)
    own, passed_on = opened(scan.code).number, opened(code).number
    assert own == f"s{scan.pk}"
    sharing.kept(opened(code))
    assert opened(code).number == passed_on != own
    assert len(passed_on) <= 64
    assert link_of(own) is None
    assert link_of(passed_on) is None


# What opens nothing.


def test_d205_revoking_the_scan_ends_all_its_forwards_at_once(scan: Scan) -> None:
    first = forward(scan.code)
    codes = [scan.code, first, forward(first), forward(first)]
    Scan.objects.update(revoked=True)
    for code in codes:
        assert [Client().get(f"/s/{code}/{part}").status_code for part in ("", "onward", "wechat")] == [404] * 3


def test_a_new_secret_ends_the_forwards_of_the_old_one(scan: Scan) -> None:
    code = forward(scan.code)
    Scan.objects.update(secret=secrets.token_urlsafe(16))
    assert link_of(code) is None


def test_another_secret_key_ends_the_forwards(scan: Scan, settings: object) -> None:
    code = forward(scan.code)
    settings.SECRET_KEY = "another-key-of-the-site-0123456789-abcdefgh"  # type: ignore[attr-defined]
    assert link_of(code) is None
    assert link_of(scan.code)


def test_links_end_after_the_days_of_the_account(account: Account, scan: Scan) -> None:
    first = forward(scan.code)
    codes = [scan.code, first, forward(first)]
    conf.save(account, {"wechat_link_days": "30"})
    Scan.objects.update(scanned_at=timezone.now() - timedelta(days=29, hours=23))
    assert all(link_of(code) for code in codes)
    Scan.objects.update(scanned_at=timezone.now() - timedelta(days=30, minutes=1))
    assert not any(link_of(code) for code in codes)
    conf.save(account, {"wechat_link_days": "0"})
    assert all(link_of(code) for code in codes)


def test_d203_unknown_expired_revoked_and_malformed_links_get_the_same_answer(
    account: Account, scan: Scan, push: Callback
) -> None:
    valid = forward(scan.code)
    push.scan("77")
    revoked = newest_scan()
    of_revoked = forward(revoked.code)
    Scan.objects.filter(pk=revoked.pk).update(revoked=True)
    push.scan("77")
    expired = newest_scan()
    of_expired = forward(expired.code)
    Scan.objects.filter(pk=expired.pk).update(scanned_at=timezone.now() - timedelta(days=90))
    conf.save(account, {"wechat_link_days": "60"})
    unknown = [f"{UNUSED}.{'A' * 22}", f"s{UNUSED}.{'A' * 16}.{'A' * 22}", f"o{UNUSED}.{'A' * 16}.{'A' * 22}"]
    malformed = [
        "x",
        "..",
        "s.",
        f"s{scan.pk}",
        f"s{scan.pk}..",
        valid[:-1],
        f"{valid}.",
        f"0{scan.code}",
        valid.upper(),
    ]
    codes = [*unknown, *malformed, revoked.code, of_revoked, expired.code, of_expired]
    client = Client()
    for part in ("", "onward", "wechat"):
        answers = [client.get(f"/s/{code}/{part}") for code in codes]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1


def test_every_wrong_code_costs_one_query(scan: Scan, django_assert_num_queries: Callable[..., object]) -> None:
    parent = sharing.kept(opened(forward(scan.code)))
    assert parent
    wrong = ["x", f"{scan.pk}.{'A' * 22}", f"{UNUSED}.{'A' * 22}", f"s{scan.pk}.{'A' * 16}.{'A' * 22}"]
    wrong += [f"o{parent.pk}.{'A' * 16}.{'A' * 22}", f"o{UNUSED}.{'A' * 16}.{'A' * 22}"]
    for code in wrong:
        with django_assert_num_queries(1):  # type: ignore[attr-defined]
            assert link_of(code) is None


def test_d203_wrong_codes_take_about_the_same_time(scan: Scan) -> None:
    kinds = {
        "malformed": "x",
        "unknown": f"{UNUSED}.{'A' * 22}",
        "neighbour": f"{scan.pk}.{'A' * 22}",
        "forged": f"s{scan.pk}.{'A' * 16}.{'A' * 22}",
    }
    client, taken = Client(), {kind: [] for kind in kinds}  # type: ignore[var-annotated]
    dice = random.Random(77)
    for _ in range(60):
        for kind in dice.sample(list(kinds), len(kinds)):
            started = time.thread_time()  # of this thread alone: other processes of the machine say nothing here
            client.get(f"/s/{kinds[kind]}/")
            taken[kind].append(time.thread_time() - started)
    usual = {kind: sorted(times)[len(times) // 4] for kind, times in taken.items()}
    assert max(usual.values()) < 1.25 * min(usual.values()), usual


def guesses(scan: Scan, code: str, deep: str) -> set[str]:
    """10,000 codes that somebody might try who knows this scan's own link, two of its forwards, and how codes look."""
    dice = random.Random(77)
    tried: set[str] = set()
    for known in (scan.code, code, deep):
        head, _dot, proof = known.rpartition(".")
        tried |= {f"{head}.{proof[:at]}{letter}{proof[at + 1 :]}" for at in range(len(proof)) for letter in LETTERS}
        number = int(re.findall(r"[0-9]+", known)[0])
        rest = known.split(".", 1)[1]
        kinds = ("", "s", "o", "S", "x", "-", "+", "0", " ")
        tried |= {f"{kind}{number + step}.{rest}" for kind in kinds for step in range(-40, 41)}
    parent, nonce, mac = code.split(".")
    tried |= {f"{parent}.{nonce[:at]}{letter}{nonce[at + 1 :]}.{mac}" for at in range(16) for letter in LETTERS}
    tried |= {
        f"{scan.pk}.{mac}",
        f"{parent}.{mac}.{nonce}",
        f"{parent}.{nonce}.{scan.secret}",
        f"{scan.secret}.{scan.pk}",
    }
    for known in (OPENID, str(scan.order_id), "77", scan.scene, scan.openid):
        hidden = base64.urlsafe_b64encode(known.encode()).decode().rstrip("=")
        tried |= {known, hidden, f"{scan.pk}.{known}", f"{known}.{known}", f"s{scan.pk}.{known}", f"{scan.pk}.{hidden}"}
    while len(tried) < 10_000:
        word = "".join(dice.choice(LETTERS) for _ in range(22))
        tried.add(dice.choice([f"{scan.pk}.{word}", f"s{scan.pk}.{word[:16]}.{word}", f"o1.{nonce}.{word}", word]))
    return tried - {scan.code, code, deep}


def test_d202_none_of_ten_thousand_guesses_opens_anything(scan: Scan, push: Callback) -> None:
    code = forward(scan.code)
    deep = forward(code)
    for _ in range(5):  # neighbours that exist
        push.scan("77")
        forward(forward(newest_scan().code))
    tried = guesses(scan, code, deep)
    assert len(tried) >= 9_990
    request = RequestFactory().get("/", {"url": "http://127.0.0.1:8000/"})
    views = (shared_view, onward_view, wechat_view)
    hits = []
    for number, guess in enumerate(sorted(tried)):
        try:
            views[number % 3](request, code=guess)
        except Http404:
            continue
        hits.append(guess)
    assert hits == []
    assert all(link_of(known) for known in (scan.code, code, deep))


# What tells nothing.


def test_d201_nothing_that_is_handed_out_carries_an_openid_or_an_order_number(account: Account, push: Callback) -> None:
    order = quote(account, orderid=3_141_592_653)
    push.scan(str(order.orderid))
    scan = newest_scan()
    first = forward(scan.code)
    client, told = Client(), []
    for code in (scan.code, first, forward(first)):
        for part in ("", "onward", "wechat?url=http%3A%2F%2Felsewhere.test%2F"):
            response = client.get(f"/s/{code}/{part}")
            told += [response.content.decode(), str(response.headers), code]
            told += [text for text in map(_unpacked, code.split(".")) if text]
    text = "\n".join(told)
    for value in (OPENID, str(order.orderid), "3,141,592,653", order.key):
        assert value not in text
        assert base64.b64encode(value.encode()).decode().rstrip("=") not in text


def _unpacked(part: str) -> str:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")
    except ValueError:
        return ""


@pytest.mark.parametrize("parameter", ["orderid", "order", "openid", "scan", "parent", "nonce", "link"])
def test_d204_no_parameter_leads_to_another_quote(account: Account, scan: Scan, parameter: str) -> None:
    quote(account, orderid=78, total_money=123456)
    answer = Client().get(f"/s/{forward(scan.code)}/onward", {parameter: "78"}).json()
    assert "56000" in answer["title"]
