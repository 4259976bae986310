"""The REST interface: creating and reading quotes, what it refuses and how it says so, keys, the schema."""

import io
import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from quotes import QUOTE, Api, quote

from orders.models import ORDERID_MAX, Order, OrderItem
from wechat.models import Account, ApiKey

BAD_VALUES: dict[str, list[Any]] = {
    "orderid": [0, -1, ORDERID_MAX + 1, 10**30, "abc", 1.5, True, [1], {"a": 1}],
    "room_area": ["abc", -1, "NaN", "Infinity", "1e999", 1e9, [], {}, "1.234", ""],
    "total_money": ["abc", -1, "NaN", "-Infinity", "1e999", 10**13, None, [1], {"a": 1}, "1.005"],
    "saved_money": ["abc", "-0.01", "NaN", 10**13, [1]],
    "customer": ["x" * 65, ["a"], {"a": "b"}, "nul\0"],
    "items": ["abc", {"name": "a"}, [1], [[]], [None], [{}], [{"name": "x" * 101, "amount": 1}], [QUOTE]],
    "account": ["nobody", 7, ["demo"], {"slug": "demo"}, "' OR 1=1 --"],
}


@pytest.fixture
def api(account: Account) -> Api:
    """A website with a key that may do everything."""
    return Api("quotes:read", "quotes:write")


def test_creating_a_quote_answers_where_its_page_and_code_are(api: Api) -> None:
    response = api.create(orderid=4711, customer="王女士")
    assert response.status_code == 201
    made, order = response.json(), Order.objects.get()
    assert made["orderid"] == order.orderid == 4711
    page = f"http://127.0.0.1:8000/quotes/{order.key}/"
    assert (made["page_url"], made["qr_url"]) == (page, f"{page}qr.svg")
    assert (made["qr_png_url"], made["status_url"]) == (f"{page}qr.png", f"{page}status")
    assert (made["total_money"], made["market_money"], made["account"]) == ("56000.00", "64000.00", "demo")
    assert len(order.key) >= 22


def test_a_quote_without_a_number_is_given_one(api: Api) -> None:
    numbers = {api.create().json()["orderid"] for _ in range(5)}
    assert len(numbers) == 5
    assert all(1 <= number <= ORDERID_MAX for number in numbers)
    assert set(Order.objects.values_list("orderid", flat=True)) == numbers


def test_the_limits_of_the_number_are_accepted(api: Api) -> None:
    for number in (1, ORDERID_MAX):
        assert api.create(orderid=number).json()["orderid"] == number


def test_a_number_is_taken_once(api: Api) -> None:
    assert api.create(orderid=5).status_code == 201
    again = api.create(orderid=5, total_money=1)
    assert again.status_code == 400
    assert list(again.json()) == ["orderid"]
    assert Order.objects.get().total_money == 56000


@pytest.mark.django_db(transaction=True)
def test_a_number_is_taken_once_also_by_two_at_once(api: Api) -> None:
    start, statuses = threading.Barrier(2), []

    def create() -> None:
        try:
            start.wait()
            statuses.append(api.create(orderid=6).status_code)
        finally:
            connection.close()

    for _ in range(3):
        Order.objects.all().delete()
        statuses.clear()
        threads = [threading.Thread(target=create) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201, 400]


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in BAD_VALUES.items() for v in values], ids=repr)
def test_a_bad_value_is_refused_with_the_name_of_its_field(api: Api, field: str, value: Any) -> None:
    response = api.create(**{field: value})
    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not Order.objects.exists()


@pytest.mark.parametrize("field", ["room_area", "total_money"])
def test_what_every_quote_needs_is_asked_for(api: Api, field: str) -> None:
    content = {name: value for name, value in QUOTE.items() if name != field}
    response = api.create(content)
    assert (response.status_code, list(response.json())) == (400, [field])


def test_all_mistakes_are_told_at_once(api: Api) -> None:
    response = api.create(room_area="x", total_money="y", orderid=0)
    assert set(response.json()) == {"room_area", "total_money", "orderid"}


