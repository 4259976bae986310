"""Keys of the REST interface: made here, shown once, revoked here."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import APIKey
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from wechat.admin import looks
from wechat.admin.actions import asks_first
from wechat.admin.menu import ACCESS, Entry
from wechat.admin.records import leave
from wechat.admin.scope import ScopedAdmin
from wechat.models import ApiKey
from wechat.models.access import SCOPES

OVERLAP = timedelta(days=7)

admin.site.unregister(APIKey)  # the library's own keys open nothing here


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, end and scopes; the key itself is never entered."""

    scopes = forms.MultipleChoiceField(
        label=_("scopes"),
        choices=list(SCOPES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("What the key may do."),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expiry_date")
        labels = {"name": _("name"), "expiry_date": _("expires")}
        help_texts = {
            "name": _("Who uses it, for example the firm's website."),
            "expiry_date": _("Empty: until it is revoked."),
        }


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin, ModelAdmin):  # type: ignore[misc]
    """The key is in one message after it was made, and nowhere else. It reaches all accounts: only superusers make one."""

    menu = Entry(ACCESS, 10, "key")
    form = ApiKeyForm
    list_display = ("called", "begins", "status", "scopes_in_words", "made", "last_used_at", "expiry_date")
    search_fields = ("name", "prefix")
    fields = ("name", "scopes", "expiry_date")
    actions_detail = ("rotate", "revoke")

    # The library's own fields have English names only.
    @admin.display(description=_("name"), ordering="name")
    def called(self, key: ApiKey) -> str:
        return key.name

    @admin.display(description=_("begins with"))
    def begins(self, key: ApiKey) -> str:
        return key.prefix

    @admin.display(description=_("created"), ordering="created")
    def made(self, key: ApiKey) -> datetime:
        return key.created

    @admin.display(description=_("state"))
    def status(self, key: ApiKey) -> SafeString:
        if key.revoked:
            return looks.badge(gettext("Revoked"), "danger")
        return (
            looks.badge(gettext("Expired"), "warning") if key.has_expired else looks.badge(gettext("Valid"), "success")
        )

    @admin.display(description=_("scopes"))
    def scopes_in_words(self, key: ApiKey) -> str:
        return "、".join(str(SCOPES.get(scope, scope)) for scope in key.scopes)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revoked key stays as it is: the record of who had access."""
        return super().has_change_permission(request, obj) and not getattr(obj, "revoked", False)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.fields if obj is None else (*self.fields, "status", "begins", "made", "last_used_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return () if obj is None else ("status", "begins", "made", "last_used_at")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            super().save_model(request, obj, form, change)
            return
        key = ApiKey.objects.assign_key(obj)
        obj.save()
        self._show(request, obj, key)

    def _show(self, request: HttpRequest, obj: ApiKey, key: str) -> None:
        text = gettext("The key of %(name)s is %(key)s — copy it now: it cannot be shown again.")
        self.message_user(request, text % {"name": obj.name, "key": key}, messages.WARNING)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        key = self.get_object(request, unquote(str(object_id)))
        revocable = key is not None and not key.revoked
        return super().get_actions_detail(request, object_id) if revocable else []  # type: ignore[no-any-return]

    @asks_first(
        _("Replace"),
        question=_("Make a new key in place of this one?"),
        consequence=_("The new key serves at once, with the same scopes; this one ends in a week."),
        icon="autorenew",
        permission="change",
    )
    def rotate(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        key = self.get_object(request, unquote(object_id))
        if key is not None and not key.revoked and not key.has_expired:
            made, text = key.replace(overlap=OVERLAP)
            self.log_change(request, key, gettext("Replaced"))
            self._show(request, made, text)
        return leave(request, reverse("admin:wechat_apikey_changelist"))

    @asks_first(
        _("Revoke"),
        question=_("Revoke this key?"),
        consequence=_("Whoever uses it gets no answer any more. This cannot be undone."),
        icon="block",
        permission="change",
    )
    def revoke(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        key = self.get_object(request, unquote(object_id))
        if key is not None and not key.revoked:
            key.revoked = True
            key.save()
            self.log_change(request, key, gettext("Revoked"))
            self.message_user(
                request, gettext("The key of %(name)s is revoked.") % {"name": key.name}, messages.SUCCESS
            )
        return leave(request, reverse("admin:wechat_apikey_changelist"))
