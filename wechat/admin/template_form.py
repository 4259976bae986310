"""The form that a message template makes: a box for each of its fields, where a tap leads, and to whom it goes."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from wechat import jobs, placeholders, templating
from wechat.models import MessageTemplate, OutgoingMessage, SendJob, Tag

ONE, TAG, ALL = "one", "tag", "followers"
BOX = "field_"  # before the key of a template's field: its name in the form
LINK_BYTES = 1024
_OWN = (ONE, TAG, ALL)


class SendForm(forms.Form):
    """What the card says, where it leads, who gets it. What is checked here is what the platform would refuse."""

    url = forms.CharField(
        label=_("Opens this page"), required=False, max_length=LINK_BYTES, widget=UnfoldAdminTextInputWidget
    )
    appid = forms.RegexField(
        r"^wx[0-9a-f]{16}$", label=_("or this mini program (AppID)"), required=False, widget=UnfoldAdminTextInputWidget
    )
    pagepath = forms.CharField(
        label=_("its page"), required=False, max_length=LINK_BYTES, widget=UnfoldAdminTextInputWidget
    )
    to = forms.ChoiceField(label=_("To"), widget=UnfoldAdminSelectWidget)
    openid = forms.CharField(
        label="openid",
        required=False,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]{1,64}$", _("A complete openid."))],
        widget=UnfoldAdminTextInputWidget,
    )
    tag = forms.ModelChoiceField(
        Tag.objects.none(), label=_("tag"), required=False, empty_label="—", widget=UnfoldAdminSelectWidget
    )
    about = forms.CharField(label=_("Number"), required=False, max_length=64, widget=UnfoldAdminTextInputWidget)
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, template: MessageTemplate, data: Any = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.template = template
        self.parts = templating.fields_of(template.content, template.example)
        self.notice = template.kind == MessageTemplate.Kind.SUBSCRIPTION
        self.fields["tag"].queryset = Tag.objects.filter(account=template.account_id)  # type: ignore[attr-defined]
        others = {name: each for name, each in jobs.audiences.items() if each.asks}
        own = [(ONE, _("One follower")), (TAG, _("Followers with a tag")), (ALL, _("All followers"))]
        self.fields["to"].choices = [*own, *((name, each.label) for name, each in others.items())]  # type: ignore[attr-defined]
        if self.notice:
            del self.fields["appid"], self.fields["pagepath"]
        boxes = {BOX + part.key: _box(part) for part in self.parts if not part.dropped}
        self.fields = {**boxes, **self.fields}

    def boxes(self) -> Iterator[tuple[forms.BoundField, templating.Field]]:
        """The boxes of the template's own fields."""
        return ((self[BOX + part.key], part) for part in self.parts if not part.dropped)

    def audiences(self) -> Iterator[tuple[str, forms.BoundField]]:
        """The boxes that say to whom, with the choices that they belong to."""
        yield ONE, self["openid"]
        yield TAG, self["tag"]
        yield " ".join(jobs.audiences.keys() - set(_OWN)), self["about"]

    def placeholders(self) -> dict[str, Any]:
        """What may be written for the person's own values, by the chosen audience."""
        asked = jobs.audiences.get(str(self["to"].value() or ""))
        return {**jobs.COMMON, **(asked.placeholders if asked else {})}

    def typed(self) -> dict[str, str]:
        """The values as they stand in the boxes, right or wrong."""
        return {part.key: str(self[BOX + part.key].value() or "") for part in self.parts if not part.dropped}

    def warnings(self) -> list[str]:
        """What will not be seen, or not be filled."""
        told = templating.warnings(self.parts, {})
        texts = {**self.typed(), "": str(self["url"].value() or "")}
        known = {f"##{name}##" for name in self.placeholders()}
        if unknown := [each for each in templating.placeholders_in(texts) if each not in known]:
            told.append(gettext("%(names)s: nothing stands for this here.") % {"names": "、".join(unknown)})
        return told

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if url:
            sample = placeholders.substitute(url, dict.fromkeys(self.placeholders(), "https://example.com/"))
            if not url.startswith("##"):
                sample = placeholders.substitute(url, dict.fromkeys(self.placeholders(), "x"))
            URLValidator(schemes=["http", "https"])(sample)
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        self.values = {part.key: cleaned.get(BOX + part.key, "") for part in self.parts if not part.dropped}
        for key, wrong in templating.check(self.parts, self.values, notice=self.notice).items():
            name = BOX + key
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, wrong)
        needed = {ONE: "openid", TAG: "tag"}.get(
            cleaned.get("to", ""), "about" if cleaned.get("to") not in _OWN else ""
        )
        if needed and not cleaned.get(needed) and needed not in self.errors:
            self.add_error(needed, ValidationError(_("Say to whom.")))
        unknown = set(templating.placeholders_in(self.values)) - {f"##{name}##" for name in self.placeholders()}
        if unknown:
            self.add_error(
                None, gettext("%(names)s: nothing stands for this here.") % {"names": "、".join(sorted(unknown))}
            )
        return cleaned

    @property
    def to_one(self) -> bool:
        """Whether one person gets it."""
        return bool(self.cleaned_data["to"] == ONE)

    def spec(self) -> dict[str, Any]:
        """The audience of the job."""
        kind, tag = self.cleaned_data["to"], self.cleaned_data.get("tag")
        if kind == TAG and tag:
            return {"kind": kind, "tag": tag.pk}
        return {"kind": kind} if kind == ALL else {"kind": kind, "about": self.cleaned_data["about"]}

    def count(self) -> int:
        """How many people that is now."""
        return jobs.people_of(self.template.account_id, self.spec()).count()

    def send_one(self, user: Any) -> OutgoingMessage:
        """Put the message for one person into the outbox."""
        return jobs.send_one(self.template, self.cleaned_data["openid"], self._content(), by=user)

    def start(self, user: Any) -> SendJob:
        """Make the job."""
        spec = self.spec()
        whom = self.cleaned_data["tag"].name if spec["kind"] == TAG else str(jobs.audiences[spec["kind"]].label)
        name = f"{self.template.title or self.template.template_id} · {whom} {spec.get('about', '')}".strip()
        return jobs.start(self.template, self._content(), spec, name=name, by=user)

    def _content(self) -> Any:
        links = {name: self.cleaned_data.get(name, "") for name in ("url", "appid", "pagepath")}
        return jobs.content_of(self.template, self.values, **links)


def bubble(template: MessageTemplate, data: Mapping[str, str], *, leads: bool = False) -> dict[str, Any]:
    """The card on the phone's preview, placeholders filled with samples."""
    samples = {"NICKNAME": gettext("Ms Wang"), **{name: str(each.sample) for name, each in placeholders.ALL.items()}}
    lines = [
        {"label": label, "value": placeholders.substitute(value, samples) or "…"}
        for label, value in templating.lines_of(template.content, data)
    ]
    title = template.title or template.template_id
    return {"side": "account", "kind": "template", "title": title, "lines": lines, "leads": leads}


def _box(part: templating.Field) -> forms.CharField:
    attributes = {"data-most": part.most, "placeholder": part.example, "autocomplete": "off"}
    return forms.CharField(
        label=f"{part.label or part.key} ({part.key})",
        required=False,
        max_length=400,  # with placeholders; the kind's own limit is checked in clean
        help_text=part.rule,  # type: ignore[arg-type]
        widget=UnfoldAdminTextInputWidget(attributes),
    )
