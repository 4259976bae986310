"""What staff read about an error: every code of the dictionary, in Chinese and in English, with what its text tells."""

import ast
import json
import re
from pathlib import Path

import pytest
from django.utils import translation

from wechat.errors import Fate, PlatformError, Unreachable, fate_of, meanings
from wechat.explanations import Explanation, Repeat, explain, explain_error, explain_silence, explain_stored

WECHAT = Path(__file__).parent.parent / "wechat"
TABLE = json.loads((WECHAT / "errcodes.json").read_text("utf-8"))
CODES = [entry["code"] for entry in TABLE["codes"]]
RID = "6698ef60-27d10c40-100819f9"
HAN = re.compile(r"[\u4e00-\u9fff]")
# What staff cannot be expected to know; each has a Chinese word, or is no business of theirs.
JARGON = re.compile(r"kf_|newtmpl|page_?path|errmsg|ensure_ascii|operator|TODO|\{|\}|null|_id\b(?!）)")


def in_chinese(code: int, errmsg: str = "", endpoint: str = "") -> Explanation:
    with translation.override("zh-hans"):
        return explain(code, errmsg, endpoint)


def in_english(code: int, errmsg: str = "", endpoint: str = "") -> Explanation:
    with translation.override("en"):
        return explain(code, errmsg, endpoint)


def test_the_dictionary_is_whole() -> None:
    assert len(CODES) == len(set(CODES)) == len(meanings()) == TABLE["_meta"]["count"] == 317


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained_in_chinese(code: int) -> None:
    found = in_chinese(code, f"whatever the platform says rid: {RID}")
    assert found.known
    for text in (found.title, found.meaning, found.what_to_do):
        assert HAN.search(text), text
        assert not JARGON.search(text), text
    assert found.meaning.endswith("。")
    assert found.what_to_do.endswith("。")
    assert found.title != found.meaning.rstrip("。")  # the one says what, the other why
    assert (found.code, found.rid) == (code, RID)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained_in_english(code: int) -> None:
    found = in_english(code)
    assert found.title[:1].strip()
    for text in (found.meaning, found.what_to_do):
        assert text.endswith((".", "”"))
        assert len(HAN.findall(text)) < 6, text  # an example of a date, at most
        assert not re.search(r"[{}]|  ", text)


@pytest.mark.parametrize("code", CODES)
def test_the_advice_on_repeating_is_that_of_the_table(code: int) -> None:
    said = meanings()[code].retryable
    assert in_chinese(code).repeat.value == said
    assert in_chinese(code).repeat_helps is (said == "backoff")
    assert bool(in_chinese(code).advice) is (code != 0)


@pytest.mark.parametrize("code", CODES)
def test_nobody_reads_that_a_repeat_helps_where_the_program_gives_up(code: int) -> None:
    if fate_of(code) in (Fate.GIVE_UP, Fate.OWE, Fate.SET_ASIDE):
        assert not in_chinese(code).repeat_helps


def test_the_address_that_is_not_allowed_is_named() -> None:
    found = in_chinese(40164, f"invalid ip 47.63.30.93 ipv6 ::ffff:47.63.30.93, not in whitelist rid: {RID}")
    assert (found.ip, found.rid) == ("47.63.30.93", RID)
    assert "47.63.30.93" in found.what_to_do
    assert "设置与开发 › 安全中心 › IP白名单" in found.console_path


@pytest.mark.parametrize(
    ("errmsg", "ip"),
    [
        ("access clientip is not registered requestIP: 1.2.3.4 rid: x", "1.2.3.4"),
        ("invalid ip ::ffff:10.0.0.7, not in whitelist", "10.0.0.7"),
        ("invalid ip 2001:db8::1 ipv6 2001:db8::1, not in whitelist", "2001:db8::1"),
        ("invalid ip <script>, not in whitelist", ""),
        ("invalid ip 999.1.1.1, not in whitelist", ""),
        ("not in whitelist", ""),
    ],
)
def test_only_an_address_is_taken_for_one(errmsg: str, ip: str) -> None:
    found = in_chinese(40164, errmsg)
    assert found.ip == ip
    assert (ip or "这台服务器的出口地址") in found.what_to_do


@pytest.mark.parametrize(
    ("errmsg", "field"),
    [
        ("argument invalid! data.time3.value invalid", "time3"),
        ("argument invalid! data.character_string12.value is empty", "character_string12"),
        ("argument invalid! data.<b>.value invalid", ""),
        ("argument invalid!", ""),
    ],
)
def test_the_template_field_is_named(errmsg: str, field: str) -> None:
    found = in_chinese(47003, f"{errmsg} rid: {RID}")
    assert found.field == field
    assert field in found.title
    assert "  " not in found.meaning
    assert "字段 的" not in found.meaning


