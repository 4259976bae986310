"""Keys of the programs that call our REST interface."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey

SCOPES = {
    "quotes:read": _("Read quotes"),
    "quotes:write": _("Create quotes"),
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
