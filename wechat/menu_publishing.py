"""A menu's way to the platform and back: publish, read back, fetch, delete, and what one person sees.

Comes in: a row of Menu, whose draft is checked. Goes out: what happened. Every call fails with a CallFailed; then the draft and
all versions stay as they are. Never inside a database transaction: these are calls over the network.
"""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from wechat import conf, menus
from wechat.client import menus as client
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError
from wechat.menu_differences import agree, conditional, from_website, normalised
from wechat.menus import Document
from wechat.models import Account, Menu, MenuVersion

NO_MENU, NO_SUCH_MENU = 46003, 65301


@dataclass(frozen=True)
class Live:
    """What is at the platform now. `document` None: no menu. `changed`: buttons that only the website can make."""

    document: Document | None
    menuid: str = ""
    website: bool = False
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """What publishing did. `unread`: why it could not be read back; `left_over`: why the old one is still there."""

    version: MenuVersion
    unread: CallFailed | None
    left_over: CallFailed | None


def match_rule(menu: Menu) -> dict[str, str]:
    """Whom a conditional menu is for, in the platform's words. Raises ValidationError for a tag that it does not know."""
    rule = {"client_platform_type": menu.client} if menu.client else {}
    if menu.tag is None:
        return rule
    if menu.tag.platform_id is None:
        text = _("WeChat does not know the tag “%(tag)s” yet. Synchronise the tags first.")
        raise ValidationError(text % {"tag": menu.tag.name})
    return {"tag_id": str(menu.tag.platform_id), **rule}


def ready(menu: Menu) -> Document:
    """The draft as it would be sent. Raises ValidationError when it cannot be."""
    document = menus.clean(menu.document)
    if not document["button"]:
        raise ValidationError(_("The menu has no buttons yet."))
    if not menu.is_default:
        match_rule(menu)
    return document


def live(menu: Menu) -> Live:
    """What the platform has in the place of this menu; the default one may have been made on the website."""
    account = conf.account_by_id(menu.account_id)
    try:
        answer = client.fetch(account)
    except PlatformError as error:
        if error.code != NO_MENU:
            raise
        return _on_website(account) if menu.is_default else Live(None)
    found = answer.get("menu") if menu.is_default else conditional(answer, menu.menuid)
    if not isinstance(found, dict):
        return Live(None)
    return Live(normalised(found), str(found.get("menuid", "")))


def publish(menu: Menu, user: Any) -> Published:
    """Send the draft, read it back, and keep a version. Raises ValidationError or CallFailed: then nothing was kept."""
    document, account = ready(menu), conf.account_by_id(menu.account_id)
    left_over = None
    if menu.is_default:
        client.create(account, document)
    else:
        old, menu.menuid = menu.menuid, client.add_conditional(account, document, match_rule(menu))
        _keep_number(menu)
        left_over = _drop(account, old)
    who = user if getattr(user, "pk", None) else None
    kept = MenuVersion.objects.create(menu=menu, document=document, published_at=timezone.now(), published_by=who)
    return Published(kept, _read_back(menu, kept), left_over)


def delete(menu: Menu) -> bool:
    """Take the menu away at the platform: the default one, and all conditional ones with it; or this conditional one.
    Returns True; raises CallFailed."""
    account = conf.account_by_id(menu.account_id)
    if menu.is_default:
        client.delete(account)
        Menu.objects.filter(account_id=menu.account_id).update(menuid="")
    elif menu.menuid:
        if failed := _drop(account, menu.menuid):
            raise failed
        Menu.objects.filter(pk=menu.pk).update(menuid="")
    return True


def seen_by(account: Account, person: str) -> Document:
    """The menu that this person sees. Raises CallFailed."""
    try:
        return normalised(client.seen_by(conf.account_by_id(account.pk), person))
    except PlatformError as error:
        if error.code == NO_MENU:
            return {"button": []}
        raise


def _read_back(menu: Menu, version: MenuVersion) -> CallFailed | None:
    """Whether the platform has what was sent; on the version and, of the default menu, its number too."""
    try:
        now = live(menu)
    except CallFailed as error:
        return error
    version.agreed = now.document is not None and not now.website and agree(now.document, version.document)
    version.save(update_fields=["agreed"])
    if menu.is_default and now.menuid:
        menu.menuid = now.menuid
        _keep_number(menu)
    return None


def _drop(account: AccountConfig, menuid: str) -> CallFailed | None:
    """Delete the conditional menu of that number; one that is not there any more is no error."""
    if not menuid:
        return None
    try:
        client.delete_conditional(account, menuid)
    except PlatformError as error:
        return None if error.code == NO_SUCH_MENU else error
    except CallFailed as error:
        return error
    return None


def _on_website(account: AccountConfig) -> Live:
    document, changed = from_website(client.in_force(account))
    return Live(document, website=True, changed=tuple(changed)) if document["button"] else Live(None)


def _keep_number(menu: Menu) -> None:
    """Beside the draft, which somebody may save at this moment."""
    Menu.objects.filter(pk=menu.pk).update(menuid=menu.menuid)
