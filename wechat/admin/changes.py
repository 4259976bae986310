"""What a record of the history changed, value by value, as staff read it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import display_for_field
from django.db.models import BooleanField, ForeignKey, JSONField
from django.utils.text import capfirst
from django.utils.translation import gettext

from wechat.admin.versions import Part, Record, told


@dataclass(frozen=True)
class Change:
    """One value before and after. Empty: nothing stood there; `old` None: it is not known, or nothing was there before."""

    label: str
    old: Any
    new: Any


class Telling:
    """How a page tells its history; a ModelAdmin overrides what it can tell better."""

    model: Any
    history_parts: tuple[Part, ...] = ()  # rows whose histories belong to the row's

    def describe_value(self, field: Any, value: Any) -> Any:
        """A value of the history in words; escaped by the page unless it is safe. Empty for nothing."""
        if value is None or value in ("", [], {}):
            return ""
        if isinstance(field, BooleanField):
            return gettext("Yes") if value else gettext("No")
        if isinstance(field, ForeignKey):
            row = field.related_model._default_manager.filter(pk=value).first()
            return str(row) if row else gettext("deleted")
        if isinstance(field, JSONField):
            return json.dumps(value, ensure_ascii=False, indent=2)
        return display_for_field(value, field, "")

    def describe_part(self, entry: Any) -> str:
        """What staff call a row of a part, out of an entry of its history."""
        return str(entry.history_object)

    def changes(self, record: Record) -> Iterator[Change]:
        """What this record changed."""
        part = next((part for part in self.history_parts if part.model is record.key[0]), None)
        if part is None:
            yield from self._values(record, told(self.model))
        elif len(part.fields) == 1:
            yield from self._only_value(record, part)
        elif record.entry.history_type == "~":
            yield from self._values(record, told(part.model, part.fields), self.describe_part(record.entry))
        else:
            yield self._whole(record, part)

    def _values(self, record: Record, fields: list[Any], of: str = "") -> Iterator[Change]:
        entry, before = record.entry, record.before if record.entry.history_type == "~" else None
        for field in fields if entry.history_type != "-" else ():
            old = getattr(before, field.attname, None)
            new = getattr(entry, field.attname)
            if before is not None and old == new:
                continue
            label = f"{of}: {field.verbose_name}" if of else capfirst(str(field.verbose_name))
            told_old = None if before is None else self.describe_value(field, old)
            told_new = self.describe_value(field, new)
            if told_old or told_new:
                yield Change(label, told_old, told_new)

    def _only_value(self, record: Record, part: Part) -> Iterator[Change]:
        """Of a part with one value: the row's name is label enough."""
        (field,) = told(part.model, part.fields)
        kind, before = record.entry.history_type, record.before
        unknown = kind == "~" and before is None
        old = "" if before is None or kind == "+" else getattr(before, field.attname)
        new = "" if kind == "-" else getattr(record.entry, field.attname)
        if unknown or old != new:
            told_old = None if unknown else self.describe_value(field, old)
            yield Change(self.describe_part(record.entry), told_old, self.describe_value(field, new))

    def _whole(self, record: Record, part: Part) -> Change:
        """A row of a part that came or went."""
        values = (
            (field.verbose_name, self.describe_value(field, getattr(record.entry, field.attname)))
            for field in told(part.model, part.fields)
        )
        whole = " · ".join(f"{name}: {value}" for name, value in values if value)
        label = self.describe_part(record.entry)
        return Change(label, None, whole) if record.entry.history_type == "+" else Change(label, whole, "")
