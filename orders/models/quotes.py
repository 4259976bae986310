"""A quote (Order) with its line items, and the figures it comes to."""

import secrets
from dataclasses import dataclass
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.models import Account, ChannelCode

ORDERID_MAX = 4_294_967_295  # a temporary code's scene is an unsigned 32-bit number other than 0
ASSIGNED = range(10_000_000, 100_000_000)  # numbers we give out ourselves: eight digits, at random


def new_key() -> str:
    """An unguessable part of an address: 22 characters, 128 random bits."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a quote comes to, in yuan and m²: the arithmetic of rows A-87 … A-90. `id` is the row's, `orderid` the firm's."""

    id: int
    orderid: int
    customer: str
    room_area: Decimal | None
    total: Decimal
    saved: Decimal

    @property
    def market(self) -> Decimal:
        """What the market asks for the same: the total and what is saved."""
        return self.total + self.saved

    @property
    def built_area(self) -> int | None:
        """The built area in whole m²: room area × 1.25, cut off and not rounded. None without a room area."""
        return None if self.room_area is None else int(self.room_area * Decimal("1.25"))


class Order(models.Model):
    """A price quote. `orderid` is the firm's own number and the scene of the QR code; `key` opens the visitor's page."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="orders", verbose_name=_("account"))
    orderid = models.BigIntegerField(
        _("order number"), unique=True, validators=[MinValueValidator(1), MaxValueValidator(ORDERID_MAX)]
    )
    key = models.CharField(_("key of the page"), max_length=32, unique=True, default=new_key, editable=False)
    customer = models.CharField(_("customer"), max_length=64, blank=True)
    room_area = models.DecimalField(
        _("room area (㎡)"),
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    total_money = models.DecimalField(
        _("total (yuan)"), max_digits=14, decimal_places=2, validators=[MinValueValidator(0)]
    )
    saved_money = models.DecimalField(
        _("saved (yuan)"), max_digits=14, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    source = models.ForeignKey(
        ChannelCode,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("channel code"),
        help_text=_("The code, campaign or salesperson that brought the visitor."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["key"])

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return str(self.orderid)

    def get_absolute_url(self) -> str:
        return reverse("quote", args=[self.key])

    @property
    def figures(self) -> Figures:
        """The figures of this quote, for its card and its pages."""
        return Figures(
            self.pk,
            self.orderid,
            self.customer,
            room_area=self.room_area,
            total=self.total_money,
            saved=self.saved_money,
        )

    @property
    def is_over(self) -> bool:
        """Whether its last day is past: the prices may have changed since."""
        return self.valid_until is not None and timezone.localdate() > self.valid_until

    @property
    def market_money(self) -> Decimal:
        """See Figures.market."""
        return self.figures.market

    @property
    def built_area(self) -> int | None:
        """See Figures.built_area."""
        return self.figures.built_area


class OrderItem(models.Model):
    """One line of a quote."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="items", verbose_name=_("quote"))
    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=100)
    note = models.CharField(_("note"), max_length=200, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=2, default=1)
    unit = models.CharField(_("unit"), max_length=10, blank=True)
    amount = models.DecimalField(_("amount (yuan)"), max_digits=14, decimal_places=2)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("line item")
        verbose_name_plural = _("line items")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name
