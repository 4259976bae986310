"""The configuration as one file: what is in it, what is refused, what an import changes, and who may do it."""

import copy
import json
import time
from contextlib import suppress
from datetime import date
from datetime import time as clock
from typing import Any

import pytest
from callback import SECRET, TOKEN
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from wechat import conf, portable, strictjson
from wechat.models import Account, ConfigRow, Membership, Rule

HOSTILE = "<script>alert(1)</script>]]>=1+1‮x👍🏽\n\u2066"
Document = dict[str, Any]


def text(content: str) -> dict[str, Any]:
    return {"kind": "text", "content": content}


def rule(account: Account, name: str, **values: Any) -> Rule:
    usual = {"keywords": [{"kind": "exact", "text": name}], "answers": [text(f"answer of {name}")]}
    return Rule.objects.create(account=account, name=name, **{**usual, **values})


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("importer")


@pytest.fixture
def filled(account: Account) -> Account:
    """`demo` with texts and with rules that have everything a rule can have."""
    conf.save(account, {"wechat_welcome_text": "Welcome", "wechat_message_title": "Your quote"})
    rule(account, "price", priority=7, enabled=False, choice="random")
    rule(
        account,
        "season",
        keywords=[{"kind": "regex", "text": "^[0-9]{6}$"}, {"kind": "takeover", "text": ""}],
        answers=[
            {"kind": "news", "articles": [{"title": "t", "description": "d", "url": "https://x.com/", "picurl": ""}]},
            {"kind": "transfer_customer_service", "account": "kf1@demo"},
        ],
        starts_on=date(2026, 1, 2),
        ends_on=date(2026, 2, 3),
        from_time=clock(9, 30),
        until_time=clock(18),
    )
    return account


@pytest.fixture
def other(db: None) -> Account:
    return Account.objects.create(slug="other", name="另一个")


def document(account: Account) -> Document:
    """The export, as it is after a way through a file."""
    return dict(strictjson.read(json.dumps(portable.export(account)).encode()))


def kinds(found: list[portable.Difference]) -> list[tuple[str, str]]:
    return [(one.name, one.kind) for one in found]


def test_the_file_has_texts_rules_and_a_place_for_menus(filled: Account) -> None:
    exported = document(filled)
    assert exported["format"] == "wxhub-config"
    assert exported["version"] == 1
    assert exported["account"] == {"slug": "demo", "name": "示例"}
    assert exported["texts"] == {"wechat_message_title": "Your quote", "wechat_welcome_text": "Welcome"}
    assert [each["name"] for each in exported["rules"]] == ["price", "season"]
    assert exported["rules"][1]["starts_on"] == "2026-01-02"
    assert exported["rules"][1]["from_time"] == "09:30:00"
    assert exported["menus"] == []


def test_nothing_secret_and_nothing_of_the_connection_is_in_it(filled: Account) -> None:
    exported = json.dumps(portable.export(filled))
    secrets = list(filled.rows.filter(conf_name__startswith="public_wechat").values_list("conf_value", flat=True))
    assert len(secrets) >= 4
    for value in (SECRET, TOKEN, *secrets):
        assert value not in exported
    assert "public_wechat" not in exported


def test_an_account_is_the_same_as_its_own_file(filled: Account) -> None:
    assert portable.differences(filled, document(filled)) == []


def test_an_import_makes_another_account_the_same(filled: Account, other: Account, user: User) -> None:
    found = portable.differences(other, document(filled))
    assert {one.kind for one in found} == {"new"}
    portable.apply(other, document(filled), user=user)
    assert portable.differences(other, document(filled)) == []
    assert {**document(other), "account": None} == {**document(filled), "account": None}


def test_among_equals_the_newest_stays_the_newest(account: Account, other: Account, user: User) -> None:
    for name in ("b", "a", "c"):
        rule(account, name)
    portable.apply(other, document(account), user=user)
    assert list(other.rules.order_by("pk").values_list("name", flat=True)) == ["b", "a", "c"]


