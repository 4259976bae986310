"""Asking WeChat who somebody is: the address, the state, the code, what goes wrong, and what nobody may learn from it."""

import logging
import re
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from callback import APPID, OPENID, SECRET, Callback
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone
from owners import address, agree, go, path_of, person, query_of, tap, wechat
from quotes import newest_scan

from orders.models import Order, Profile, Scan
from wechat import calls, conf, web_authorization
from wechat.explanations import explain_stored
from wechat.models import Account, ApiCall, Authorization
from wechat.redaction import OneLine
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.usefixtures("worker_alive")
BACK = "/wechat/demo/authorized/"
HOSTILE = [
    "//evil.example",
    "https:evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "%2F%2Fevil.example",
    "http://127.0.0.1:8000@evil.example/",
    "https://evil.example/" + "x" * 10_000,
]


@pytest.fixture
def scan(order: Order, push: Callback, simulator: SimulatorServer) -> Scan:
    """The person with OPENID scanned quote 77, and has his phone in hand."""
    push.scan("77")
    person(simulator, nickname="小王")
    return newest_scan()


def the_row() -> Authorization:
    return Authorization.objects.get()


def refused(browser: Client, url: str) -> None:
    """A polite page, no row used, nobody known."""
    used = Authorization.objects.exclude(used_at=None).count()
    response = browser.get(url)
    assert response.status_code == 400
    assert "oops__text" in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert Authorization.objects.exclude(used_at=None).count() == used
    assert not Profile.objects.exists()
    assert "sessionid" not in response.cookies


# The address of WeChat's page.


def test_the_address_has_its_parameters_in_the_order_that_the_platform_checks(scan: Scan, settings: Any) -> None:
    url = address(tap(wechat(), scan))
    back = quote(f"{settings.PUBLIC_URL}{BACK}", safe="")
    pattern = (
        rf"{re.escape(settings.WECHAT_OPEN_BASE)}/connect/oauth2/authorize\?appid={APPID}&redirect_uri={re.escape(back)}"
        r"&response_type=code&scope=snsapi_userinfo&state=[A-Za-z0-9]{32}#wechat_redirect"
    )
    assert re.fullmatch(pattern, url)


def test_to_prove_who_he_is_a_person_is_not_asked(scan: Scan) -> None:
    assert "&scope=snsapi_base&" in address(tap(wechat(), scan, "prove"))


def test_every_state_is_new_and_only_its_hash_is_stored(scan: Scan) -> None:
    browser = wechat()
    states = {query_of(address(tap(browser, scan)))["state"] for _time in range(5)}
    assert len(states) == 5
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {Authorization._meta.db_table}")
        stored = str(cursor.fetchall())
    assert not [state for state in states if state in stored]
    assert browser.cookies[web_authorization.COOKIE].value not in stored


def test_the_cookie_is_for_this_way_only(scan: Scan, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    cookie = tap(wechat(), scan).cookies[web_authorization.COOKIE]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["max-age"]) == (True, True, "Lax", 600)


# D301: the state.


def test_a_granted_authorization_leads_to_the_clean_address(scan: Scan) -> None:
    response = go(wechat(), scan)
    assert (response.status_code, response.headers["Location"]) == (303, scan.get_absolute_url())
    assert "no-store" in response["Cache-Control"]
    assert (the_row().outcome, the_row().used_at is not None) == ("granted", True)


@pytest.mark.parametrize("state", ["", "x", "A" * 32, "é" * 32, "A" * 5000, "0' OR '1'='1"], ids=ascii)
def test_d301_an_unknown_state_is_refused(scan: Scan, state: str) -> None:
    browser = wechat()
    back = query_of(agree(address(tap(browser, scan))))
    refused(browser, f"{BACK}?code={back['code']}&state={quote(state)}")


def test_d301_a_missing_or_repeated_state_is_refused(scan: Scan) -> None:
    browser = wechat()
    back = query_of(agree(address(tap(browser, scan))))
    refused(browser, f"{BACK}?code={back['code']}")
    refused(browser, f"{BACK}?code={back['code']}&state={back['state']}&state={back['state']}")
    refused(browser, BACK)


