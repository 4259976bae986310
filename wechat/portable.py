"""The configuration of an account as one file: out of the test account, looked at, and into the real one.

A file has sections: texts and rules (wechat.portable_rules), and what other modules register here. In each, an item is
found by its name. Nothing secret and nothing of the connection is in any of them.

Comes in: an account, or a file's document. Goes out: the document; what would change; the change itself, all or nothing.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from wechat.models import Account

FORMAT, VERSION = "wxhub-config", 1
MOST_ERRORS = 20  # told at once; the rest shows when these are put right
HEAD = ("format", "version", "account")
REASON_LENGTH = 100  # characters of the column history_change_reason

Fields = dict[str, Any]
Items = dict[str, Fields]
Words = str | Promise


class Moved(ValidationError):
    """Somebody changed the configuration after the differences were shown: they have to be looked at again."""


class Section(ABC):
    """One part of the file. Items go by name; their fields are JSON values that are equal when they mean the same."""

    key: ClassVar[str]
    label: Words
    fields: Mapping[str, Words]

    @abstractmethod
    def current(self, account: Account) -> Items:
        """What the account has, in the order of the file."""

    @abstractmethod
    def dump(self, items: Items) -> Any:
        """The items as the file holds them."""

    @abstractmethod
    def read(self, data: Any) -> Items:
        """The items of a file. Raises ValidationError, each message with the name of its item."""

    @abstractmethod
    def put(self, account: Account, items: Items, user: AbstractBaseUser) -> None:
        """Make or change these items; the history says who."""

    @abstractmethod
    def remove(self, account: Account, names: Sequence[str], user: AbstractBaseUser) -> None:
        """Take these items away; the history says who."""

    def title(self, name: str) -> Words:
        """What staff call the item."""
        return name


def note(row: Model, user: AbstractBaseUser, what: Sequence[str] = ()) -> None:
    """Say in the row's next history entry who imported it, and which of its fields."""
    reason = ": ".join(filter(None, [_("Import"), ", ".join(what)]))
    row._history_user = user  # type: ignore[attr-defined]  # simple_history reads these two there
    row._change_reason = reason[:REASON_LENGTH]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Change:
    """One field of one item, before and after; None where there is none."""

    field: str
    label: Words
    old: Any
    new: Any


@dataclass(frozen=True)
class Difference:
    """One item that is not the same in both; `old` or `new` is None where it is missing."""

    section: Section
    name: str
    old: Fields | None
    new: Fields | None

    @property
    def kind(self) -> str:
        """new, changed or only_here."""
        if self.new is None:
            return "only_here"
        return "new" if self.old is None else "changed"

    @property
    def title(self) -> Words:
        return self.section.title(self.name)

    @property
    def changes(self) -> list[Change]:
        """The fields that differ."""
        before, after = self.old or {}, self.new or {}
        return [
            Change(field, label, before.get(field), after.get(field))
            for field, label in self.section.fields.items()
            if before.get(field) != after.get(field)
        ]


sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a part to the file; a later one with the same key takes the place of an earlier one."""
    sections[section.key] = section


def export(account: Account) -> dict[str, Any]:
    """The whole configuration of this account, as a JSON-able document."""
    head = {"format": FORMAT, "version": VERSION, "account": {"slug": account.slug, "name": account.name}}
    return {**head, **{key: section.dump(section.current(account)) for key, section in sections.items()}}


def state(account: Account) -> str:
    """A digest of that configuration: the same as long as nobody changed it."""
    return hashlib.sha256(json.dumps(export(account), sort_keys=True).encode()).hexdigest()


def differences(account: Account, document: Any) -> list[Difference]:
    """What applying `document` would change; a part that it lacks is left alone. Raises ValidationError when it is none."""
    return _compared(account, read(document))


def apply(
    account: Account, document: Any, *, user: AbstractBaseUser, remove: bool = False, seen: str = ""
) -> list[Difference]:
    """Make the account what `document` says, in one transaction, and tell what was done.

    What only the account has stays, unless `remove`. `seen` is the state() that the differences were shown for. Raises
    Moved when it is another one by now, and ValidationError when the document cannot be applied.
    """
    wanted = read(document)  # before the transaction: on SQLite nobody else writes while it runs
    try:
        with transaction.atomic():
            locked = Account.objects.select_for_update().get(pk=account.pk)
            if seen and state(locked) != seen:
                raise Moved(_moved())
            done = [one for one in _compared(locked, wanted) if remove or one.new is not None]
            for section in sections.values():
                _write(section, locked, [one for one in done if one.section is section], user=user)
    except IntegrityError:  # a rule of that name appeared between our look and our write
        raise Moved(_moved()) from None
    return done


def read(document: Any) -> dict[str, Items]:
    """The items of a document by section. Raises ValidationError with the mistakes of all sections at once."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValidationError(_("This is no configuration file of WxHub."))
    if document.get("version") != VERSION or document["version"] is True:
        raise ValidationError(_("The file has a version that this program does not know."))
    errors, wanted = _wrong_head(document.get("account", {})), {}
    for key in document.keys() - set(HEAD):
        try:
            wanted[key] = _section(key).read(document[key])
        except ValidationError as error:
            errors += error.messages
    _refuse(errors)
    return {key: wanted[key] for key in sections if key in wanted}


def _refuse(errors: Sequence[str]) -> None:
    more = len(errors) - MOST_ERRORS
    if more > 0:
        errors = [*errors[:MOST_ERRORS], _("… and %(count)d more.") % {"count": more}]
    if errors:
        raise ValidationError(list(errors))


def _moved() -> str:
    return _("Somebody changed the configuration in the meantime. Look at the differences again.")


def _section(key: str) -> Section:
    if key not in sections:
        raise ValidationError(_("The file has a part that this program does not know: %(name)s.") % {"name": key[:40]})
    return sections[key]


def _wrong_head(head: Any) -> list[str]:
    known = isinstance(head, dict) and head.keys() <= {"slug", "name"}
    if known and all(isinstance(value, str) for value in head.values()):
        return []
    return [_("“account” has to hold the short name and the name of the account the file comes from.")]


def _compared(account: Account, wanted: dict[str, Items]) -> list[Difference]:
    return [
        difference
        for key, items in wanted.items()
        for difference in _compare(sections[key], sections[key].current(account), items)
    ]


def _compare(section: Section, here: Items, there: Items) -> Iterator[Difference]:
    for name, fields in there.items():
        old = here.get(name)
        unset = old is None and not any(fields.values())  # an empty text for one that is empty here too
        if fields != old and not unset:
            yield Difference(section, name, old, fields)
    for name, fields in here.items():
        if name not in there:
            yield Difference(section, name, fields, None)


def _write(section: Section, account: Account, done: list[Difference], *, user: AbstractBaseUser) -> None:
    put = {one.name: one.new for one in done if one.new is not None}
    gone = [one.name for one in done if one.new is None]
    if gone:
        section.remove(account, gone, user)
    if put:
        section.put(account, put, user)
