"""Pictures, voices and videos: upload them, see until when they are valid, look at them, delete them.

Calls to the platform happen after the row is stored, and outside of its transaction: what WeChat refuses is kept here with
the reason, and sent again with a button.
"""

from pathlib import PurePath
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action

from wechat import materials
from wechat.admin import looks, material_library, outcomes
from wechat.admin.actions import asks_first
from wechat.admin.material_form import MaterialForm
from wechat.admin.menu import REPLIES, Entry
from wechat.admin.records import leave
from wechat.admin.scope import ScopedAdmin
from wechat.errors import CallFailed
from wechat.explanations import explain_error, explain_stored
from wechat.material_files import TYPES
from wechat.models import Material

_SHOWN = gettext_lazy("Valid until %(until)s")


class Looks:
    """What the list and the page say of a material."""

    @admin.display(description=_("picture"))
    def small(self, material: Material) -> SafeString | str:
        if not material.preview:
            icon = {"voice": "mic", "video": "movie"}.get(material.kind, "image")
            return format_html('<span class="material-symbols-outlined" style="font-size:2rem">{}</span>', icon)
        url = reverse("admin:wechat_material_preview", args=[material.pk])
        return format_html(
            '<img src="{}" alt="" loading="lazy" style="width:3.5rem;height:2.5rem;object-fit:cover" '
            'class="bg-base-100 rounded-default dark:bg-base-800">',
            url,
        )

    @admin.display(description=_("file"))
    def whole(self, material: Material) -> SafeString | str:
        if not material.file:
            return gettext("Only at WeChat")
        url = reverse("admin:wechat_material_file", args=[material.pk])
        if not material.preview:
            return looks.link(url, gettext("Download"))
        return format_html('<a href="{}"><img src="{}" alt="" style="max-width:min(20rem,100%)"></a>', url, url)

    @admin.display(description=_("size"))
    def measured(self, material: Material) -> str:
        return looks.lines(
            part for part in (material.measures, filesizeformat(material.size) if material.size else "") if part
        )

    @admin.display(description=_("at WeChat"))
    def validity(self, material: Material) -> SafeString | str:
        parts = [_validity(material)]
        if material.error:
            parts.append(looks.badge(gettext("Last upload failed"), "danger"))
        if material.keep and not material.permanent:
            parts.append(format_html("{}", gettext("renewed by itself")))
        return looks.lines(parts)

    @admin.display(description=_("media ID"))
    def number(self, material: Material) -> SafeString | str:
        shown = format_html('<code style="overflow-wrap:anywhere;user-select:all">{}</code>', material.media_id)
        return shown if material.media_id else looks.NOTHING

    @admin.display(description=_("address"))
    def address(self, material: Material) -> SafeString | str:
        return looks.outside_link(material.url)

    @admin.display(description=_("last error"))
    def trouble(self, material: Material) -> str:
        explained = explain_stored(None, material.error)
        return outcomes.shown(explained) if explained else material.error or looks.NOTHING

    @admin.display(description=_("used by the rules"))
    def rules(self, material: Material) -> str:
        used = materials.used_by(material)
        return looks.lines(looks.link(reverse("admin:wechat_rule_change", args=[rule.pk]), rule.name) for rule in used)


