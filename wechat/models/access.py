"""Who gets in: the keys of the programs that call our REST interface, and the accounts that a member of staff works for."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
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


USE_NOTED_EVERY = timedelta(hours=1)


class ApiKey(AbstractAPIKey):
    """A REST key. It is shown once, when it is made; only its hash is stored."""

    scopes = models.JSONField(_("scopes"), default=list, help_text=_("What the key may do."))
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)  # to the hour

    class Meta(AbstractAPIKey.Meta):
        verbose_name = _("REST key")  # type: ignore[assignment]
        verbose_name_plural = _("REST keys")  # type: ignore[assignment]

    @classmethod
    def make(cls, name: str, scopes: Iterable[str], *, expires: datetime | None = None) -> tuple["ApiKey", str]:
        """A new key, and what it is: the only time that it can be seen."""
        row = cls(name=name[:50], scopes=sorted(scopes), expiry_date=expires)
        key = cls.objects.assign_key(row)
        row.save()
        return row, key

    def replace(self, *, overlap: timedelta) -> tuple["ApiKey", str]:
        """A new key of the same name and scopes, valid at once; this one serves for `overlap` more, and no longer."""
        end = timezone.now() + overlap
        with transaction.atomic():
            if self.expiry_date is None or self.expiry_date > end:
                self.expiry_date = end
                self.save(update_fields=["expiry_date"])
            return ApiKey.make(self.name, self.scopes)

    def note_use(self) -> None:
        """It has just been used. Written once an hour at most, whatever comes in."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

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
