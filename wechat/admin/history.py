"""Who changed what: the page with the versions of a row, and the way back to one of them.

simple_history's own page of an old version would write it back for people who may only view, so it is not used: going back is
a POST of its own, for who may change the row, after a question, and is itself a change in the history.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from wechat.admin.actions import asks_first
from wechat.admin.changes import Telling
from wechat.admin.records import leave
from wechat.admin.scope import ScopedAdmin
from wechat.admin.versions import Key, Part, Record, Version, records, state_at, told, versions
from wechat.models import Account
from wechat.portable import REASON_LENGTH

PER_PAGE = 20


class HistoryAdmin(Telling, ScopedAdmin, ModelAdmin):  # type: ignore[misc]
    """A ModelAdmin with a history."""

    def get_urls(self) -> list[URLPattern]:
        restore = self.admin_site.admin_view(self.restore_view)
        return [
            path("<path:object_id>/history/<int:moment>/", restore, name=self._page("restore")),
            *super().get_urls(),
        ]

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the form's page needs beside Django's own context; `obj` is None for a new row and for one he may not see."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        seen = obj if obj is not None and self.has_view_permission(request, obj) else None
        context = {**(extra_context or {}), **self.form_context(request, seen)}
        return super().changeform_view(request, object_id, form_url, context)

    def may_restore(self, request: HttpRequest, obj: Any) -> bool:
        """Whether this person may go back to an earlier version of the row."""
        parts = (part.model._meta for part in self.history_parts)
        needed = [
            f"{opts.app_label}.{verb}_{opts.model_name}" for opts in parts for verb in ("add", "change", "delete")
        ]
        return self.has_change_permission(request, obj) and request.user.has_perms(needed)

    def restorable(self, obj: Any, version: Version, found: list[Record]) -> bool:
        """Whether there is a way back to this version: not to the one that is there."""
        return version.records[0] is not found[0]

    def write_back(self, request: HttpRequest, obj: Any, state: Mapping[Key, Any]) -> None:
        """Make the row and its parts what they were. Raises ValidationError where that is not possible any more."""
        entry = state.get((self.model, obj.pk))
        fixed = {*self.get_readonly_fields(request, obj)}
        for field in told(self.model) if entry else ():
            if field.name not in fixed and field.related_model is not Account:
                setattr(obj, field.attname, getattr(entry, field.attname))
        obj.full_clean()
        obj.save()
        for part in self.history_parts:
            _write_part(part, state)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        obj = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        found = records(self.model, obj.pk, self.history_parts)
        page = Paginator(versions(found), PER_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History"),
            "subtitle": str(obj),
            "opts": self.opts,
            "original": obj,
            "page": page,
            "versions": [self._told(request, obj, version, found) for version in page],
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/versions.html", context)

    def restore_view(self, request: HttpRequest, object_id: str, moment: int) -> HttpResponse:
        """The page of the button: who may not use it is not even asked."""
        obj = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, obj):
            raise PermissionDenied
        if obj is None:
            return leave(request, reverse("admin:index"))
        if not self.may_restore(request, obj):
            raise PermissionDenied
        asking: Any = self.restore  # without the form, which the theme's decorator adds
        answer: HttpResponse = asking(request, object_id=object_id, moment=moment)
        return answer

    @asks_first(
        _("Restore"),
        question=_("Restore this version?"),
        consequence=_("What was changed since then is set back. That is itself a change in the history."),
        icon="restore",
        permission="change",
    )
    def restore(self, request: HttpRequest, _form: Any, object_id: str, moment: int) -> HttpResponse:
        """Runs once the question is answered; restore_view has looked at the rights."""
        return self.go_back(request, object_id, moment)

    def go_back(self, request: HttpRequest, object_id: str, moment: int) -> HttpResponse:
        """Restore the version of that moment."""
        obj = self.get_object(request, unquote(object_id))
        found = records(self.model, obj.pk, self.history_parts)
        version = next((version for version in versions(found) if version.moment == moment), None)
        if version is None:
            raise Http404
        self._restore(request, obj, version, state_at(found, moment))
        return leave(request, reverse(f"admin:{self._page('history')}", args=[obj.pk]))

    def _restore(self, request: HttpRequest, obj: Any, version: Version, state: Mapping[Key, Any]) -> None:
        time = date_format(timezone.localtime(version.when), "DATETIME_FORMAT")
        done = gettext("Restored the version of %(time)s") % {"time": time}
        try:
            with transaction.atomic():
                note(obj, done)
                self.write_back(request, obj, state)
                self.log_change(request, obj, done)
        except ValidationError as error:
            text = gettext("This version cannot be restored: %(reasons)s")
            self.message_user(request, text % {"reasons": " ".join(error.messages)}, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)

    def _told(self, request: HttpRequest, obj: Any, version: Version, found: list[Record]) -> dict[str, Any]:
        offered = self.may_restore(request, obj) and self.restorable(obj, version, found)
        return {
            "version": version,
            "kind": version.kind(self.model),
            "changes": [change for record in reversed(version.records) for change in self.changes(record)],
            "restore": reverse(f"admin:{self._page('restore')}", args=[obj.pk, version.moment]) if offered else "",
        }

    def _page(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"


def note(obj: Model, what: str) -> None:
    """Say in the row's next history entry what else changed; never a secret's value."""
    obj._change_reason = what[:REASON_LENGTH]  # type: ignore[attr-defined]  # simple_history reads it there


def _write_part(part: Part, state: Mapping[Key, Any]) -> None:
    """Make the rows of a part what they were; those of which nothing is known stay."""
    for (model, pk), entry in state.items():
        if model is not part.model:
            continue
        now: Any = model._default_manager.filter(pk=pk).first()
        if entry is None:
            if now is not None:
                now.delete()
            continue
        row = entry.instance
        if now is None or any(getattr(now, field.attname) != getattr(row, field.attname) for field in told(model)):
            row._state.adding = now is None
            row.full_clean()
            row.save()
