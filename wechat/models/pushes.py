"""What the platform pushed to us: the raw body, what became of it, and the answer."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account
from wechat.models.rules import Rule

# What most pushes are: a list of one of these needs no index, and they pay for none.
COMMON_KINDS = ("text", "qr", "subscribe", "trace", "view")


class Push(models.Model):
    """One push, recorded once however often it is repeated."""

    class State(models.TextChoices):
        DONE = "done", _("Done")
        NOTHING = "nothing", _("Nothing to do")
        FAILED = "failed", _("Failed")

    class AnsweredBy(models.TextChoices):
        RULE = "rule", _("A rule")
        WELCOME = "welcome", _("The welcome text")
        DEFAULT = "default", _("The default reply")
        HANDLER = "handler", _("The program")
        OWED = "owed", _("A message that was owed")

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
    answered_by = models.CharField(
        _("answered by"), max_length=10, choices=AnsweredBy, blank=True, default="", db_default=""
    )
    rule = models.ForeignKey(
        Rule,
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="pushes",
        verbose_name=_("rule"),
        db_constraint=False,  # a rule that goes must not touch a million pushes
        db_index=False,
    )
    milliseconds = models.PositiveIntegerField(
        _("milliseconds"), null=True, blank=True, help_text=_("From the arrival of the request to its last statement.")
    )
    error = models.TextField(_("error"), blank=True, default="")
    repeats = models.PositiveIntegerField(_("repeats"), default=0)

    class Meta:
        verbose_name = _("push")
        verbose_name_plural = _("pushes")
        constraints = (models.UniqueConstraint(fields=["nonce_key"], name="one_body_per_nonce"),)
        # A condition must stand literally in a query (wechat.pushes) for SQLite to use such an index.
        indexes = (
            models.Index(fields=["received_at"], condition=models.Q(state="failed"), name="push_failed"),
            models.Index(fields=["openid"], name="push_of_person"),
            models.Index(fields=["rule", "id"], condition=models.Q(rule__isnull=False), name="push_of_rule"),
            models.Index(fields=["kind"], condition=~models.Q(kind__in=COMMON_KINDS), name="push_of_rare_kind"),
            # All that lists are filtered by, a tenth of the table, read from its end: what has few rows, or none, is found
            # in 50 ms among a million. It begins with the key, so that a push adds to its last page and to no other.
            models.Index(fields=["id", "account", "kind", "encrypted", "state", "answered_by"], name="push_in_brief"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
