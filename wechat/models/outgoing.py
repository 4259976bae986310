"""What we send: each message is a row, written in the transaction of what caused it. The row is the truth."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account
from wechat.models.followers import ERASED
from wechat.models.pushes import Push
from wechat.models.templates import SendJob


class OutgoingMessage(models.Model):
    """One message to one person. Retry and back-off are data here, so every worker behaves alike."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        OWED = "owed", _("Owed: goes out at the person's next contact")
        GIVEN_UP = "given_up", _("Given up")
        SET_ASIDE = "set_aside", _("Set aside for staff")

    class Route(models.TextChoices):
        CUSTOMER_SERVICE = "customer_service", _("Customer-service message")
        PASSIVE = "passive", _("Answer to the push itself")
        TEMPLATE = "template", _("Template message")
        SUBSCRIPTION = "subscription", _("Subscription notice")

    class Delivery(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        BLOCKED = "blocked", _("Refused by the user")
        FAILED = "failed", _("Not delivered")

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="outgoing", verbose_name=_("account"), db_index=False
    )
    openid = models.CharField("openid", max_length=64)
    purpose = models.CharField(_("purpose"), max_length=20)
    about = models.CharField(_("about"), max_length=64, blank=True, help_text=_("For example the order's number."))
    content = models.JSONField(_("content"))
    push = models.ForeignKey(
        Push,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="caused",
        verbose_name=_("caused by"),
        db_constraint=False,
        db_index=False,  # found by the person: `openid` and `push` together
    )
    route = models.CharField(_("way"), max_length=20, choices=Route, default=Route.CUSTOMER_SERVICE)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    unknown_outcomes = models.PositiveIntegerField(
        _("unknown outcomes"),
        default=0,
        help_text=_("How often the connection or the worker was lost after the request went out: it may have arrived."),
    )
    created_at = models.DateTimeField(_("created"))
    due_at = models.DateTimeField(
        _("next attempt"), help_text=_("While being sent: when another worker may take over.")
    )
    expires_at = models.DateTimeField(_("window closes"))
    holder = models.CharField(_("worker"), max_length=80, blank=True, default="")
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    errcode = models.IntegerField("errcode", null=True, blank=True)
    error = models.TextField(_("last error"), blank=True, default="")
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("written by"),
        db_index=False,
    )
    agent = models.CharField(_("agent"), max_length=64, blank=True, default="", db_default="")
    job = models.ForeignKey(
        SendJob, models.SET_NULL, null=True, blank=True, related_name="messages", verbose_name=_("job"), db_index=False
    )
    msgid = models.CharField(
        _("number on the platform"),
        max_length=24,
        blank=True,
        default="",
        db_default="",
        help_text=_("Of a template message or notice: the report of its delivery names it."),
    )
    delivery = models.CharField(_("delivery"), max_length=10, choices=Delivery, blank=True, default="", db_default="")
    delivery_text = models.CharField(_("reported as"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("outgoing message")
        verbose_name_plural = _("outgoing messages")
        indexes = (
            models.Index(fields=["due_at"], condition=models.Q(state__in=["waiting", "sending"]), name="outgoing_due"),
            models.Index(fields=["account", "openid"], condition=models.Q(state="owed"), name="outgoing_owed"),
            models.Index(fields=["openid"], name="outgoing_of_person"),
            models.Index(fields=["job", "state"], condition=models.Q(job__isnull=False), name="outgoing_of_job"),
            models.Index(fields=["msgid"], condition=~models.Q(msgid=""), name="outgoing_of_msgid"),
            # What was sent since somebody looked: a row is entered when it is sent, and not while it waits.
            models.Index(
                fields=["purpose", "sent_at"], condition=models.Q(sent_at__isnull=False), name="outgoing_sent"
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["job", "openid"],
                # Of erased people, nobody can tell whose message it was, and a job may have had several.
                condition=models.Q(job__isnull=False) & ~models.Q(openid=ERASED),
                name="one_message_per_job",
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.about}".strip()
