"""What processes agree on: who may do what until when, and how far a piece of periodic work has come."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lease(models.Model):
    """A named right that ends at `until`: a lock that works over processes and machines, and heals by itself.

    wechat.leases claims and reads them.
    """

    name = models.CharField(_("name"), max_length=80, primary_key=True)
    holder = models.CharField(_("holder"), max_length=80, blank=True)
    until = models.DateTimeField(_("until"))
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return self.name


class Cursor(models.Model):
    """Up to which primary key a piece of periodic work has read a table."""

    name = models.CharField(_("name"), max_length=80, primary_key=True)
    position = models.BigIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("cursor")
        verbose_name_plural = _("cursors")

    def __str__(self) -> str:
        return self.name
