"""Pictures, voices and videos for replies and messages: our file, and the platform's number for it."""

import secrets
from pathlib import PurePath

from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.accounts import Account

REFERENCE = "material:"  # an answer names a material so: its media ID changes with each renewal


def stored_name(_material: "Material", name: str) -> str:
    """A random name: what the file was called before is a label, and no path. The suffix is that of the checked type."""
    return f"materials/{secrets.token_hex(16)}{PurePath(name).suffix}"


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
    permanent = models.BooleanField(
        _("permanent"),
        default=False,
        help_text=_("Stays at WeChat until it is deleted. Without this it ends there after three days."),
    )
    keep = models.BooleanField(
        _("keep it valid"),
        default=False,
        help_text=_("Uploaded again before its three days are over. What a rule uses is kept valid in any case."),
    )
    file = models.FileField(_("file"), upload_to=stored_name, blank=True)
    preview = models.FileField(_("small picture"), upload_to=stored_name, blank=True, editable=False)
    size = models.PositiveIntegerField(_("bytes"), default=0)
    measures = models.CharField(_("measures"), max_length=40, blank=True, help_text=_("Pixels, or seconds."))
    media_id = models.CharField(_("media ID"), max_length=128, blank=True)
    url = models.URLField(_("address"), max_length=500, blank=True)
    uploaded_at = models.DateTimeField(_("uploaded"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    error = models.TextField(_("last error"), blank=True)
    failed_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        ordering = ("-pk",)
        indexes = (models.Index(fields=["account", "media_id"], name="material_of_media"),)

    def __str__(self) -> str:
        return self.name

    @property
    def reference(self) -> str:
        """What stands in an answer in the place of a media ID."""
        return f"{REFERENCE}{self.pk}"