def test_d301_a_state_of_another_browser_is_refused_and_stays_good_for_its_own(scan: Scan) -> None:
    browser, other = wechat(), wechat()
    url = path_of(agree(address(tap(browser, scan))))
    refused(Client(), url)
    tap(other, scan)
    refused(other, url)
    assert browser.get(url).status_code == 303
    assert Profile.objects.exists()


def test_a_state_of_another_account_is_refused(scan: Scan) -> None:
    other = Account.objects.create(slug="other")
    conf.save(other, {"public_wechat_appid": "wxother0123456789"})
    browser = wechat()
    refused(browser, path_of(agree(address(tap(browser, scan)))).replace("/demo/", "/other/"))


def test_d301_a_state_older_than_ten_minutes_is_refused(scan: Scan) -> None:
    browser = wechat()
    url = path_of(agree(address(tap(browser, scan))))
    Authorization.objects.update(asked_at=timezone.now() - timedelta(minutes=10, seconds=1))
    refused(browser, url)
    Authorization.objects.update(asked_at=timezone.now() - timedelta(minutes=9))
    assert browser.get(url).status_code == 303


def test_two_taps_in_one_browser_both_come_back(scan: Scan) -> None:
    browser = wechat()
    first, second = (path_of(agree(address(tap(browser, scan)))) for _time in range(2))
    assert [browser.get(url).status_code for url in (first, second)] == [303, 303]


# D303: the code.


def exchanges() -> list[ApiCall]:
    calls.flush()
    return list(ApiCall.objects.filter(endpoint="/sns/oauth2/access_token").order_by("pk"))


