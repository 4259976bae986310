"""The part of a configuration file that is the menus: the drafts, each by its name (see wechat.portable).

What is published stays as it is: a file changes drafts, and staff publish them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wechat import menus
from wechat.models import Account, Menu, Tag
from wechat.portable import Fields, Items, Section, Words, note, register

MOST_MENUS = 100
_CLIENTS = frozenset(Menu.Client.values)


class Menus(Section):
    """The default menu has neither a tag nor a phone. A tag goes by its name, and is made where it is missing."""

    key = "menus"
    label = gettext_lazy("Menus")
    fields: Mapping[str, Words] = {
        "tag": gettext_lazy("for this tag"),
        "client": gettext_lazy("for this phone"),
        "document": gettext_lazy("menu"),
    }

    def current(self, account: Account) -> Items:
        return {menu.name: _fields(menu) for menu in account.menus.select_related("tag")}

    def dump(self, items: Items) -> Any:
        return [{"name": name, **fields} for name, fields in items.items()]

    def read(self, data: Any) -> Items:
        if not isinstance(data, list):
            raise ValidationError(_("“menus” has to be a list."))
        if len(data) > MOST_MENUS:
            raise ValidationError(_("The file has more than %(most)d menus.") % {"most": MOST_MENUS})
        errors: list[str] = []
        items: Items = {}
        for position, one in enumerate(data, start=1):
            told = _named(one) or _("menu %(position)d") % {"position": position}
            try:
                name, fields = _read(one)
                _check_beside(name, fields, items)
                items[name] = fields
            except ValidationError as error:
                errors += [f"{told}: {message}" for message in error.messages]
        if errors:
            raise ValidationError(errors)
        return items

    def put(self, account: Account, items: Items, user: AbstractBaseUser) -> None:
        for name, fields in items.items():
            menu = _row_for(account, name, is_default=not _for_some(fields))
            menu.name, menu.client = name, fields["client"]
            menu.document, menu.tag = fields["document"], _tag(account, fields["tag"])
            note(menu, user)
            menu.save()

    def remove(self, account: Account, names: Sequence[str], user: AbstractBaseUser) -> None:
        for menu in account.menus.filter(name__in=names):
            note(menu, user)
            menu.delete()


def _fields(menu: Menu) -> Fields:
    return {
        "tag": menu.tag.name if menu.tag else "",
        "client": menu.client,
        "document": menu.document or {"button": []},
    }


def _row_for(account: Account, name: str, *, is_default: bool) -> Menu:
    """The menu of that name. An account has one default menu: another name for it is no second one."""
    menu: Menu | None = account.menus.filter(name=name).first()
    if menu is not None and menu.is_default != is_default:
        text = _("The menu “%(name)s” is the default one on one side, and for some people on the other. Rename one.")
        raise ValidationError(text % {"name": name})
    if menu is None and is_default:
        menu = account.menus.filter(is_default=True).first()
    return menu or Menu(account=account, is_default=is_default)


def _named(one: Any) -> str:
    name = one.get("name") if isinstance(one, dict) else ""
    return name[:60] if isinstance(name, str) else ""


def _read(one: Any) -> tuple[str, Fields]:
    if not isinstance(one, dict):
        raise ValidationError(_("It has to have fields."))
    if unknown := one.keys() - {"name", *Menus.fields}:
        raise ValidationError(_("There is no such field: %(name)s.") % {"name": min(unknown)[:40]})
    if "document" not in one:
        raise ValidationError(_("It has no menu: the field “document” is missing."))
    texts = {name: one.get(name, "") for name in ("name", "tag", "client")}
    if not all(isinstance(value, str) for value in texts.values()) or texts["client"] not in _CLIENTS:
        raise ValidationError(_("It has the wrong type."))
    Menu._meta.get_field("name").clean(texts["name"], None)  # type: ignore[union-attr]
    if texts["tag"]:
        Tag._meta.get_field("name").clean(texts["tag"], None)  # type: ignore[union-attr]
    name = texts.pop("name")
    return name, {**texts, "document": menus.clean(one["document"])}


def _check_beside(name: str, fields: Fields, others: Items) -> None:
    if name in others:
        raise ValidationError(_("There are two menus of this name."))
    if not _for_some(fields) and not all(map(_for_some, others.values())):
        raise ValidationError(_("There are two default menus: give one of them a tag or a phone."))


def _for_some(fields: Fields) -> bool:
    return bool(fields["tag"] or fields["client"])


def _tag(account: Account, name: str) -> Tag | None:
    return Tag.objects.get_or_create(account=account, name=name)[0] if name else None


register(Menus())
