"""The manager of channel codes: the list with its numbers, the form with the code's picture, and what staff do with one."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from wechat import channel_codes, qr
from wechat.admin import additions, channel_looks, looks
from wechat.admin.actions import asks_first
from wechat.admin.channel_filters import BatchFilter, CampaignFilter, SalespersonFilter
from wechat.admin.channel_form import ChannelForm
from wechat.admin.channel_posters import code_file, posters_address
from wechat.admin.history import HistoryAdmin
from wechat.admin.menu import ACCOUNT, Entry
from wechat.admin.pages import CHANNELS, WithPages, accounts
from wechat.admin.records import leave
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import ChannelCode, ChannelScan

FIXED = ("account", "kind", "number", "scene")  # once a code is out
SHOWN = ("picture", "validity", "numbers", "link", "trouble")


@admin.register(ChannelCode)
class ChannelAdmin(WithPages, HistoryAdmin):
    """Codes of campaigns and sales staff."""

    menu = Entry(ACCOUNT, 18, "qr_code_scanner")
    pages = CHANNELS
    form = ChannelForm
    change_list_template = "admin/wechat/channel/change_list.html"
    list_display = ("title", "whose", "validity", "scans", "newcomers", "last", "account")
    list_filter = ("purpose", "kind", "enabled", CampaignFilter, SalespersonFilter, BatchFilter, "account")
    list_filter_sheet = False
    list_select_related = ("account",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    search_fields = ("name", "scene", "campaign", "salesperson")
    search_help_text = _("A part of a name, scene, campaign or salesperson.")
    actions = ("posters_of_chosen", "switch_on_chosen", "switch_off_chosen")
    actions_detail = ("posters", "code_png", "code_svg", "make_now", "switch_off", "switch_on")
    readonly_fields = SHOWN
    compressed_fields = True

    class Media:
        css = {"all": ("css/channels.css",)}  # Django reads it
        js = ("js/channel_form.js", "js/progress.js")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChannelCode]:
        return channel_looks.counted(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelCode | None = None) -> tuple[str, ...]:
        """What is in codes that are out already cannot change."""
        return (*SHOWN, *FIXED) if obj else SHOWN

    def get_fieldsets(self, request: HttpRequest, obj: ChannelCode | None = None) -> list[tuple[Any, dict[str, Any]]]:
        ends = obj is None or not obj.permanent
        code: list[Any] = ["kind", *([("days", "renew")] if ends else []), ("number", "scene")]
        groups: list[tuple[Any, list[Any]]] = [
            (None, [("name", "account"), "purpose", ("campaign", "salesperson"), "enabled", "note"]),
            (_("The code"), code if obj else [code[0], "confirm", *code[1:]]),
            (_("Who scans it"), ["tag", "rule"]),
        ]
        if obj:
            groups.insert(0, (_("Picture and numbers"), list(SHOWN)))
        return [(title, {"fields": fields}) for title, fields in groups]

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may make codes, and switch them on and off."""
        return self.has_change_permission(request, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Of switching on and off what makes sense now; pictures only of a code that there is."""
        channel = self.get_object(request, unquote(str(object_id)))
        if channel is None:
            return []
        hidden = {"switch_on"} if channel.enabled else {"switch_off", "make_now"}
        if channel.permanent and channel_codes.code_of(channel):
            hidden.add("make_now")
        if not channel_codes.code_of(channel):
            hidden |= {"posters", "code_png", "code_svg"}
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return [each for each in offered if each.path not in hidden]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the permanent codes used, and how far a batch has come."""
        context = {
            "permanent": channel_looks.permanent_use(accounts(request)),
            "batch": self._progress(request),
            "may_add": self.has_add_permission(request),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def _progress(self, request: HttpRequest) -> dict[str, Any] | None:
        key = request.GET.get("batch", "")
        if not key:
            return None
        mine: QuerySet[Any] = self.get_queryset(request).filter(batch=key)
        total, done = mine.count(), mine.exclude(code_made=None).count()
        failed = mine.filter(code_made=None).exclude(error="").count()
        values = {"total": total, "done": done, "failed": failed, "running": done + failed < total}
        return {**values, "posters": posters_address(batch=key)} if total else None

    def save_model(self, request: HttpRequest, obj: ChannelCode, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        request.saved_channel = obj  # type: ignore[attr-defined]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The platform is asked when the row is stored, and outside of its transaction."""
        response = super().changeform_view(request, *args, **kwargs)
        if channel := getattr(request, "saved_channel", None):
            channel_codes.plan(channel)
            if channel.enabled and channel_codes.code_of(channel) is None and channel.due_at:
                self._make(request, channel)
        return response

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """In numbers: Django would list every single scan."""
        channels = list(objs)
        scans = ChannelScan.objects.filter(code__in=[channel.pk for channel in channels])
        counts = {self.opts.verbose_name_plural: len(channels), ChannelScan._meta.verbose_name_plural: scans.count()}
        return [str(channel) for channel in channels], counts, set(), []

    def _make(self, request: HttpRequest, channel: ChannelCode) -> bool:
        try:
            channel_codes.make(channel)
        except CallFailed as error:
            said = gettext("WeChat gave no code. %(reason)s The worker tries again by itself.")
            if channel.due_at is None:
                said = gettext("WeChat gave no code. %(reason)s")
            self.message_user(request, said % {"reason": explain_error(error).brief()}, messages.ERROR)
            return False
        return True

    @asks_first(
        _("Make a new code now"),
        question=_("Make a new code for this scene?"),
        consequence=_("Codes that are out stay valid until their own end and lead to the same."),
        icon="autorenew",
        permission="act",
    )
    def make_now(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        channel = self.get_object(request, unquote(object_id))
        if channel is not None and channel.enabled and self._make(request, channel):
            self.log_change(request, channel, gettext("Made a new code"))
            self.message_user(request, gettext("The new code is there."), messages.SUCCESS)
        return self._back(request, channel)

    @asks_first(
        _("Switch off"),
        question=_("Switch this code off?"),
        consequence=_(
            "Scans of it are not counted any more and bring no answer of its own. The code itself stays readable."
        ),
        icon="toggle_off",
        permission="act",
    )
    def switch_off(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        channel = self.get_object(request, unquote(object_id))
        self._switch(request, [channel] if channel else [], on=False)
        return self._back(request, channel)

    @asks_first(
        _("Switch on"),
        question=_("Switch this code on again?"),
        consequence=_("Scans of it are counted and answered again."),
        icon="toggle_on",
        permission="act",
    )
    def switch_on(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        channel = self.get_object(request, unquote(object_id))
        self._switch(request, [channel] if channel else [], on=True)
        return self._back(request, channel)

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on_chosen(self, request: HttpRequest, chosen: QuerySet[ChannelCode]) -> None:
        self._switch(request, list(chosen), on=True)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off_chosen(self, request: HttpRequest, chosen: QuerySet[ChannelCode]) -> None:
        self._switch(request, list(chosen), on=False)

    def _switch(self, request: HttpRequest, channels: list[ChannelCode], *, on: bool) -> None:
        changed = [channel for channel in channels if channel.enabled != on]
        for channel in changed:
            channel.enabled = on
            channel.save()
            channel_codes.plan(channel)
            self.log_change(request, channel, gettext("Switched on") if on else gettext("Switched off"))
        text = ngettext("%(count)d code is on.", "%(count)d codes are on.", len(changed))
        if not on:
            text = ngettext("%(count)d code is off.", "%(count)d codes are off.", len(changed))
        self.message_user(request, text % {"count": len(changed)}, messages.SUCCESS)

    @admin.action(description=_("Posters…"), permissions=["view"])
    def posters_of_chosen(self, request: HttpRequest, chosen: QuerySet[ChannelCode]) -> HttpResponse:
        return redirect(posters_address(codes=",".join(str(channel.pk) for channel in chosen)))

    @action(description=_("Poster…"), permissions=["view"], icon="print")  # type: ignore[untyped-decorator]
    def posters(self, request: HttpRequest, object_id: str) -> HttpResponse:
        channel = self.get_object(request, unquote(object_id))
        return redirect(posters_address(codes=str(channel.pk))) if channel else self._back(request, None)

    @action(description=_("Code as PNG"), permissions=["view"], icon="download")  # type: ignore[untyped-decorator]
    def code_png(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._code_file(request, object_id, "png")

    @action(description=_("Code as SVG"), permissions=["view"], icon="download")  # type: ignore[untyped-decorator]
    def code_svg(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._code_file(request, object_id, "svg")

    def _code_file(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
        channel = self.get_object(request, unquote(object_id))
        code = channel_codes.code_of(channel) if channel else None
        return code_file(code, kind) if code else self._back(request, channel)

    def _back(self, request: HttpRequest, channel: ChannelCode | None) -> HttpResponse:
        name = f"admin:wechat_channelcode_{'change' if channel else 'changelist'}"
        return leave(request, reverse(name, args=[channel.pk] if channel else []))

    @admin.display(description=_("name"))
    def title(self, channel: ChannelCode) -> SafeString:
        return format_html('{}<div class="ch-dim">{}</div>', channel.name, channel.scene)

    @admin.display(description=_("for"))
    def whose(self, channel: ChannelCode) -> str:
        details = " · ".join(part for part in (channel.campaign, channel.salesperson) if part)
        return looks.lines([part for part in (channel.get_purpose_display(), details) if part])

    @admin.display(description=_("validity"))
    def validity(self, channel: Any) -> SafeString:
        return channel_looks.validity(channel)

    @admin.display(description=_("scans"))
    def scans(self, channel: Any) -> str:
        return self._linked(channel.scans_count, channel_looks.scans_address(channel))

    @admin.display(description=_("new followers"))
    def newcomers(self, channel: Any) -> str:
        return self._linked(channel.new_count, channel_looks.scans_address(channel, new__exact="1"))

    @admin.display(description=_("last scan"))
    def last(self, channel: Any) -> str:
        return (
            date_format(timezone.localtime(channel.last_scan), "DATETIME_FORMAT")
            if channel.last_scan
            else looks.NOTHING
        )

    @admin.display(description=_("scans"))
    def numbers(self, channel: Any) -> str:
        parts = [
            gettext("%(count)s scans") % {"count": channel.scans_count},
            gettext("%(count)s new followers") % {"count": channel.new_count},
        ]
        listed = looks.link(channel_looks.scans_address(channel), " · ".join(parts))
        waiting = ChannelScan.objects.filter(code=channel, tagged=False).count()
        rest = gettext("%(count)d people still get the tag.") % {"count": waiting} if waiting else ""
        return looks.lines([part for part in (listed, rest) if part])

    @admin.display(description=_("picture"))
    def picture(self, channel: ChannelCode) -> SafeString | str:
        code = channel_codes.code_of(channel)
        if code is None:
            return gettext("There is no valid code yet.") if channel.enabled else looks.NOTHING
        return format_html('<div class="ch-code" data-code-url="{}">{}</div>', code.url, mark_safe(qr.svg(code.url)))

    @admin.display(description=_("addresses"))
    def link(self, channel: ChannelCode) -> str:
        told = [tell(channel) for tell in additions.code_links]
        return looks.lines(looks.lines([label, looks.outside_link(url)]) for label, url in told)

    @admin.display(description=_("last error"))
    def trouble(self, channel: ChannelCode) -> str:
        return channel_looks.trouble(channel) or looks.NOTHING

    def _linked(self, count: int, url: str) -> str:
        return looks.link(url, f"{count:,}") if count else "0"
