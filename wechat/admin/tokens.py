"""Who asked for an access token: the record of the token hub (wechat.hub)."""

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from wechat.admin import looks
from wechat.admin.menu import ACCESS, Entry
from wechat.admin.records import RecordAdmin
from wechat.models import TokenRequest

LEVELS = {TokenRequest.Kind.READ: "info", TokenRequest.Kind.RENEWED: "warning", TokenRequest.Kind.REFUSED: "danger"}


@admin.register(TokenRequest)
class TokenRequestAdmin(RecordAdmin):
    """One line per key, hour and kind; the token itself is nowhere."""

    menu = Entry(ACCESS, 20, "token")
    list_display = ("when", "key_name", "account", "did", "count")
    list_filter = ("account", "kind")
    search_fields = ("key_name",)
    search_help_text = _("The complete name of a key.")
    exact_search = "key_name"
    fields = ("account", "key_name", "key_prefix", "did", "hour", "when", "count")
    readonly_fields = fields

    @admin.display(description=_("last time"))
    def when(self, asked: TokenRequest) -> str:
        return timezone.localtime(asked.last_at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description=_("what"))
    def did(self, asked: TokenRequest) -> SafeString:
        return looks.badge(asked.get_kind_display(), LEVELS.get(TokenRequest.Kind(asked.kind), ""))
