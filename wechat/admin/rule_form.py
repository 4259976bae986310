"""The form of a reply rule. Keywords and answers travel as JSON in two boxes; static/js/rule_form.js puts an editor on each.

The boxes stay usable without a script. What is checked here is the truth, and each complaint knows its place in the list.
"""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from wechat import answers
from wechat.keywords import KINDS, Key, Keyword, check_keyword
from wechat.models import Account, Rule
from wechat.replies import clean as storable

LONGEST = 200_000  # characters of one box; a rule of everyday has some hundred
KEYS = ("kind", "text")
TEXTLESS = frozenset({"takeover"})
_FROM_KEYS = {"": "exact", "voice": "exact", "qr": "scene", "subscribe": "scene"}  # by the source of an unanswered text


class Box(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """A text box with JSON that says which editor belongs on it."""

    def __init__(self, editor: str) -> None:
        super().__init__({"data-editor": editor, "rows": 8, "spellcheck": "false", "class": "rule-json"})


class ListField(forms.JSONField):
    """A list of documents, as JSON. Texts lose what no database and no XML can hold."""

    def to_python(self, value: Any) -> list[Any]:  # type: ignore[override]  # a list where the stubs expect a text
        if isinstance(value, str) and len(value) > LONGEST:
            raise ValidationError(_("This is too long."))
        try:
            read = super().to_python(value)
            return [] if read is None else self._listed(_storable(read))
        except (RecursionError, ValueError):  # nested too deeply, or a number with thousands of digits
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": "…"}) from None

    def _listed(self, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError(_("This must be a list, in square brackets."))
        return value

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed comes back as it was, also when it is no JSON at all."""
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        """Readable for those who see the box itself."""
        shown = super().prepare_value(value)
        return json.dumps(value, ensure_ascii=False, indent=1) if isinstance(value, list) else shown


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Checks what the model cannot; `merged` are the keywords that stood there twice."""

    class Media:
        css = {"all": ("css/phone_preview.css",)}
        js = (forms.Script("js/rule_form.js", type="module"),)

    keywords = ListField(label=_("Keywords"), required=False, initial=list, widget=Box("keywords"))
    answers = ListField(label=_("Answers"), required=False, initial=list, widget=Box("answers"))

    class Meta:
        model = Rule
        fields = (
            "name",
            "account",
            "enabled",
            "keywords",
            "answers",
            "choice",
            "priority",
            "starts_on",
            "ends_on",
            "from_time",
            "until_time",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merged: list[str] = []

    def clean_keywords(self) -> list[dict[str, str]]:
        """Checked one by one; empty lines are dropped, and a keyword that stands there twice is kept once."""
        kept: dict[Key, dict[str, str]] = {}
        errors: dict[int, list[str]] = {}
        for position, given in enumerate(self.cleaned_data["keywords"]):
            try:
                keyword = _keyword(given)
                if keyword is None:
                    continue
                check_keyword(keyword)
            except ValidationError as error:
                errors[position] = error.messages
                continue
            if keyword.key in kept:
                self.merged.append(keyword.text or str(KINDS[keyword.kind]))
            kept.setdefault(keyword.key, {"kind": keyword.kind, "text": keyword.text})
        self._place("keywords", errors, _("Keyword %(position)d: %(error)s"))
        return list(kept.values())

    def clean_answers(self) -> list[dict[str, Any]]:
        """Checked by wechat.answers; its messages begin with the position, which puts each beside its answer."""
        try:
            return answers.clean(self.cleaned_data["answers"])
        except ValidationError as error:
            placed: dict[int, list[str]] = {}
            for position in range(len(self.cleaned_data["answers"])):
                begins = gettext("Answer %(position)d: %(error)s") % {"position": position + 1, "error": ""}
                found = [text.removeprefix(begins) for text in error.messages if text.startswith(begins)]
                placed |= {position: found} if found else {}
            self._show("answers", placed)
            raise

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts and ends and ends < starts:
            self.add_error("ends_on", _("The last day is before the first one."))
        if cleaned.get("enabled"):
            for name, text in missing(cleaned.get("keywords"), cleaned.get("answers")).items():
                if name not in self.errors:
                    self.add_error(name, text)
        return cleaned

    def _place(self, name: str, errors: dict[int, list[str]], text: Any) -> None:
        """Show these errors beside their items, and together as the field's own. Raises ValidationError if there are any."""
        self._show(name, errors)
        listed = [
            text % {"position": position + 1, "error": message}
            for position, messages in errors.items()
            for message in messages
        ]
        if listed:
            raise ValidationError(listed)

    def _show(self, name: str, errors: dict[int, list[str]]) -> None:
        self.fields[name].widget.attrs["data-errors"] = json.dumps(errors, ensure_ascii=False)


def missing(keywords: object, documents: object) -> dict[str, Any]:
    """What a rule needs before it may be on, by field."""
    needed = {}
    if not keywords:
        needed["keywords"] = _("A rule that is on needs a keyword. Add one, or switch the rule off.")
    if not documents:
        needed["answers"] = _("A rule that is on needs an answer. Add one, or switch the rule off.")
    return needed


def prefilled(text: str, source: str) -> dict[str, Any]:
    """The beginnings of a rule for a text that nobody answered; `source` is empty for what was typed, else the event's."""
    text = storable(text).strip()
    if not text:
        return {}
    keyword = {"kind": _FROM_KEYS.get(source, "event_key"), "text": text}
    longest = Rule._meta.get_field("name").max_length
    return {"name": " ".join(text.split())[:longest], "keywords": [keyword]}


def read(box: str) -> list[Any]:
    """The list in a box that may hold anything. Raises ValidationError."""
    return ListField(required=False).to_python(box)


def account_of(accounts: Any, pk: str) -> Account | None:
    """The chosen account out of those that this person works for."""
    return accounts.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None


def _keyword(given: Any) -> Keyword | None:
    """The keyword of a document; None for a line that was left empty. Raises ValidationError for what is no keyword."""
    if not isinstance(given, dict) or not all(isinstance(given.get(key, ""), str) for key in KEYS):
        raise ValidationError(_("A keyword has a kind and a text."))
    kind, text = given.get("kind", ""), given.get("text", "")
    if unknown := set(given) - set(KEYS):
        raise ValidationError(_("Unknown field: %s.") % str(sorted(unknown)[0])[:40])
    if kind in TEXTLESS:
        return Keyword(kind, "")
    text = text if kind == "regex" else text.strip()  # a space may be meant in a pattern
    return Keyword(kind, text) if text.strip() else None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(part) for part in value]
    if isinstance(value, dict):
        return {storable(name): _storable(part) for name, part in value.items()}
    return value
