"""The people who follow, or followed, an account."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class Follower(models.Model):
    """One person of one account, known by his openid. Nickname and avatar are there only if he agreed to show them."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="followers", verbose_name=_("account"), db_index=False
    )
    openid = models.CharField("openid", max_length=64)
    subscribed = models.BooleanField(_("follows"), default=True)
    state_time = models.BigIntegerField(
        _("time of that state"),
        default=0,
        help_text=_("CreateTime of the push that said so; an older push changes nothing."),
    )
    first_seen = models.DateTimeField(_("first seen"))
    last_seen = models.DateTimeField(_("last seen"))
    message_at = models.DateTimeField(_("last message"), null=True, blank=True)
    event_at = models.DateTimeField(_("last scan, follow or menu click"), null=True, blank=True)
    owed = models.PositiveIntegerField(_("messages owed"), default=0)
    nickname = models.CharField(_("nickname"), max_length=128, blank=True)
    avatar = models.URLField(_("avatar"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        constraints = (models.UniqueConstraint(fields=["account", "openid"], name="one_follower_per_openid"),)

    def __str__(self) -> str:
        return self.nickname or self.masked_openid

    @property
    def masked_openid(self) -> str:
        """The openid as lists show it: enough to tell people apart, too little to act with."""
        return mask(self.openid)


def mask(openid: str) -> str:
    """`oAbc…wxyz`: the first and the last four characters."""
    return f"{openid[:4]}…{openid[-4:]}" if len(openid) > 8 else "…"
