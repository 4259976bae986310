"""The forms of connecting an account (wechat.admin.wizard): who it is, another secret, and a first menu."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordToggleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from wechat import conf, menus
from wechat.models import Account
from wechat.registry import ROWS

BUTTONS = (1, 2, 3)
ROW_FIELDS = {"appid": "public_wechat_appid", "appsecret": "public_wechat_appsecret"}


def _text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=UnfoldAdminTextInputWidget, **options)


class RowFields(forms.Form):
    """Checks AppID and AppSecret as the configuration does."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, row in ROW_FIELDS.items():
            try:
                cleaned[name] = ROWS[row].clean(cleaned.get(name) or "")
            except ValidationError as error:
                self.add_error(name, error)
        return cleaned

    def rows(self) -> dict[str, str]:
        """What was given, by the names of the rows."""
        return {row: self.cleaned_data[name] for name, row in ROW_FIELDS.items() if self.cleaned_data.get(name)}


class ConnectForm(RowFields):
    """What WeChat's console says of the account. Token and EncodingAESKey are not asked for: we make them."""

    name = _text(_("name"), max_length=100, help_text=_("As visitors know it."))
    kind = forms.ChoiceField(label=_("kind"), choices=Account.Kind.choices, widget=UnfoldAdminSelectWidget)
    appid = _text(_("AppID"), help_text=_("In WeChat's console under Settings and development, Basic configuration."))
    appsecret = forms.CharField(
        label=_("AppSecret"),
        widget=UnfoldAdminPasswordToggleWidget({"autocomplete": "new-password"}),
        help_text=_("On the same page; WeChat shows it once, when you have it made."),
    )
    original_id = _text(
        _("original ID"),
        required=False,
        max_length=64,
        help_text=_("gh_… under Account details. May stay empty."),
    )
    slug = _text(
        _("short name"),
        required=False,
        max_length=50,
        help_text=_("Part of the address that you enter at WeChat; it stays. Empty: we choose one."),
    )

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        taken = set(Account.objects.values_list("slug", flat=True))
        if not slug:
            free = ("wechat", *(f"wechat{number}" for number in range(2, len(taken) + 3)))
            return next(one for one in free if one not in taken)
        if slug in taken:
            raise ValidationError(gettext("There is an account of this short name already."))
        if slugify(slug) != slug:
            raise ValidationError(gettext("Small letters, digits and - only."))
        return slug

    def clean_original_id(self) -> str:
        value = str(self.cleaned_data["original_id"]).strip()
        for check in Account._meta.get_field("original_id").validators if value else ():
            check(value)
        return value

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("appid") in {account.appid for account in conf.snapshot().accounts.values()}:
            self.add_error("appid", gettext("This AppID is connected already."))
        return cleaned


class SecretForm(RowFields):
    """AppID and AppSecret once more, where WeChat refused them; an empty box keeps what is stored."""

    appid = _text(_("AppID"), required=False)
    appsecret = forms.CharField(
        label=_("AppSecret"),
        required=False,
        widget=UnfoldAdminPasswordToggleWidget({"autocomplete": "new-password"}),
        help_text=_("Empty: the stored one is tried again."),
    )


class MenuForm(forms.Form):
    """Three buttons, suggested: each opens a page or is answered by a rule of its name. Empty names leave a button out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [("view", _("Opens a page")), ("click", _("Is answered by a rule"))]
        for number, (name, kind, value) in zip(BUTTONS, _suggested(), strict=True):
            self.fields[f"name{number}"] = _text(_("Button"), required=False, initial=name, max_length=60)
            self.fields[f"kind{number}"] = forms.ChoiceField(
                label=_("What a tap does"), choices=kinds, initial=kind, widget=UnfoldAdminSelectWidget
            )
            self.fields[f"value{number}"] = _text(
                _("Address, or keyword of the rule"), required=False, initial=value, max_length=1024
            )

    def buttons(self) -> Iterator[tuple[forms.BoundField, ...]]:
        """The boxes of each button."""
        return (tuple(self[f"{part}{number}"] for part in ("name", "kind", "value")) for number in BUTTONS)

    def document(self) -> dict[str, Any]:
        """The menu in the platform's form."""
        asked = self.cleaned_data
        chosen = [
            (asked[f"name{number}"].strip(), asked[f"kind{number}"], asked[f"value{number}"].strip())
            for number in BUTTONS
        ]
        return {"button": [_button(*one) for one in chosen if one[0]]}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            self.cleaned_data = cleaned
            document = self.document()
            if not document["button"]:
                raise ValidationError(gettext("Name at least one button, or do it later."))
            menus.clean(document)
        return cleaned


def _suggested() -> tuple[tuple[str, str, str], ...]:
    return (
        (gettext("Get a quote"), "view", f"{settings.PUBLIC_URL}/"),
        (gettext("Questions"), "click", gettext("Questions")),
        (gettext("Contact us"), "click", gettext("Contact us")),
    )


def _button(name: str, kind: str, value: str) -> dict[str, str]:
    return {"type": kind, "name": name, ("url" if kind == "view" else "key"): value}


def reasons(error: ValidationError) -> Iterable[str]:
    """What a refusal says, sentence by sentence."""
    return error.messages
