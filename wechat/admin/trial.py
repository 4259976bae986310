"""Try a message: what would this text, this tap, this scan be answered, and why. Nothing is sent, nothing is kept."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from wechat import conf, trial
from wechat.admin import kinds, looks, pages
from wechat.admin.outgoing import PURPOSES
from wechat.admin.rule_looks import keyword_in_words
from wechat.linter import isolated
from wechat.replies import ARTICLES_TO_EVENT, ARTICLES_TO_MESSAGE, News
from wechat.rules import Outcome, Verdict
from wechat.trial import EARLIEST, FIELDS, KINDS, LATEST, Result

MOST = 200  # rules that the page lists of each sort
SOURCES = {"voice": _("recognised voice"), "picture": _("key of the picture button"), "default": _("default keyword")}
_TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks that would turn the nodes after them round
Bubble = dict[str, Any]


class TrialForm(pages.AccountForm):
    """What to try. All boxes are there without a script; with one, those of the chosen kind."""

    kind = forms.ChoiceField(
        label=_("What the person does"),
        choices=[(name, kind.label) for name, kind in KINDS.items()],
        widget=UnfoldAdminSelectWidget,
    )
    openid = forms.CharField(
        label=_("As this follower"),
        required=False,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]{1,64}$", _("A complete openid."))],
        help_text=_("A complete openid. Empty: somebody invented."),
        widget=UnfoldAdminTextInputWidget,
    )
    at = forms.DateTimeField(
        label=_("At this moment"),
        required=False,
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
        help_text=_("Empty: now. For rules with days or hours."),
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        for name, (label, longest) in FIELDS.items():
            widget = UnfoldAdminTextareaWidget({"rows": 3}) if name == "content" else UnfoldAdminTextInputWidget()
            self.fields[name] = forms.CharField(
                label=cast("Any", label), max_length=longest, required=False, widget=widget
            )
        if not request.user.has_perm("wechat.view_follower"):
            del self.fields["openid"]

    @property
    def fields_of_kinds(self) -> str:
        """Which boxes each kind has, for the script."""
        return json.dumps({name: kind.fields for name, kind in KINDS.items()})

    def shown(self) -> Iterator[forms.BoundField]:
        """The boxes that belong to one kind or another."""
        return (self[name] for name in FIELDS)

    def clean(self) -> dict[str, Any]:
        """What stands in the boxes of other kinds stays out of it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if kind := cleaned.get("kind"):
            self.values = {name: cleaned.get(name, "") for name in KINDS[kind].fields}
            try:
                trial.check(kind, self.values)
            except ValidationError as error:
                for name, text in error.message_dict.items():
                    if name not in self.errors:
                        self.add_error(name, text)
        return cleaned

    def run(self) -> Result:
        """Try it."""
        cleaned = self.cleaned_data
        account, at = conf.account_by_id(cleaned["account"].pk), cleaned.get("at") or timezone.now()
        openid = cleaned.get("openid", "")
        pushed = trial.message(cleaned["kind"], self.values, account=account, openid=openid, at=at)
        return trial.run(account, pushed, at)


@pages.RULES.page("try", _("Try a message"), icon="science", position=30)
def try_it(request: HttpRequest, admin: Any) -> HttpResponse:
    """The form, and below or beside it what would happen."""
    data = request.POST if request.method == "POST" else None
    form = TrialForm(request, data, initial={name: request.GET[name] for name in request.GET})
    context = shown(request, form.run()) if form.is_bound and form.is_valid() else {}
    return pages.render(request, admin, "trial.html", title=_("Try a message"), form=form, **context)


def shown(request: HttpRequest, result: Result) -> dict[str, Any]:
    """What the page says of a trial."""
    rehearsal = result.rehearsal
    hidden = result.is_private and not request.user.has_perm("wechat.view_push")
    return {
        "result": result,
        "became": [_became(query.text, query.source) for query in rehearsal.contact.asked],
        "kind": kinds.in_words(rehearsal.contact.message.handle),
        "verdict": _verdict(result),
        "matched": _group(result, result.matched),
        "kept_out": _group(result, result.kept_out),
        "others": _group(result, result.others),
        "hidden": hidden,
        "bubbles": [*_said(result), *([] if hidden else _answered(result))],
        "effects": [] if hidden else [_effect(row) for row in rehearsal.effects],
        "xml": "" if hidden else _TURNS.sub(_visible, rehearsal.answer),
        "heading": rehearsal.contact.account.name,
    }


