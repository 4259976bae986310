"""Quotes as staff see and write them, and who scanned their codes."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action

from orders import notices
from orders.api import free_orderid
from orders.cards import card_for, money
from orders.models import Figures, Order, OrderItem, Scan
from orders.progress import progress_of
from wechat.admin import additions, looks
from wechat.admin.actions import asks_first
from wechat.admin.history import HistoryAdmin
from wechat.admin.menu import Entry, Group
from wechat.admin.records import OPENID_HELP, RecordAdmin
from wechat.admin.versions import Part
from wechat.conf import AccountConfig
from wechat.models import OutgoingMessage, Push
from wechat.models.followers import mask
from wechat.replies import News

QUOTES = Group(10, _("Quotes"))
SENT, OWED = OutgoingMessage.State.SENT, OutgoingMessage.State.OWED
FOUND = 1000  # scans of one quote that the inbox's search brings
SHOWN = ("progress", "page", "market", "created_at", "updated_at")
_IN_WORDS = {  # orders.progress
    "waiting": (_("Waits for the scan"), "info"),
    "scanned": (_("Scanned; the card is on its way"), "info"),
    "sent": (_("The card is in WeChat"), "success"),
    "owed": (_("The card goes out at the person's next contact"), "warning"),
    "failed": (_("The card could not be delivered"), "danger"),
    "expired": (_("Not scanned; a new code is made when the page is opened"), ""),
}


def yuan(amount: Decimal) -> str:
    """`¥86,500`, and `¥43,860.50` where there are cents."""
    return f"¥{amount:,.2f}".removesuffix(".00")


@additions.card_sample
def sample_card(account: AccountConfig) -> News:
    """The card of an invented quote."""
    name, area = gettext("Ms Wang"), Decimal(89)
    quote = Figures(0, 20260101, name, room_area=area, total=Decimal(86500), saved=Decimal(12800))
    return card_for(quote, account, openid="OPENID", code="…")


@additions.consequence
def scan_of(push: Push) -> str | None:
    """The scan that this push was."""
    scan = Scan.objects.filter(pk=push.pk).select_related("order").first()
    return (
        looks.link(reverse("admin:orders_scan_change", args=[scan.pk]), f"{gettext('scan')} {scan}") if scan else None
    )


@additions.push_search
def pushes_about(number: str) -> list[int]:
    """The last scans of the quote with that number, or of codes for it while there was none."""
    of_order = Scan.objects.filter(order__orderid=int(number))
    of_none = Scan.objects.filter(order=None, scene=number)
    return [pk for scans in (of_order, of_none) for pk in scans.order_by("-pk").values_list("pk", flat=True)[:FOUND]]


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]
    """A quote; without a number it gets one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "orderid" in self.fields:
            self.fields["orderid"].required = False
            self.fields["orderid"].help_text = _("Your own number, 1 to 4294967295. Empty: we choose one.")

    def clean_orderid(self) -> int:
        return self.cleaned_data["orderid"] or free_orderid()


class ItemInline(TabularInline):  # type: ignore[misc]
    """The lines of a quote, in an order that can be dragged."""

    model = OrderItem
    fields = ("name", "note", "quantity", "unit", "amount", "position")
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True
    extra = 0


class ScanColumns:
    """What is shown of a scan, in a quote and in the list."""

    @admin.display(description=_("person"))
    def who(self, scan: Scan) -> str:
        return mask(scan.openid)

    @admin.display(description=_("scanned"))
    def when(self, scan: Scan) -> str:
        """In a quote: the way to the scan's own page."""
        moment = date_format(timezone.localtime(scan.scanned_at), "DATETIME_FORMAT")
        return looks.link(reverse("admin:orders_scan_change", args=[scan.pk]), moment)

    @admin.display(description=_("card"))
    def card_state(self, scan: Scan) -> str:
        message = scan.message
        if message is None:
            return looks.NOTHING
        url = reverse("admin:wechat_outgoingmessage_change", args=[message.pk])
        return looks.link(url, message.get_state_display())

    @admin.display(description=_("shared page"))
    def shared(self, scan: Scan) -> str:
        if scan.revoked:
            return looks.badge(gettext("Link revoked"), "danger")
        return looks.outside_link(f"{settings.PUBLIC_URL}{scan.get_absolute_url()}", gettext("Open"))


