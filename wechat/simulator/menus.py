"""The menus of one account: the default one, conditional ones, and one made on the website.

In: menus that passed `endpoints.menu_rules`. Out: the menu that somebody sees, and the forms it is read back in.
Source: wechat-api.md, section 9. The caller holds the platform's lock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Button = dict[str, Any]
Menu = dict[str, Any]  # button, menuid, and of a conditional menu its matchrule
FIRST_MENUID = 208396938
_FIELDS = ("type", "name", "key", "url", "media_id", "article_id", "appid", "pagepath")


@dataclass
class Menus:
    """`conditional` is oldest first. `website` has the form of get_current_selfmenu_info and shows until one is published."""

    default: Menu | None = None
    conditional: list[Menu] = field(default_factory=list)
    website: Menu | None = None
    made: int = 0

    def publish(self, buttons: list[Button]) -> Menu:
        """Replace the default menu."""
        self.default = {"button": [_kept(button) for button in buttons], "menuid": self._number()}
        return self.default

    def add(self, buttons: list[Button], rule: dict[str, Any]) -> Menu:
        """A conditional menu more."""
        menu = {"button": [_kept(button) for button in buttons], "matchrule": rule, "menuid": self._number()}
        self.conditional.append(menu)
        return menu

    def remove(self, menuid: str) -> bool:
        """Take one conditional menu away; False when there is none of this id."""
        before = len(self.conditional)
        self.conditional = [menu for menu in self.conditional if str(menu["menuid"]) != menuid]
        return len(self.conditional) < before

    def delete(self) -> None:
        """Take all menus away."""
        self.default, self.conditional, self.website = None, [], None

    def seen_by(self, *, tags: list[int], client: str) -> Menu | None:
        """The newest conditional menu that fits, else the default one. Of several tags only the last applied counts."""
        tag = str(tags[-1]) if tags else None
        facts = {"tag_id": tag, "client_platform_type": client}
        for menu in reversed(self.conditional):
            if all(facts[name] == str(value) for name, value in menu["matchrule"].items()):
                return menu
        return self.default or _from_website(self.website)

    def uses(self, media_id: str) -> bool:
        """Whether a button sends this file."""
        menus = [menu for menu in (self.default, *self.conditional) if menu]
        return any(leaf.get("media_id") == media_id for menu in menus for leaf in leaves(menu["button"]))

    def as_website(self) -> dict[str, Any]:
        """The form of get_current_selfmenu_info: sub menus are lists in an object."""
        if self.default is None:
            return self.website or {"is_menu_open": 0, "selfmenu_info": {"button": []}}
        return {"is_menu_open": 1, "selfmenu_info": {"button": [_listed(button) for button in self.default["button"]]}}

    def _number(self) -> int:
        self.made += 1
        return FIRST_MENUID + self.made


def leaves(buttons: list[Button]) -> Iterator[Button]:
    """The buttons that do something: those of sub menus, and those that have none."""
    for button in buttons:
        if button.get("sub_button"):
            yield from button["sub_button"]
        else:
            yield button


def button_at(menu: Menu | None, path: list[int]) -> Button | None:
    """The button at this place, such as [0] or [1, 2]; None when there is none."""
    button: Button = {"sub_button": menu["button"] if menu else []}
    for place in path:
        below = button.get("sub_button") or []
        if not 0 <= place < len(below):
            return None
        button = below[place]
    return button


def _kept(button: Button) -> Button:
    """What the platform keeps of a button: known fields, and on each leaf an empty list of sub buttons."""
    subs = button.get("sub_button") or []
    known = ("name",) if subs else _FIELDS
    return {
        **{name: button[name] for name in known if name in button},
        "sub_button": [_kept(sub) for sub in subs],
    }


def _listed(button: Button) -> Button:
    leaf = {name: value for name, value in button.items() if name != "sub_button"}
    return (
        {**leaf, "sub_button": {"list": [_listed(sub) for sub in button["sub_button"]]}}
        if button["sub_button"]
        else leaf
    )


def _from_website(website: Menu | None) -> Menu | None:
    """The website's menu in the form of the API, for the phone."""
    if website is None:
        return None

    def unlisted(button: Button) -> Button:
        subs = (button.get("sub_button") or {}).get("list", [])
        return {**button, "sub_button": [unlisted(sub) for sub in subs]}

    return {"button": [unlisted(button) for button in website["selfmenu_info"]["button"]], "menuid": 0}