def test_the_differences_are_told_field_by_field(filled: Account) -> None:
    wanted = document(filled)
    wanted["texts"]["wechat_welcome_text"] = "Hello"
    wanted["rules"][0]["priority"] = 9
    wanted["rules"].append({"name": "new", "keywords": [{"kind": "exact", "text": "n"}], "answers": [text("n")]})
    del wanted["rules"][1]
    found = portable.differences(filled, wanted)
    assert kinds(found) == [
        ("wechat_welcome_text", "changed"),
        ("price", "changed"),
        ("new", "new"),
        ("season", "only_here"),
    ]
    assert [(change.field, change.old, change.new) for change in found[1].changes] == [("priority", 7, 9)]
    assert [(change.old, change.new) for change in found[0].changes] == [("Welcome", "Hello")]


def test_what_only_is_here_stays_unless_it_is_to_be_removed(filled: Account, user: User) -> None:
    wanted = {**document(filled), "rules": [], "texts": {}}
    portable.apply(filled, wanted, user=user)
    assert filled.rules.count() == 2
    portable.apply(filled, wanted, user=user, remove=True)
    assert filled.rules.count() == 0
    config = conf.account("demo")
    assert config is not None
    assert config.get("wechat_welcome_text") == ""
    assert config.appid, "the connection stays"


def test_a_part_that_the_file_lacks_is_left_alone(filled: Account, user: User) -> None:
    wanted = document(filled)
    del wanted["rules"], wanted["texts"]
    assert portable.differences(filled, wanted) == []
    portable.apply(filled, wanted, user=user, remove=True)
    assert filled.rules.count() == 2


def test_an_empty_text_clears_one_and_is_no_difference_from_none(filled: Account, user: User) -> None:
    wanted = {**document(filled), "texts": {"wechat_welcome_text": "", "wechat_default_reply": ""}}
    assert kinds(portable.differences(filled, wanted))[0] == ("wechat_welcome_text", "changed")
    portable.apply(filled, wanted, user=user)
    assert ConfigRow.objects.get(account=filled, conf_name="wechat_welcome_text").conf_value == ""


def test_what_changed_is_answered_at_once(filled: Account, user: User) -> None:
    stamp = Account.objects.get(pk=filled.pk).rules_stamp
    wanted = document(filled)
    wanted["rules"][0]["priority"] = 9
    portable.apply(filled, wanted, user=user)
    assert Account.objects.get(pk=filled.pk).rules_stamp > stamp
    changed = Rule.objects.get(name="price")
    assert changed.priority == 9
    assert changed.updated_at > changed.created_at


def test_the_history_says_who_imported_what(filled: Account, user: User) -> None:
    wanted = document(filled)
    wanted["rules"][0]["priority"] = 9
    del wanted["rules"][1]
    wanted["rules"].append({"name": "new", "keywords": [], "answers": [], "enabled": False})
    wanted["texts"]["wechat_welcome_text"] = "Hello"
    portable.apply(filled, wanted, user=user, remove=True)
    history = Rule.history.filter(history_user=user)
    assert {(row.name, row.history_type) for row in history} == {("price", "~"), ("new", "+"), ("season", "-")}
    assert all(row.history_change_reason for row in history)
    assert filled.history.filter(history_user=user).exists()


def test_nothing_is_applied_when_somebody_changed_something_since(filled: Account, user: User) -> None:
    wanted = {**document(filled), "rules": []}
    seen = portable.state(filled)
    rule(filled, "meanwhile")
    with pytest.raises(portable.Moved):
        portable.apply(filled, wanted, user=user, remove=True, seen=seen)
    assert filled.rules.count() == 3
    portable.apply(filled, wanted, user=user, remove=True, seen=portable.state(filled))
    assert filled.rules.count() == 0


def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    filled: Account, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(portable.Section):
        key, label, fields = "broken", "Broken", {"x": "X"}

        def current(self, account: Account) -> portable.Items:
            return {}

        def dump(self, items: portable.Items) -> Any:
            return {}

        def read(self, data: Any) -> portable.Items:
            return dict(data)

        def put(self, account: Account, items: portable.Items, user: Any) -> None:
            raise RuntimeError("boom")

        def remove(self, account: Account, names: Any, user: Any) -> None:
            raise AssertionError

    monkeypatch.setitem(portable.sections, "broken", Broken())
    wanted = {**document(filled), "rules": [], "broken": {"a": {"x": 1}}}
    with pytest.raises(RuntimeError):
        portable.apply(filled, wanted, user=user, remove=True)
    assert filled.rules.count() == 2


