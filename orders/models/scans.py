"""Each scan of a quote's QR code. A scan owns the link that its card opens."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.quotes import Order, new_key
from wechat.models import Account, OutgoingMessage


class RowNumber(models.BigIntegerField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A 64-bit primary key given by us. SQLite keeps a second index unless the column's type is just `integer`."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


def share_code(push_id: int, secret: str) -> str:
    """The code of a shared link, before its scan is stored."""
    return f"{push_id}.{secret}"


class Scan(models.Model):
    """Somebody scanned a code: who, when, for which quote. `code` opens the shared page of this scan.

    The primary key is the push's: a push is one scan at most, and no index more is written on the callback's way.
    """

    class Kind(models.TextChoices):
        SCAN = "scan", _("Scanned as a follower")
        FOLLOW = "follow", _("Followed by scanning")
        TYPED = "typed", _("Typed the short code")

    push_id = RowNumber(_("push"), primary_key=True)
    order = models.ForeignKey(
        Order, models.CASCADE, related_name="scans", null=True, blank=True, verbose_name=_("quote")
    )
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    openid = models.CharField("openid", max_length=64)
    scene = models.CharField(_("scene"), max_length=64)
    ticket = models.CharField(_("ticket"), max_length=255, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    secret = models.CharField(_("secret of the link"), max_length=32, default=new_key, editable=False)
    revoked = models.BooleanField(_("link revoked"), default=False)
    message = models.ForeignKey(
        OutgoingMessage,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("card"),
        db_constraint=False,
        db_index=False,
    )
    scanned_at = models.DateTimeField(_("scanned"))

    class Meta:
        verbose_name = _("scan")
        verbose_name_plural = _("scans")

    def __str__(self) -> str:
        return f"{self.scene} {timezone.localtime(self.scanned_at):%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("shared", args=[self.code])

    @property
    def code(self) -> str:
        """The code of the link: where to look, and the secret that must be found there."""
        return share_code(self.push_id, self.secret)
