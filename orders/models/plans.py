"""What a visitor's own quote is reckoned from: staff's prices per square metre, with their items and validity."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.models import Account

_NOT_NEGATIVE = [MinValueValidator(Decimal(0))]


class PricePlan(models.Model):
    """A package on offer: its price and the market's in yuan per m² of room area, from when to when, for which sizes."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="plans", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=60)
    summary = models.CharField(_("in a sentence"), max_length=120, blank=True)
    price = models.DecimalField(_("price (yuan per ㎡)"), max_digits=10, decimal_places=2, validators=_NOT_NEGATIVE)
    market_price = models.DecimalField(
        _("market price (yuan per ㎡)"), max_digits=10, decimal_places=2, validators=_NOT_NEGATIVE
    )
    smallest = models.DecimalField(
        _("room area from (㎡)"), max_digits=7, decimal_places=2, default=10, validators=_NOT_NEGATIVE
    )
    largest = models.DecimalField(
        _("room area up to (㎡)"), max_digits=7, decimal_places=2, default=1000, validators=_NOT_NEGATIVE
    )
    starts_on = models.DateField(_("from (day)"), null=True, blank=True)
    ends_on = models.DateField(_("to (day, included)"), null=True, blank=True)
    quote_days = models.PositiveSmallIntegerField(
        _("a quote is valid for (days)"), default=30, help_text=_("0: no end is named.")
    )
    enabled = models.BooleanField(_("on"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("price plan")
        verbose_name_plural = _("price plans")
        ordering = ("position", "pk")
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="one_plan_per_name"),)

    def __str__(self) -> str:
        return self.name


class PlanItem(models.Model):
    """A fixed item of a package: its amount is part of every quote, or of each m² of one."""

    plan = models.ForeignKey(PricePlan, models.CASCADE, related_name="items", verbose_name=_("price plan"))
    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=100)
    note = models.CharField(_("note"), max_length=200, blank=True)
    amount = models.DecimalField(_("amount (yuan)"), max_digits=12, decimal_places=2, validators=_NOT_NEGATIVE)
    market_amount = models.DecimalField(
        _("market price (yuan)"), max_digits=12, decimal_places=2, validators=_NOT_NEGATIVE
    )
    per_area = models.BooleanField(_("for each ㎡"), default=False)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("item of a package")
        verbose_name_plural = _("items of a package")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name