def changed(**values: Any) -> Any:
    """A change of the first rule of a document."""

    def change(wanted: Document) -> None:
        wanted["rules"][0].update(values)

    return change


def put(**values: Any) -> Any:
    """A change of the document itself."""
    return lambda wanted: wanted.update(values)


REFUSED: list[tuple[str, Any]] = [
    ("another format", put(format="other")),
    ("no format", lambda wanted: wanted.pop("format")),
    ("another version", put(version=2)),
    ("a version that is no number", put(version=True)),
    ("an unknown part", put(secrets={})),
    ("an account that is none", put(account="demo")),
    ("an account with a secret", put(account={"slug": "demo", "appsecret": "x"})),
    ("texts that are none", put(texts=[])),
    ("an unknown text", put(texts={"wechat_nonsense": "x"})),
    ("a secret", put(texts={"public_wechat_appsecret": "x" * 32})),
    ("a row of the connection", put(texts={"public_wechat_appid": "wx0123456789abcdef"})),
    ("a text that is no text", put(texts={"wechat_welcome_text": 5})),
    ("a text that its check refuses", put(texts={"wechat_message_picurl": "javascript:alert(1)"})),
    ("rules that are no list", put(rules={})),
    ("a rule that is none", put(rules=[5])),
    ("menus, which are not known yet", put(menus=[{"name": "x"}])),
    ("a rule without a name", changed(name="")),
    ("a rule with a long name", changed(name="x" * 61)),
    ("a name that is no text", changed(name=5)),
    ("two rules of one name", changed(name="season")),
    ("an unknown field", changed(priorty=5)),
    ("its number", changed(id=1)),
    ("another account", changed(account=1)),
    ("a switch that is none", changed(enabled="yes")),
    ("a priority that is none", changed(priority="5")),
    ("a priority that is a switch", changed(priority=True)),
    ("a priority out of range", changed(priority=1001)),
    ("a priority beyond every number", changed(priority=10**30)),
    ("an unknown choice", changed(choice="some")),
    ("a day that is none", changed(starts_on="2026-02-30")),
    ("a day that is a number", changed(starts_on=20260101)),
    ("an hour that is none", changed(from_time="25:00")),
    ("keywords that are no list", changed(keywords={})),
    ("a keyword that is none", changed(keywords=["报价"])),
    ("a keyword with more", changed(keywords=[{"kind": "exact", "text": "x", "case": True}])),
    ("a keyword of an unknown kind", changed(keywords=[{"kind": "fuzzy", "text": "x"}])),
    ("a keyword without text", changed(keywords=[{"kind": "exact", "text": " "}])),
    ("a broken expression", changed(keywords=[{"kind": "regex", "text": "("}])),
    ("answers that are no list", changed(answers={})),
    ("an answer of an unknown kind", changed(answers=[{"kind": "poem"}])),
    ("an empty answer", changed(answers=[text("")])),
    ("an unknown program", changed(answers=[{"kind": "handler", "name": "nobody"}])),
    ("a dangerous link", changed(answers=[{"kind": "news", "articles": [{"title": "t", "url": "javascript:x"}]}])),
]


@pytest.mark.parametrize(("what", "change"), REFUSED, ids=[what for what, _c in REFUSED])
def test_what_is_wrong_in_a_file_is_refused_in_words(filled: Account, user: User, what: str, change: Any) -> None:
    wanted, before = copy.deepcopy(document(filled)), document(filled)
    change(wanted)
    with pytest.raises(ValidationError) as refused:
        portable.differences(filled, wanted)
    assert all(len(message) > 5 for message in refused.value.messages)
    with pytest.raises(ValidationError):
        portable.apply(filled, wanted, user=user)
    assert document(filled) == before


