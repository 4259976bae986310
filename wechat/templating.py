"""What a message template asks for: its fields, out of its content, and whether a value fits its field. Pure.

Comes in: the content as the platform lists it (`项目名称:{{thing1.DATA}}`), and values. Goes out: Fields, mistakes by key, and
warnings. The platform publishes limits by the kind of a field, which is the beginning of its key.
Source: 模板消息参数类别, https://developers.weixin.qq.com/doc/service/guide/product/template_message/Template_Message_Interface
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FIELDS_MOST = 30
_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,40})\.DATA\s*\}\}")
_KIND = re.compile(r"([a-z_]+?)_?(\d+)")
_PLACEHOLDER = re.compile(r"##[A-Z]+##")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# The platform has dropped these since May 2023: they may be sent, and nobody sees them.
DROPPED = ("first", "remark")

_DAY = r"(\d{4})(?:年|-|/|\.)(\d{1,2})(?:月|-|/|\.)(\d{1,2})日?"
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_TIME = re.compile(rf"(?:{_DAY} ?)?{_CLOCK}", re.ASCII)
_DATE = re.compile(rf"{_DAY}(?: ?{_CLOCK})?", re.ASCII)
_MONEY = re.compile(r"[¥￥$€£]?(\d+(?:\.\d+)?)元?", re.ASCII)
MONEY_DIGITS, NOTICE_MONEY_DIGITS = 12, 10

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a field: the rule in words, an example, how many characters at most, and whether a value fits."""

    rule: Words
    example: str
    most: int
    fits: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a template: its key in `data`, and what stands before it on the card. `kind` is "" where it is unknown."""

    key: str
    label: str
    kind: str
    example: str = ""

    @property
    def dropped(self) -> bool:
        """Whether the platform no longer shows it."""
        return self.key in DROPPED

    @property
    def rule(self) -> Words:
        """What may stand in it, in words."""
        return KINDS[self.kind].rule if self.kind else gettext_lazy("Any text")

    @property
    def most(self) -> int:
        """How many characters at most."""
        return KINDS[self.kind].most if self.kind else LONGEST

    @property
    def may_be_empty(self) -> bool:
        """Only what was approved with the template may be nothing."""
        return self.kind == "const" or self.dropped


LONGEST = 200  # of a field of an old template, whose key says nothing; not published


def fields_of(content: str, example: str = "") -> list[Field]:
    """The fields in the order of the card, each once. `example` has the same lines with values in their places."""
    samples = _samples(example)
    found: dict[str, Field] = {}
    for line in content.splitlines():
        start = 0
        for place in _PLACE.finditer(line):
            label = line[start : place.start()].strip().rstrip(":：").strip()
            start, key = place.end(), place[1]
            found.setdefault(key, Field(key, label, kind_of(key), samples.get(label, "")))
    return list(found.values())[:FIELDS_MOST]


def kind_of(key: str) -> str:
    """`thing` of `thing1`; empty for keys of old templates (keyword1, first) and kinds that are not known."""
    match = _KIND.fullmatch(key)
    return match[1] if match and match[1] in KINDS else ""


def _samples(example: str) -> dict[str, str]:
    """The values of an example by what stands before them."""
    pairs = (re.split("[:：]", line, maxsplit=1) for line in example.splitlines())
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}


def lines_of(content: str, data: Mapping[str, str]) -> list[tuple[str, str]]:
    """The card: what stands before each value, and the value, as the phone shows them. Dropped fields are not shown."""
    return [(field.label, data.get(field.key, "")) for field in fields_of(content) if not field.dropped]


def check(fields: Iterable[Field], data: Mapping[str, str], *, notice: bool = False) -> dict[str, str]:
    """The mistakes by key: keys that are missing or too many, values that the platform would refuse with 47003.

    `notice` says that it is a subscription notice: its amounts are shorter. A value with a placeholder is checked once the
    placeholder is filled.
    """
    known = {field.key: field for field in fields}
    mistakes = {key: _("The template has no such field.") for key in data if key not in (*known, *DROPPED)}
    for key, field in known.items():
        value = data.get(key)
        if field.dropped:
            continue
        if value is None:
            mistakes[key] = _("This field of the template is missing.")
        elif not _PLACEHOLDER.search(value) and (wrong := mistake(field, value, notice=notice)):
            mistakes[key] = wrong
    return mistakes


def mistake(field: Field, value: str, *, notice: bool = False) -> str:
    """Why the platform would refuse this value; empty when it would not."""
    if not value.strip():
        return "" if field.may_be_empty else _("The platform takes no empty value.")
    if _CONTROL.search(value):
        return _("One line only, without control characters.")
    if len(value) > field.most:
        return _("%(length)d characters; at most %(most)d are allowed.") % {"length": len(value), "most": field.most}
    if field.kind == "amount" and notice and not _is_money(value, NOTICE_MONEY_DIGITS):
        return _("A notice takes one currency sign and at most 10 digits.")
    if field.kind and not KINDS[field.kind].fits(value):
        return _("This does not fit. %(rule)s. Example: %(example)s") % {
            "rule": field.rule,
            "example": field.example or KINDS[field.kind].example,
        }
    return ""


def fit(field: Field, value: str) -> str:
    """`value` on one line and, where the kind takes any text, cut to its length with an ellipsis."""
    value = " ".join(_CONTROL.sub(" ", value).split())
    cuttable = field.kind in ("thing", "short_thing", "")
    return value[: field.most - 1] + "…" if cuttable and len(value) > field.most else value


def warnings(fields: Iterable[Field], data: Mapping[str, str]) -> list[str]:
    """What will not be seen as it is written, though the platform takes it."""
    fields = list(fields)
    told = []
    sent = sorted({field.key for field in fields if field.dropped} | set(data) & set(DROPPED))
    if sent:
        told.append(_("%(fields)s: the platform no longer shows these since 2023.") % {"fields": "、".join(sent)})
    if any(not field.kind and not field.dropped for field in fields):
        told.append(_("A field has a kind without published limits: send it to yourself first."))
    if any(field.kind == "const" for field in fields):
        told.append(_("A constant must be one of the values that were approved with the template."))
    return told


def placeholders_in(data: Mapping[str, str]) -> list[str]:
    """The placeholders (##NAME##) that the values hold."""
    return list(dict.fromkeys(match[0] for value in data.values() for match in _PLACEHOLDER.finditer(value)))


def _is_money(value: str, digits: int = MONEY_DIGITS) -> bool:
    money = _MONEY.fullmatch(value)
    return money is not None and sum(letter.isdigit() for letter in money[1]) <= digits


def _moments(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """Whether a value is one moment of this form, or two of them joined with `~`."""
    return lambda value: all(_is_moment(pattern.fullmatch(part.strip())) for part in value.split("~", 1))


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


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def _anything(_value: str) -> bool:
    return True


KINDS: Mapping[str, Kind] = {
    "thing": Kind(gettext_lazy("Up to 20 characters"), "整装报价", 20, _anything),
    "short_thing": Kind(gettext_lazy("Up to 20 characters"), "整装报价", 20, _anything),
    "character_string": Kind(
        gettext_lazy("Up to 32 letters, digits and symbols, no Chinese"),
        "BJ20260105-01",
        32,
        _matches("[\x20-\x7e]{1,32}"),
    ),
    "time": Kind(gettext_lazy("A time of 24 hours, a date before it if you like"), "15:01", 64, _moments(_TIME)),
    "date": Kind(gettext_lazy("Year, month and day, a time after it if you like"), "2026年1月5日", 64, _moments(_DATE)),
    "amount": Kind(gettext_lazy("A currency sign, up to 12 digits, 元"), "¥86500.00", 16, _is_money),
    "phone_number": Kind(
        gettext_lazy("Up to 17 digits and symbols"), "021-12345678", 17, _matches(r"[0-9+() #*-]{1,17}")
    ),
    "car_number": Kind(gettext_lazy("Up to 8 characters"), "粤A8Z888挂", 8, _anything),
    "const": Kind(gettext_lazy("One of the values approved with the template, or nothing"), "已完成", 20, _anything),
    "number": Kind(gettext_lazy("Up to 32 digits, decimals allowed"), "89.5", 32, _matches(r"-?\d+(\.\d+)?")),
    "letter": Kind(gettext_lazy("Up to 32 letters"), "SJA", 32, _matches("[A-Za-z]{1,32}")),
    "symbol": Kind(gettext_lazy("Up to 5 symbols"), "★★★★★", 5, lambda value: not re.search(r"[\w\s]", value)),
    "name": Kind(
        gettext_lazy("Up to 10 Chinese characters, or 20 letters and symbols"),
        "王女士",
        20,
        _matches("[\u4e00-\u9fff·]{1,10}|[\x20-\x7e]{1,20}"),
    ),
    "phrase": Kind(gettext_lazy("Up to 5 Chinese characters"), "首期款", 5, _matches("[\u4e00-\u9fff]{1,5}")),
}
