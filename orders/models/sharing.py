"""Who passed a link on to whom, without names: each forward carries a code of its own, kept when somebody opens it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.scans import Scan


class Onward(models.Model):
    """One forward of a shared quote: its code descends from that of the scan, or from that of another forward."""

    scan = models.ForeignKey(Scan, models.CASCADE, related_name="onward", verbose_name=_("scan"))
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="children", verbose_name=_("passed on from")
    )
    nonce = models.CharField(_("code"), max_length=32, unique=True, editable=False)
    depth = models.PositiveSmallIntegerField(_("steps from the owner"), default=1)
    opened_at = models.DateTimeField(_("first opened"), auto_now_add=True)

    class Meta:
        verbose_name = _("forward")
        verbose_name_plural = _("forwards")

    def __str__(self) -> str:
        return f"{self.scan_id} +{self.depth}"
