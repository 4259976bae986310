"""Send jobs as staff see them: how far each is, what was delivered and refused; they can pause, resume and cancel it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import job_progress, jobs
from wechat.admin import looks, template_form
from wechat.admin.actions import asks_first
from wechat.admin.menu import MESSAGES, Entry
from wechat.admin.records import RecordAdmin
from wechat.job_progress import Progress
from wechat.models import OutgoingMessage, SendJob, Tag

JobState, State, Delivery = SendJob.State, OutgoingMessage.State, OutgoingMessage.Delivery
_VARIANTS = {JobState.RUNNING: "info", JobState.PAUSED: "warning", JobState.DONE: "success"}
_OFFERED = {"pause_job": (JobState.RUNNING,), "resume_job": (JobState.PAUSED,)}
LIVING = (JobState.RUNNING, JobState.PAUSED)


@admin.register(SendJob)
class JobAdmin(RecordAdmin):
    """Read-only, with three actions."""

    menu = Entry(MESSAGES, 50, "send", _("Send jobs"))
    list_display = ("name", "status", "numbers", "created_at", "created_by", "account")
    list_filter = ("state", "account")
    list_select_related = ("account", "created_by")
    search_fields = ("name",)
    exact_search = "name"
    search_help_text = _("The whole name of a job.")
    actions_detail = ("pause_job", "resume_job", "cancel_job")
    fields = ("progress", "name", "whom", "template", "account", "created_at", "created_by", "finished_at", "card")
    readonly_fields = ("progress", "whom", "card")

    class Media:
        css = {"all": ("css/phone_preview.css", "css/templates.css")}  # Django reads it
        js = ("js/progress.js",)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        job = self.get_object(request, unquote(str(object_id)))
        offered: list[Any] = super().get_actions_detail(request, object_id) if job else []
        return [each for each in offered if job.state in _OFFERED.get(_name_of(each), LIVING)]

    @asks_first(
        _("Pause"),
        question=_("Pause this job?"),
        consequence=_("Nothing more is sent until you resume it."),
        icon="pause",
        permission="act",
    )
    def pause_job(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._do(request, object_id, jobs.pause, gettext("Paused. What is being sent now still goes out."))

    @asks_first(
        _("Resume"),
        question=_("Resume this job?"),
        consequence=_("Who has not had the message yet gets it now."),
        icon="play_arrow",
        permission="act",
    )
    def resume_job(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._do(request, object_id, jobs.resume, gettext("It goes on."))

    @asks_first(
        _("Cancel the job"),
        question=_("Cancel this job?"),
        consequence=_("What has not been sent will not be sent. What has been sent cannot be taken back."),
        icon="cancel",
        permission="act",
    )
    def cancel_job(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._do(request, object_id, jobs.cancel, gettext("The job is cancelled."))

    def _do(self, request: HttpRequest, object_id: str, act: Any, done: str) -> HttpResponse:
        job = self.found(request, object_id)
        if job is not None and act(job):
            self.log_change(request, job, done)
            self.message_user(request, done, messages.SUCCESS)
        elif job is not None:
            self.message_user(request, gettext("The job is no longer in that state."), messages.WARNING)
        return self.back(request, job)

    @admin.display(description=_("state"))
    def status(self, job: SendJob) -> SafeString:
        return looks.badge(job.get_state_display(), _VARIANTS.get(JobState(job.state), ""))

    @admin.display(description=_("sent"))
    def numbers(self, job: SendJob) -> str:
        sent = OutgoingMessage.objects.filter(job_id=job.pk, state=State.SENT).count()
        return f"{sent} / {job.total}"

    @admin.display(description=_("to whom"))
    def whom(self, job: SendJob) -> str:
        spec = job.audience
        known = jobs.audiences.get(str(spec.get("kind")))
        tag = Tag.objects.filter(pk=spec["tag"]).first() if "tag" in spec else None
        return " ".join(str(part) for part in (known.label if known else spec, tag or spec.get("about", "")) if part)

    @admin.display(description=_("card"))
    def card(self, job: SendJob) -> str:
        bubble = template_form.bubble(job.template, job.content.get("data", {}), leads=bool(job.content.get("url")))
        drawn = render_to_string("admin/phone_template.html", {"bubble": bubble})
        return format_html('<div class="tp-card wx-phone">{}</div>', drawn)

    @admin.display(description=_("progress"))
    def progress(self, job: SendJob) -> SafeString:
        progress = job_progress.progress_of(job)
        left = progress.seconds_left
        now = timezone.now()
        context = {
            "ended": job.state not in LIVING and not _awaits_reports(job, progress),
            "state": job.get_state_display(),
            "variant": _VARIANTS.get(JobState(job.state), ""),
            "progress": progress,
            "left": timeuntil(now + timedelta(seconds=left), now)
            if left and left >= 60 and job.state == JobState.RUNNING
            else "",
            "bar": list(_bar(progress)),
            "facts": list(_facts(job, progress)),
        }
        return render_to_string("admin/wechat/template_progress.html", context)


def _awaits_reports(job: SendJob, progress: Progress) -> bool:
    """Whether reports of the last messages may still come."""
    told = progress.delivered + progress.blocked + progress.undelivered
    ended = job.finished_at
    return bool(ended and told < progress.sent and timezone.now() - ended < timedelta(minutes=10))


def _bar(progress: Progress) -> Iterator[dict[str, Any]]:
    """Delivered, taken by the platform, refused: of 1000."""
    refused = progress.blocked + progress.undelivered + progress.not_sent
    taken = max(0, progress.sent - progress.delivered - progress.blocked - progress.undelivered)
    x = 0
    for name, count in (("jb-good", progress.delivered), ("jb-taken", taken), ("jb-bad", refused)):
        width = round(1000 * count / progress.total) if progress.total else 0
        yield {"class": name, "x": x, "width": width}
        x += width


def _facts(job: SendJob, progress: Progress) -> Iterator[dict[str, Any]]:
    listed = reverse("admin:wechat_outgoingmessage_changelist")
    waiting = progress.remaining + progress.under_way
    for label, count, query in (
        (gettext("Remaining"), waiting, None),
        (gettext("Taken by WeChat"), progress.sent, {"state__exact": State.SENT.value}),
        (Delivery.DELIVERED.label, progress.delivered, {"delivery": Delivery.DELIVERED.value}),
        (Delivery.BLOCKED.label, progress.blocked, {"delivery": Delivery.BLOCKED.value}),
        (Delivery.FAILED.label, progress.undelivered, {"delivery": Delivery.FAILED.value}),
        (gettext("Not sent"), progress.not_sent, {"state__in": "given_up,set_aside"}),
    ):
        url = f"{listed}?{urlencode({'job__id__exact': str(job.pk), **query})}" if query and count else ""
        yield {"label": label, "count": count, "url": url}


def _name_of(offered: Any) -> str:
    """The method behind one of the theme's actions."""
    return str(getattr(offered, "action_name", "")).rpartition("wechat_sendjob_")[2]
