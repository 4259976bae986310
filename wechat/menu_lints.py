"""What is probably not meant in a menu that the platform would take, in words, button by button.

Comes in: a row of Menu (it may be unsaved) and a cleaned document. Goes out: hints. The keys of all menus are told to the
linter of the rules (wechat.linter) from here too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from wechat import conf, linter, menus
from wechat.menus import Button, Document, Path
from wechat.models import Account, Material, Menu
from wechat.rules import Query, RuleIndex, index_of

# A tap on these waits for an answer of a rule.
ANSWERED = frozenset({"click", "scancode_waitmsg"})
MOST_HOSTS = 3  # that all conditional menus of an account may lead to


@dataclass(frozen=True)
class Hint:
    """One thing to look at. `rule_for` is the key for which a rule should be made, or empty."""

    path: Path
    code: str
    text: str
    rule_for: str = ""


def hints(menu: Menu, document: Document) -> list[Hint]:
    """Everything worth a look, from the first button to the last, and then what concerns the whole menu."""
    found = list(_of_names(document))
    index = index_of(conf.account_by_id(menu.account_id)) if menu.account_id else None
    for path, button in menus.leaves(document):
        found += _of_leaf(button, path, menu, index)
    found.sort(key=lambda hint: hint.path)
    return [*found, *_of_menu(menu, document)]


@linter.menu_keys
def keys_of(account: Account) -> Iterable[str]:
    """The keys in all menus of the account that wait for an answer: of the drafts and of what is published."""
    for menu in account.menus.prefetch_related("versions"):
        newest = next(iter(menu.versions.all()), None) if menu.menuid else None
        for document in (menu.document, newest.document if newest else {}):
            yield from (button["key"] for _path, button in _leaves(document) if button["type"] in ANSWERED)


def _leaves(document: Any) -> Iterator[tuple[Path, Button]]:
    """Of a stored document; a broken one has none."""
    try:
        yield from menus.leaves(menus.clean(document))
    except ValidationError:
        return


def _of_names(document: Document) -> Iterator[Hint]:
    for place, button in enumerate(document["button"]):
        yield from _of_name(button["name"], (place,), menus.TOP_SHOWN)
        for number, sub in enumerate(button.get("sub_button", ())):
            yield from _of_name(sub["name"], (place, number), menus.SUB_SHOWN)


def _of_name(name: str, path: Path, most: int) -> Iterator[Hint]:
    if menus.width(name) > most:
        text = _("The phone shows about %(most)d Chinese characters of the name and then “…”.") % {"most": most // 2}
        yield Hint(path, "name", text)


def _of_leaf(button: Button, path: Path, menu: Menu, index: RuleIndex | None) -> Iterator[Hint]:
    kind, key = button["type"], button.get("key", "")
    if kind == "click" and index and not index.candidates(Query(key, "click", "click", None), timezone.now()):
        yield Hint(path, "key", _("No rule answers the key “%(key)s”.") % {"key": linter.isolated(key)}, key)
    if str(button.get("url", "")).startswith("http:"):
        yield Hint(path, "url", _("The address begins with http://: phones may warn of it. Use https://."))
    if media := button.get("media_id"):
        yield from _of_media(str(media), path, menu)
    if kind == "view_limited":
        yield Hint(path, "type", _("WeChat gives up this kind. Choose “Open an article”."))


def _of_media(media_id: str, path: Path, menu: Menu) -> Iterator[Hint]:
    material = Material.objects.filter(account_id=menu.account_id, media_id=media_id).first()
    if material is None:
        yield Hint(path, "media_id", _("This media ID is not among the materials here. Look whether WeChat knows it."))
    elif not material.permanent:
        yield Hint(path, "media_id", _("This material is temporary; a menu takes permanent ones only."))


def _of_menu(menu: Menu, document: Document) -> Iterator[Hint]:
    if menu.is_default or not menu.account_id:
        return
    if not Menu.objects.filter(account_id=menu.account_id, is_default=True).exclude(menuid="").exists():
        yield Hint(
            (), "default", _("WeChat takes a menu for some people only beside a default one. Publish that first.")
        )
    if menu.tag and menu.tag.platform_id is None:
        text = _("WeChat does not know the tag “%(tag)s” yet. Synchronise the tags first.")
        yield Hint((), "tag", text % {"tag": menu.tag.name})
    others = Menu.objects.filter(account_id=menu.account_id, is_default=False).exclude(pk=menu.pk).exclude(menuid="")
    documents = [document, *others.values_list("document", flat=True)]
    hosts = {
        urlsplit(str(leaf.get("url"))).hostname for one in documents for _path, leaf in _leaves(one) if leaf.get("url")
    }
    if len(hosts) > MOST_HOSTS:
        text = _("All menus for some people together lead to %(count)d domains; WeChat allows %(most)d.")
        yield Hint((), "hosts", text % {"count": len(hosts), "most": MOST_HOSTS})
