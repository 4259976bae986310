"""How the person behind a scan agreed to be shown: his nickname and avatar, given by web authorization."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.scans import Scan


class Profile(models.Model):
    """Nickname and avatar of who scanned. There is none before he agreed, and none after he took it back."""

    scan = models.OneToOneField(Scan, models.CASCADE, primary_key=True, related_name="profile", verbose_name=_("scan"))
    nickname = models.CharField(_("nickname"), max_length=128)
    avatar = models.CharField(_("avatar"), max_length=500, blank=True)
    given_at = models.DateTimeField(_("agreed"), auto_now=True)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return self.nickname