def test_another_code_has_no_field() -> None:
    assert in_chinese(40097, "data.time3.value").field == ""


def test_a_refused_token_call_is_a_wrong_secret() -> None:
    for path in ("/cgi-bin/token", "/cgi-bin/stable_token"):
        found = in_chinese(40001, "invalid credential", path)
        assert "AppSecret" in found.title
        assert found.repeat is Repeat.NO


def test_a_refused_token_elsewhere_is_renewed_and_hints_at_another_program() -> None:
    found = in_chinese(40001, "invalid credential", "/cgi-bin/menu/get")
    assert found.repeat is Repeat.RENEWED
    assert "stable_token" in found.what_to_do


def test_a_token_refused_right_after_its_renewal_names_the_other_program() -> None:
    found = in_chinese(40001, "the token is refused, and it was renewed a moment ago", "access token")
    assert "另一个程序" in found.meaning
    assert "重置 AppSecret" in found.what_to_do


def test_a_used_up_quota_says_when_it_goes_on_and_how_to_clear_it() -> None:
    found = in_chinese(45009, "reach max api daily quota limit")
    assert found.repeat is Repeat.LATER
    for word in ("零点", "清零", "stable_token"):
        assert word in found.what_to_do


def test_an_unknown_code_is_called_unknown_and_quoted() -> None:
    found = in_chinese(99999, f"odd {{ip}} <b> rid: {RID}")
    assert not found.known
    assert "未收录" in found.title
    assert "odd {ip} <b>" in found.meaning
    assert found.rid == RID
    assert "rid" in found.what_to_do
    assert len(in_chinese(99999, "x" * 10_000).meaning) < 400
    assert "没有说明" in in_chinese(99999).meaning


def test_what_a_stranger_wrote_is_put_in_once() -> None:
    assert in_chinese(99999, "{errmsg}{field}").meaning.count("{errmsg}{field}") == 1


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("no connection within 2 s", "连不上"),
        ("the host name was not found", "连不上"),
        ("the secure connection failed", "安全连接"),
        ("no answer in time", "及时"),
        ("the connection broke in the answer", "及时"),
        ("HTTP 502", "不是微信接口的回答"),
        ("the answer is not JSON", "不是微信接口的回答"),
        ("another process fetches the token and does not finish", "没有去问"),
        ("something new", "没有回答"),
    ],
)
def test_silence_is_explained_too(reason: str, word: str) -> None:
    with translation.override("zh-hans"):
        found = explain_silence(reason)
        assert found == explain_error(Unreachable("/cgi-bin/token", reason))
    assert word in found.title
    assert found.code is None
    assert HAN.search(found.what_to_do)


def reasons() -> set[str]:
    """Every reason that the code gives for having no answer, as far as it stands there literally."""
    calls = (
        node
        for path in WECHAT.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Unreachable"
    )
    said = [call.args[1] for call in calls]
    texts = [one.values[0] if isinstance(one, ast.JoinedStr) else one for one in said]
    return {str(one.value) for one in texts if isinstance(one, ast.Constant)}


def test_every_reason_that_the_program_gives_is_explained() -> None:
    found = reasons()
    assert len(found) > 10
    with translation.override("zh-hans"):
        assert [reason for reason in sorted(found) if explain_silence(reason).title == "微信没有回答"] == []


def test_a_row_that_kept_the_text_of_an_error_is_explained_as_the_error() -> None:
    refused = PlatformError(47003, f"argument invalid! data.time3.value invalid rid: {RID}", "/cgi-bin/x")
    assert explain_stored(47003, str(refused)) == explain_stored(None, str(refused)) == explain_error(refused)
    silent = Unreachable("/cgi-bin/x", "HTTP 502")
    assert explain_stored(None, str(silent)) == explain_error(silent)
    assert explain_stored(None, f"the outcome stayed unknown after one repeat: {silent}") == explain_error(silent)
    assert explain_stored(45009, str(silent)) == explain_error(silent)  # the last attempt speaks


def test_what_is_no_error_of_the_platform_is_not_explained() -> None:
    for text in ("", "the person unfollowed", "Traceback (most recent call last):\nValueError: 12345 x"):
        assert explain_stored(None, text) is None
    found = explain_stored(45015, "the person unfollowed")
    assert found is not None
    assert found.code == 45015


def test_one_paragraph_and_one_document_say_all_of_it() -> None:
    found = in_chinese(40164, f"invalid ip 47.63.30.93, not in whitelist rid: {RID}")
    with translation.override("zh-hans"):
        paragraph, document = found.text(), found.document()
    for part in ("40164", "白名单", "47.63.30.93", RID, "安全中心"):
        assert part in paragraph
        assert part in json.dumps(document, ensure_ascii=False)
    assert "\n" not in paragraph
    assert (document["repeat_helps"], document["repeat"]) == (False, "later")
