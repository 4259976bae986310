"""Custom menus (自定义菜单): what staff draft, and every version that went to the platform."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.models.accounts import Account
from wechat.models.followers import Tag


class Menu(models.Model):
    """One menu of an account: the default one, or with a match rule one for some of the followers (个性化菜单).

    `document` is the platform's own form: {"button": […]}.
    """

    class Client(models.TextChoices):
        ANY = "", _("Any phone")
        IOS = "1", _("iPhone")
        ANDROID = "2", _("Android")
        OTHER = "3", _("Other")

    account = models.ForeignKey(Account, models.CASCADE, related_name="menus", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=60)
    is_default = models.BooleanField(_("default menu"), default=True, editable=False)
    tag = models.ForeignKey(
        Tag, models.PROTECT, null=True, blank=True, related_name="menus", verbose_name=_("for this tag")
    )
    client = models.CharField(_("for this phone"), max_length=1, choices=Client, blank=True, default="")
    document = models.JSONField(_("menu"), default=dict)
    menuid = models.CharField(_("number on the platform"), max_length=32, blank=True, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords(excluded_fields=["menuid"])

    class Meta:
        verbose_name = _("menu")
        verbose_name_plural = _("menus")
        ordering = ("-is_default", "pk")
        permissions = (("publish_menu", _("Can publish menus")),)
        constraints = (
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(is_default=True), name="one_default_menu_per_account"
            ),
            models.UniqueConstraint(fields=["account", "name"], name="one_menu_per_name"),
        )

    def __str__(self) -> str:
        return self.name


class MenuVersion(models.Model):
    """A menu as it was published. `agreed`: what the platform gave back was the same."""

    menu = models.ForeignKey(Menu, models.CASCADE, related_name="versions", verbose_name=_("menu"))
    document = models.JSONField(_("menu"))
    published_at = models.DateTimeField(_("published"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    agreed = models.BooleanField(_("read back the same"), null=True)

    class Meta:
        verbose_name = _("published menu")
        verbose_name_plural = _("published menus")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.menu_id} {self.pk}"
