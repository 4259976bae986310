"""Putting tags on people and taking them off: on the chosen ones of the list, and on one person's page."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from wechat import people_edits
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import Follower, Tag

_WORN = Follower.tags.through
_LENGTH = 30  # characters of a tag's name, the platform's limit


class TagChoice(forms.Form):
    """Which tag: one that is there, or the name of a new one."""

    tag = forms.ChoiceField(label=_("tag"), required=False, widget=UnfoldAdminSelectWidget)
    name = forms.CharField(
        label=_("or a new tag"), max_length=_LENGTH, required=False, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, tags: Iterable[tuple[int, str]], may_make: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag"].choices = [("", "—"), *tags]  # type: ignore[attr-defined]
        if not may_make:
            del self.fields["name"]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        cleaned["name"] = " ".join(cleaned.get("name", "").split())
        if not self.errors and bool(cleaned.get("tag")) == bool(cleaned["name"]):
            raise ValidationError(
                _("Choose one tag.") if "name" not in self.fields else _("Choose a tag or name a new one.")
            )
        return cleaned


class TagsOfOne(BaseDialogForm):  # type: ignore[misc]
    """All tags of the person's account, his own ones checked."""

    tags = forms.MultipleChoiceField(label=_("tags"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = str(self.object_id)
        person = Follower.objects.filter(pk=int(number)).first() if number.isdecimal() else None
        known = Tag.objects.filter(account_id=person.account_id) if person else Tag.objects.none()
        self.fields["tags"].choices = [(str(tag.pk), tag.name) for tag in known]
        self.fields["tags"].initial = [str(tag.pk) for tag in person.tags.all()] if person else []
        if not known:
            self.fields["tags"].help_text = _("The account has no tags yet. Make some under Tags.")


def take_off(people: Iterable[Follower], tags: Iterable[Tag]) -> int:
    """Take these tags off these people. Returns how many tags came off."""
    numbers = [follower.pk for follower in people]
    return _WORN._default_manager.filter(follower_id__in=numbers, tag_id__in=[tag.pk for tag in tags]).delete()[0]


class Tagging:
    """The actions of the followers' pages."""

    @admin.action(description=_("Add a tag…"), permissions=["act"])
    def add_tag(self, request: HttpRequest, chosen: QuerySet[Follower]) -> HttpResponse | None:
        may_make = request.user.has_perm("wechat.add_tag")
        people = list(chosen)
        form = _form(request, people, may_make=may_make)
        if not form.is_valid():
            return self._ask(request, people, form, "add_tag", _("Add a tag"))
        tags = self._new_ones_published(request, _tags(form, people))
        count = self._at_wechat(request, people, tags, on=True)
        self._note(request, people, gettext("Added the tag %(tags)s"), tags)
        text = ngettext("%(count)d person has the tag now.", "%(count)d people have the tag now.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)  # type: ignore[attr-defined]
        return None

    @admin.action(description=_("Remove a tag…"), permissions=["act"])
    def remove_tag(self, request: HttpRequest, chosen: QuerySet[Follower]) -> HttpResponse | None:
        people = list(chosen)
        form = _form(request, people, may_make=False)
        if not form.is_valid():
            return self._ask(request, people, form, "remove_tag", _("Remove a tag"))
        tags = _tags(form, people)
        count = self._at_wechat(request, people, tags, on=False)
        self._note(request, people, gettext("Removed the tag %(tags)s"), tags)
        text = ngettext("%(count)d person had the tag and lost it.", "%(count)d people had the tag and lost it.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)  # type: ignore[attr-defined]
        return None

    @action(  # type: ignore[untyped-decorator]
        description=_("Tags…"),
        permissions=["act"],
        icon="sell",
        dialog={"title": _("Tags of this person"), "form_class": TagsOfOne, "form_submit_text": _("Save")},
    )
    def choose_tags(self, request: HttpRequest, form: TagsOfOne, object_id: str) -> HttpResponse:
        follower = self.found(request, object_id)  # type: ignore[attr-defined]
        if follower is not None:
            tags = list(Tag.objects.filter(account=follower.account_id, pk__in=form.cleaned_data["tags"]))
            has = set(follower.tags.all())
            self._at_wechat(request, [follower], [tag for tag in tags if tag not in has], on=True)
            self._at_wechat(request, [follower], has - set(tags), on=False)
            now = list(follower.tags.all())
            self._note(request, [follower], gettext("Tags: %(tags)s"), now)
            if set(now) == set(tags):
                self.message_user(request, gettext("The tags are saved."), messages.SUCCESS)  # type: ignore[attr-defined]
        return self.back(request, follower)  # type: ignore[attr-defined, no-any-return]

    def _at_wechat(self, request: HttpRequest, people: list[Follower], tags: Iterable[Tag], *, on: bool) -> int:
        """Put tags on or take them off, there and here; says what WeChat refused. Returns the number for the message."""
        count = 0
        for tag in tags:
            mine = [follower for follower in people if follower.account_id == tag.account_id]
            done, error = people_edits.put_tag(tag, mine, on=on)
            count += people_edits.wear(done, tag) if on else take_off(done, [tag])
            if error:
                said = gettext("“%(tag)s” is unchanged for %(count)d people. %(reason)s")
                values = {"tag": tag.name, "count": len(mine) - len(done), "reason": explain_error(error).brief()}
                self.message_user(request, said % values, messages.ERROR)  # type: ignore[attr-defined]
        return count

    def _new_ones_published(self, request: HttpRequest, tags: list[Tag]) -> list[Tag]:
        """Make those tags at WeChat too that were made on the way just now."""
        for tag in tags:
            if getattr(tag, "made_now", False):
                publish(self, request, tag)
        return tags

    def _note(self, request: HttpRequest, people: Iterable[Follower], text: str, tags: Iterable[Tag]) -> None:
        names = {"tags": "、".join(tag.name for tag in tags)}
        for follower in people:
            self.log_change(request, follower, text % names)  # type: ignore[attr-defined]

    def _ask(
        self, request: HttpRequest, people: list[Follower], form: TagChoice, name: str, title: str | Promise
    ) -> HttpResponse:
        """The page between: which tag, for how many."""
        page: Any = self
        context = {
            **page.admin_site.each_context(request),
            "opts": page.opts,
            "title": title,
            "form": form,
            "action": name,
            "checkbox": ACTION_CHECKBOX_NAME,
            "chosen": [follower.pk for follower in people],
        }
        return TemplateResponse(request, "admin/choose_tag.html", context)


def _form(request: HttpRequest, people: Iterable[Follower], *, may_make: bool) -> TagChoice:
    """Unbound until the page between has been answered."""
    accounts = {follower.account_id for follower in people}
    tags = Tag.objects.filter(account_id__in=accounts).select_related("account")
    several = len(accounts) > 1
    named = [(tag.pk, f"{tag.name} ({tag.account})" if several else tag.name) for tag in tags]
    return TagChoice(request.POST if "answered" in request.POST else None, tags=named, may_make=may_make)


def _tags(form: TagChoice, people: Iterable[Follower]) -> list[Tag]:
    """The tag of a valid form; a new name makes one for each account of these people."""
    if number := form.cleaned_data.get("tag"):
        return list(Tag.objects.filter(pk=number))
    found = []
    for account_id in {follower.account_id for follower in people}:
        tag, made = Tag.objects.get_or_create(account_id=account_id, name=form.cleaned_data["name"])
        tag.made_now = made  # type: ignore[attr-defined]
        found.append(tag)
    return found


def publish(page: Any, request: HttpRequest, tag: Tag) -> None:
    """Make a tag at WeChat too; where that is not possible it stays ours, and staff read why."""
    try:
        people_edits.publish_tag(tag)
    except CallFailed as error:
        said = gettext("The tag “%(tag)s” is kept here only. %(reason)s")
        values = {"tag": tag.name, "reason": explain_error(error).brief()}
        page.message_user(request, said % values, messages.WARNING)