def _group(result: Result, verdicts: list[Verdict]) -> dict[str, Any]:
    """The first of these rules, and how many there are."""
    rows = [_row(verdict, result) for verdict in verdicts[:MOST]]
    return {"rows": rows, "count": len(verdicts), "more": len(verdicts) - len(rows)}


def _became(text: str, source: str | None) -> dict[str, str]:
    """What the rules were asked: a text, and where it came from."""
    origin = SOURCES.get(source or "") or (kinds.in_words(source) if source else gettext("typed"))
    return {"text": text, "source": str(origin)}


def _row(verdict: Verdict, result: Result) -> dict[str, Any]:
    """One rule that was considered."""
    place = next((n for n, each in enumerate(result.candidates, start=1) if each.entry.id == verdict.entry.id), 0)
    keyword = verdict.keyword if verdict.outcome != Outcome.BEATEN else None  # the reason names it already
    kind, text = keyword_in_words({"kind": keyword.kind, "text": keyword.text}) if keyword else ("", "")
    return {
        "id": verdict.entry.id,
        "name": verdict.entry.name,
        "place": place,
        "won": verdict.entry.id == result.winner_id,
        "kind": kind,
        "text": text,
        "reason": "" if verdict.outcome == Outcome.CHOSEN else verdict.reason,
    }


def _verdict(result: Result) -> dict[str, str]:
    """The result in one line: who answers. The level is that of the theme's messages."""
    rehearsal, handled = result.rehearsal, result.rehearsal.handled
    if rehearsal.error:
        return {"level": "error", "text": gettext("The program that should answer failed.")}
    winner = next((one.entry.name for one in result.verdicts if one.entry.id == result.winner_id), "")
    if handled is None or not (rehearsal.answer or rehearsal.effects):
        return {"level": "warning", "text": gettext("Nothing is answered.")}
    if handled.answered_by == "welcome":
        return {"level": "success", "text": gettext("The welcome answers.")}
    if handled.answered_by == "default":
        return {"level": "warning", "text": gettext("No rule answers; the default reply does.")}
    if winner:
        return {"level": "success", "text": gettext("The rule “%(name)s” answers.") % {"name": isolated(winner)}}
    return {"level": "success", "text": gettext("The program answers, before any rule.")}


def _said(result: Result) -> Iterator[Bubble]:
    """The person's side of the conversation."""
    pushed = result.rehearsal.contact.message
    if not pushed.is_event:
        yield {"side": "me", "kind": pushed.handle, "content": pushed.fields.get("content", "")}
        return
    detail = pushed.scene or pushed.fields.get("eventkey", "")
    deed = str(kinds.in_words(pushed.handle))
    yield {"side": "me", "kind": "notice", "content": f"{deed}: {detail}" if detail else deed}


def _answered(result: Result) -> Iterator[Bubble]:
    """The account's side: what reaches the person, and nothing else."""
    rehearsal = result.rehearsal
    reply = rehearsal.handled.reply if rehearsal.handled and rehearsal.answer else None
    if reply:
        most = ARTICLES_TO_EVENT if rehearsal.contact.message.is_event else ARTICLES_TO_MESSAGE
        stored = reply.stored()
        if reply.kind == News.kind:
            stored["articles"] = stored["articles"][:most]
        yield {"side": "account", **stored}
    for row in rehearsal.effects:
        yield {"side": "account", **row.content}
    if not reply and not rehearsal.effects:
        yield {"side": "account", "kind": "notice", "content": gettext("No answer")}


def _visible(mark: re.Match[str]) -> str:
    return f"&#x{ord(mark[0]):x};"


def _effect(row: Any) -> dict[str, Any]:
    """One message that would go out beside the answer."""
    what = str({"rule": _("A further answer of the rule"), **PURPOSES}.get(row.purpose, row.purpose))
    how = f"{row.get_route_display()} · {row.get_state_display()}"
    return {"what": what, "how": how, "shown": looks.content(row.content)}
