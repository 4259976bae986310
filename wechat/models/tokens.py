"""Who asked for an access token: other programs of the firm, by their REST keys."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class TokenRequest(models.Model):
    """What one key asked for within one hour; a program that asks every second fills no table. Written by wechat.hub."""

    class Kind(models.TextChoices):
        READ = "read", _("Read the token")
        RENEWED = "renewed", _("Had it renewed")
        REFUSED = "refused", _("Wanted it renewed, and was refused")

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="token_requests", verbose_name=_("account"), db_index=False
    )
    key_prefix = models.CharField(_("key begins with"), max_length=8)
    key_name = models.CharField(_("who"), max_length=50)
    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    hour = models.DateTimeField(_("hour"))
    last_at = models.DateTimeField(_("last time"))
    count = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        verbose_name = _("request for the token")
        verbose_name_plural = _("requests for the token")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=["account", "hour", "key_prefix", "kind"], name="one_token_request_an_hour"),
        )

    def __str__(self) -> str:
        return f"{self.key_name} {self.pk}"
