"""The synchronisation of followers: start it, watch it, go on after an error, stop it. A worker does the work."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from wechat import conf, people_sync
from wechat.admin import looks, outcomes, scope
from wechat.admin.actions import asks_first
from wechat.admin.menu import PEOPLE, Entry
from wechat.admin.records import RecordAdmin
from wechat.explanations import explain_stored
from wechat.models import Account, SyncRun

_VARIANTS = {"running": "info", "done": "success", "failed": "danger"}
QUIET = timedelta(seconds=30)  # without a worker nothing moves


class WhichAccount(BaseDialogForm):  # type: ignore[misc]
    """The account whose followers are read."""

    account: Any = forms.ModelChoiceField(
        Account.objects.none(), label=_("account"), empty_label=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = scope.only(Account.objects.all(), self.request.user)
        self.fields["account"].queryset = mine
        self.fields["account"].initial = mine.first()


@admin.register(SyncRun)
class SyncRunAdmin(RecordAdmin):
    """All runs, the newest first; what is shown of a running one draws itself anew."""

    menu = Entry(PEOPLE, 15, "sync")
    list_display = ("started_at", "state_shown", "progress", "added", "gone", "account")
    list_filter = ("account",)
    list_select_related = ("account",)
    search_fields = ()
    actions_list = ("start_sync",)
    actions_detail = ("go_on", "stop_sync")
    fields = ("account", "state_shown", "progress", "added", "gone", "started_at", "finished_at", "trouble")
    readonly_fields = ("state_shown", "progress", "trouble")

    class Media:
        js = ("js/progress.js",)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Of going on and stopping what makes sense now."""
        run = self.get_object(request, unquote(str(object_id)))
        useful = {SyncRun.State.RUNNING: "stop_sync", SyncRun.State.FAILED: "go_on"}
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return [each for each in offered if each.path == useful.get(SyncRun.State(run.state if run else "done"))]

    @admin.display(description=_("state"))
    def state_shown(self, run: SyncRun) -> str:
        parts: list[object] = [looks.badge(run.get_state_display(), _VARIANTS.get(run.state, ""))]
        if run.state == SyncRun.State.RUNNING:
            parts.append(_waiting(run) or run.get_step_display())
        return format_html('<div data-live="state-{}">{}</div>', run.pk, looks.lines(parts))

    @admin.display(description=_("progress"))
    def progress(self, run: SyncRun) -> SafeString:
        total = max(run.total, run.done)
        context = {"run": run, "total": total, "running": run.state == SyncRun.State.RUNNING}
        return render_to_string("admin/wechat/sync/progress.html", context)

    @admin.display(description=_("last error"))
    def trouble(self, run: SyncRun) -> str:
        explained = explain_stored(None, run.error)
        return outcomes.shown(explained) if explained else run.error or looks.NOTHING

    @action(  # type: ignore[untyped-decorator]
        description=_("Synchronise followers"),
        permissions=["act"],
        icon="sync",
        dialog={
            "title": _("Read all followers from WeChat?"),
            "description": _(
                "Two calls a second: 10,000 followers take about a minute. State, date, code, remark and tags become "
                "what WeChat has; tags that only we know stay. People who left are marked at the end."
            ),
            "form_class": WhichAccount,
            "form_submit_text": _("Start"),
        },
    )
    def start_sync(self, request: HttpRequest, form: WhichAccount) -> HttpResponse:
        run = people_sync.start(form.cleaned_data["account"])
        self.log_change(request, run, gettext("Started"))
        return self.back(request, run)

    @asks_first(
        _("Go on"),
        question=_("Go on where it stopped?"),
        consequence=_("What has been read is not read again. After a day everything begins anew."),
        icon="play_arrow",
        permission="act",
    )
    def go_on(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        run = self.found(request, object_id)
        if run is None:
            return self.back(request)
        if run.state != SyncRun.State.FAILED:
            self.message_user(request, gettext("Only a run that an error stopped can go on."), messages.WARNING)
            return self.back(request, run)
        run = people_sync.start(run.account)
        self.log_change(request, run, gettext("Started"))
        return self.back(request, run)

    @asks_first(
        _("Stop"),
        question=_("Stop this synchronisation?"),
        consequence=_("What has been read stays. Nobody is marked as not following. The next one begins anew."),
        icon="stop",
        permission="act",
    )
    def stop_sync(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        run = self.found(request, object_id)
        if run is not None:
            people_sync.stop(run)
            self.log_change(request, run, gettext("Stopped"))
        return self.back(request, run)


def _waiting(run: SyncRun) -> str:
    """Why a running one does not move; empty when it does."""
    if not conf.snapshot().holds("worker:"):
        return gettext("Waits for the worker, which does not run.")
    if run.due_at > timezone.now() + QUIET:
        until = timezone.localtime(run.due_at).strftime("%m-%d %H:%M")
        return gettext("Waits until %(until)s.") % {"until": until}
    return gettext("Tries again after an error.") if run.failures else ""
