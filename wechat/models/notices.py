"""What staff must hear of: what the platform says about the account itself, and what is wrong with the installation."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class Notice(models.Model):
    """One such message: a banner in the admin until somebody puts it away or it is over, a mail and a post where configured."""

    class Level(models.TextChoices):
        GOOD = "success", _("Good news")
        WARNING = "warning", _("Warning")
        DANGER = "danger", _("Urgent")

    account = models.ForeignKey(  # none: it is about the whole installation
        Account, models.CASCADE, null=True, blank=True, related_name="notices", verbose_name=_("account")
    )
    kind = models.CharField(_("kind"), max_length=64)
    level = models.CharField(_("level"), max_length=10, choices=Level)
    data = models.JSONField(_("details"), default=dict)
    push_id = models.BigIntegerField(_("push"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    posted_at = models.DateTimeField(_("posted to the chat"), null=True, blank=True)
    posts = models.PositiveSmallIntegerField(default=0, db_default=0)  # how often that was tried
    seen_at = models.DateTimeField(_("put away"), null=True, blank=True)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.get_level_display()
