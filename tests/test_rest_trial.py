"""POST /api/rules/try/: what a message would be answered, told to a program; nothing is sent, nothing kept."""

import json
from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID
from django.apps import apps
from django.test import Client
from django.utils import timezone
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from quotes import Api

from orders.models import Order
from wechat import conf
from wechat.models import Account, ApiKey, Follower, Rule
from wechat.trial import KINDS

HOSTILE = "<script>alert(1)</script> ]]> =1+1 ‮x 👍🏽"


def text(content: str) -> dict[str, Any]:
    return {"kind": "text", "content": content}


def rule(account: Account, name: str, *keywords: tuple[str, str], answers: Any = None, **values: Any) -> Rule:
    words = [{"kind": kind, "text": word} for kind, word in keywords]
    given = [text(name)] if answers is None else answers
    return Rule.objects.create(account=account, name=name, keywords=words, answers=given, **values)


def counts() -> dict[str, int]:
    """The rows of every table."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


class Trying(Api):
    """A program that tries messages."""

    def post(self, data: Any) -> Any:
        return self.client.post("/api/rules/try/", data, content_type="application/json", headers=self.header)

    def attempt(self, **fields: Any) -> dict[str, Any]:
        """Try it; every table has as many rows as before."""
        before = counts()
        response = self.post(fields)
        assert response.status_code == 200, response.content
        assert counts() == before
        return dict(response.json())


@pytest.fixture
def api(account: Account) -> Trying:
    return Trying("rules:try")


def test_a_text_is_told_its_rule_its_answer_and_the_reasons(api: Trying, account: Account) -> None:
    price = rule(account, "price", ("exact", "报价"), answers=[text("700 元")])
    other = rule(account, "other", ("contains", "报"), priority=-1)
    off = rule(account, "off", ("exact", "报价"), enabled=False)
    rule(account, "else", ("exact", "x"))
    tried = api.attempt(type="text", content="报价")
    assert tried["asked"] == [{"text": "报价", "source": None, "handle": "text", "scene": None}]
    assert (tried["winner"], tried["answered_by"], tried["candidates"]) == (price.pk, "rule", [price.pk, other.pk])
    assert tried["answer"] == text("700 元")
    assert "700 元" in tried["answer_xml"]
    assert [(one["name"], one["matched"]) for one in tried["rules"]] == [
        ("price", True),
        ("other", True),
        ("off", False),
        ("else", False),
    ]
    assert tried["rules"][0]["keyword"] == {"kind": "exact", "text": "报价"}
    assert tried["rules"][2]["id"] == off.pk
    assert all(one["reason"] for one in tried["rules"])
    assert (tried["considered"], tried["error"], tried["effects"]) == (4, "", [])


@pytest.mark.parametrize(
    ("event", "fields", "keyword"),
    [
        ("CLICK", {"key": "PRICES"}, ("event_key", "PRICES")),
        ("click", {"key": "PRICES"}, ("event_key", "PRICES")),
        ("SCAN", {"scene": "sales-7"}, ("scene", "sales-7")),
        ("subscribe", {"scene": "sales-7"}, ("scene", "sales-7")),
        ("subscribe", {}, ("message_type", "subscribe")),
        ("scancode_waitmsg", {"key": "TILES", "result": "690"}, ("exact", "690")),
        ("location_select", {"key": "WHERE"}, ("event_key", "WHERE")),
        ("pic_photo_or_album", {"key": "PLAN"}, ("event_key", "PLAN")),
    ],
)
def test_an_event_is_tried_as_the_platform_names_it(
    api: Trying, account: Account, event: str, fields: dict[str, str], keyword: tuple[str, str]
) -> None:
    meant = rule(account, "meant", keyword)
    assert api.attempt(type="event", event=event, **fields)["winner"] == meant.pk


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_tried(api: Trying, account: Account, name: str) -> None:
    kind = KINDS[name]
    named = {"type": "event", "event": kind.event} if kind.event else {"type": name}
    tried = api.attempt(**named, **dict.fromkeys(kind.fields, "1"))
    assert tried["error"] == ""


def test_a_recognised_voice_is_asked_as_text(api: Trying, account: Account) -> None:
    rule(account, "price", ("contains", "报价"))
    tried = api.attempt(type="voice", content="我要报价")
    assert tried["asked"] == [{"text": "我要报价", "source": "voice", "handle": "voice", "scene": None}]
    assert tried["answer"] == text("price")


def test_the_moment_decides_about_days_and_hours(api: Trying, account: Account) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    rule(account, "tomorrow", ("exact", "x"), starts_on=tomorrow, ends_on=tomorrow)
    now = api.attempt(type="text", content="x")
    assert now["winner"] is None
    assert now["rules"][0]["keyword"] is not None
    assert api.attempt(type="text", content="x", at=f"{tomorrow}T12:00:00+08:00")["answer"] == text("tomorrow")


def test_a_follower_is_greeted_by_his_name(api: Trying, account: Account) -> None:
    now = timezone.now()
    Follower.objects.create(account=account, openid=OPENID, nickname="小李", first_seen=now, last_seen=now)
    rule(account, "hello", ("exact", "x"), answers=[text("##NICKNAME##!")])
    assert api.attempt(type="text", content="x", openid=OPENID)["answer"] == text("小李!")
    assert api.attempt(type="text", content="x")["answer"] == text("!")


def test_what_follows_the_answer_is_told_and_not_sent(api: Trying, account: Account) -> None:
    rule(account, "two", ("exact", "x"), answers=[text("first"), text("second")])
    tried = api.attempt(type="text", content="x")
    assert tried["answer"] == text("first")
    assert [(one["purpose"], one["content"]) for one in tried["effects"]] == [("rule", text("second"))]


def test_the_default_reply_and_silence_are_told(api: Trying, account: Account) -> None:
    assert (api.attempt(type="text", content="x")["answer"], api.attempt(type="text", content="x")["answered_by"]) == (
        None,
        "",
    )
    conf.save(account, {"wechat_default_reply": "write 报价"})
    tried = api.attempt(type="text", content="x")
    assert (tried["answered_by"], tried["answer"]) == ("default", text("write 报价"))


def test_a_quote_is_not_read_through_its_number(api: Trying, account: Account, order: Order, worker_alive: Any) -> None:
    conf.save(account, {"wechat_welcome_text": "for ##CUSTOMER##"})
    for event in ("SCAN", "subscribe"):
        tried = api.attempt(type="event", event=event, scene="77")
        assert tried["private"]
        assert (tried["answer"], tried["answer_xml"], tried["effects"]) == (None, "", [])
        assert "56" not in json.dumps({**tried, "milliseconds": 0})
    assert not api.attempt(type="event", event="SCAN", scene="78-nobodys")["private"]


def test_of_many_rules_the_matching_and_the_first_others_are_told(api: Trying, account: Account) -> None:
    for number in range(60):
        rule(account, f"other {number}", ("exact", f"y{number}"))
        rule(account, f"match {number}", ("contains", "x"))
    tried = api.attempt(type="text", content="x")
    assert [one["matched"] for one in tried["rules"]] == [True] * 60 + [False] * 50
    assert tried["considered"] == 120
    assert len(tried["candidates"]) == 3


def test_hostile_texts_come_back_as_they_are(api: Trying, account: Account) -> None:
    rule(account, HOSTILE[:60], ("exact", HOSTILE), answers=[text("##TEXT##" + HOSTILE)])
    tried = api.attempt(type="text", content=HOSTILE)
    assert tried["asked"][0]["text"] == HOSTILE
    assert tried["rules"][0]["name"] == HOSTILE[:60]
    assert HOSTILE in tried["answer"]["content"]
    assert "]]]]><![CDATA[>" in tried["answer_xml"]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("type", {}),
    ("type", {"type": "shout"}),
    ("type", {"type": ["text"]}),
    ("content", {"type": "text"}),
    ("content", {"type": "text", "content": " \n "}),
    ("content", {"type": "text", "content": "x" * 2049}),
    ("content", {"type": "text", "content": "nul\0"}),
    ("content", {"type": "text", "content": ["x"]}),
    ("content", {"type": "event", "event": "CLICK", "key": "k", "content": "x"}),
    ("event", {"type": "event"}),
    ("event", {"type": "event", "event": "annual_renew"}),
    ("event", {"type": "event", "event": 7}),
    ("event", {"type": "text", "content": "x", "event": "CLICK"}),
    ("key", {"type": "event", "event": "CLICK"}),
    ("scene", {"type": "event", "event": "SCAN"}),
    ("scene", {"type": "event", "event": "SCAN", "scene": "x" * 65}),
    ("scene", {"type": "text", "content": "x", "scene": "7"}),
    ("url", {"type": "link"}),
    ("openid", {"type": "text", "content": "x", "openid": "no such thing"}),
    ("at", {"type": "text", "content": "x", "at": "tomorrow"}),
    ("at", {"type": "text", "content": "x", "at": "1999-12-31T00:00:00Z"}),
    ("at", {"type": "text", "content": "x", "at": "0001-01-01T00:00:00+14:00"}),
    ("at", {"type": "text", "content": "x", "at": "9999-12-31T23:59:59Z"}),
    ("account", {"type": "text", "content": "x", "account": "nobody"}),
    ("contents", {"type": "text", "content": "x", "contents": "x"}),
]


@pytest.mark.parametrize(("field", "data"), WRONG, ids=lambda value: str(value)[:60])
def test_a_mistake_is_told_by_the_name_of_its_field(api: Trying, field: str, data: dict[str, Any]) -> None:
    response = api.post(data)
    assert response.status_code == 400
    assert list(response.json()) == [field]


def test_several_mistakes_are_told_at_once(api: Trying) -> None:
    response = api.post({"type": "text", "content": "x" * 3000, "openid": "?", "at": "?"})
    assert set(response.json()) == {"content", "openid", "at"}


def test_with_several_accounts_one_must_be_named(api: Trying, account: Account) -> None:
    other = Account.objects.create(slug="other")
    theirs = rule(other, "theirs", ("exact", "x"))
    assert list(api.post({"type": "text", "content": "x"}).json()) == ["account"]
    assert api.attempt(type="text", content="x", account="other")["winner"] == theirs.pk
    assert api.attempt(type="text", content="x", account="demo")["winner"] is None


def test_only_a_key_with_the_scope_may_try(account: Account, admin_client: Client) -> None:
    data = {"type": "text", "content": "x"}
    assert Trying("rules:try").post(data).status_code == 200
    refused = Trying("quotes:read", "quotes:write").post(data)
    assert refused.status_code == 403
    assert "rules:try" in refused.json()["detail"]
    revoked = Trying("rules:try")
    ApiKey.objects.filter(pk=revoked.row.pk).update(revoked=True)
    assert revoked.post(data).status_code in (401, 403)
    assert admin_client.post("/api/rules/try/", data, content_type="application/json").status_code in (401, 403)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused(api: Trying, method: str) -> None:
    assert api.client.generic(method, "/api/rules/try/", headers=api.header).status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"NaN", b"[" * 100_000, b'{"a":' * 5_000])
def test_what_is_no_json_object_is_refused_in_json(api: Trying, body: bytes) -> None:
    response = api.post(body)
    assert response.status_code == 400
    assert response.json()


def test_the_schema_describes_the_call_and_every_field_of_its_answer(api: Trying, account: Account) -> None:
    schema = api.client.get("/api/schema/?format=json").json()
    validate_schema(schema)
    call = schema["paths"]["/api/rules/try/"]["post"]
    assert {"200"} <= set(call["responses"])
    parts = schema["components"]["schemas"]
    assert {"type", "event", "content", "key", "scene", "openid", "at", "account"} <= set(parts["Try"]["properties"])
    assert set(api.attempt(type="text", content="x")) == set(parts["Tried"]["properties"])


_text = st.text(max_size=20)
_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_names = ("account", "event", "content", "key", "scene", "result", "url", "latitude", "longitude", "openid", "at")
_likely = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "event", "voice"]) | _any}, optional=dict.fromkeys(_names, _any)
)


@effort(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=_any | _likely)
def test_no_json_whatever_makes_a_server_error(api: Trying, content: Any) -> None:
    response = api.post(json.dumps(content).encode(errors="surrogatepass"))
    assert response.status_code in (200, 400)
    assert response.json()