@pytest.mark.parametrize("extra", ["is_staff", "key", "id", "market_money", "totalMoney", "", "__proto__"])
def test_unknown_fields_are_refused(api: Api, extra: str) -> None:
    response = api.create(**{extra: "1"})
    assert (response.status_code, list(response.json())) == (400, [extra])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"1", b'"text"', b"\xff\xfe", b"NaN", b"a=1&b=2", b"[" * 100_000, b'{"a":' * 5_000],
    ids=lambda body: repr(body[:10]),
)
def test_what_is_no_json_object_is_refused_in_json(api: Api, body: bytes) -> None:
    response = api.create(body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"
    assert response.json()


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000])
def test_numbers_that_are_none_are_refused(api: Api, number: bytes) -> None:
    response = api.create(b'{"room_area": 1, "saved_money": 0, "total_money": %s}' % number)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"


def test_a_huge_body_is_refused(api: Api) -> None:
    response = api.create(json.dumps({**QUOTE, "customer": "x" * 300_000}).encode())
    assert response.status_code == 413
    assert "256" in response.json()["detail"]
    assert not Order.objects.exists()


def test_a_form_is_not_json(api: Api) -> None:
    response = api.client.post("/api/quotes/", QUOTE, headers=api.header)
    assert response.status_code == 415
    assert response.json()


def test_line_items_are_kept_in_their_order(api: Api) -> None:
    items = [{"name": f"item {number}", "amount": number, "unit": "㎡"} for number in (3, 1, 2)]
    response = api.create(items=items)
    assert response.status_code == 201
    assert [item["name"] for item in response.json()["items"]] == ["item 3", "item 1", "item 2"]
    assert OrderItem.objects.count() == 3


def test_a_mistake_in_a_line_item_is_told_where_it_is(api: Api) -> None:
    response = api.create(items=[{"name": "good", "amount": 1}, {"name": "bad", "amount": "x", "price": 1}])
    assert response.status_code == 400
    assert response.json()["items"]
    assert not Order.objects.exists()


def test_too_many_line_items_are_refused(api: Api) -> None:
    response = api.create(items=[{"name": "x", "amount": 1}] * 201)
    assert (response.status_code, list(response.json())) == (400, ["items"])


def test_with_several_accounts_the_quote_must_name_one(api: Api) -> None:
    Account.objects.create(slug="other")
    response = api.create()
    assert (response.status_code, list(response.json())) == (400, ["account"])
    assert api.create(account="other").json()["account"] == "other"


def test_without_any_account_the_answer_says_so(db: None) -> None:
    response = Api("quotes:write").create()
    assert (response.status_code, list(response.json())) == (400, ["account"])


def test_reading_a_quote_tells_its_progress(api: Api, account: Account) -> None:
    quote(account, orderid=77, customer="<b>")
    found = api.read(77).json()
    assert (found["orderid"], found["customer"], found["room_area"]) == (77, "<b>", "80.00")
    assert found["progress"]["state"] in ("waiting", "expired")


@pytest.mark.parametrize("orderid", ["1", "4294967295", "4294967296", "9" * 40, "0", "-1", "abc", "%00", "１"])
def test_an_unknown_quote_is_404(api: Api, orderid: str) -> None:
    assert api.read(orderid).status_code == 404


def test_without_a_valid_key_nothing_is_told(api: Api, account: Account) -> None:
    quote(account)
    revoked, expired = Api("quotes:read", "quotes:write"), Api("quotes:read", "quotes:write")
    ApiKey.objects.filter(pk=revoked.row.pk).update(revoked=True)
    ApiKey.objects.filter(pk=expired.row.pk).update(expiry_date=timezone.now() - timedelta(seconds=1))
    prefix = api.key.partition(".")[0]
    wrong = ["", "Api-Key", "Api-Key ", f"Api-Key {prefix}.wrong", f"Bearer {api.key}", api.key, "Api-Key \xff", "."]
    for header in [*wrong, revoked.header["authorization"], expired.header["authorization"]]:
        api.header = {"authorization": header}
        for response in (api.create(), api.create(b"{"), api.read(77), api.read(78)):
            assert response.status_code in (401, 403), header
            assert list(response.json()) == ["detail"]
    assert Order.objects.count() == 1


