"""How the firm looks on its public pages and posters: a colour and a logo, per account."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.models.accounts import Account


class Brand(models.Model):
    """The logo is kept as a PNG in the row: a backup holds it, and every machine of the site has it."""

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="brand", verbose_name=_("account")
    )
    colour = models.CharField(
        _("colour"),
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Six digits after a #, such as #128552."))],
    )
    logo = models.BinaryField(_("logo"), blank=True, default=b"", editable=False)
    logo_version = models.CharField(max_length=16, blank=True, editable=False)  # in its address: a browser keeps it

    history = HistoricalRecords(excluded_fields=["logo", "logo_version"])

    class Meta:
        verbose_name = _("look")
        verbose_name_plural = _("looks")

    def __str__(self) -> str:
        return str(self.account)
