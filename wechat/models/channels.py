"""Channel codes (渠道码): the parametric codes that staff hand out themselves, and who came by them."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from wechat.models.accounts import Account
from wechat.models.followers import Tag
from wechat.models.qrcodes import QRCode
from wechat.models.rules import Rule


class ChannelCode(models.Model):
    """A scene that staff keep a valid code for. The tickets that the platform gave for it are QRCode rows."""

    class Purpose(models.TextChoices):
        CAMPAIGN = "campaign", _("Campaign")
        SALES = "sales", _("Sales staff")
        OTHER = "other", _("Other")

    account = models.ForeignKey(Account, models.CASCADE, related_name="channels", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=60)
    scene = models.CharField(_("scene"), max_length=64)
    number = models.BooleanField(
        _("the scene is a number"), default=False, help_text=_("1 to 100000 if permanent, else up to 4294967295.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=QRCode.Kind, default=QRCode.Kind.TEMPORARY)
    days = models.PositiveSmallIntegerField(
        _("valid for (days)"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text=_("Of a temporary code: 1 to 30."),
    )
    renew = models.BooleanField(
        _("renew before it ends"), default=True, help_text=_("A printed code stays valid only if it is permanent.")
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose, default=Purpose.CAMPAIGN)
    campaign = models.CharField(_("campaign"), max_length=60, blank=True)
    salesperson = models.CharField(_("salesperson"), max_length=60, blank=True)
    tag = models.ForeignKey(
        Tag,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("tag"),
        help_text=_("Put on everybody who scans it."),
    )
    rule = models.ForeignKey(
        Rule,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reply rule"),
        help_text=_("Answers the scan."),
    )
    enabled = models.BooleanField(_("on"), default=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    batch = models.CharField(max_length=16, blank=True, editable=False, db_index=True)  # those made together
    # What the worker has to do for it, and what went wrong the last time (wechat.channels).
    due_at = models.DateTimeField(_("next code at"), null=True, blank=True, editable=False, db_index=True)
    error = models.CharField(_("last error"), max_length=300, blank=True, editable=False)
    tag_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    tag_error = models.CharField(_("last error of the tag"), max_length=300, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["batch", "due_at", "error", "tag_due_at", "tag_error"])

    class Meta:
        verbose_name = _("channel code")
        verbose_name_plural = _("channel codes")
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=["account", "scene"], name="one_channel_per_scene"),)

    def __str__(self) -> str:
        return self.name

    @property
    def permanent(self) -> bool:
        """Whether its code never ends."""
        return self.kind == QRCode.Kind.PERMANENT

    @property
    def scene_value(self) -> int | str:
        """The scene as the platform is given it."""
        return int(self.scene) if self.number else self.scene


class ChannelScan(models.Model):
    """Somebody scanned a channel code. `tagged` says whether its tag still has to be put on the person."""

    push_id = models.BigIntegerField(_("push"), primary_key=True)
    # No constraint: a process may know a code for a second after it was deleted, and no push may fail over that.
    code = models.ForeignKey(
        ChannelCode,
        models.CASCADE,
        related_name="scans",
        verbose_name=_("channel code"),
        db_index=False,
        db_constraint=False,
    )
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    openid = models.CharField("openid", max_length=64)
    new = models.BooleanField(_("new follower"), default=False)
    tagged = models.BooleanField(_("tagged"), default=True)
    scanned_at = models.DateTimeField(_("scanned"))

    class Meta:
        verbose_name = _("scan of a channel code")
        verbose_name_plural = _("scans of channel codes")
        indexes = (
            models.Index(fields=["code", "scanned_at"], name="channel_scans"),
            models.Index(fields=["code"], name="channel_new", condition=models.Q(new=True)),
            models.Index(fields=["code"], name="channel_untagged", condition=models.Q(tagged=False)),
        )

    def __str__(self) -> str:
        return f"{self.code_id} {self.push_id}"


class FollowerDay(models.Model):
    """How many began and ended to follow an account on one day; counted by the worker (wechat.digest)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("account"), db_index=False)
    day = models.DateField(_("day"))
    won = models.PositiveIntegerField(_("won"), default=0)
    lost = models.PositiveIntegerField(_("lost"), default=0)

    class Meta:
        verbose_name = _("followers of a day")
        verbose_name_plural = _("followers by day")
        constraints = (models.UniqueConstraint(fields=["account", "day"], name="one_follower_day"),)

    def __str__(self) -> str:
        return f"{self.day}: +{self.won} −{self.lost}"