class ScanInline(ScanColumns, TabularInline):  # type: ignore[misc]
    """Who scanned the code of this quote; a scan's own page holds its action."""

    model = Scan
    fields = readonly_fields = ("when", "who", "kind", "card_state", "shared")
    ordering = ("-pk",)
    per_page = 20
    extra = 0
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scan]:
        return super().get_queryset(request).select_related("message")  # type: ignore[no-any-return]

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(HistoryAdmin):
    """The quotes."""

    menu = Entry(QUOTES, 10, "request_quote")
    form = OrderForm
    inlines = (ItemInline, ScanInline)
    history_parts = (Part(OrderItem, "order", ("name", "note", "quantity", "unit", "amount", "position")),)
    list_display = ("orderid_plain", "customer", "area", "total", "saved", "status", "account", "created_at")
    list_filter = ("account", "created_at")
    list_select_related = ("account",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    search_fields = ("customer",)
    search_help_text = _("A customer, or a complete order number.")
    actions_detail = ("tell_scanners",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        last = Scan.objects.filter(order=OuterRef("pk")).order_by("-pk")
        queryset: QuerySet[Order] = super().get_queryset(request)
        return queryset.annotate(
            scanned=Subquery(last.values("pk")[:1]), card=Subquery(last.values("message__state")[:1])
        )

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> list[tuple[Any, dict[str, Any]]]:
        own = ("account", "orderid", "customer", "room_area", "total_money", "saved_money")
        return [(None, {"fields": (*own, *SHOWN) if obj else own})]

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> tuple[str, ...]:
        """The number is in codes that are out already, and so is the account."""
        return (*SHOWN, "orderid", "account") if obj else SHOWN

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        term = search_term.strip()
        if term.isascii() and term.isdigit():
            return queryset.filter(orderid=int(term)) if len(term) <= 10 else queryset.none(), False
        return super().get_search_results(request, queryset, term)  # type: ignore[no-any-return]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Scans go with their quote, though nobody deletes them one by one."""
        objects, counts, needed, protected = super().get_deleted_objects(objs, request)
        return objects, counts, needed - {Scan._meta.verbose_name}, protected

    def has_tell_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may send templates to those who scanned."""
        return request.user.has_perm("wechat.add_sendjob") and self.owns(request, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        order = self.get_object(request, unquote(str(object_id)))
        outdated = order is not None and notices.is_outdated(order)
        return super().get_actions_detail(request, object_id) if outdated else []  # type: ignore[no-any-return]

    @action(  # type: ignore[untyped-decorator]
        description=_("Changed since the scan: tell the people who scanned"), permissions=["tell"], icon="campaign"
    )
    def tell_scanners(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """On to the choice of a template, with the quote as the audience."""
        order = self.get_object(request, unquote(object_id))
        if order is None:
            return redirect("admin:orders_order_changelist")
        asked = {"account": order.account.slug, "to": notices.AUDIENCE, "about": order.orderid, "url": "##LINK##"}
        return redirect(f"{reverse('admin:wechat_messagetemplate_choose')}?{urlencode(asked)}")

    def describe_part(self, entry: Any) -> str:
        return f"{OrderItem._meta.verbose_name} {entry.name}"

    @admin.display(description=_("order number"), ordering="orderid")
    def orderid_plain(self, order: Order) -> str:
        return str(order.orderid)

    @admin.display(description=_("room area"), ordering="room_area")
    def area(self, order: Order) -> str:
        return looks.NOTHING if order.room_area is None else f"{money(order.room_area)} ㎡"

    @admin.display(description=_("total"), ordering="total_money")
    def total(self, order: Order) -> str:
        return yuan(order.total_money)

    @admin.display(description=_("saved"), ordering="saved_money")
    def saved(self, order: Order) -> str:
        return yuan(order.saved_money)

    @admin.display(description=_("market price"))
    def market(self, order: Order) -> str:
        return yuan(order.market_money)

    @admin.display(description=_("state"))
    def status(self, order: Any) -> SafeString:
        if order.scanned is None:
            return looks.badge(gettext("Not scanned"))
        variant = {SENT: "success", OWED: "warning"}.get(order.card, "info")
        return looks.badge(OutgoingMessage.State(order.card).label if order.card else gettext("Scanned"), variant)

    @admin.display(description=_("state"))
    def progress(self, order: Order) -> SafeString | str:
        progress = progress_of(order.key)
        text, variant = _IN_WORDS.get(progress.state if progress else "", (looks.NOTHING, ""))
        return looks.badge(text, variant)

    @admin.display(description=_("visitor's page"))
    def page(self, order: Order) -> str:
        return looks.outside_link(f"{settings.PUBLIC_URL}{order.get_absolute_url()}")


@admin.register(Scan)
class ScanAdmin(ScanColumns, RecordAdmin):
    """Who scanned what; a shared link that went too far can be revoked."""

    menu = Entry(QUOTES, 20, "qr_code_scanner")
    list_display = ("scanned_at", "scene", "who", "kind", "card_state", "shared", "account")
    list_filter = ("kind", "account", "scanned_at")
    list_select_related = ("account", "message")
    search_fields = ("openid",)
    search_help_text = OPENID_HELP
    fields = ("scanned_at", "scene", "order", "account", "openid", "kind", "card_state", "shared")
    readonly_fields = ("card_state", "shared")
    actions_detail = ("revoke",)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        scan = self.get_object(request, unquote(str(object_id)))
        shared = scan is not None and not scan.revoked
        return super().get_actions_detail(request, object_id) if shared else []  # type: ignore[no-any-return]

    @asks_first(
        _("Revoke link"),
        question=_("Revoke the link of this scan?"),
        consequence=_("The card in WeChat, and wherever it was shared, opens nothing any more."),
        icon="link_off",
        permission="act",
    )
    def revoke(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        scan = self.found(request, object_id)
        if scan is not None and Scan.objects.filter(pk=scan.pk, revoked=False).update(revoked=True):
            self.log_change(request, scan, gettext("Link revoked"))
            self.message_user(request, gettext("The link is revoked."), messages.SUCCESS)
        return self.back(request, scan)
