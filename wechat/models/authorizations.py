"""Web authorizations (网页授权) that were asked for: who began one in which browser, and how it ended."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class Authorization(models.Model):
    """One trip to WeChat's consent page. The `state` itself is in the browser's address only; here is its SHA-256.

    The platform's answer is used once; `outcome` is what a reload of the same address is told.
    """

    class Outcome(models.TextChoices):
        GRANTED = "granted", _("Granted")
        SNAPSHOT = "snapshot", _("Snapshot user")
        STRANGER = "stranger", _("Somebody else")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)  # of the secret in the session that began it
    purpose = models.CharField(_("purpose"), max_length=40)
    about = models.CharField(_("about"), max_length=100)
    scope = models.CharField(max_length=20)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True, db_index=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)

    class Meta:
        verbose_name = _("web authorization")
        verbose_name_plural = _("web authorizations")

    def __str__(self) -> str:
        return f"{self.purpose} {self.outcome}"
