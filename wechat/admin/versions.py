"""The versions of a row: its history and the histories of its parts, put together as staff read them. Changes nothing.

Comes in: the records that simple_history wrote. Goes out: versions, newest first; what was saved at once is one version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext

MOST = 1000  # records of one row, and of one of its parts, that are read
TOGETHER = timedelta(seconds=2)  # records of one person this close to each other were one click

Key = tuple[type[Model], Any]  # a row: its model and its primary key


@dataclass(frozen=True)
class Part:
    """Rows with a history of their own that belong to the row: the texts of an account, the lines of a quote."""

    model: type[Model]
    owner: str  # the ForeignKey to the row
    fields: tuple[str, ...]  # what staff read of it


@dataclass(frozen=True)
class Record:
    """One entry of simple_history and the one before it of the same row; None when it is the first that is known."""

    entry: Any
    before: Any

    @property
    def key(self) -> Key:
        return self.entry.instance_type, getattr(self.entry, self.entry.instance_type._meta.pk.attname)

    @property
    def time(self) -> datetime:
        moment: datetime = self.entry.history_date
        return moment


@dataclass(frozen=True)
class Version:
    """What was saved at once, newest record first."""

    records: Sequence[Record]

    @property
    def when(self) -> datetime:
        return self.records[0].time

    @property
    def moment(self) -> int:
        """The version's name in an address: microseconds."""
        return moment_of(self.when)

    @property
    def who(self) -> str:
        user = self.records[0].entry.history_user
        return person(user) if user else gettext("The program")

    @property
    def note(self) -> str:
        reasons = (record.entry.history_change_reason for record in self.records)
        return "; ".join(dict.fromkeys(reason for reason in reasons if reason))

    def kind(self, model: type[Model]) -> str:
        """+ when the row itself was made, - when it was deleted, ~ when it or a part of it was changed."""
        kinds = [record.entry.history_type for record in self.records if record.key[0] is model]
        return next((kind for kind in "+-" if kind in kinds), "~")


def person(user: Any) -> str:
    """What a member of staff is called: a Chinese name begins with the family's."""
    chinese = f"{user.last_name}{user.first_name}"
    return chinese if chinese and not chinese.isascii() else str(user.get_full_name() or user.get_username())


def records(model: type[Model], pk: Any, parts: Iterable[Part] = ()) -> list[Record]:
    """Everything the histories know of this row and of its parts, newest first."""
    entries = _entries(model, {model._meta.pk.attname: pk})  # type: ignore[union-attr]
    for part in parts:
        entries += _entries(part.model, {f"{part.owner}_id": pk})
    entries.sort(key=lambda entry: (entry.history_date, entry.history_id))
    last: dict[Key, Any] = {}
    found = []
    for entry in entries:
        record = Record(entry, None)
        found.append(Record(entry, last.get(record.key)))
        last[record.key] = entry
    return found[::-1]


def versions(found: Iterable[Record]) -> list[Version]:
    """Those records as versions, newest first."""
    groups: list[list[Record]] = []
    for record in found:
        if groups and _together(groups[-1][-1], record):
            groups[-1].append(record)
        else:
            groups.append([record])
    return [Version(group) for group in groups]


def state_at(found: Iterable[Record], moment: int) -> dict[Key, Any]:
    """Each row as it stood then: its entry, or None where it was not there. A row of which nothing is known is missing."""
    state: dict[Key, Any] = {}
    for record in reversed(list(found)):  # oldest first
        if moment_of(record.time) <= moment:
            state[record.key] = None if record.entry.history_type == "-" else record.entry
        elif record.entry.history_type == "+":
            state.setdefault(record.key, None)
    return state


def moment_of(when: datetime) -> int:
    """A point in time as a whole number: microseconds."""
    return int(when.timestamp()) * 1_000_000 + when.microsecond


def told(model: type[Model], names: Iterable[str] = ()) -> list[Any]:
    """The fields whose changes are told: those that people edit."""
    if wanted := [model._meta.get_field(name) for name in names]:
        return wanted
    tracked: list[Any] = model.history.model.tracked_fields  # type: ignore[attr-defined]
    return [field for field in tracked if field.editable and not field.primary_key]


def _entries(model: type[Model], owner: dict[str, Any]) -> list[Any]:
    history = model.history.filter(**owner).select_related("history_user")  # type: ignore[attr-defined]
    return list(history.order_by("-history_date", "-history_id")[:MOST])


def _together(newer: Record, older: Record) -> bool:
    same = newer.entry.history_user_id == older.entry.history_user_id
    return same and newer.time - older.time <= TOGETHER
