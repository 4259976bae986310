"""The QR codes that the platform made."""

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import looks
from wechat.admin.menu import ACCOUNT, Entry
from wechat.admin.records import RecordAdmin
from wechat.client import code_image_url
from wechat.models import QRCode


@admin.register(QRCode)
class QRCodeAdmin(RecordAdmin):
    """Read-only."""

    menu = Entry(ACCOUNT, 20, "qr_code_2")
    list_display = ("scene", "validity", "kind", "account", "created_at", "expires_at", "picture")
    list_filter = ("kind", "account")
    list_select_related = ("account",)
    search_fields = ("scene",)
    search_help_text = _("A complete scene, for example an order number.")
    exact_search = "scene"
    fields = ("scene", "validity", "kind", "account", "created_at", "expires_at", "url", "picture")
    readonly_fields = ("validity", "picture")

    @admin.display(description=_("validity"))
    def validity(self, code: QRCode) -> SafeString:
        if code.expires_at and code.expires_at <= timezone.now():
            return looks.badge(gettext("Expired"))
        return looks.badge(gettext("Valid"), "success")

    @admin.display(description=_("picture"))
    def picture(self, code: QRCode) -> str:
        return looks.outside_link(code_image_url(code.ticket), gettext("Open the picture"))
