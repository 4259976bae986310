"""The parts of a configuration file that are the account's texts and its reply rules (see wechat.portable)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from wechat import answers, conf
from wechat.keywords import Keyword, check_keyword
from wechat.models import Account, Rule
from wechat.portable import Fields, Items, Section, Words, note, register
from wechat.registry import CARD, ROWS, TEXTS, Row

MOST_RULES = 10_000
AT_ONCE = 200  # rows of one statement

PORTABLE: Mapping[str, Row] = {
    name: row for name, row in ROWS.items() if row.editable and not row.secret and row.group in (CARD, TEXTS)
}


class Texts(Section):
    """The rows of the registry that are texts; what connects the account stays where it is."""

    key = "texts"
    label = gettext_lazy("Texts")
    fields = {"value": gettext_lazy("Text")}

    def title(self, name: str) -> Words:
        return PORTABLE[name].label

    def current(self, account: Account) -> Items:
        stored = dict(account.rows.filter(conf_name__in=PORTABLE).values_list("conf_name", "conf_value"))
        return {name: {"value": stored[name]} for name in PORTABLE if stored.get(name)}

    def dump(self, items: Items) -> Any:
        return {name: fields["value"] for name, fields in items.items()}

    def read(self, data: Any) -> Items:
        if not isinstance(data, dict):
            raise ValidationError(_("“texts” has to hold names with their texts."))
        errors, items = [], {}
        for name, value in data.items():
            try:
                items[name] = {"value": _text(name, value)}
            except ValidationError as error:
                errors += [f"{name[:40]}: {message}" for message in error.messages]
        _raise(errors)
        return items

    def put(self, account: Account, items: Items, user: AbstractBaseUser) -> None:
        conf.save(account, {name: fields["value"] for name, fields in items.items()})
        note(account, user, [str(self.title(name)) for name in items])
        account.save(update_fields=["name"])  # the texts stand in the history of their account

    def remove(self, account: Account, names: Sequence[str], user: AbstractBaseUser) -> None:
        self.put(account, {name: {"value": ""} for name in names}, user)


class Rules(Section):
    """The reply rules, oldest first: among equals the newest is asked first, and so it is after the way."""

    key = "rules"
    label = gettext_lazy("Reply rules")
    fields = {
        name: Rule._meta.get_field(name).verbose_name  # type: ignore[union-attr]
        for name in (
            "enabled",
            "priority",
            "keywords",
            "answers",
            "choice",
            "starts_on",
            "ends_on",
            "from_time",
            "until_time",
        )
    }

    def current(self, account: Account) -> Items:
        return {rule.name: _fields(rule) for rule in account.rules.order_by("pk")}

    def dump(self, items: Items) -> Any:
        return [{"name": name, **fields} for name, fields in items.items()]

    def read(self, data: Any) -> Items:
        if not isinstance(data, list):
            raise ValidationError(_("“rules” has to be a list."))
        if len(data) > MOST_RULES:
            raise ValidationError(_("The file has more than %(most)d rules.") % {"most": MOST_RULES})
        errors: list[str] = []
        items: Items = {}
        for position, document in enumerate(data, start=1):
            name = _name(document) or _("rule %(position)d") % {"position": position}
            try:
                rule = _rule(document)
                if rule.name in items:
                    raise ValidationError(_("There are two rules of this name."))
                items[rule.name] = _fields(rule)
            except ValidationError as error:
                errors += [f"{name[:60]}: {message}" for message in _messages(error)]
        _raise(errors)
        return items

    def put(self, account: Account, items: Items, user: AbstractBaseUser) -> None:
        old = {rule.name: rule for rule in account.rules.all() if rule.name in items}
        rules = [old.get(name) or Rule(account=account, name=name) for name in items]
        for rule, fields in zip(rules, items.values(), strict=True):
            rule.updated_at = timezone.now()
            for field, value in fields.items():  # read() has checked them
                setattr(rule, field, Rule._meta.get_field(field).to_python(value))  # type: ignore[union-attr]
        how = {"batch_size": AT_ONCE, "default_user": user, "default_change_reason": _("Import")}
        if changed := [rule for rule in rules if rule.pk]:
            for rule in changed:  # one by one: a statement for many costs ten times as much
                values = {name: getattr(rule, name) for name in (*self.fields, "updated_at")}
                Rule.objects.filter(pk=rule.pk).update(**values)
            bulk_update_with_history(changed, Rule, [], **how)
        if made := [rule for rule in rules if not rule.pk]:
            bulk_create_with_history(made, Rule, **how)
        conf.rules_changed(rules[0])  # no signal tells of rows written many at once

    def remove(self, account: Account, names: Sequence[str], user: AbstractBaseUser) -> None:
        gone = set(names)
        for rule in account.rules.all():
            if rule.name in gone:
                note(rule, user)
                rule.delete()


def _raise(errors: list[str]) -> None:
    if errors:
        raise ValidationError(errors)


def _text(name: str, value: Any) -> str:
    if name in ROWS and name not in PORTABLE:
        raise ValidationError(_("This belongs to the connection of one account and is in no file."))
    if name not in PORTABLE:
        raise ValidationError(_("There is no such text."))
    if not isinstance(value, str):
        raise ValidationError(_("It has to be a text."))
    return PORTABLE[name].clean(value)


def _keywords(data: Any) -> list[dict[str, str]]:
    if not isinstance(data, list):
        raise ValidationError(_("The keywords have to be a list."))
    errors, kept = [], []
    for position, document in enumerate(data, start=1):
        try:
            kept.append(_keyword(document))
        except ValidationError as error:
            told = _("Keyword %(position)d: %(error)s")
            errors += [told % {"position": position, "error": message} for message in error.messages]
    _raise(errors)
    return kept


def _keyword(document: Any) -> dict[str, str]:
    whole = isinstance(document, dict) and document.keys() == {"kind", "text"}
    if not whole or not all(isinstance(value, str) for value in document.values()):
        raise ValidationError(_("It has to have a kind and a text, and nothing else."))
    check_keyword(Keyword(document["kind"], document["text"]))
    return dict(document)


_TYPES: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "enabled": (bool,),
    "priority": (int,),
    "choice": (str,),
    **dict.fromkeys(("starts_on", "ends_on", "from_time", "until_time"), (str, type(None))),
}
_DOCUMENTS: Mapping[str, Callable[[Any], list[Any]]] = {"keywords": _keywords, "answers": answers.clean}


def _name(document: Any) -> str:
    """What the file calls this rule, in case it is one at all."""
    name = document.get("name") if isinstance(document, dict) else ""
    return name if isinstance(name, str) else ""


def _rule(document: Any) -> Rule:
    """The rule of a document, checked and not saved."""
    if not isinstance(document, dict):
        raise ValidationError(_("It has to have fields."))
    if unknown := document.keys() - _TYPES.keys() - _DOCUMENTS.keys():
        raise ValidationError(_("There is no such field: %(name)s.") % {"name": min(unknown)[:40]})
    rule = Rule()
    for name, value in document.items():
        if name in _TYPES and type(value) not in _TYPES[name]:  # True is an int for Python, and no priority
            raise ValidationError({name: [_("It has the wrong type.")]})
        setattr(rule, name, _DOCUMENTS[name](value) if name in _DOCUMENTS else value)
    rule.clean_fields(exclude=["account", *_DOCUMENTS])  # dates and times are parsed here
    return rule


def _fields(rule: Rule) -> Fields:
    """A rule as it stands in a file."""
    values = {name: getattr(rule, name) for name in Rules.fields} | {"choice": str(rule.choice)}
    return {name: value.isoformat() if isinstance(value, date | time) else value for name, value in values.items()}


def _messages(error: ValidationError) -> list[str]:
    """An error's words, each with the field it is about."""
    if not hasattr(error, "error_dict"):
        return error.messages
    labels = {"name": Rule._meta.get_field("name").verbose_name, **Rules.fields}  # type: ignore[union-attr]
    return [
        f"{capfirst(str(labels.get(field, field)))}: {text}"
        for field, words in error.message_dict.items()
        for text in words
    ]


for section in (Texts(), Rules()):
    register(section)
