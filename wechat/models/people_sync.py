"""How far a synchronisation with the platform's list of followers has come."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class SyncRun(models.Model):
    """One run over all followers of an account. A worker goes on where the last turn stopped."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Stopped by an error")
        STOPPED = "stopped", _("Stopped")

    class Step(models.TextChoices):
        TAGS = "tags", _("Reading the tags")
        PEOPLE = "people", _("Reading the followers")
        BLOCKED = "blocked", _("Reading the block list")
        END = "end", _("Looking for those who left")

    account = models.ForeignKey(Account, models.CASCADE, related_name="sync_runs", verbose_name=_("account"))
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.RUNNING)
    step = models.CharField(_("step"), max_length=7, choices=Step, default=Step.TAGS)
    next_openid = models.CharField(max_length=64, blank=True)
    page = models.JSONField(default=list, blank=True)  # the openids of the page at hand
    position = models.PositiveIntegerField(default=0)  # how many of the page are done
    total = models.PositiveIntegerField(_("followers at WeChat"), default=0)
    done = models.PositiveIntegerField(_("read"), default=0)
    added = models.PositiveIntegerField(_("new here"), default=0)
    gone = models.PositiveIntegerField(_("follow no more"), default=0)
    error = models.TextField(_("last error"), blank=True)
    failures = models.PositiveIntegerField(default=0)  # of one call, in a row
    due_at = models.DateTimeField(_("goes on"))
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("synchronisation")
        verbose_name_plural = _("synchronisation of followers")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(state="running"), name="one_running_sync_per_account"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} #{self.pk}"
