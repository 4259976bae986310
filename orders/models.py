"""A quote (Order) with its line items, and each Scan of its QR code. A scan owns the link that its card opens."""

import secrets
from dataclasses import dataclass
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.models import Account, OutgoingMessage

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


class RowNumber(models.BigIntegerField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A 64-bit primary key given by us. SQLite keeps a second index unless the column's type is just `integer`."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


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
    def market_money(self) -> Decimal:
        """See Figures.market."""
        return self.figures.market

    @property
    def built_area(self) -> int | None:
        """See Figures.built_area."""
        return self.figures.built_area


def share_code(push_id: int, secret: str) -> str:
    """The code of a shared link, before its scan is stored."""
    return f"{push_id}.{secret}"


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


class Scan(models.Model):
    """Somebody scanned a code: who, when, for which quote. `code` opens the shared page of this scan.

    The primary key is the push's: a push is one scan at most, and no index more is written on the callback's way.
    """

    class Kind(models.TextChoices):
        SCAN = "scan", _("Scanned as a follower")
        FOLLOW = "follow", _("Followed by scanning")

    push_id = RowNumber(_("push"), primary_key=True)
    order = models.ForeignKey(
        Order, models.CASCADE, related_name="scans", null=True, blank=True, verbose_name=_("quote")
    )
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    openid = models.CharField("openid", max_length=64)
    scene = models.CharField(_("scene"), max_length=64)
    ticket = models.CharField(_("ticket"), max_length=255, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    secret = models.CharField(_("secret of the link"), max_length=32, default=new_key, editable=False)
    revoked = models.BooleanField(_("link revoked"), default=False)
    message = models.ForeignKey(
        OutgoingMessage,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("card"),
        db_constraint=False,
        db_index=False,
    )
    scanned_at = models.DateTimeField(_("scanned"))

    class Meta:
        verbose_name = _("scan")
        verbose_name_plural = _("scans")

    def __str__(self) -> str:
        return f"{self.scene} {timezone.localtime(self.scanned_at):%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("shared", args=[self.code])

    @property
    def code(self) -> str:
        """The code of the link: where to look, and the secret that must be found there."""
        return share_code(self.push_id, self.secret)

    @classmethod
    def of_code(cls, code: str) -> "Scan | None":
        """The scan whose link this is; None for an unknown, malformed or revoked one."""
        number, _dot, secret = code.partition(".")
        if not (number.isascii() and number.isdigit() and len(number) <= 18):
            return None
        scan = cls.objects.select_related("order__account").filter(pk=int(number), revoked=False).first()
        return scan if scan and secrets.compare_digest(scan.secret.encode(), secret.encode()) else None
