"""The form of a material: which file, for which account, for how long."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from wechat import material_files, materials
from wechat.material_files import Checked
from wechat.models import Material


class MaterialForm(forms.ModelForm):  # type: ignore[type-arg]
    """Only name and `keep` of a stored one change. `checked` is the file as it will be stored."""

    class Media:
        js = ("js/material_form.js",)

    upload: Any = forms.FileField(
        label=_("File"),
        help_text=_(
            "Picture: PNG, JPEG or GIF up to 10 MB. Voice: AMR or MP3 up to 2 MB and 60 seconds. Video: MP4 up to 10 MB. "
            "Thumbnail: JPG up to 64 KB. Pictures are drawn anew: place, camera and other notes in the file are dropped."
        ),
        widget=UnfoldAdminFileFieldWidget(attrs={"data-limits": "10485760 2097152 10485760 65536"}),
    )

    class Meta:
        model = Material
        fields = ("account", "kind", "name", "permanent", "keep", "title", "introduction")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checked: Checked | None = None
        if self.instance.pk:
            self.fields.pop("upload", None)
        if "name" in self.fields:
            self.fields["name"].required = bool(self.instance.pk)
            if not self.instance.pk:
                self.fields["name"].help_text = _("Empty: the file's own name.")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload, kind = cleaned.get("upload"), cleaned.get("kind")
        if isinstance(upload, UploadedFile) and kind:
            cleaned["name"] = cleaned.get("name") or materials.label(upload.name or "")
            try:
                self.checked = _checked(upload, kind, permanent=bool(cleaned.get("permanent")))
            except ValidationError as error:
                self.add_error("upload", error)
        return cleaned


def _checked(upload: "UploadedFile[bytes]", kind: str, *, permanent: bool) -> Checked:
    most = material_files.LARGEST[kind]
    content = upload.read(most + 1)  # what is beyond is refused, and not read for it
    return material_files.check(kind, content, permanent=permanent)
