"""What happened on the public pages, as the pages themselves report it (orders.views.seen). No person is in it.

The worker counts it (orders.journeys), and after the account's days it is removed.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.quotes import Order
from wechat.models import Account


class PageEvent(models.Model):
    """A page was shown in a browser. `visitor` is a number that the browser made up: a reload is no other visitor."""

    class Kind(models.TextChoices):
        SHOWN = "shown", _("Quote page shown")
        OPENED = "opened", _("Shared page opened")
        FORWARDED = "forwarded", _("Forwarded link opened")
        SHARED = "shared", _("Shared")

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="+", verbose_name=_("quote"), db_index=False)
    link = models.CharField(_("link"), max_length=64, blank=True)  # which link it was, as a number of ours; no key
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    visitor = models.CharField(_("visitor"), max_length=32, blank=True)
    happened_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("page event")
        verbose_name_plural = _("page events")
        indexes = (
            models.Index(fields=["order", "happened_at"], name="event_lately"),
            models.Index(fields=["order", "link", "kind", "id"], name="event_of_link"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"
