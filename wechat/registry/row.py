"""What one configuration row is: its default, its check, its help text, whether it is a secret."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Row:
    """One row of the registry. `default` is used while the row is absent or empty."""

    name: str
    label: str | Promise
    help: str | Promise = ""
    default: Callable[[], str] = str
    check: Callable[[str], None] | None = None
    secret: bool = False
    editable: bool = True
    multiline: bool = False
    choices: tuple[tuple[str, str | Promise], ...] = ()
    group: str | Promise = ""

    def clean(self, value: str) -> str:
        """`value` as it may be stored. Raises ValidationError with what to do instead."""
        value = value.strip()
        if value and self.check:
            self.check(value)
        if value and self.choices and value not in dict(self.choices):
            raise ValidationError(_("Choose one of: %s.") % ", ".join(key for key, _label in self.choices))
        return value


def is_link(value: str) -> None:
    """Raise ValidationError unless `value` is a whole http or https address; placeholders may stand in it."""
    try:
        parts = urlsplit(value.replace("##", ""))
        whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # an unclosed [ of an IPv6 address
        whole = False
    if not whole or re.search(r"[\s\"'<>\\]", value):
        raise ValidationError(_("Give a full address that starts with https://."))
