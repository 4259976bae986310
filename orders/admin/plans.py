"""The price plans of the instant quote, with a place to try what they come to."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders import embedding
from orders.admin.quotes import yuan
from orders.admin.scans import QUOTES
from orders.cards import money
from orders.models import PlanItem, PricePlan
from orders.plans import MOST, reckon
from wechat.admin import looks
from wechat.admin.history import HistoryAdmin
from wechat.admin.inlines import NamedInline
from wechat.admin.menu import Entry
from wechat.admin.versions import Part

SAMPLE_AREA = Decimal(89)
LINES_MOST = 40
ITEM = ("name", "note", "amount", "market_amount", "per_area", "position")


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    """One plan; its sizes and days must be a range, and a market price below our own is a slip."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        _in_order(self, "smallest", "largest", _("The largest room area is below the smallest."))
        _in_order(self, "starts_on", "ends_on", _("It would end before it begins."))
        _in_order(self, "price", "market_price", _("The market price is below our own; then nobody saves anything."))
        return cleaned


def _in_order(form: PlanForm, low: str, high: str, message: Any) -> None:
    first, second = form.cleaned_data.get(low), form.cleaned_data.get(high)
    if first is not None and second is not None and second < first:
        form.add_error(high, message)


class ItemFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The items of a plan; together with it they must not come to more than a quote can hold."""

    def clean(self) -> None:
        super().clean()
        plan = self.instance
        if any(self.errors) or None in (plan.price, plan.market_price, plan.largest):
            return
        dearest = max(plan.price, plan.market_price) * plan.largest
        for item in (form.cleaned_data for form in self.forms):
            if item and not item.get("DELETE"):
                dearest += max(item["amount"], item["market_amount"]) * (plan.largest if item["per_area"] else 1)
        if dearest > MOST:
            raise ValidationError(_("For the largest room area this comes to more than a quote can hold."))


class ItemInline(NamedInline):
    """The fixed items of a plan, in an order that can be dragged."""

    model = PlanItem
    formset = ItemFormSet
    fields = ITEM
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True
    extra = 0
    max_num = LINES_MOST


@admin.register(PricePlan)
class PricePlanAdmin(HistoryAdmin):
    """What visitors may choose from on the page of the instant quote."""

    menu = Entry(QUOTES, 30, "sell")
    form = PlanForm
    inlines = (ItemInline,)
    history_parts = (Part(PlanItem, "plan", ITEM),)
    list_display = ("name", "per_area", "sizes", "sample", "shown", "account")
    list_filter = ("account", "enabled")
    list_select_related = ("account",)
    search_fields = ("name",)
    ordering = ("account", "position", "pk")
    readonly_fields = ("try_out", "page")
    fieldsets = (
        (None, {"fields": (("name", "account"), "summary", "enabled")}),
        (_("Prices"), {"fields": (("price", "market_price"), ("smallest", "largest"), "try_out")}),
        (_("Time"), {"fields": (("starts_on", "ends_on"), "quote_days")}),
        (_("On the website"), {"fields": ("position", "page")}),
    )

    class Media:
        js = (forms.Script("js/plan_form.js", type="module"),)

    def describe_part(self, entry: Any) -> str:
        return f"{PlanItem._meta.verbose_name} {entry.name}"

    def get_readonly_fields(self, request: HttpRequest, obj: PricePlan | None = None) -> tuple[str, ...]:
        return ("account", *self.readonly_fields) if obj else self.readonly_fields

    @admin.display(description=_("price"), ordering="price")
    def per_area(self, plan: PricePlan) -> str:
        return f"{yuan(plan.price)} / ㎡"

    @admin.display(description=_("room area"))
    def sizes(self, plan: PricePlan) -> str:
        return f"{money(plan.smallest)}–{money(plan.largest)} ㎡"

    @admin.display(description=_("89 ㎡ cost"))
    def sample(self, plan: PricePlan) -> str:
        return yuan(reckon(plan, SAMPLE_AREA).total)

    @admin.display(description=_("state"))
    def shown(self, plan: PricePlan) -> SafeString:
        today = timezone.localdate()
        if not plan.enabled:
            return looks.badge(gettext("off"))
        if plan.starts_on and plan.starts_on > today:
            return looks.badge(gettext("not yet"), "info")
        if plan.ends_on and plan.ends_on < today:
            return looks.badge(gettext("over"), "warning")
        return looks.badge(gettext("on offer"), "success")

    @admin.display(description=_("try it out"))
    def try_out(self, plan: PricePlan) -> SafeString:
        """What some room areas come to, as it is saved; static/js/plan_form.js reckons with what stands in the form."""
        if plan.pk is None:
            return render_to_string("admin/orders/plan_try.html", {"area": money(SAMPLE_AREA)})
        areas = sorted({plan.smallest, SAMPLE_AREA, plan.largest})
        rows = [(area, reckon(plan, area)) for area in areas]
        told = [(money(area), yuan(found.total), yuan(found.market), yuan(found.saved)) for area, found in rows]
        return render_to_string("admin/orders/plan_try.html", {"area": money(SAMPLE_AREA), "rows": told})

    @admin.display(description=_("page of the instant quote"))
    def page(self, plan: PricePlan) -> SafeString | str:
        """Where visitors find it, and what to paste into the firm's website."""
        if plan.pk is None:
            return gettext("Shown once the plan is saved.")
        address = f"{settings.PUBLIC_URL}{reverse('instant-of', args=[plan.account.slug])}"
        return looks.lines(
            [looks.outside_link(address), embedding.shown(embedding.form_snippet(plan.account), plan.account_id)]
        )
