"""The form of a menu. The menu travels as JSON in one box; static/js/menu_editor.js puts the phone beside it.

The box stays usable without a script. What is checked here is the truth.
"""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from wechat import menus
from wechat.models import Account, Menu, Tag


class MenuField(forms.CharField):
    """A menu as JSON. What was typed comes back as it was, also when it is no JSON at all."""

    def __init__(self, **options: Any) -> None:
        attrs = {"data-menu": "1", "rows": 16, "spellcheck": "false", "class": "menu-json", "autocomplete": "off"}
        super().__init__(required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs), **options)

    def clean(self, value: Any) -> dict[str, Any]:  # type: ignore[override]  # a document where the base gives a text
        return menus.clean(menus.read(super().clean(value)))

    def prepare_value(self, value: Any) -> Any:
        return in_json(value) if isinstance(value, dict) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != (initial or {"button": []}))
        except ValidationError:
            return True


class MenuForm(forms.ModelForm):  # type: ignore[type-arg]
    """The default menu has neither a tag nor a phone; an account has one of them."""

    class Media:
        css = {"all": ("css/rules.css", "css/phone_preview.css", "css/menu_editor.css")}
        js = (forms.Script("js/menu_editor.js", type="module"),)

    document = MenuField(label=_("Menu"), initial=lambda: {"button": []})

    class Meta:
        model = Menu
        fields = ("name", "account", "tag", "client", "document")
        help_texts = {
            "tag": _("Leave tag and phone empty for the menu that everybody else sees."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("account", "tag"):
            for link in ("can_add_related", "can_change_related", "can_view_related", "can_delete_related"):
                if name in self.fields:
                    setattr(self.fields[name].widget, link, False)  # these are made on their own pages
        tag: Any = self.fields.get("tag")
        if tag is not None and self.instance.pk:
            tag.queryset = tag.queryset.filter(account=self.instance.account)

    def clean_name(self) -> str:
        """One name once per account, also where the account is fixed and not on the form."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name:
            raise ValidationError(_("Give the menu a name."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        account = self.instance.account if self.instance.pk else cleaned.get("account")
        if account is None:
            return cleaned
        others = Menu.objects.filter(account=account).exclude(pk=self.instance.pk)
        if others.filter(name=cleaned.get("name", "")).exists():
            self.add_error("name", _("The account has a menu of this name."))
        self._check_readers(cleaned, account, has_default=others.filter(is_default=True).exists())
        return cleaned

    def _check_readers(self, cleaned: dict[str, Any], account: Account, *, has_default: bool) -> None:
        """Whom the menu is for: everybody, or those of a tag or a phone; the one kind does not become the other."""
        tag: Tag | None = cleaned.get("tag")
        for_some = bool(tag or cleaned.get("client"))
        if tag and tag.account_id != account.pk:
            self.add_error("tag", _("This tag belongs to another account."))
        if not self.instance.pk:
            self.instance.is_default = not for_some
            if not for_some and has_default:
                self.add_error("tag", _("The account has its default menu. Choose a tag or a phone for this one."))
        elif not for_some and not self.instance.is_default:
            self.add_error("tag", _("Choose a tag or a phone: this menu is not for everybody."))


def in_json(document: Any) -> str:
    """Readable: Chinese and emoji as they are."""
    return json.dumps(document or {"button": []}, ensure_ascii=False, indent=2)
