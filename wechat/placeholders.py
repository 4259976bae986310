"""The placeholders of staff's texts, such as ##NICKNAME##: one documented list, replaced in one pass.

Another room adds its own with `@placeholders.provide`. What a value holds is never expanded again, and never a link: a
nickname is somebody else's text. An unknown placeholder stays as it is, so that the reader sees the mistake.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote as percent_encoded

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat.models import Follower
from wechat.routing import Contact

Value = Callable[[Contact], str]

_PLACEHOLDER = re.compile(r"##([A-Z]+)##")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One of them: what staff read about it, what it stands for, and what a preview shows instead."""

    name: str
    label: str | Promise
    sample: str | Promise
    value: Value

    @property
    def written(self) -> str:
        """As it stands in a text."""
        return f"##{self.name}##"


ALL: dict[str, Placeholder] = {}


def provide(name: str, label: str | Promise, *, sample: str | Promise) -> Callable[[Value], Value]:
    """Register what ##`name`## stands for in the answers of rules; `name` has capital letters only."""
    if not _PLACEHOLDER.fullmatch(f"##{name}##"):
        raise ValueError(f"{name} cannot be a placeholder: capital letters only")

    def register(value: Value) -> Value:
        ALL[name] = Placeholder(name, label, sample, value)
        return value

    return register


def substitute(template: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders that `values` has, in one pass; others stay."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)


def fill(template: str, contact: Contact) -> str:
    """`template` for this person at this moment. Values are looked up only where they are used, each once."""
    return substitute(template, {name: _harmless(value) for name, value in _used(template, contact)})


def fill_link(template: str, contact: Contact) -> str:
    """The same for an address: values are percent-encoded."""
    return substitute(template, {name: percent_encoded(value, safe="") for name, value in _used(template, contact)})


def _used(template: str, contact: Contact) -> list[tuple[str, str]]:
    names = dict.fromkeys(name for name in _PLACEHOLDER.findall(template) if name in ALL)
    return [(name, ALL[name].value(contact)) for name in names]


def sample(template: str) -> str:
    """`template` as a preview shows it, with invented values."""
    return substitute(template, {name: str(each.sample) for name, each in ALL.items()})


def unknown(template: str) -> list[str]:
    """What looks like a placeholder in `template` and is none."""
    return [f"##{name}##" for name in dict.fromkeys(_PLACEHOLDER.findall(template)) if name not in ALL]


def _harmless(value: str) -> str:
    """A value as text: a phone must not make a link of what somebody calls himself."""
    return value.replace("<", "‹").replace(">", "›")


@provide("NICKNAME", _("the person's nickname, if he agreed to show it"), sample=_("Ms Wang"))
def _nickname(contact: Contact) -> str:
    mine = Follower.objects.filter(account_id=contact.account.id, openid=contact.message.sender)
    return mine.values_list("nickname", flat=True).first() or ""


@provide("ACCOUNT", _("the name of the account"), sample=_("Our account"))
def _account(contact: Contact) -> str:
    return contact.account.name


@provide("DATE", _("today's date"), sample="2026-01-31")
def _date(contact: Contact) -> str:
    return date_format(timezone.localtime(contact.now), "Y-m-d")


@provide("TIME", _("the time of day"), sample="09:30")
def _time(contact: Contact) -> str:
    return date_format(timezone.localtime(contact.now), "H:i")


@provide("TEXT", _("what the person wrote"), sample=_("How much is it?"))
def _said(contact: Contact) -> str:
    return contact.query.text if contact.query else ""
