"""Log lines: one line each, no secret, nothing of a stranger taken for layout."""

import logging

import pytest

from wechat.redaction import MAX_LENGTH, OneLine, redact

TOKEN = "93_AbCdEf-0123456789_ghijkl"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /cgi-bin/menu/get?access_token={TOKEN}&x=1",
        f"https://api.weixin.qq.com/cgi-bin/token?grant_type=client_credential&appid=wx1&secret={TOKEN}",
        f"access_token%3D{TOKEN}",
        f'{{"access_token": "{TOKEN}", "expires_in": 7200}}',
        f"{{'appsecret': '{TOKEN}'}}",
        f"Authorization: Api-Key {TOKEN}.{TOKEN}",
        f"aes_key={TOKEN}",
        f"aeskey: {TOKEN}",
        f"/showqrcode?ticket={TOKEN}%3D%3D",
        f"refresh_token={TOKEN}",
        f"oauth2?code={TOKEN}&state=1",
        f"SECRET={TOKEN}",
    ],
)
def test_a_secret_is_not_shown(text: str) -> None:
    assert TOKEN not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text", ["errcode: 40001 invalid credential", "unicode is fine", "a code of 10", "报价 ##CODE##"]
)
def test_other_words_stay(text: str) -> None:
    assert redact(text) == text


def line(message: str, *arguments: object, error: BaseException | None = None) -> str:
    exception = (type(error), error, error.__traceback__) if error else None
    return OneLine("%(levelname)s %(message)s").format(
        logging.LogRecord("wechat", logging.ERROR, "file", 1, message, arguments, exception)
    )


@pytest.mark.parametrize("control", ["\r\n", "\x1b[31m", "\x00", "\u2028", "\u202e", "\x85", "\x9b"])
def test_a_record_is_one_line_without_control_characters(control: str) -> None:
    text = line("the text was %s", f"a{control}INFO forged")
    assert control not in text
    assert len(text.splitlines()) == 1
    assert "INFO forged" in text


def test_chinese_and_emoji_stay_as_they_are() -> None:
    assert line("报价 👍🏽") == "ERROR 报价 👍🏽"


def test_a_megabyte_is_cut_and_keeps_its_end() -> None:
    text = line("%s the end", "x" * 1_000_000)
    assert len(text) <= MAX_LENGTH + 10
    assert text.endswith("the end")


def test_a_traceback_is_redacted_too() -> None:
    try:
        raise ValueError(f"access_token={TOKEN}")
    except ValueError as error:
        text = line("failed", error=error)
    assert "ValueError" in text
    assert TOKEN not in text
    assert "\n" not in text


def test_the_sites_own_log_handler_redacts() -> None:
    assert any(isinstance(handler.formatter, OneLine) for handler in logging.getLogger().handlers)
