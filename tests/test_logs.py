"""Log lines for programs: one line of JSON each, redacted wherever they come from, also where nobody caught an exception."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from wechat.redaction import MAX_LENGTH, JsonLine, OneLine, redact

ROOT = Path(__file__).parent.parent
TOKEN = "93_AbCdEf-0123456789_ghijkl"


def entry(message: str, *arguments: object, error: BaseException | None = None, name: str = "wechat") -> dict[str, Any]:
    exception = (type(error), error, error.__traceback__) if error else None
    text = JsonLine().format(logging.LogRecord(name, logging.ERROR, "file", 1, message, arguments, exception))
    assert len(text.splitlines()) == 1
    return dict(json.loads(text))


def test_a_record_is_an_object_with_time_level_logger_and_message() -> None:
    found = entry("报价 %s 👍🏽", 77)
    assert (found["level"], found["logger"], found["message"]) == ("ERROR", "wechat", "报价 77 👍🏽")
    assert found["time"].endswith("+00:00")
    assert "exception" not in found


def test_the_time_of_a_line_is_utc() -> None:
    record = logging.LogRecord("n", 20, "f", 1, "a", (), None)
    record.created = 1_700_000_000
    assert OneLine("%(asctime)s %(message)s").format(record) == "2023-11-14T22:13:20Z a"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/quotes/", "/api/token/"])
def test_who_is_refused_has_a_line(path: str, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    response = client.get(path, headers={"authorization": "Api-Key wrong.key"}, REMOTE_ADDR="203.0.113.9")
    assert response.status_code in (401, 403)
    assert f"GET {path} refused with {response.status_code}, from 203.0.113.9" in caplog.text
    assert "wrong.key" not in caplog.text


@pytest.mark.parametrize("odd", ["\r\n", "\x1b[31m", "\x00", "\u2028", "\u202e", "\x85", '"', "\\", "\ud800"])
def test_odd_characters_neither_break_the_line_nor_the_json(odd: str) -> None:
    text = JsonLine().format(logging.LogRecord("n", 20, "f", 1, "a%sb", (odd,), None))
    assert len(text.splitlines()) == 1
    assert json.loads(text)["message"] == f"a{odd}b"
    if odd not in '"\\':
        assert odd not in text or odd == "\ud800"


def test_a_traceback_is_a_field_of_its_own_and_redacted() -> None:
    try:
        raise ConnectionError(f"https://api.weixin.qq.com/cgi-bin/menu/get?access_token={TOKEN}")
    except ConnectionError as error:
        found = entry("failed", error=error)
    assert "ConnectionError" in found["exception"]
    assert "\n" in found["exception"]
    assert TOKEN not in json.dumps(found)


def test_a_megabyte_is_cut() -> None:
    assert len(entry("%s the end", "x" * 1_000_000)["message"]) < MAX_LENGTH + 20


def test_messages_of_other_libraries_are_redacted_too() -> None:
    for name in ("urllib3.connectionpool", "django.db.backends", "granian.access", "a.library"):
        assert TOKEN not in json.dumps(entry("GET %s", f"/x?access_token={TOKEN}", name=name))


@pytest.mark.parametrize(
    "text",
    [
        f"postgres://wxhub:{TOKEN}@database:5432/wxhub",
        f"smtp+tls://robot%40firm.cn:{TOKEN}@smtp.firm.cn:587",
        f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={TOKEN}",
        f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}&sign={TOKEN}",
        f"https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}",
        f"Authorization: Bearer {TOKEN}",
        f"METRICS_TOKEN is no secret word, access_token={TOKEN}",
    ],
)
def test_passwords_in_addresses_and_keys_of_chats_are_not_shown(text: str) -> None:
    assert TOKEN not in redact(text)


def test_an_address_without_a_password_stays() -> None:
    for text in ("http://127.0.0.1:8000/quotes/x/", "at 12:30:11 user@firm.cn wrote", "https://a.cn/x?page=2&keys=3"):
        assert redact(text) == text


SCRIPT = f"""
import logging, sys, threading, warnings
import django; django.setup()
from wechat.redaction import catch_the_rest
catch_the_rest()
logging.getLogger("third.party").warning("GET /x?access_token={TOKEN}\\nforged")
warnings.warn("secret={TOKEN}")
def fail(): raise RuntimeError("access_token={TOKEN}")
one = threading.Thread(target=fail, name="send"); one.start(); one.join()
fail()
"""


@pytest.mark.parametrize("form", ["json", "line"])
def test_a_process_writes_nothing_unredacted_even_where_nobody_caught_it(form: str) -> None:
    environment = {**os.environ, "LOG_FORMAT": form, "DJANGO_SETTINGS_MODULE": "wxhub.settings"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert TOKEN not in done.stderr + done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 4, done.stderr
    assert all("Runtime" in line for line in lines[2:])
    if form == "json":
        found = [json.loads(line) for line in lines]
        assert [each["logger"] for each in found[:2]] == ["third.party", "py.warnings"]
        assert [each["level"] for each in found] == ["WARNING", "WARNING", "CRITICAL", "CRITICAL"]


def test_an_unknown_format_is_refused_by_name() -> None:
    environment = {**os.environ, "LOG_FORMAT": "xml"}
    done = subprocess.run(
        [sys.executable, "-c", "import wxhub.settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LOG_FORMAT" in done.stderr
    assert done.returncode