def test_a_mistake_names_its_rule_and_all_are_told_at_once(filled: Account) -> None:
    wanted = document(filled)
    wanted["rules"][0]["keywords"] = [{"kind": "regex", "text": "["}]
    wanted["rules"][1]["answers"] = [text("")]
    wanted["texts"]["nonsense"] = ""
    with pytest.raises(ValidationError) as refused:
        portable.read(wanted)
    messages = refused.value.messages
    assert len(messages) == 3
    assert any(message.startswith("price:") for message in messages)
    assert any(message.startswith("season:") for message in messages)


def test_of_a_thousand_mistakes_the_first_are_told(account: Account) -> None:
    wanted = {**document(account), "rules": [{"name": f"r{number}", "priority": "x"} for number in range(1000)]}
    with pytest.raises(ValidationError) as refused:
        portable.read(wanted)
    assert len(refused.value.messages) < 30
    assert "980" in refused.value.messages[-1]


BAD_FILES: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("no JSON", b"hello"),
    ("half a file", b'{"format": "wxhub-config", '),
    ("UTF-16", '{"format": "x"}'.encode("utf-16")),
    ("Latin-1", '{"format": "é"}'.encode("latin-1")),
    ("a field twice", b'{"format": "wxhub-config", "version": 1, "version": 1}'),
    ("a field of a rule twice", b'{"rules": [{"name": "a", "name": "b"}]}'),
    ("NaN", b'{"version": NaN}'),
    ("Infinity", b'{"version": -Infinity}'),
    ("1e999", b'{"version": 1e999}'),
    ("a number of 5,000 digits", b'{"version": ' + b"9" * 5000 + b"}"),
    ("a deep list", b"[" * 100_000),
    ("a deep list that ends", b"[" * 500 + b"]" * 500),
    ("a deep object", b'{"a":' * 5000 + b"1" + b"}" * 5000),
    ("half a surrogate pair", b'{"texts": {"wechat_welcome_text": "\\ud83d"}}'),
    ("a NUL", b'{"texts": {"wechat_welcome_text": "a\\u0000"}}'),
    ("a NUL in a name", b'{"a\\u0000": 1}'),
    ("5 MB and a byte", b'"' + b"x" * (5 * 1024 * 1024) + b'"'),
]


@pytest.mark.parametrize(("what", "raw"), BAD_FILES, ids=[what for what, _raw in BAD_FILES])
def test_a_file_that_is_no_proper_json_is_refused_in_words(what: str, raw: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        strictjson.read(raw)
    assert refused.value.messages


def test_a_mark_at_the_beginning_of_the_file_is_no_mistake() -> None:
    assert strictjson.read(b'\xef\xbb\xbf{"a": [1, "\\ud83d\\ude00"]}') == {"a": [1, "😀"]}


def test_hostile_texts_travel_as_they_are(account: Account, other: Account, user: User) -> None:
    name = "<b>=1+1]]>‮👍🏽"
    rule(account, name, keywords=[{"kind": "contains", "text": HOSTILE.strip()}], answers=[text(HOSTILE)])
    conf.save(account, {"wechat_welcome_text": HOSTILE.strip()})
    portable.apply(other, document(account), user=user)
    copied = other.rules.get()
    assert (copied.name, copied.answers) == (name, [text(HOSTILE)])


def test_thousands_of_rules_are_compared_and_written_in_seconds(account: Account, other: Account, user: User) -> None:
    Rule.objects.bulk_create(
        Rule(account=account, name=f"r{n}", keywords=[{"kind": "exact", "text": f"k{n}"}], answers=[text("a")])
        for n in range(3_000)
    )
    wanted, began = document(account), time.process_time()
    portable.apply(other, wanted, user=user)
    for each in wanted["rules"]:
        each["priority"] = 3
    portable.apply(other, wanted, user=user)
    assert time.process_time() - began < 9
    assert other.rules.filter(priority=3).count() == 3_000


_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
_rule = st.dictionaries(
    st.sampled_from(["name", "enabled", "priority", "keywords", "answers", "choice", "starts_on"]), _any
)
_parts = st.fixed_dictionaries({}, optional={"texts": _any, "rules": st.lists(_rule, max_size=3) | _any, "menus": _any})


@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=_parts)
def test_whatever_stands_in_a_document_is_read_or_refused(account: Account, parts: Any) -> None:
    with suppress(ValidationError):  # any other exception fails the test
        portable.read({"format": "wxhub-config", "version": 1, "account": {}, **parts})


