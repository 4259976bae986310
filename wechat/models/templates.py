"""Message templates as the platform keeps them, and jobs that send one of them to many."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.access import ApiKey
from wechat.models.accounts import Account


class MessageTemplate(models.Model):
    """One template of an account, as the last synchronisation found it. `gone_at`: the platform has it no more."""

    class Kind(models.TextChoices):
        TEMPLATE = "template", _("Template message")
        SUBSCRIPTION = "subscription", _("Subscription notice")

    account = models.ForeignKey(Account, models.CASCADE, related_name="templates", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.TEMPLATE)
    template_id = models.CharField(_("number on the platform"), max_length=64)
    title = models.CharField(_("title"), max_length=100, blank=True)
    content = models.TextField(_("content"), blank=True)
    example = models.TextField(_("example"), blank=True)
    synced_at = models.DateTimeField(_("last seen on the platform"))
    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ("title",)
        constraints = (models.UniqueConstraint(fields=["account", "template_id"], name="one_row_per_template"),)

    def __str__(self) -> str:
        return self.title or self.template_id


class SendJob(models.Model):
    """One template message to many. The worker feeds the outbox from it, a few hundred at a time.

    `audience` says to whom: {"kind": "tag", "tag": pk}, {"kind": "followers"}, {"kind": "openids", "openids": […]},
    {"kind": "order", "orderid": n}; `position` is how far the feeding has come in it.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    account = models.ForeignKey(Account, models.CASCADE, related_name="jobs", verbose_name=_("account"))
    template = models.ForeignKey(MessageTemplate, models.PROTECT, related_name="jobs", verbose_name=_("template"))
    name = models.CharField(_("name"), max_length=60)
    audience = models.JSONField(_("to whom"))
    content = models.JSONField(_("content"), help_text=_("The stored message (wechat.replies.Template.stored)."))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    position = models.BigIntegerField(_("position"), default=0)
    total = models.PositiveIntegerField(_("recipients"), default=0)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("send job")
        verbose_name_plural = _("send jobs")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name


class SendRequest(models.Model):
    """A program asked by REST to send, under a number of its own: the same number again is the same message, or job."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="+", verbose_name=_("REST key"))
    client_msg_id = models.CharField(_("number of the program"), max_length=64)
    digest = models.CharField(_("digest of what was asked"), max_length=64)
    message_id = models.BigIntegerField(_("message"), null=True, blank=True)  # which may be gone, see wechat.retention
    job_id = models.BigIntegerField(_("job"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("request to send")
        verbose_name_plural = _("requests to send")
        constraints = (models.UniqueConstraint(fields=["key", "client_msg_id"], name="one_send_per_number"),)

    def __str__(self) -> str:
        return self.client_msg_id
