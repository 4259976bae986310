"""An Official Account, and its configuration as conf_name / conf_value rows (wechat.conf names and checks each row)."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.registry import ROWS


class Account(models.Model):
    """One Official Account (公众号). What it may do follows from its kind."""

    class Kind(models.TextChoices):
        VERIFIED_SERVICE = "verified_service", _("Verified service account")
        SERVICE = "service", _("Service account, not verified")
        VERIFIED_SUBSCRIPTION = "verified_subscription", _("Verified subscription account")
        SUBSCRIPTION = "subscription", _("Subscription account, not verified")
        TEST = "test", _("Test account")

    class Delivery(models.TextChoices):
        CUSTOMER_SERVICE = "customer_service", _("Customer-service message")
        PASSIVE = "passive", _("Answer to the push itself")

    class Mode(models.TextChoices):
        PLAIN = "plain", _("Plain text")
        COMPATIBLE = "compatible", _("Compatible")
        SAFE = "safe", _("Safe (encrypted)")

    slug = models.SlugField(_("short name"), unique=True, help_text=_("Part of the callback address."))
    name = models.CharField(_("name"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=24, choices=Kind, default=Kind.VERIFIED_SERVICE)
    delivery = models.CharField(
        _("how the quote card travels"),
        max_length=20,
        choices=Delivery,
        blank=True,
        help_text=_("Empty: customer-service message where the account may send them, else the answer to the push."),
    )
    mode = models.CharField(_("encryption mode"), max_length=12, choices=Mode, default=Mode.PLAIN)
    original_id = models.CharField(
        _("original ID"),
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+$", _("Starts with gh_ and holds letters, digits, _ and - only."))],
        help_text=_("gh_… on the account's page; the sender of our answers when a push does not name it."),
    )
    stamp = models.PositiveIntegerField(_("version of the configuration"), default=0, editable=False)
    rules_stamp = models.PositiveIntegerField(_("version of the reply rules"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["stamp", "rules_stamp"])

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ("slug",)
        permissions = (("change_account_texts", _("Can change the texts of the account")),)

    def __str__(self) -> str:
        return self.name or self.slug

    def save(self, *args: Any, **options: Any) -> None:
        """Save all but the stamps: a form may have read them long ago, and they only ever go up."""
        if self.pk and options.get("update_fields") is None and not options.get("force_insert"):
            stamps = ("stamp", "rules_stamp")
            fields = [each.attname for each in self._meta.local_concrete_fields if each.attname not in stamps]
            options["update_fields"] = [name for name in fields if name != "id"]
        super().save(*args, **options)

    @property
    def may_send_customer_service(self) -> bool:
        """Whether the platform takes customer-service messages from this kind of account (认证 only, and test accounts)."""
        return self.kind in (self.Kind.VERIFIED_SERVICE, self.Kind.VERIFIED_SUBSCRIPTION, self.Kind.TEST)

    @property
    def may_make_codes(self) -> bool:
        """Whether the platform makes parametric QR codes for this kind of account."""
        return self.kind in (self.Kind.VERIFIED_SERVICE, self.Kind.TEST)

    @property
    def may_authorize(self) -> bool:
        """Whether the platform asks people who they are for this kind of account (网页授权)."""
        return self.kind in (self.Kind.VERIFIED_SERVICE, self.Kind.TEST)

    @property
    def way_of_delivery(self) -> str:
        """How the card travels: what staff chose, else customer service for a verified service account."""
        if self.delivery:
            return self.delivery
        verified = self.kind == self.Kind.VERIFIED_SERVICE
        return self.Delivery.CUSTOMER_SERVICE if verified else self.Delivery.PASSIVE


class OpenRecords(HistoricalRecords):  # type: ignore[misc]  # untyped
    """The history of what staff edit and may see: no secret, sealed or not, and no access token ever gets into it."""

    def create_historical_record(self, instance: "ConfigRow", *arguments: Any, **options: Any) -> None:
        row = ROWS.get(instance.conf_name)
        if row and row.editable and not row.secret:
            super().create_historical_record(instance, *arguments, **options)


class ConfigRow(models.Model):
    """One row of an account's configuration; secrets are sealed in `conf_value` (see wechat.sealing)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="rows", verbose_name=_("account"))
    conf_name = models.CharField(_("name"), max_length=64)
    conf_value = models.TextField(_("value"), blank=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = OpenRecords(excluded_fields=["updated_at"])

    class Meta:
        db_table = "wechat_info"
        verbose_name = _("configuration row")
        verbose_name_plural = _("configuration rows")
        constraints = (models.UniqueConstraint(fields=["account", "conf_name"], name="one_row_per_name"),)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.conf_name}"
