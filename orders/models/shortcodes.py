"""Eight digits that stand for a quote for a while, to be typed in WeChat where no code can be scanned."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.quotes import Order


class ShortCode(models.Model):
    """`digits` bring the card of `order` to the first person who writes them before `expires_at`."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="short_codes", verbose_name=_("quote"))
    digits = models.CharField(_("digits"), max_length=12, unique=True)
    expires_at = models.DateTimeField(_("expires"), db_index=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    class Meta:
        verbose_name = _("short code")
        verbose_name_plural = _("short codes")

    def __str__(self) -> str:
        return self.digits
