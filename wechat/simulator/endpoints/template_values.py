"""Whether a value fits its field's type. Source: wechat-api.md, section 7.3; what is not published stands as assumed there."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from wechat.simulator.errors import ApiError, bad_value
from wechat.simulator.template_library import Keyword, Template

MONEY_DIGITS = 12  # of a template message
NOTICE_MONEY_DIGITS = 10  # of a subscription notice
_DAY = r"(\d{4})(?:年|-|/|\.)(\d{1,2})(?:月|-|/|\.)(\d{1,2})日?"
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_TIME = re.compile(rf"(?:{_DAY} ?)?{_CLOCK}", re.ASCII)
_DATE = re.compile(rf"{_DAY}(?: ?{_CLOCK})?", re.ASCII)
_MONEY = re.compile(r"[¥￥$€£]?(\d+(?:\.\d+)?)元?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PATTERNS = {
    "character_string": re.compile(r"[\x20-\x7e]{1,32}"),
    "phone_number": re.compile(r"[0-9+() #*-]{1,17}"),
    "number": re.compile(r"-?\d+(\.\d+)?", re.ASCII),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
}
_LENGTHS = {"thing": 20, "short_thing": 20, "car_number": 8}  # characters
_PHRASE = re.compile("[\u4e00-\u9fff]{1,5}")
_NAME = re.compile("[\u4e00-\u9fff·]{1,10}|[\x20-\x7e]{1,20}")


def checked_values(template: Template, data: Any, *, money_digits: int = MONEY_DIGITS) -> list[tuple[str, str]]:
    """Labels and values as the card shows them; keys the template has not are ignored. Raises ApiError 47003."""
    if not isinstance(data, dict):
        raise ApiError(47001)
    return [(keyword.name, _value(keyword, data.get(keyword.key), money_digits)) for keyword in template.keywords]


def _value(keyword: Keyword, item: Any, money_digits: int) -> str:
    value = item.get("value") if isinstance(item, dict) else None
    if not isinstance(value, str) or not _fits(keyword, value, money_digits):
        raise bad_value(keyword.key)
    return value


def _fits(keyword: Keyword, value: str, money_digits: int) -> bool:
    if keyword.rule == "const":
        return value in ("", *keyword.choices)
    if not value.strip() or _CONTROL.search(value):
        return False
    if keyword.rule == "amount":
        money = _MONEY.fullmatch(value)
        return money is not None and sum(letter.isdigit() for letter in money[1]) <= money_digits
    if keyword.rule in _PATTERNS:
        return len(value) <= 32 and _PATTERNS[keyword.rule].fullmatch(value) is not None
    if keyword.rule in _READERS:
        return _READERS[keyword.rule](value)
    return len(value) <= _LENGTHS.get(keyword.rule, _LENGTHS["thing"])


def _is_time(value: str) -> bool:
    """`15:01`, `2026年1月5日 15:01`, or two of them joined with `~`."""
    return all(_is_moment(_TIME.fullmatch(part.strip())) for part in value.split("~", 1))


def _is_date(value: str) -> bool:
    """`2026年1月5日`, with a time or without, or two of them joined with `~`."""
    return all(_is_moment(_DATE.fullmatch(part.strip())) for part in value.split("~", 1))


def _is_moment(match: re.Match[str] | None) -> bool:
    if match is None:
        return False
    year, month, day, hour, minute, second = (None if part is None else int(part) for part in match.groups())
    if (hour or 0) > 23 or (minute or 0) > 59 or (second or 0) > 59:
        return False
    if year is None or month is None or day is None:
        return True
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_READERS: dict[str, Callable[[str], bool]] = {
    "time": _is_time,
    "date": _is_date,
    "phrase": lambda value: _PHRASE.fullmatch(value) is not None,
    "name": lambda value: _NAME.fullmatch(value) is not None,
}