def test_who_comes_again_is_answered_from_what_is_stored(scan: Scan) -> None:
    """The back button and a reload: the code is not sent to WeChat again."""
    browser = wechat()
    url = path_of(agree(address(tap(browser, scan))))
    places = [browser.get(url).headers["Location"] for _time in range(4)]
    assert places == [scan.get_absolute_url()] * 4
    assert len(exchanges()) == 1
    assert Profile.objects.get().nickname == "小王"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_exchanges_the_code(scan: Scan, simulator: SimulatorServer) -> None:
    """A browser that looks ahead, and the person who taps: WeChat would answer 40163 to the second."""
    browser = wechat()
    url = path_of(agree(address(tap(browser, scan))))
    simulator.platform.faults.set(kind="slow", match="/sns/oauth2/access_token", seconds=0.4)
    places: list[str] = []

    def come_back() -> None:
        copy = wechat()
        copy.cookies = browser.cookies.copy()
        places.append(copy.get(url).headers["Location"])
        connection.close()

    threads = [threading.Thread(target=come_back) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert places == [scan.get_absolute_url()] * 4
    assert len(exchanges()) == 1


def test_a_first_request_that_died_leaves_a_polite_page(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_authorization, "WAIT", 0.2)
    browser = wechat()
    url = path_of(agree(address(tap(browser, scan))))
    Authorization.objects.update(used_at=timezone.now())
    page = browser.get(url, follow=True)
    assert (page.status_code, page.redirect_chain[0][0]) == (200, f"{scan.get_absolute_url()}owner/failed/")


@pytest.mark.parametrize("code", [40029, 40163, 42003, -1, 40013, 40125, 50002, 99999])
def test_a_refused_code_ends_politely_and_stands_in_the_log_in_words(
    scan: Scan, simulator: SimulatorServer, code: int
) -> None:
    simulator.platform.faults.set(kind="errcode", match="/sns/oauth2/access_token", errcode=code)
    browser = wechat()
    response = go(browser, scan)
    assert response.headers["Location"] == f"{scan.get_absolute_url()}owner/failed/"
    assert browser.get(response.headers["Location"]).status_code == 200
    (call,) = exchanges()
    assert (call.account_id, call.errcode, call.failed) == (scan.account_id, code, True)
    explained = explain_stored(call.errcode, call.error)
    assert explained
    assert explained.title
    assert not Profile.objects.exists()


@pytest.mark.parametrize("kind", ["status", "html", "empty", "cut", "list", "bytes", "close", "lost", "redirect"])
@pytest.mark.parametrize("endpoint", ["/sns/oauth2/access_token", "/sns/userinfo"])
def test_d303_whatever_the_platform_answers_the_page_is_polite(
    scan: Scan, simulator: SimulatorServer, kind: str, endpoint: str
) -> None:
    simulator.platform.faults.set(kind=kind, match=endpoint)
    assert go(wechat(), scan).headers["Location"] == f"{scan.get_absolute_url()}owner/failed/"
    assert the_row().outcome == "failed"
    assert not Profile.objects.exists()


def test_d303_a_code_of_another_account_and_an_invented_one_end_politely(scan: Scan) -> None:
    for code in ("0invented", "x" * 512):
        browser = wechat()
        state = query_of(agree(address(tap(browser, scan))))["state"]
        response = browser.get(BACK, {"code": code, "state": state})
        assert response.headers["Location"].endswith("/owner/failed/")


@pytest.mark.parametrize("code", ["", "x" * 513, "a b", "é", "a\x00"], ids=ascii)
def test_who_comes_back_without_a_code_has_refused(scan: Scan, code: str) -> None:
    browser = wechat()
    state = query_of(agree(address(tap(browser, scan))))["state"]
    response = browser.get(BACK, {"code": code, "state": state} if code else {"state": state})
    assert response.headers["Location"] == f"{scan.get_absolute_url()}owner/refused/"
    assert exchanges() == []


def test_d303_neither_codes_nor_tokens_nor_states_nor_secrets_are_logged(
    scan: Scan, simulator: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    browser = wechat()
    seen = [query_of(agree(address(tap(browser, scan)))) for _time in range(3)]
    caplog.handler.setFormatter(OneLine("%(message)s"))
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)  # it logs whole addresses then
    try:
        browser.get(BACK, seen[0])
        simulator.platform.faults.set(kind="errcode", match="/sns/oauth2/access_token", errcode=40029)
        browser.get(BACK, seen[1])
        simulator.platform.faults.set(kind="close", match="/sns/*")
        browser.get(BACK, seen[2])
        Client().get(BACK, seen[0])
    finally:
        logging.getLogger("urllib3").setLevel(logging.WARNING)
    secret = {value for one in seen for value in one.values()} | {SECRET, *simulator.platform.grants._by_token}
    calls.flush()
    text = caplog.text + str(list(ApiCall.objects.values_list()))
    assert "/sns/oauth2/access_token" in text
    assert not [value for value in secret if value in text]


# D302: nowhere else.


@pytest.mark.parametrize("place", HOSTILE, ids=lambda place: place[:30])
def test_d302_no_parameter_leads_to_another_site(scan: Scan, place: str, settings: Any) -> None:
    names = ("next", "about", "redirect_uri", "return_to", "url", "purpose")
    browser = wechat()
    started = tap(browser, scan, **dict.fromkeys(names, place))
    assert address(started).startswith(f"{settings.WECHAT_OPEN_BASE}/connect/")
    assert query_of(address(started))["redirect_uri"] == f"{settings.PUBLIC_URL}{BACK}"
    back = query_of(agree(address(started)))
    response = browser.get(BACK, {**dict.fromkeys(names, place), **back})
    assert response.headers["Location"] == scan.get_absolute_url()
    assert the_row().about == str(scan.pk)
    assert browser.post(
        f"/s/{quote(place, safe='')}/owner/show", headers={"origin": "http://testserver"}
    ).status_code in (
        400,
        404,
    )


# D304: the session.


def test_d304_a_session_that_was_there_before_gets_another_id(scan: Scan) -> None:
    browser = wechat()
    browser.session.save()
    session = browser.session
    session["x"] = 1
    session.save()
    known = session.session_key
    browser.cookies["sessionid"] = known
    go(browser, scan)
    assert browser.cookies["sessionid"].value != known
    assert not Session.objects.filter(session_key=known).exists()
    thief = wechat()
    thief.cookies["sessionid"] = known
    assert "owner/withdraw" not in thief.get(f"{scan.get_absolute_url()}owner/").content.decode()


def test_staff_stay_signed_in(scan: Scan) -> None:
    browser = wechat()
    browser.force_login(User.objects.create_superuser("boss"))
    go(browser, scan)
    assert browser.get("/admin/").status_code == 200


def test_a_session_begins_when_something_was_granted(scan: Scan, simulator: SimulatorServer) -> None:
    person(simulator, "oStranger")
    browser = wechat()
    go(browser, scan)
    assert "sessionid" not in browser.cookies
    assert not Session.objects.exists()


def test_the_session_holds_no_openid(scan: Scan) -> None:
    go(wechat(), scan)
    assert OPENID not in str(Session.objects.get().get_decoded())


# Who may begin, and how often.


@pytest.mark.parametrize(
    "origin", ["null", "", "https://evil.example", "http://testserver.evil.example", "http://testserver:81"]
)
def test_a_form_of_another_site_begins_nothing(scan: Scan, origin: str) -> None:
    for what in ("show", "prove"):
        assert tap(wechat(), scan, what, origin=origin).status_code == 403
    assert not Authorization.objects.exists()


def test_only_a_post_begins(scan: Scan) -> None:
    assert wechat().get(f"{scan.get_absolute_url()}owner/show").status_code == 405
    assert not Authorization.objects.exists()


def test_a_table_cannot_be_filled(scan: Scan) -> None:
    answers = [tap(wechat(), scan).status_code for _time in range(web_authorization.MOST_OPEN + 3)]
    assert answers == [303] * web_authorization.MOST_OPEN + [429] * 3
    assert Authorization.objects.count() == web_authorization.MOST_OPEN
    Authorization.objects.update(asked_at=timezone.now() - timedelta(minutes=11))
    assert tap(wechat(), scan).status_code == 303


@pytest.mark.parametrize("kind", ["service", "verified_subscription", "subscription"])
def test_an_account_that_may_not_ask_does_not(scan: Scan, kind: str) -> None:
    Account.objects.update(kind=kind)
    for what in ("show", "prove"):
        assert tap(wechat(), scan, what).status_code == 404
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("method", ["post", "head", "put"])
def test_the_way_back_is_a_plain_get(scan: Scan, method: str) -> None:
    browser = wechat()
    url = path_of(agree(address(tap(browser, scan))))
    assert getattr(browser, method)(url).status_code == 405
    assert the_row().used_at is None


def test_an_account_that_does_not_exist_has_no_way_back(scan: Scan) -> None:
    assert Client().get("/wechat/nobody/authorized/").status_code == 404


def test_old_rows_go(scan: Scan) -> None:
    browser = wechat()
    for _time in range(3):
        tap(browser, scan)
    young = Authorization.objects.latest("pk")
    Authorization.objects.exclude(pk=young.pk).update(asked_at=timezone.now() - web_authorization.KEPT)
    assert web_authorization.prune() == 0
    assert list(Authorization.objects.all()) == [young]


# The file that proves whose domain it is.


def test_the_check_file_stands_at_the_root(account: Account, client: Client) -> None:
    name = "MP_verify_aBcD0123EfGh4567.txt"
    assert client.get(f"/{name}").status_code == 404
    conf.save(account, {"wechat_verify_file_name": name, "wechat_verify_file_content": "aBcD0123EfGh4567"})
    response = client.get(f"/{name}")
    assert (response.content, response["Content-Type"]) == (b"aBcD0123EfGh4567", "text/plain; charset=utf-8")
    assert response["X-Content-Type-Options"] == "nosniff"
    for other in ("MP_verify_aBcD0123EfGh4568.txt", "robots.txt", f"x/{name}", f"..%2f{name}"):
        assert client.get(f"/{other}").status_code == 404


def test_without_content_there_is_no_check_file(account: Account, client: Client) -> None:
    conf.save(account, {"wechat_verify_file_name": "a.txt"})
    assert client.get("/a.txt").status_code == 404


@pytest.mark.parametrize(
    "name", ["../a.txt", "a.html", "a b.txt", "/etc/passwd", ".txt", "a.txt\n.txt", "x" * 65 + ".txt"]
)
def test_a_check_file_has_an_innocent_name_and_content(account: Account, name: str) -> None:
    with pytest.raises(conf.ValidationError):
        conf.save(account, {"wechat_verify_file_name": name})
    with pytest.raises(conf.ValidationError):
        conf.save(account, {"wechat_verify_file_content": "<script>"})
