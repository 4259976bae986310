"""How an account looks on its public pages: colour and logo, with a quote's card beside the form in light and dark."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from wechat import brands, logos
from wechat.admin import looks
from wechat.admin.history import HistoryAdmin, note
from wechat.admin.menu import ACCOUNT, Entry
from wechat.colours import DARK, LIGHT, shades
from wechat.models import Account, Brand


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]
    """`drawn` is the logo as it will be stored; None: it stays as it is."""

    class Media:
        css = {"all": ("css/look.css",)}  # Django reads it
        js = ("js/look.js",)

    upload: Any = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_(
            "PNG, JPEG or WebP up to 5 MB, best with a transparent ground. It is drawn anew, at most 512 points a side."
        ),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    remove_logo: Any = forms.BooleanField(label=_("Remove the logo"), required=False, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Brand
        fields = ("account", "colour")
        widgets = {"colour": UnfoldAdminTextInputWidget(attrs={"placeholder": "#128552", "spellcheck": "false"})}
        help_texts = {
            "colour": _(
                "For prices, links and buttons. Text stays readable whatever you choose: the shade is made darker or "
                "lighter where it has to be. Empty: our own colour."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drawn: bytes | None = None
        if not self.instance.logo:
            self.fields.pop("remove_logo", None)

    def clean_colour(self) -> str:
        return str(self.cleaned_data["colour"]).lower()

    def clean_upload(self) -> None:
        upload = self.cleaned_data.get("upload")
        if isinstance(upload, UploadedFile):
            self.drawn = logos.redrawn(upload.read(logos.UPLOAD + 1))  # what is beyond is refused, and not read for it

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("remove_logo") and self.drawn is None:
            self.drawn = b""
        return cleaned


@admin.register(Brand)
class BrandAdmin(HistoryAdmin):
    """One row per account; an account without one looks as we do."""

    menu = Entry(ACCOUNT, 15, "palette")
    form = BrandForm
    change_form_template = "admin/wechat/brand/change_form.html"
    list_display = ("account", "colour_shown", "logo_shown")
    list_select_related = ("account",)
    search_fields = ()
    warn_unsaved_form = True

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.shades_view)
        return [path("shades/", view, name="wechat_brand_shades"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """An empty form is the way back to our own look."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._without_one(request).exists()

    def get_fields(self, request: HttpRequest, obj: Brand | None = None) -> list[str]:
        if not self.has_change_permission(request, obj):
            return ["account", "colour_shown", "logo_shown"]
        return ["account", "colour", "logo_shown", "upload", *(["remove_logo"] if obj and obj.logo else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Brand | None = None) -> tuple[str, ...]:
        return ("colour_shown", "logo_shown", *(("account",) if obj else ()))

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest | None) -> QuerySet[Any] | None:
        rows = super().get_field_queryset(db, db_field, request)
        return rows.filter(brand=None) if rows is not None and db_field.name == "account" else rows

    def form_context(self, request: HttpRequest, obj: Brand | None) -> dict[str, Any]:
        return {"shades_url": reverse("admin:wechat_brand_shades")}

    def save_model(self, request: HttpRequest, obj: Brand, form: BrandForm, change: bool) -> None:  # noqa: FBT001
        if form.drawn is not None:
            note(obj, gettext("Logo changed") if form.drawn else gettext("Logo removed"))
            obj.logo = form.drawn
            obj.logo_version = brands.logo_version(form.drawn) if form.drawn else ""
        super().save_model(request, obj, form, change)

    def shades_view(self, request: HttpRequest) -> HttpResponse:
        """What becomes of a colour in light and dark, for the card beside the form. Nothing is stored."""
        if not self.has_view_permission(request) and not self.has_add_permission(request):
            raise PermissionDenied
        try:
            made = {
                name: vars(shades(request.GET.get("colour", ""), of)) for name, of in (("light", LIGHT), ("dark", DARK))
            }
        except ValueError:
            return JsonResponse({"detail": gettext("Six digits after a #, such as #128552.")}, status=400)
        return JsonResponse(made)

    @admin.display(description=_("colour"))
    def colour_shown(self, brand: Brand) -> SafeString | str:
        if not brand.colour:
            return gettext("Our own")
        return format_html(
            '<span class="lk-colour"><svg width="16" height="16" aria-hidden="true"><rect width="16" height="16" rx="4" '
            'fill="{}"/></svg><code>{}</code></span>',
            brand.colour,
            brand.colour,
        )

    @admin.display(description=_("current logo"))
    def logo_shown(self, brand: Brand) -> SafeString | str:
        if not brand.logo_version:
            return looks.NOTHING
        look = brands.look_of(brand.account)
        return format_html(
            '<img class="lk-logo" data-logo src="{}" width="{}" height="{}" alt="{}">',
            look.logo_url,
            look.width,
            look.height,
            gettext("Logo"),
        )

    def _without_one(self, request: HttpRequest) -> QuerySet[Account]:
        return self.offered(Account.objects.filter(brand=None), request)
