"""A keyword of a rule: the kinds there are, what is compared with what, and what staff may store.

Comes in: what staff typed. Goes out: a Keyword whose `key` equals that of what it matches, or a ValidationError that says
what to do instead.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat import expressions
from wechat.expressions import PATTERN_LENGTH, PROGRAM_SIZE

KINDS: Mapping[str, str | Promise] = {
    "exact": _("exact"),
    "contains": _("contained"),
    "regex": _("expression"),
    "event_key": _("menu key"),
    "scene": _("scene of a code"),
    "message_type": _("kind of message"),
    "takeover": _("take-over"),
}

LENGTH = PATTERN_LENGTH  # characters of a text, a key or an expression
SCENE_LENGTH = 64  # characters; 生成带参数二维码

Key = tuple[str, str]

_HANDLE = re.compile(r"[a-z0-9_-]{1,64}")
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")

# What RE2 says, and what we say instead. %(part)s is the part of the expression that RE2 means.
_REASONS = {
    "missing )": _("A round bracket is opened and never closed."),
    "unexpected )": _("A round bracket is closed that was never opened. To match a bracket, write \\)."),
    "missing ]": _("A square bracket is opened and never closed. To match a bracket, write \\[."),
    "invalid character class range": _("%(part)s is not a range of characters."),
    "no argument for repetition operator": _("Before %(part)s stands nothing that it could repeat."),
    "bad repetition operator": _("%(part)s are too many signs of repetition; one is enough."),
    "invalid repetition size": _("%(part)s repeats too often; 1,000 times in all is the most."),
    "invalid perl operator": _(
        "%(part)s is not possible here: an expression can neither look ahead or behind nor refer back."
    ),
    "invalid escape sequence": _("%(part)s means nothing here. Referring back to a group is not possible either."),
    "trailing \\": _("The expression ends in \\. To match that sign, write \\\\."),
    "pattern too large - compile failed": _("The expression is too large. Repeat less often, or make two of it."),
}


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword: `kind` is one of KINDS, `text` what staff typed; empty for a take-over."""

    kind: str
    text: str

    @property
    def key(self) -> Key:
        """What two keywords have in common that match the same. Codes and kinds are names, an expression is a program."""
        if self.kind in ("exact", "contains", "event_key"):
            return self.kind, normalise(self.text)
        return self.kind, self.text if self.kind == "regex" else self.text.strip()


def normalise(text: str) -> str:
    """The form in which texts and keywords are compared: full width is half width, capitals are small, no space around."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def check_keyword(keyword: Keyword) -> None:
    """Raise ValidationError, with what to do instead, if the keyword can match nothing or must not be used."""
    if keyword.kind not in KINDS:
        raise ValidationError(_("Choose what the keyword is: one of %(kinds)s."), params={"kinds": ", ".join(KINDS)})
    if keyword.kind == "takeover":
        if keyword.text:
            raise ValidationError(_("A take-over has no text: it answers what no other rule answers."))
        return
    _check_text(keyword)
    if keyword.kind == "regex":
        _check_expression(keyword.text)
    if keyword.kind == "message_type" and not _HANDLE.fullmatch(keyword.key[1]):
        raise ValidationError(_("Name the kind of message in small letters, such as image or subscribe."))


def _check_text(keyword: Keyword) -> None:
    text = keyword.text
    if not keyword.key[1].strip():
        raise ValidationError(_("Type a keyword."))
    if _NOT_STORABLE.search(text):
        raise ValidationError(_("The keyword holds a character that cannot be stored. Type it anew."))
    most = SCENE_LENGTH if keyword.kind == "scene" else LENGTH
    if len(text) > most:
        params = {"most": most, "length": len(text)}
        raise ValidationError(_("At most %(most)d characters, and these are %(length)d."), params=params)


def _check_expression(pattern: str) -> None:
    try:
        measure = expressions.measured(pattern)
    except expressions.Refused as refused:
        words, part = refused.args
        unknown = _("This is not an expression that we can use (%(words)s).")
        params = {"part": part or words, "words": words}
        raise ValidationError(_REASONS.get(words, unknown), params=params) from None
    if measure.matches_empty:
        raise ValidationError(_("This matches every text, also an empty one. Choose take-over for that."))
    if measure.size > PROGRAM_SIZE:
        raise ValidationError(_("The expression is too large. Repeat less often, or make two of it."))
