"""Each kind of push goes through the callback: what is stored, what staff can read of it, and what is answered."""

from typing import Any

import pytest
from callback import Callback, answer, vectors

from wechat import conf, messages
from wechat.models import Account, Follower, Push, Rule

_FILE = vectors("messages")
PUSHES: list[dict[str, Any]] = [*_FILE["messages"], *_FILE["json"]]
# Events that a person taps and then waits, without a rule for them: only these get the default reply.
_EXPECTS = ("click", "scancode_waitmsg")
_ACCOUNT_LEVEL = ("_verify_", "annual_renew", "masssend", "publishjob", "user_info", "user_authorization", "weapp")

each_push = pytest.mark.parametrize("vector", PUSHES, ids=[vector["id"] for vector in PUSHES])


def body_of(vector: dict[str, Any]) -> str:
    return str(vector["xml"] if "xml" in vector else vector["body"])


@pytest.fixture
def silent(account: Account) -> Account:
    """An account without any text: whatever it answers comes from the push itself."""
    return account


@each_push
def test_it_is_stored_whole_and_its_normalised_form_is_the_vectors(
    vector: dict[str, Any], silent: Account, push: Callback
) -> None:
    push(body_of(vector))
    stored = Push.objects.get()
    if stored.kind == "user_authorization_cancellation":
        assert stored.raw == ""  # the person is gone, and so is what names him: see test_life_cycle
        return
    again = messages.parse(stored.raw.encode())
    assert again.normalised() == vector["normalised"]
    assert (stored.kind, stored.openid) == (vector["normalised"]["handle"], vector["normalised"]["from"])
    assert stored.key == vector.get("dedupe_key", stored.key)
    assert stored.state in (Push.State.DONE, Push.State.NOTHING)


@each_push
def test_without_texts_and_rules_the_answer_is_success(vector: dict[str, Any], silent: Account, push: Callback) -> None:
    response = push(body_of(vector))
    if vector["normalised"]["handle"] in ("qr", "subscribe") and (vector["normalised"].get("scene") or "").isdigit():
        return  # the number of a quote that does not exist: see test_scans
    assert response.content == b"success"


@each_push
def test_a_rule_for_this_kind_answers_where_the_platform_takes_an_answer(
    vector: dict[str, Any], silent: Account, push: Callback
) -> None:
    handle = vector["normalised"]["handle"]
    listens = [{"kind": "message_type", "text": handle}]
    Rule.objects.create(
        account=silent, name="this kind", keywords=listens, answers=[{"kind": "text", "content": "the rule"}]
    )
    tree = answer(push(body_of(vector)))
    may = vector.get("reply", "yes") != "no" and handle not in ("view", "debug_demo", "subscribe_msg_popup_event")
    of_quote = handle in ("qr", "subscribe") and (vector["normalised"].get("scene") or "").isdigit()
    if not may or handle.startswith("user_info"):
        assert tree is None
    elif not of_quote:  # a number is the scene of a quote, and orders has the first word on it
        assert tree is not None
        assert tree["Content"] == "the rule"
        assert Push.objects.get().answered_by == "rule"


@each_push
def test_the_default_reply_answers_what_a_person_says_or_waits_for(
    vector: dict[str, Any], silent: Account, push: Callback
) -> None:
    conf.save(silent, {"wechat_default_reply": "We will call you."})
    tree = answer(push(body_of(vector)))
    normalised = vector["normalised"]
    expected = not normalised["event"] or normalised["handle"] in _EXPECTS
    if (normalised.get("scene") or "").isdigit():
        return
    assert bool(tree) == expected
    assert Push.objects.get().answered_by == ("default" if expected else "")


@each_push
def test_only_people_become_followers(vector: dict[str, Any], silent: Account, push: Callback) -> None:
    push(body_of(vector))
    handle = vector["normalised"]["handle"]
    if any(part in handle for part in _ACCOUNT_LEVEL):
        assert not Follower.objects.exists()
    elif not vector["normalised"]["event"] or handle in ("subscribe", "qr", "click", "trace"):
        assert Follower.objects.get().openid == vector["normalised"]["from"]


@each_push
def test_a_repeat_changes_nothing_and_gets_the_same_answer(
    vector: dict[str, Any], silent: Account, push: Callback
) -> None:
    conf.save(silent, {"wechat_default_reply": "We will call you.", "wechat_welcome_text": "Welcome."})
    first = answer(push(body_of(vector)))
    second = answer(push(body_of(vector)))
    assert first == second
    assert Push.objects.get().repeats == 1