def test_a_key_may_do_what_its_scopes_say(account: Account) -> None:
    quote(account)
    reader, writer, neither = Api("quotes:read"), Api("quotes:write"), Api()
    assert [one.read(77).status_code for one in (reader, writer, neither)] == [200, 403, 403]
    assert [one.create().status_code for one in (reader, writer, neither)] == [403, 201, 403]
    assert "quotes:read" in writer.read(77).json()["detail"]


def test_a_login_of_staff_is_no_key(account: Account, admin_client: Client) -> None:
    assert admin_client.get("/api/quotes/77/").status_code in (401, 403)


@pytest.mark.parametrize("path", ["/api/quotes/", "/api/quotes/77/"])
def test_other_methods_are_refused(api: Api, account: Account, path: str) -> None:
    quote(account)
    allowed = {"/api/quotes/": "POST", "/api/quotes/77/": "GET"}[path]
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - {allowed}:
        assert api.client.generic(method, path, headers=api.header).status_code == 405, method
    assert Order.objects.count() == 1


def test_there_is_no_browsable_page(api: Api, account: Account) -> None:
    quote(account)
    browser = {**api.header, "accept": "text/html"}
    for path in ("/api/quotes/77/", "/api/quotes/77/?format=api", "/api/quotes/77/?format=html"):
        response = api.client.get(path, headers=browser)
        assert b"<html" not in response.content
    assert api.client.get("/api/", headers=browser).status_code == 404


def test_the_schema_is_valid_and_describes_the_calls(api: Api) -> None:
    response = api.client.get("/api/schema/?format=json")
    assert response.status_code == 200
    schema = response.json()
    validate_schema(schema)
    create, read = schema["paths"]["/api/quotes/"]["post"], schema["paths"]["/api/quotes/{orderid}/"]["get"]
    assert "201" in create["responses"]
    assert "200" in read["responses"]
    fields = schema["components"]["schemas"]["Quote"]["properties"]
    assert {"orderid", "room_area", "total_money", "saved_money", "items", "customer", "account"} <= set(fields)
    answered = set(api.create(items=[]).json())
    assert answered == set(fields), "the schema tells every field of the answer"


def test_the_documentation_opens_without_third_parties(client: Client, db: None) -> None:
    response = client.get("/api/docs/")
    assert response.status_code == 200
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', response.content.decode())
    script = client.get("/api/docs/?script=")
    assert script.status_code == 200
    assert "unsafe-inline" not in response["Content-Security-Policy"].split("script-src")[1].split(";")[0]


def test_a_key_is_shown_once_and_only_its_hash_is_kept(account: Account) -> None:
    out, words = io.StringIO(), io.StringIO()
    call_command("apikey", "website", "--scope", "quotes:read", stdout=out, stderr=words)
    key = out.getvalue().strip()
    assert len(key) > 30
    assert key not in words.getvalue()
    row = ApiKey.objects.get()
    assert (row.name, row.scopes) == ("website", ["quotes:read"])
    assert key.partition(".")[2] not in json.dumps({field: str(value) for field, value in vars(row).items()})
    assert Client().get("/api/quotes/1/", headers={"authorization": f"Api-Key {key}"}).status_code == 404


_text = st.text(max_size=20)
_any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=8,
)
_likely = st.fixed_dictionaries({}, optional=dict.fromkeys((*QUOTE, "orderid", "items", "customer"), _any_json))


@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=_any_json | _likely | _likely.map(lambda some: {**QUOTE, **some}))
def test_no_json_whatever_makes_a_server_error(api: Api, content: Any) -> None:
    response = api.create(json.dumps(content).encode(errors="surrogatepass"))
    assert response.status_code in (201, 400)
    assert response.json()
