"""Who may do what, until when: the one kind of lock that works over processes and machines and heals by itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lease(models.Model):
    """A named right that ends at `until`. wechat.leases claims and reads them."""

    name = models.CharField(_("name"), max_length=80, primary_key=True)
    holder = models.CharField(_("holder"), max_length=80, blank=True)
    until = models.DateTimeField(_("until"))
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return self.name
