"""The people who follow, or followed, an account."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account

ERASED = "erased"  # in the place of an openid: nobody can tell whose it was


class Tag(models.Model):
    """A label that staff put on followers. `platform_id` is the platform's own number, once both know the tag."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="tags", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=30)  # the platform's limit
    platform_id = models.PositiveIntegerField(_("number on the platform"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="one_tag_per_name"),)

    def __str__(self) -> str:
        return self.name


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
    followed_at = models.DateTimeField(_("followed"), null=True, blank=True)
    source = models.CharField(
        _("came by the code"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("The scene of the code that made him follow."),
    )
    remark = models.CharField(
        _("remark"),
        max_length=30,
        blank=True,
        default="",
        db_default="",
        help_text=_("Staff's own name for this person; WeChat keeps it too."),
    )
    blocked = models.BooleanField(_("blocked"), default=False, db_default=False)
    sync_run = models.PositiveBigIntegerField(null=True, blank=True, editable=False)  # the SyncRun that saw him last
    tags = models.ManyToManyField(Tag, related_name="followers", verbose_name=_("tags"), blank=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    precision = models.FloatField(_("precision (m)"), null=True, blank=True)
    located_at = models.DateTimeField(_("position of"), null=True, blank=True)
    picture_key = models.CharField(
        _("key of the picture button"),
        max_length=128,
        blank=True,
        default="",
        db_default="",
        help_text=_("The pictures that follow belong to it."),
    )
    held_by = models.CharField(
        _("conversation held by"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("The named handler that gets the next messages first."),
    )
    held_until = models.DateTimeField(_("held until"), null=True, blank=True)
    picture_at = models.DateTimeField(_("picture button tapped"), null=True, blank=True)

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
    if openid == ERASED:
        return gettext("erased")
    return f"{openid[:4]}…{openid[-4:]}" if len(openid) > 8 else "…"
