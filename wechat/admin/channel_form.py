"""The form of a channel code: what staff may choose, and what WeChat and our own quotes leave free."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanSwitchWidget

from wechat import channel_codes, channel_scenes
from wechat.admin import additions
from wechat.models import ChannelCode, QRCode

PERMANENT = QRCode.Kind.PERMANENT


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Account, scene and kind stay what they were once a code is out."""

    confirm = forms.BooleanField(
        label=_("Yes, make a permanent code"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_(
            "WeChat gives an account 100,000 permanent codes in its whole life and takes none back. Use them for what is "
            "printed and stays; temporary codes are free."
        ),
    )

    class Meta:
        model = ChannelCode
        fields = (
            *("account", "name", "purpose", "campaign", "salesperson", "kind", "confirm", "days", "renew"),
            *("number", "scene", "tag", "rule", "enabled", "note"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scene" in self.fields:
            self.fields["scene"].required = False
            self.fields["scene"].help_text = _(
                "What WeChat tells us when somebody scans. Empty: we choose one, which is best. It cannot be changed later."
            )
        if self.instance.pk:
            self.fields.pop("confirm", None)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        account = cleaned.get("account") or (self.instance.account if self.instance.pk else None)
        if account and not self.instance.pk:
            self._clean_new(account.pk, cleaned)
        for name in ("tag", "rule"):
            if account and cleaned.get(name) and cleaned[name].account_id != account.pk:
                self.add_error(name, _("This belongs to another account."))
        return cleaned

    def _clean_new(self, account_id: int, cleaned: dict[str, Any]) -> None:
        kind = cleaned.get("kind", "")
        try:
            cleaned["scene"] = fitting(account_id, str(cleaned.get("scene") or ""), number=cleaned["number"], kind=kind)
        except ValidationError as error:
            self.add_error("scene", error)
        if kind == PERMANENT and not cleaned.get("confirm"):
            self.add_error("confirm", wants_confirmation(account_id))


def fitting(account_id: int, scene: str, *, number: bool, kind: str) -> str:
    """The scene if it is free, one of ours for an empty one. Raises ValidationError."""
    if not scene.strip():
        if number:
            raise ValidationError(_("Give the number, or let us choose a text."))
        return channel_scenes.new_scene()
    scene = channel_scenes.clean(scene, number=number, kind=kind)
    if scene in channel_scenes.taken(account_id, [scene]):
        raise ValidationError(_("Another channel code of this account has this scene."))
    if owner := owners(account_id, [scene]).get(scene):
        raise ValidationError(_("This number belongs to %(owner)s.") % {"owner": owner})
    return scene


def owners(account_id: int, scenes: list[str]) -> dict[str, str]:
    """Those of the scenes that another room uses, and for what."""
    found: dict[str, str] = {}
    for find in additions.scene_owners:
        found.update(find(account_id, scenes))
    return found


def wants_confirmation(account_id: int, more: int = 1) -> str:
    """Why a permanent code asks for a yes."""
    numbers = {"used": channel_codes.permanent_count(account_id), "more": more, "limit": channel_codes.PERMANENT_LIMIT}
    return (
        gettext("%(used)d of %(limit)d permanent codes are used; %(more)d more cannot be taken back. Confirm it.")
        % numbers
    )
