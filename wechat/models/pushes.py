"""What the platform pushed to us: the raw body, what became of it, and the answer."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class Push(models.Model):
    """One push, recorded once however often it is repeated."""

    class State(models.TextChoices):
        DONE = "done", _("Done")
        NOTHING = "nothing", _("Nothing to do")
        FAILED = "failed", _("Failed")

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="pushes", verbose_name=_("account"), db_index=False
    )
    key = models.CharField(_("unique key"), max_length=64, unique=True)
    nonce_key = models.CharField(
        _("timestamp and nonce"),
        max_length=80,
        null=True,
        help_text=_("Of a plain push: one body only for each of them."),
    )
    received_at = models.DateTimeField(_("received"))
    openid = models.CharField("openid", max_length=64)
    kind = models.CharField(_("kind"), max_length=64)
    raw = models.TextField(_("body"))
    encrypted = models.BooleanField(_("encrypted"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DONE)
    answer = models.TextField(_("answer"), blank=True, default="")
    error = models.TextField(_("error"), blank=True, default="")
    repeats = models.PositiveIntegerField(_("repeats"), default=0)

    class Meta:
        verbose_name = _("push")
        verbose_name_plural = _("pushes")
        constraints = (models.UniqueConstraint(fields=["nonce_key"], name="one_body_per_nonce"),)
        indexes = (models.Index(fields=["received_at"], condition=models.Q(state="failed"), name="push_failed"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
