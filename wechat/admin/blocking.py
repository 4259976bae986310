"""What staff do with people at WeChat, on the followers' pages: the remark, blocking, letting back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from wechat import people_edits
from wechat.admin.actions import asks_first
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import Follower

_MOST = 200  # people in one go: ten calls
_BLOCKED = _("They get nothing from the account any more and cannot write to it. Each can be let back.")
_BACK = _("They can write to the account again, and get what it sends.")


class RemarkForm(BaseDialogForm):  # type: ignore[misc]
    """The remark, which WeChat measures in bytes."""

    remark = forms.CharField(
        label=_("remark"),
        required=False,
        max_length=29,
        help_text=_("Up to 29 bytes: 9 Chinese characters, or 29 letters. Empty: no remark."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = str(self.object_id)
        person = Follower.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
        self.fields["remark"].initial = person.remark if person else ""

    def clean_remark(self) -> str:
        remark = " ".join(str(self.cleaned_data["remark"]).split())
        size = len(remark.encode())
        if size >= people_edits.REMARK_BYTES:
            raise ValidationError(_("This has %(size)d bytes; WeChat takes 29.") % {"size": size})
        return remark


class AtWechat:
    """The actions of the followers' pages."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Of blocking and letting back the one that changes something."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        page: Any = self
        person = page.get_object(request, unquote(str(object_id)))
        needless = "block_person" if person is not None and person.blocked else "unblock_person"
        return [each for each in offered if each.path != needless]

    @action(  # type: ignore[untyped-decorator]
        description=_("Remark…"),
        permissions=["act"],
        icon="edit_note",
        dialog={"title": _("Remark for this person"), "form_class": RemarkForm, "form_submit_text": _("Save")},
    )
    def edit_remark(self, request: HttpRequest, form: RemarkForm, object_id: str) -> HttpResponse:
        page: Any = self
        person = page.found(request, object_id)
        if person is not None:
            try:
                people_edits.set_remark(person, form.cleaned_data["remark"])
            except CallFailed as error:
                self._refused(request, error)
            else:
                page.log_change(request, person, gettext("Changed the remark"))
                page.message_user(request, gettext("The remark is saved here and at WeChat."), messages.SUCCESS)
        return page.back(request, person)  # type: ignore[no-any-return]

    @asks_first(_("Block"), question=_("Block this person?"), consequence=_BLOCKED, icon="block", permission="act")
    def block_person(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._one(request, object_id, blocked=True)

    @asks_first(
        _("Let back"), question=_("Let this person back?"), consequence=_BACK, icon="how_to_reg", permission="act"
    )
    def unblock_person(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._one(request, object_id, blocked=False)

    @admin.action(description=_("Block…"), permissions=["act"])
    def block_chosen(self, request: HttpRequest, chosen: QuerySet[Follower]) -> HttpResponse | None:
        return self._several(request, chosen, "block_chosen", _("Block"), blocked=True)

    @admin.action(description=_("Let back…"), permissions=["act"])
    def unblock_chosen(self, request: HttpRequest, chosen: QuerySet[Follower]) -> HttpResponse | None:
        return self._several(request, chosen, "unblock_chosen", _("Let back"), blocked=False)

    def _one(self, request: HttpRequest, object_id: str, *, blocked: bool) -> HttpResponse:
        page: Any = self
        person = page.found(request, object_id)
        if person is not None:
            self._block(request, [person], blocked=blocked)
        return page.back(request, person)  # type: ignore[no-any-return]

    def _several(
        self, request: HttpRequest, chosen: QuerySet[Follower], name: str, title: str | Promise, *, blocked: bool
    ) -> HttpResponse | None:
        page: Any = self
        people = list(chosen[: _MOST + 1])
        if len(people) > _MOST:
            said = gettext("At most %(most)d people at once.") % {"most": _MOST}
            page.message_user(request, said, messages.ERROR)
            return None
        if "answered" in request.POST:
            self._block(request, people, blocked=blocked)
            return None
        context = {
            **page.admin_site.each_context(request),
            "opts": page.opts,
            "title": title,
            "consequence": _BLOCKED if blocked else _BACK,
            "form": forms.Form(),
            "action": name,
            "checkbox": ACTION_CHECKBOX_NAME,
            "chosen": [person.pk for person in people],
        }
        return TemplateResponse(request, "admin/choose_tag.html", context)

    def _block(self, request: HttpRequest, people: list[Follower], *, blocked: bool) -> None:
        page: Any = self
        try:
            count = people_edits.block(people, blocked=blocked)
        except CallFailed as error:
            self._refused(request, error)
            return
        for person in people:
            page.log_change(request, person, gettext("Blocked") if blocked else gettext("Let back"))
        text = (
            ngettext("%(count)d person is blocked.", "%(count)d people are blocked.", count)
            if blocked
            else ngettext("%(count)d person is let back.", "%(count)d people are let back.", count)
        )
        page.message_user(request, text % {"count": count}, messages.SUCCESS)

    def _refused(self, request: HttpRequest, error: CallFailed) -> None:
        page: Any = self
        page.message_user(request, explain_error(error).brief(), messages.ERROR)
