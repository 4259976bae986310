"""JSON out of a file that a person chose, read strictly: nothing is dropped, guessed or half read without a word.

Comes in: bytes. Goes out: what they say, or a ValidationError in words.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST_BYTES = 5 * 1024 * 1024
DEEPEST = 10  # levels; a configuration has seven

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # no database takes a NUL, no encoding half a surrogate pair


def read(raw: bytes) -> Any:
    """The value in `raw`. Raises ValidationError for everything that another reader might understand differently."""
    if len(raw) > MOST_BYTES:
        raise ValidationError(_("The file has more than %(most)d MB.") % {"most": MOST_BYTES // 1024**2})
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError(_("The file is not text in UTF-8.")) from None
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise ValidationError(_("The file is not JSON: see line %(line)d, column %(column)d.") % where) from None
    except RecursionError:
        raise ValidationError(_("The file is nested too deeply.")) from None
    except ValueError:  # a whole number with thousands of digits
        raise ValidationError(_("The file holds a number that is too long.")) from None
    _walk(data)
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for name, value in pairs:
        if name in seen:
            raise ValidationError(_("The field %(name)s stands twice in one place.") % {"name": _short(name)})
        seen[name] = value
    return seen


def _constant(word: str) -> NoReturn:
    raise ValidationError(_("%(word)s is no value.") % {"word": word})


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValidationError(_("%(word)s is no value.") % {"word": _short(digits)})
    return value


def _walk(data: Any) -> None:
    """Level by level: the depth, and texts that no database can hold."""
    level: list[Any] = [data]
    for _depth in range(DEEPEST):
        level = [part for value in level for part in _parts(value)]
        if not level:
            return
    raise ValidationError(_("The file is nested too deeply."))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, str):
        _check(value)
    if isinstance(value, dict):
        for name in value:
            _check(name)
        return value.values()
    return value if isinstance(value, list) else ()


def _check(text: str) -> None:
    if _UNSTORABLE.search(text):
        raise ValidationError(_("A text holds a character that cannot be stored: %(text)s.") % {"text": _short(text)})


def _short(text: str) -> str:
    """The beginning of a text, fit for a message: half a surrogate pair cannot be shown."""
    return text[:40].encode(errors="replace").decode().replace("\0", "␀")
