"""Who gets in: the keys of the programs that call our REST interface, and the accounts that a member of staff works for."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey

from wechat.models.accounts import Account

SCOPES = {
    "quotes:read": _("Read quotes"),
    "quotes:write": _("Create quotes"),
    "rules:try": _("Try what a message would be answered"),
    "token": _("Get the access token, and have it renewed"),
    "templates:send": _("Send template messages"),
}


class ApiKey(AbstractAPIKey):
    """A REST key. It is shown once, when it is made; only its hash is stored."""

    scopes = models.JSONField(_("scopes"), default=list, help_text=_("What the key may do."))

    class Meta(AbstractAPIKey.Meta):
        verbose_name = _("REST key")  # type: ignore[assignment]
        verbose_name_plural = _("REST keys")  # type: ignore[assignment]

    def allows(self, scope: str) -> bool:
        """Whether this key may do `scope`, for example `quotes:write`."""
        return scope in self.scopes


class Membership(models.Model):
    """A member of staff works for this account. What he may do there is said by his groups; superusers need none."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("member of staff")
    )
    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships", verbose_name=_("account"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (models.UniqueConstraint(fields=["user", "account"], name="one_membership_per_account"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.account}"