@admin.register(Material)
class MaterialAdmin(Looks, ScopedAdmin, ModelAdmin):  # type: ignore[misc]
    """The list of an account's files."""

    menu = Entry(REPLIES, 60, "perm_media")
    form = MaterialForm
    list_display = ("small", "name", "kind", "validity", "measured", "account", "created_at")
    list_display_links = ("small", "name")
    list_filter = ("kind", "permanent", "account")
    list_filter_sheet = False
    list_select_related = ("account",)
    search_fields = ("name",)
    list_per_page = 50
    warn_unsaved_form = True
    actions_list = ("at_wechat",)
    actions_detail = ("upload_again", "remove_material")
    readonly_fields = ("whole", "validity", "measured", "trouble", "rules", "number", "uploaded_at", "address")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting is a button of its own: it asks the platform, and no transaction may wait for that."""
        return False

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may send this file, or delete it."""
        return request.user.has_perm("wechat.change_material") and self.owns(request, obj)

    def has_remove_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may delete this file."""
        return request.user.has_perm("wechat.delete_material") and self.owns(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Material | None = None) -> list[tuple[Any, dict[str, Any]]]:
        if obj is None:
            fields = ("account", "kind", "upload", "name", "permanent", "keep")
            video: tuple[Any, dict[str, Any]] = (
                _("Only for a permanent video"),
                {"fields": ("title", "introduction")},
            )
            return [(None, {"fields": fields}), video]
        shown: list[str] = ["whole", "name", "kind", "account", "permanent", "keep", "measured"]
        if obj.title or obj.introduction:
            shown += ["title", "introduction"]
        there = [
            "validity",
            "number",
            "uploaded_at",
            *(["address"] if obj.url else []),
            *(["trouble"] if obj.error else []),
        ]
        return [(None, {"fields": shown}), (_("At WeChat"), {"fields": there}), (_("Use"), {"fields": ["rules"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Material | None = None) -> tuple[str, ...]:
        fixed = ("account", "kind", "permanent", "title", "introduction") if obj else ()
        keep = ("keep",) if obj and (obj.permanent or not obj.file) else ()
        return (*self.readonly_fields, *fixed, *keep)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("at-wechat/", wrap(self.library_view), name="wechat_material_library"),
            path("<int:object_id>/file/", wrap(self.file_view), name="wechat_material_file"),
            path("<int:object_id>/preview/", wrap(self.preview_view), name="wechat_material_preview"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Material, form: MaterialForm, change: bool) -> None:  # noqa: FBT001
        if change or form.checked is None:
            super().save_model(request, obj, form, change)
            return
        materials.keep(obj, form.checked)
        request.stored_material = obj  # type: ignore[attr-defined]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().changeform_view(request, *args, **kwargs)
        material = getattr(request, "stored_material", None)
        if material is not None:
            self._send(request, material)
        return response

    def _send(self, request: HttpRequest, material: Material) -> None:
        """Upload, and say what came of it."""
        try:
            materials.upload(material)
        except CallFailed as error:
            said = gettext("The file is kept here, but it is not at WeChat yet. %(reason)s")
            self.message_user(request, said % {"reason": explain_error(error).brief()}, messages.ERROR)
        else:
            self.message_user(request, gettext("The file is at WeChat."), messages.SUCCESS)

    @action(description=_("Files at WeChat"), permissions=["view"], icon="cloud", url_path="go-to-wechat")  # type: ignore[untyped-decorator]
    def at_wechat(self, request: HttpRequest) -> HttpResponse:
        """To the page with what exists there."""
        return leave(request, reverse("admin:wechat_material_library"))

    @asks_first(
        _("Upload again"),
        question=_("Upload this file to WeChat again?"),
        consequence=_("It gets another media ID. Rules that use it answer with the new one by themselves."),
        icon="upload",
        permission="act",
    )
    def upload_again(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        material = self.get_object(request, object_id)
        if material is None:
            return self._back(request)
        if not material.file:
            self.message_user(request, gettext("Only WeChat has this file; it stays there."), messages.WARNING)
        elif material.permanent and material.media_id:
            self.message_user(request, gettext("It is at WeChat already, for good."), messages.WARNING)
        else:
            self._send(request, material)
        return self._back(request, material)

    @asks_first(
        _("Delete"),
        question=_("Delete this file?"),
        consequence=_(
            "A permanent one is deleted at WeChat too. What was sent already stays with the people. No undo."
        ),
        icon="delete",
        permission="remove",
    )
    def remove_material(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        material = self.get_object(request, object_id)
        if material is None:
            return self._back(request)
        if used := materials.used_by(material):
            said = gettext("These rules use the file: %(rules)s. Give them another answer first.")
            self.message_user(request, said % {"rules": "、".join(rule.name for rule in used)}, messages.ERROR)
            return self._back(request, material)
        name, shown = str(material), material.pk
        try:
            materials.remove(material)
        except CallFailed as error:
            self.message_user(request, explain_error(error).brief(), messages.ERROR)
            return self._back(request, material)
        material.pk = shown
        self.log_deletions(request, [material])
        self.message_user(request, gettext("“%(name)s” is deleted.") % {"name": name}, messages.SUCCESS)
        return self._back(request)

    def library_view(self, request: HttpRequest) -> HttpResponse:
        """What exists at the platform (wechat.admin.material_library)."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return material_library.page(request, self)

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """The file itself, for who may see the material."""
        return self._file(request, object_id, "file")

    def preview_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """The small picture."""
        return self._file(request, object_id, "preview")

    def _file(self, request: HttpRequest, object_id: int, which: str) -> HttpResponseBase:
        material = self.get_object(request, str(object_id))
        if not self.has_view_permission(request, material):
            raise PermissionDenied
        file = getattr(material, which) if material else None
        if not file or not file.storage.exists(file.name):
            raise Http404
        content_type = TYPES.get(PurePath(file.name).suffix, "application/octet-stream")
        picture = content_type.startswith("image/")
        response = FileResponse(file.open("rb"), content_type=content_type, as_attachment=not picture)
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, max-age=3600"
        response["Content-Security-Policy"] = (
            "default-src 'none'; sandbox"  # opened by itself it is a picture, and no page
        )
        return response

    def _back(self, request: HttpRequest, material: Material | None = None) -> HttpResponse:
        name = "admin:wechat_material"
        url = reverse(f"{name}_change", args=[material.pk]) if material else reverse(f"{name}_changelist")
        return leave(request, url)


def _validity(material: Material) -> SafeString:
    if not material.media_id:
        return looks.badge(gettext("Not at WeChat"), "warning")
    if material.permanent or material.expires_at is None:
        return looks.badge(gettext("Permanent"), "success")
    if material.expires_at <= timezone.now():
        return looks.badge(gettext("Expired"))
    until = date_format(timezone.localtime(material.expires_at), "m-d H:i")
    return looks.badge(str(_SHOWN) % {"until": until}, "success")
