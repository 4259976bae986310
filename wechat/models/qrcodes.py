"""Parametric QR codes (带参数二维码): the ticket of a scene, kept as long as it is valid."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class QRCode(models.Model):
    """A code the platform made for a scene. Its image is drawn from `url`."""

    class Kind(models.TextChoices):
        TEMPORARY = "temporary", _("Temporary")
        PERMANENT = "permanent", _("Permanent")

    account = models.ForeignKey(Account, models.CASCADE, related_name="codes", verbose_name=_("account"))
    scene = models.CharField(_("scene"), max_length=64)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEMPORARY)
    ticket = models.CharField(_("ticket"), max_length=255)
    url = models.CharField(_("address in the code"), max_length=500)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("QR code")
        verbose_name_plural = _("QR codes")
        indexes = (
            models.Index(fields=["account", "scene", "expires_at"], name="code_of_scene"),
            models.Index(fields=["ticket"], name="code_of_ticket"),
        )

    def __str__(self) -> str:
        return self.scene
