"""Who changed what: the history of a row, to be read only. Going back is an ordinary change of the row."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

REASON_LENGTH = 100  # of the column history_change_reason


class HistoryAdmin(SimpleHistoryAdmin, ModelAdmin):  # type: ignore[misc]
    """A ModelAdmin with a history."""

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str, **_extra: Any) -> HttpResponse:
        """Back to the list: the page of an old version would write it back for people who may only view."""
        opts = self.model._meta
        return redirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_history", args=[object_id]))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        return super().history_view(request, unquote(object_id), extra_context)


def note(obj: Model, what: str) -> None:
    """Say in the row's next history entry what else changed; never a secret's value."""
    obj._change_reason = what[:REASON_LENGTH]  # type: ignore[attr-defined]  # simple_history reads it there
