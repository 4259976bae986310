"""The form of an account: its own fields, and one field for each editable row of wechat.registry.

A secret is write-only: its box is always empty, an empty box changes nothing, and the page never holds its value.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordToggleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from wechat import conf
from wechat.models import Account
from wechat.registry import CARD, ROWS, SHARING, TEXTS, Row

STRUCTURE = ("slug", "name", "kind", "delivery", "mode", "original_id")
EDITABLE: Mapping[str, Row] = {name: row for name, row in ROWS.items() if row.editable}
FOR_EDITORS = (CARD, SHARING, TEXTS)  # the groups of rows that need the right on the texts only
WORDING: Mapping[str, Row] = {
    name: row for name, row in EDITABLE.items() if any(row.group is group for group in FOR_EDITORS) and not row.secret
}
CLEARABLE = {  # secrets that an account can do without
    "public_wechat_token_previous": _("Remove the previous token"),
    "public_wechat_aes_key_previous": _("Remove the previous EncodingAESKey"),
}
CREDENTIALS = ("public_wechat_appid", "public_wechat_appsecret", "public_wechat_token")


def clear_box(name: str) -> str:
    """The name of the box that removes this secret."""
    return f"clear_{name}"


def field_of(row: Row) -> forms.Field:
    """The form field of a row of the registry."""
    common: dict[str, Any] = {"label": row.label, "help_text": row.help, "required": False}
    if row.choices:
        return forms.ChoiceField(choices=row.choices, widget=UnfoldAdminSelectWidget, **common)
    if row.secret:
        widget: forms.Widget = UnfoldAdminPasswordToggleWidget({"autocomplete": "new-password"})
    elif row.multiline:
        widget = UnfoldAdminTextareaWidget({"rows": 3})
    else:
        widget = UnfoldAdminTextInputWidget()
    return forms.CharField(widget=widget, **common)


def _fields() -> dict[str, forms.Field]:
    fields = {name: field_of(row) for name, row in EDITABLE.items()}
    for name, label in CLEARABLE.items():
        fields[clear_box(name)] = forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget)
    return fields


class RowsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Reads the stored rows, checks the new values as wechat.conf would, and says which rows to store."""

    texts_only = False  # for an editor: the other rows are not in the form at all, whatever is posted

    class Meta:
        model = Account
        fields = STRUCTURE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.texts_only:
            self.fields = {name: field for name, field in self.fields.items() if name in WORDING}
        owner = self.instance
        if "delivery" in self.fields:
            self.fields["delivery"].choices = [("", _("Automatic")), *Account.Delivery.choices]  # type: ignore[attr-defined]
        stored = dict(owner.rows.values_list("conf_name", "conf_value")) if owner.pk else {}
        for name, row in EDITABLE.items():
            present = bool(stored.get(name))
            value: Any = _("set") if present else _("not set")
            if not row.secret:
                value = stored.get(name, "") or (row.default() if row.choices else "")
                self.initial[name] = value
            setattr(owner, name, value)  # what a page shows to people who may only view
            if name in self.fields:
                _explain(self.fields[name], row, present=present)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in EDITABLE.keys() & cleaned.keys():
            try:
                cleaned[name] = EDITABLE[name].clean(cleaned[name])
            except ValidationError as error:
                self.add_error(name, error)
        if not self.texts_only:
            self._require(cleaned)
        for name in CLEARABLE:
            if cleaned.get(clear_box(name)) and cleaned.get(name):
                self.add_error(name, _("Either give a new key or remove it."))
        return cleaned

    def _require(self, cleaned: Mapping[str, Any]) -> None:
        """What the account cannot work without."""
        if self.instance.pk is None:
            for name in CREDENTIALS:
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, gettext("This field is required."))
        if cleaned.get("public_wechat_token_previous") and not cleaned.get("public_wechat_token_previous_until"):
            self.add_error("public_wechat_token_previous_until", gettext("Until when shall the previous token serve?"))
        if not cleaned.get("public_wechat_aes_key") and "public_wechat_aes_key" not in self.errors:
            as_saved = Account(pk=self.instance.pk or 0, mode=cleaned.get("mode", self.instance.mode))
            try:
                conf.require_key(as_saved)
            except ValidationError as error:
                self.add_error(None, error)

    def changed_rows(self) -> dict[str, str]:
        """The rows to store, by name: what changed and nothing else."""
        rows = {name: self.cleaned_data[name] for name in EDITABLE if name in self.changed_data}
        return rows | {name: "" for name in CLEARABLE if self.cleaned_data.get(clear_box(name))}


def _explain(field: forms.Field, row: Row, *, present: bool) -> None:
    if not row.secret:
        field.widget.attrs["placeholder"] = row.default()
        return
    state = _("Set. Leave empty to keep it.") if present else _("Not set.")
    field.help_text = f"{state} {row.help}".strip()


AccountForm = type("AccountForm", (RowsForm,), _fields())
