"""What an error of the platform means, in words for staff and in the language in force: one dictionary for every place.

Comes in: a return code with its text and endpoint, a CallFailed, or what a row kept of one. Goes out: an Explanation. Data:
errcodes.json (the platform's table) and remedies.json (likely causes, what to do, where to click, in both languages).
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from wechat.errors import TOKEN_ENDPOINTS, CallFailed, PlatformError, Unreachable, meanings, rid_in

_IP = re.compile(r"(?i)(?:invalid ip|requestip:?|clientip:?)\s{0,3}([0-9a-f.:]{3,45})")
_FIELD = re.compile(r"data\.([A-Za-z][A-Za-z0-9_]{0,40})")
# What CallFailed says of itself, and what a row therefore keeps: `/cgi-bin/token: 40164 invalid ip …`.
# Words of our own may stand before it. One line only: a traceback is no such thing.
_REFUSED = re.compile(r"(?:[a-z ]{1,60}: )?(\S{1,200}|access token): (-1|-?\d{5,9}) (.*)")
_UNANSWERED = re.compile(r"(?:[a-z ]{1,60}: )?(/\S{1,200}|access token|qrcode/create): (.+)")
_PLACES = re.compile(r"( ?)\{(ip|field|errmsg)\}( ?)")
_ERRMSG_LENGTH = 200
RENEWAL = "access token"  # the endpoint of wechat.tokens' own refusals

Entry = Mapping[str, Any]


class Repeat(Enum):
    """Whether doing the same again helps; the values are those of `retryable` in errcodes.json."""

    NO = "no"
    SOON = "backoff"
    LATER = "later"
    RENEWED = "refresh_token"


_ADVICE: Mapping[Repeat, str | Promise] = {
    Repeat.NO: gettext_lazy("No: put it right first."),
    Repeat.SOON: gettext_lazy("Yes, after a moment; queued messages are repeated by themselves."),
    Repeat.LATER: gettext_lazy("Not now: once that is done or the time has passed."),
    Repeat.RENEWED: gettext_lazy("The program has done so once with a new token; more does not help."),
}


@dataclass(frozen=True)
class Explanation:
    """One error in words. `code` is None where no answer came; `ip`, `field` and `rid` are empty where the text has none."""

    code: int | None
    title: str
    meaning: str
    what_to_do: str
    repeat: Repeat
    console_path: str = ""
    rid: str = ""
    ip: str = ""
    field: str = ""
    known: bool = True

    @property
    def repeat_helps(self) -> bool:
        """Whether the same call can work a moment later."""
        return self.repeat is Repeat.SOON

    @property
    def advice(self) -> str:
        """Whether a repeat helps, in words; empty for success."""
        return "" if self.code == 0 else str(_ADVICE[self.repeat])

    def facts(self) -> dict[str, str]:
        """What stands beside the sentences: label and value, of what there is."""
        pairs = {
            _("What to do"): self.what_to_do,
            _("Where at WeChat"): self.console_path,
            _("Does a repeat help?"): self.advice,
            _("Address to allow"): self.ip,
            _("Field"): self.field,
            "rid": self.rid,
        }
        return {label: value for label, value in pairs.items() if value}

    def brief(self) -> str:
        """What it is, what to do and where, in one line."""
        line = _("%(title)s. %(what_to_do)s") % {"title": self.title, "what_to_do": self.what_to_do}
        return f"{line} ({self.console_path})" if self.console_path else line

    def text(self) -> str:
        """Everything in one paragraph, for a terminal, a log, a mail."""
        name = self.title if self.code is None else f"{self.code} {self.title}"
        facts = (_("%(label)s: %(value)s") % {"label": label, "value": value} for label, value in self.facts().items())
        return " ".join([_("%(title)s.") % {"title": name}, self.meaning, *facts])

    def document(self) -> dict[str, Any]:
        """The same for an answer of our REST interface."""
        return {**asdict(self), "repeat": self.repeat.value, "repeat_helps": self.repeat_helps}


def explain(code: int, errmsg: str = "", endpoint: str = "") -> Explanation:
    """What the return code means. `errmsg` is the platform's text, `endpoint` the path of the call."""
    known = meanings().get(code)
    entry: Entry = _dictionary()["unknown"]
    if known:
        own: Entry = _dictionary()["codes"][str(code)]
        title = {"zh": known.zh, "en": known.en, **own.get("title", {})}
        entry = {"retryable": known.retryable, **own, "title": title, **_special(code, endpoint)}
    found = {
        "ip": _ip_in(errmsg),
        "field": _field_in(errmsg) if code == 47003 else "",
        "errmsg": errmsg.partition(" rid:")[0][:_ERRMSG_LENGTH],
    }
    return _made(code, entry, found, rid=rid_in(errmsg), known=known is not None)


