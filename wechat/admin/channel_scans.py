"""The scans of channel codes: who, when, new or known; of one code or of all, also as a file for a spreadsheet."""

from collections.abc import Iterator

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import looks, spreadsheet
from wechat.admin.channel_filters import CodeFilter
from wechat.admin.menu import ACCOUNT, Entry
from wechat.admin.records import OPENID_HELP, RecordAdmin
from wechat.models import ChannelScan
from wechat.models.followers import ERASED, mask

_CHUNK = 2000  # scans read at once
_COLUMNS = (
    _("scanned"),
    _("channel code"),
    _("scene"),
    _("campaign"),
    _("salesperson"),
    _("person"),
    _("new or known"),
)
_FIELDS = ("scanned_at", "code__name", "code__scene", "code__campaign", "code__salesperson", "openid", "new")


@admin.register(ChannelScan)
class ChannelScanAdmin(RecordAdmin):
    """Read-only."""

    menu = Entry(ACCOUNT, 19, "person_search")
    change_list_template = "admin/wechat/channel/scans.html"
    list_display = ("scanned_at", "channel", "who", "new_or_known", "tag_state", "account")
    list_filter = (CodeFilter, "new", "account")
    list_select_related = ("account", "code")
    search_fields = ("openid",)
    search_help_text = OPENID_HELP
    fields = ("scanned_at", "channel", "who", "openid", "new_or_known", "tag_state", "account")
    readonly_fields = ("channel", "who", "new_or_known", "tag_state")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By what the index of one code, or that of all scans, has in order."""
        return ("-scanned_at", "-pk") if request.GET.get("code") else ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_list)
        return [path("export/", export, name="wechat_channelscan_export"), *super().get_urls()]

    def export_list(self, request: HttpRequest) -> HttpResponseBase:
        """The list as a CSV file, with the filters and the search of the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            chosen = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect("admin:wechat_channelscan_changelist")
        whole = request.user.has_perm("wechat.delete_follower")
        return spreadsheet.download(f"scans-{timezone.localdate()}.csv", _COLUMNS, _rows(chosen, whole=whole))

    @admin.display(description=_("channel code"))
    def channel(self, scan: ChannelScan) -> SafeString:
        return looks.link(reverse("admin:wechat_channelcode_change", args=[scan.code_id]), scan.code)

    @admin.display(description=_("person"))
    def who(self, scan: ChannelScan) -> str:
        """Masked, with the way to the follower; the list is searched by the openid, which an index finds."""
        if scan.openid == ERASED:
            return mask(scan.openid)
        return looks.link(f"{reverse('admin:wechat_follower_changelist')}?q={scan.openid}", mask(scan.openid))

    @admin.display(description=_("new or known"))
    def new_or_known(self, scan: ChannelScan) -> SafeString:
        return looks.badge(gettext("New follower"), "success") if scan.new else looks.badge(gettext("Known"))

    @admin.display(description=_("tag"))
    def tag_state(self, scan: ChannelScan) -> str:
        if not scan.tagged:
            return looks.badge(gettext("Still to come"), "info")
        return looks.NOTHING


def _rows(chosen: QuerySet[ChannelScan], *, whole: bool) -> Iterator[tuple[object, ...]]:
    new, known = gettext("New follower"), gettext("Known")
    for at, *words, openid, is_new in chosen.values_list(*_FIELDS).iterator(chunk_size=_CHUNK):
        moment = f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
        yield moment, *words, openid if whole else mask(openid), new if is_new else known
