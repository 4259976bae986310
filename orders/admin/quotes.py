"""Quotes as staff see and write them."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from orders import embedding, notices
from orders.admin import dashboard
from orders.admin.posters import Posters
from orders.admin.scans import QUOTES, ScanInline
from orders.cards import money
from orders.making import free_orderid
from orders.models import Order, OrderItem, Scan
from orders.progress import progress_of
from wechat.admin import looks
from wechat.admin.history import HistoryAdmin
from wechat.admin.inlines import NamedInline
from wechat.admin.menu import Entry
from wechat.admin.versions import Part
from wechat.models import OutgoingMessage

SENT, OWED = OutgoingMessage.State.SENT, OutgoingMessage.State.OWED
SHOWN = ("progress", "page", "embed", "market", "created_at", "updated_at")
_IN_WORDS = {  # orders.progress
    "waiting": (_("Waits for the scan"), "info"),
    "scanned": (_("Scanned; the card is on its way"), "info"),
    "follow": (_("Scanned, but the person does not follow"), "warning"),
    "sent": (_("The card is in WeChat"), "success"),
    "owed": (_("The card goes out at the person's next contact"), "warning"),
    "failed": (_("The card could not be delivered"), "danger"),
    "expired": (_("Not scanned; a new code is made when the page is opened"), ""),
}


def yuan(amount: Decimal) -> str:
    """`¥86,500`, and `¥43,860.50` where there are cents."""
    return f"¥{amount:,.2f}".removesuffix(".00")


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]
    """A quote; without a number it gets one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "orderid" in self.fields:
            self.fields["orderid"].required = False
            self.fields["orderid"].help_text = _("Your own number, 1 to 4294967295. Empty: we choose one.")

    def clean_orderid(self) -> int:
        return self.cleaned_data["orderid"] or free_orderid()

    def clean(self) -> dict[str, Any]:
        """The channel code is one of the quote's own account."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        source, account = data.get("source"), data.get("account") or getattr(self.instance, "account", None)
        if source and account and source.account_id != account.pk:
            self.add_error("source", _("This code belongs to another account."))
        return data


class ItemInline(NamedInline):
    """The lines of a quote, in an order that can be dragged."""

    model = OrderItem
    fields = ("name", "note", "quantity", "unit", "amount", "position")
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True
    extra = 0


@admin.register(Order)
class OrderAdmin(Posters, HistoryAdmin):
    """The quotes."""

    menu = Entry(QUOTES, 10, "request_quote")
    form = OrderForm
    inlines = (ItemInline, ScanInline)
    history_parts = (Part(OrderItem, "order", ("name", "note", "quantity", "unit", "amount", "position")),)
    list_display = ("orderid_plain", "customer", "area", "total", "saved", "status", "account", "created_at")
    list_filter = ("account", "source", "created_at")
    list_select_related = ("account",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    search_fields = ("customer",)
    search_help_text = _("A customer, or a complete order number.")
    actions_detail = ("posters", "tell_scanners")

    def get_urls(self) -> list[URLPattern]:
        files = self.admin_site.admin_view(self.funnel_view)
        return [path("funnel/", files, name="orders_order_funnel"), *super().get_urls()]

    def funnel_view(self, request: HttpRequest) -> HttpResponseBase:
        """The tables of the first page as files."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return dashboard.funnel_file(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        last = Scan.objects.filter(order=OuterRef("pk")).order_by("-pk")
        queryset: QuerySet[Order] = super().get_queryset(request)
        return queryset.annotate(
            scanned=Subquery(last.values("pk")[:1]), card=Subquery(last.values("message__state")[:1])
        )

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> list[tuple[Any, dict[str, Any]]]:
        own = ("account", "orderid", "customer", "room_area", "total_money", "saved_money", "valid_until", "source")
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
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return [each for each in offered if outdated or each.path != "tell_scanners"]

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

    @admin.display(description=_("on your website"))
    def embed(self, order: Order) -> SafeString:
        """What to paste into a page of the firm's own website to show the code there."""
        return embedding.shown(embedding.quote_snippet(order), order.account_id)