def explain_error(error: CallFailed) -> Explanation:
    """What a failed call means."""
    if isinstance(error, PlatformError):
        return explain(error.code, error.errmsg, error.endpoint)
    return explain_silence(error.reason if isinstance(error, Unreachable) else str(error))


def explain_silence(reason: str) -> Explanation:
    """What it means that no usable answer came, for this reason of Unreachable."""
    entry = next(one for one in _dictionary()["no_answer"] if reason.startswith(tuple(one["begins"])))
    return _made(None, entry, {}, rid="", known=True)


def explain_stored(code: int | None, text: str) -> Explanation | None:
    """What a row tells that kept the return code, or the text of a CallFailed, or both. None where neither says anything."""
    if refused := _REFUSED.fullmatch(text):
        return explain(int(refused[2]), refused[3], refused[1])
    if unanswered := _UNANSWERED.fullmatch(text):  # the code, if there is one, is that of an earlier attempt
        return explain_silence(unanswered[2])
    return explain(code, text) if code is not None else None


def _special(code: int, endpoint: str) -> Entry:
    """What the code means at this endpoint only: 40001 of a token call is a wrong secret, say."""
    if endpoint == RENEWAL:
        part = "renewed"
    elif endpoint in TOKEN_ENDPOINTS:
        part = "token_call"
    else:
        return {}
    special: Entry = _dictionary()[part].get(str(code), {})
    return special


def _made(code: int | None, entry: Entry, found: Mapping[str, str], *, rid: str, known: bool) -> Explanation:
    language, dictionary = _language(), _dictionary()
    remedy: Entry = dictionary["remedies"].get(entry.get("remedy"), {})
    console = entry.get("console", remedy.get("console", ""))
    title, cause, what_to_do = (
        _filled(words.get(language, ""), found, language)
        for words in (entry["title"], entry["cause"], entry.get("what_to_do", remedy))
    )
    return Explanation(
        code=code,
        title=title,
        meaning=cause,
        what_to_do=what_to_do,
        repeat=Repeat(entry["retryable"]),
        console_path=dictionary["consoles"][console][language] if console else "",
        rid=rid,
        ip=found.get("ip", ""),
        field=found.get("field", ""),
        known=known,
    )


def _filled(text: str, found: Mapping[str, str], language: str) -> str:
    """`text` with what was read out of the error, or a word for it, in its places."""
    missing: Mapping[str, str] = _dictionary()["missing"][language]

    def value(match: re.Match[str]) -> str:
        before, name, after = match.groups()
        if word := found.get(name):
            return f"{before}{word}{after}"
        # Chinese words stand side by side; only what is not Chinese has blanks around it.
        return missing[name] if language == "zh" else f"{before}{missing[name]}{after}"

    # One pass: what a stranger wrote is not looked at again.
    return " ".join(_PLACES.sub(value, text).split())


def _ip_in(errmsg: str) -> str:
    """The address the platform saw, an IPv4 one as such; empty when the text names none."""
    for found in _candidates(errmsg):
        try:
            address = ipaddress.ip_address(found)
        except ValueError:
            continue
        return str(getattr(address, "ipv4_mapped", None) or address)
    return ""


def _candidates(errmsg: str) -> Iterator[str]:
    return (match[1].rstrip(".:") for match in _IP.finditer(errmsg))


def _field_in(errmsg: str) -> str:
    """`time3` out of `data.time3.value`."""
    found = _FIELD.search(errmsg)
    return found[1] if found else ""


def _language() -> str:
    return "zh" if (get_language() or settings.LANGUAGE_CODE).startswith("zh") else "en"


@cache
def _dictionary() -> Mapping[str, Any]:
    dictionary: Mapping[str, Any] = json.loads((Path(__file__).parent / "remedies.json").read_text("utf-8"))
    return dictionary
