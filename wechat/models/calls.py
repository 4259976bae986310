"""What we asked the platform: the log of our calls, without bodies, tokens or secrets."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account
from wechat.models.outgoing import OutgoingMessage


class ApiCall(models.Model):
    """One call, written by wechat.calls a moment after it was made.

    The rows it belongs to may be gone by then, hence no constraints: one such call must not keep others out of the log.
    """

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="calls",
        verbose_name=_("account"),
        db_constraint=False,
        db_index=False,
    )
    endpoint = models.CharField(_("path"), max_length=100)
    method = models.CharField(_("method"), max_length=8)
    started_at = models.DateTimeField(_("time"))
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    attempt = models.PositiveSmallIntegerField(
        _("attempt"), default=1, help_text=_("2: repeated with a new access token, after the first was refused.")
    )
    message = models.ForeignKey(
        OutgoingMessage,
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("message"),
        db_constraint=False,
        db_index=False,
    )
    errcode = models.IntegerField(
        "errcode", null=True, blank=True, help_text=_("0 is success; empty where no usable answer came.")
    )
    # Follows from errcode. It stands here too because of its index: few calls fail, and staff look for just these.
    failed = models.BooleanField(_("failed"), default=False)
    rid = models.CharField("rid", max_length=40, null=True, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        indexes = (
            models.Index(fields=["started_at"], name="call_time"),
            models.Index(fields=["account", "started_at"], name="call_of_account"),
            models.Index(fields=["endpoint", "started_at"], name="call_of_endpoint"),
            models.Index(fields=["started_at"], condition=models.Q(failed=True), name="call_failed"),
            models.Index(fields=["rid"], condition=models.Q(rid__isnull=False), name="call_of_rid"),
        )

    def __str__(self) -> str:
        return f"{self.endpoint} {self.pk}"