# The pages


def member(account: Account, *rights: str) -> Client:
    """Staff of this account with these rights."""
    kind = ContentType.objects.get_for_model(Account)
    Permission.objects.get_or_create(codename="change_account_texts", content_type=kind)
    user = User.objects.create_user(f"member{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


def upload(client: Client, account: Account, content: Any) -> Any:
    """Choose a file on the page; bytes go as they are, a document as JSON."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    data = {"into-account": account.pk, "into-file": SimpleUploadedFile("config.json", raw, "application/json")}
    return client.post(reverse("admin:wechat_rule_import"), data)


def confirm(client: Client, response: Any, **boxes: str) -> Any:
    """Press the button below the differences."""
    return client.post(reverse("admin:wechat_rule_apply"), {"draft": response.context["draft"], **boxes}, follow=True)


WRITER = ("view_rule", "add_rule", "change_rule", "change_account_texts")


def test_the_file_is_downloaded_with_the_account_and_the_day_in_its_name(staff: Client, filled: Account) -> None:
    response = staff.get(reverse("admin:wechat_rule_export"), {"account": filled.pk})
    assert response["Content-Type"].startswith("application/json")
    assert f"wxhub-demo-{date.today():%Y}" in response["Content-Disposition"]  # noqa: DTZ011
    assert strictjson.read(response.content) == document(filled)


def test_an_import_is_shown_first_and_applied_then(staff: Client, filled: Account) -> None:
    wanted = document(filled)
    wanted["rules"][0]["priority"] = 42
    wanted["rules"][0]["answers"] = [text("brand new")]
    shown = upload(staff, filled, wanted)
    assert shown.status_code == 200
    page = shown.content.decode()
    assert "brand new" in page
    assert "answer of price" in page
    assert Rule.objects.get(name="price").priority == 7
    done = confirm(staff, shown)
    assert Rule.objects.get(name="price").priority == 42
    assert [message.level_tag for message in done.context["messages"]] == ["success"]
    assert Rule.history.filter(name="price").first().history_user.username == "boss"
    assert LogEntry.objects.filter(object_id=str(filled.pk)).exists()
    assert not Session.objects.filter(session_key=shown.context["draft"]).exists()


def test_what_only_is_here_goes_only_when_the_box_is_ticked(staff: Client, filled: Account) -> None:
    wanted = {**document(filled), "rules": []}
    confirm(staff, upload(staff, filled, wanted))
    assert filled.rules.count() == 2
    confirm(staff, upload(staff, filled, wanted), remove="on")
    assert filled.rules.count() == 0


def test_who_may_not_delete_rules_cannot_by_an_import(filled: Account) -> None:
    editor = member(filled, *WRITER)
    shown = upload(editor, filled, {**document(filled), "rules": []})
    assert 'name="remove"' not in shown.content.decode()
    confirm(editor, shown, remove="on")
    assert filled.rules.count() == 2


def test_a_change_in_between_shows_the_differences_again(staff: Client, filled: Account) -> None:
    wanted = document(filled)
    wanted["rules"][0]["priority"] = 42
    shown = upload(staff, filled, wanted)
    rule(filled, "meanwhile")
    again = confirm(staff, shown)
    assert Rule.objects.get(name="price").priority == 7
    assert "meanwhile" in again.content.decode()
    confirm(staff, again)
    assert Rule.objects.get(name="price").priority == 42


def test_a_file_is_applied_once_and_by_its_owner_only(staff: Client, filled: Account) -> None:
    wanted = document(filled)
    wanted["rules"][0]["priority"] = 42
    shown = upload(staff, filled, wanted)
    refused = confirm(member(filled, *WRITER), shown)
    assert [message.level_tag for message in refused.context["messages"]] == ["error"]
    assert Rule.objects.get(name="price").priority == 7
    confirm(staff, shown)
    Rule.objects.update(priority=7)
    confirm(staff, shown)
    assert Rule.objects.get(name="price").priority == 7
    for draft in ("", "x" * 32, staff.session.session_key):
        assert staff.post(reverse("admin:wechat_rule_apply"), {"draft": draft}, follow=True).status_code == 200
    assert staff.get(reverse("admin:index")).status_code == 200, "the session itself is no draft"


def test_a_large_file_goes_the_whole_way(staff: Client, filled: Account) -> None:
    wanted = {**document(filled), "rules": []}
    long = "长" * 600
    wanted["rules"] = [{"name": f"r{n}", "keywords": [], "answers": [text(long)], "enabled": False} for n in range(600)]
    assert len(json.dumps(wanted)) > 2_000_000
    shown = upload(staff, filled, wanted)
    assert shown.content.decode().count("<details") <= 201
    confirm(staff, shown)
    assert filled.rules.count() == 602


@pytest.mark.parametrize(("what", "raw"), BAD_FILES, ids=[what for what, _raw in BAD_FILES])
def test_a_bad_file_is_refused_at_its_box(staff: Client, account: Account, what: str, raw: bytes) -> None:
    response = upload(staff, account, raw)
    assert response.status_code == 422
    assert list(response.context["upload"].errors) == ["file"]


def test_hostile_texts_are_shown_as_text(staff: Client, filled: Account) -> None:
    odd = {"name": "<img src=x>", "keywords": [{"kind": "contains", "text": HOSTILE}], "answers": [text(HOSTILE)]}
    head = {"slug": HOSTILE, "name": HOSTILE}
    wanted = {**document(filled), "account": head, "texts": {"wechat_welcome_text": HOSTILE}, "rules": [odd]}
    page = upload(staff, filled, wanted).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;alert(1)" in page
    odd["priority"] = HOSTILE
    odd["name"] = HOSTILE[:40]
    page = upload(staff, filled, wanted).content.decode()
    assert "<script>alert" not in page


def test_media_of_another_account_are_warned_of(staff: Client, filled: Account) -> None:
    wanted = document(filled)
    wanted["rules"][0]["answers"] = [{"kind": "image", "media": "MEDIA"}]
    assert upload(staff, filled, wanted).context["foreign_media"] == []
    wanted["account"] = {"slug": "test", "name": ""}
    assert upload(staff, filled, wanted).context["foreign_media"] == ["price"]


@pytest.mark.parametrize("missing", WRITER)
def test_an_import_takes_all_of_its_rights(filled: Account, missing: str) -> None:
    short = member(filled, *(right for right in WRITER if right != missing))
    assert upload(short, filled, document(filled)).status_code == 403
    assert short.post(reverse("admin:wechat_rule_apply"), {"draft": "x"}).status_code == 403
    if missing != "view_rule":
        page = short.get(reverse("admin:wechat_rule_transfer"))
        assert page.status_code == 200
        assert page.context["upload"] is None


def test_a_viewer_may_export_and_not_import(filled: Account, other: Account) -> None:
    viewer = member(filled, "view_rule")
    assert viewer.get(reverse("admin:wechat_rule_export")).status_code == 200
    assert viewer.get(reverse("admin:wechat_rule_export"), {"account": other.pk}).status_code == 404
    assert upload(viewer, filled, document(filled)).status_code == 403
    assert member(filled).get(reverse("admin:wechat_rule_export")).status_code == 403


def test_another_account_is_out_of_reach(filled: Account, other: Account) -> None:
    editor = member(filled, *WRITER)
    response = upload(editor, other, document(filled))
    assert list(response.context["upload"].errors) == ["account"]
    shown = upload(editor, filled, {**document(filled), "texts": {"wechat_welcome_text": "Hello"}})
    Membership.objects.all().delete()
    confirm(editor, shown)
    assert ConfigRow.objects.get(conf_name="wechat_welcome_text").conf_value == "Welcome"


@pytest.mark.parametrize("name", ["import", "apply"])
def test_writing_needs_the_forms_token(staff: Client, filled: Account, name: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(reverse(f"admin:wechat_rule_{name}"), {"draft": "x"}).status_code == 403
