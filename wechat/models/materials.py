"""Pictures, voices and videos for replies and messages: our file, and the platform's number for it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account


class Material(models.Model):
    """One file. A temporary one lives three days on the platform and is renewed from `file` before it ends."""

    class Kind(models.TextChoices):
        IMAGE = "image", _("Picture")
        VOICE = "voice", _("Voice")
        VIDEO = "video", _("Video")
        THUMB = "thumb", _("Thumbnail")

    account = models.ForeignKey(Account, models.CASCADE, related_name="materials", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    name = models.CharField(_("name"), max_length=100)
    title = models.CharField(_("title (video)"), max_length=100, blank=True)
    introduction = models.TextField(_("introduction (video)"), blank=True)
    permanent = models.BooleanField(_("permanent"), default=False)
    file = models.FileField(_("file"), upload_to="materials/", blank=True)
    size = models.PositiveIntegerField(_("bytes"), default=0)
    media_id = models.CharField(_("media ID"), max_length=128, blank=True)
    url = models.URLField(_("address"), max_length=500, blank=True)
    uploaded_at = models.DateTimeField(_("uploaded"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        ordering = ("-pk",)
        indexes = (models.Index(fields=["account", "media_id"], name="material_of_media"),)

    def __str__(self) -> str:
        return self.name
