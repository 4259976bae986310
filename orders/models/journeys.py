"""How far each quote came, and how many came how far on each day: derived by the worker, and never written elsewhere."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.quotes import Order
from wechat.models import Account, ChannelCode

WAITS = ("shown_wait", "scanned_wait", "followed_wait", "accepted_wait", "opened_wait", "shared_wait", "others_wait")


class Journey(models.Model):
    """One quote and when it first reached each step. `day` is that of its making, in the site's time zone.

    A wait says how long a step came after the one that leads to it (orders.steps): whole milliseconds, None where one of the
    two is missing or they came the other way round. The database sorts these for the funnel's medians.
    """

    order = models.OneToOneField(
        Order, models.CASCADE, primary_key=True, related_name="journey", verbose_name=_("quote")
    )
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    source = models.ForeignKey(
        ChannelCode, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("channel code")
    )
    day = models.DateField(_("day"))
    made_at = models.DateTimeField(_("quote made"))
    shown_at = models.DateTimeField(_("page shown"), null=True, blank=True)
    scanned_at = models.DateTimeField(_("code scanned"), null=True, blank=True)
    followed_at = models.DateTimeField(_("new follower"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("card accepted"), null=True, blank=True)
    opened_at = models.DateTimeField(_("page opened"), null=True, blank=True)
    shared_at = models.DateTimeField(_("shared"), null=True, blank=True)
    others_at = models.DateTimeField(_("opened by others"), null=True, blank=True)
    shown_wait = models.BigIntegerField(null=True, blank=True)
    scanned_wait = models.BigIntegerField(null=True, blank=True)
    followed_wait = models.BigIntegerField(null=True, blank=True)
    accepted_wait = models.BigIntegerField(null=True, blank=True)
    opened_wait = models.BigIntegerField(null=True, blank=True)
    shared_wait = models.BigIntegerField(null=True, blank=True)
    others_wait = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("journey of a quote")
        verbose_name_plural = _("journeys of quotes")
        # They hold all that the times are sorted by: the rows themselves are not read for them.
        indexes = (
            models.Index(fields=["account", "day", "source", *WAITS], name="journey_of_day"),
            models.Index(fields=["account", "source", "day", *WAITS], name="journey_of_source"),
        )

    def __str__(self) -> str:
        return str(self.order_id)


class FunnelDay(models.Model):
    """How many quotes made on one day, by one channel code or none, reached each step until now."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    day = models.DateField(_("day"))
    source = models.ForeignKey(
        ChannelCode, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("channel code")
    )
    made = models.PositiveIntegerField(_("quotes made"), default=0)
    shown = models.PositiveIntegerField(_("page shown"), default=0)
    scanned = models.PositiveIntegerField(_("code scanned"), default=0)
    followed = models.PositiveIntegerField(_("new follower"), default=0)
    accepted = models.PositiveIntegerField(_("card accepted"), default=0)
    opened = models.PositiveIntegerField(_("page opened"), default=0)
    shared = models.PositiveIntegerField(_("shared"), default=0)
    others = models.PositiveIntegerField(_("opened by others"), default=0)

    class Meta:
        verbose_name = _("day of the funnel")
        verbose_name_plural = _("days of the funnel")
        indexes = (models.Index(fields=["account", "day"], name="funnel_day"),)

    def __str__(self) -> str:
        return f"{self.day}"
