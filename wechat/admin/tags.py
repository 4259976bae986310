"""Tags: the labels that staff put on followers, here and at WeChat."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from wechat import people_edits
from wechat.admin import looks
from wechat.admin.actions import asks_first
from wechat.admin.menu import PEOPLE, Entry
from wechat.admin.records import leave
from wechat.admin.scope import ScopedAdmin
from wechat.admin.tagging import publish
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import Follower, Tag

_WORN: Any = Follower.tags.through._default_manager


class TagForm(forms.ModelForm):  # type: ignore[type-arg]
    """One name once per account, also where the account is fixed and not on the form."""

    class Meta:
        model = Tag
        fields = ("account", "name")

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        account = self.cleaned_data.get("account") or (self.instance.account if self.instance.pk else None)
        if not name:
            raise ValidationError(_("Give the tag a name."))
        if account and Tag.objects.filter(account=account, name=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("The account has a tag of this name."))
        return name


@admin.register(Tag)
class TagAdmin(ScopedAdmin, ModelAdmin):  # type: ignore[misc]
    """Made, renamed and deleted here; put on people in their list."""

    menu = Entry(PEOPLE, 20, "sell")
    form = TagForm
    fields = ("account", "name")
    list_display = ("name", "people", "at_wechat", "account")
    list_filter = ("account",)
    list_filter_sheet = False
    list_select_related = ("account",)
    search_fields = ("name",)
    list_per_page = 50
    actions_detail = ("make_at_wechat",)

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may make the tag at WeChat."""
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        worn = _WORN.filter(tag=OuterRef("pk")).order_by().values("tag").annotate(count=Count("pk")).values("count")
        tags: QuerySet[Tag] = super().get_queryset(request)
        return tags.annotate(worn_by=Coalesce(Subquery(worn, output_field=IntegerField()), 0))

    def get_readonly_fields(self, request: HttpRequest, obj: Tag | None = None) -> tuple[str, ...]:
        return ("account",) if obj else ()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """In numbers: Django would list every single person."""
        tags = list(objs)
        worn = _WORN.filter(tag__in=[tag.pk for tag in tags])
        counts = {Tag._meta.verbose_name_plural: len(tags), _("people who lose it"): worn.count()}
        return [str(tag) for tag in tags], counts, set(), []

    @admin.display(description=_("people"))
    def people(self, tag: Any) -> str:
        url = f"{reverse('admin:wechat_follower_changelist')}?tag={tag.pk}"
        return looks.link(url, tag.worn_by) if tag.worn_by else "0"

    @admin.display(description=_("at WeChat"))
    def at_wechat(self, tag: Tag) -> SafeString:
        known = tag.platform_id is not None
        return looks.badge(gettext("At WeChat too"), "success") if known else looks.badge(gettext("Only here"))

    def save_model(self, request: HttpRequest, obj: Tag, form: TagForm, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        if "name" in form.changed_data or not change:
            request.changed_tag = (obj, form.initial.get("name", ""))  # type: ignore[attr-defined]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The platform is asked when the row is stored, and outside of its transaction."""
        response = super().changeform_view(request, *args, **kwargs)
        tag, before = getattr(request, "changed_tag", (None, ""))
        if tag and before and tag.platform_id is not None:
            self._rename(request, tag, before)
        elif tag and not before:
            publish(self, request, tag)
        return response

    def _rename(self, request: HttpRequest, tag: Tag, before: str) -> None:
        try:
            people_edits.rename_tag(tag, tag.name)
        except CallFailed as error:
            Tag.objects.filter(pk=tag.pk).update(name=before)
            said = gettext("The tag keeps its old name “%(name)s”. %(reason)s")
            values = {"name": before, "reason": explain_error(error).brief()}
            self.message_user(request, said % values, messages.ERROR)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """WeChat deletes it first; what it refuses stays here as well."""
        tag = self.get_object(request, unquote(object_id)) if request.method == "POST" else None
        if tag and self.has_delete_permission(request, tag) and not self._gone_there(request, tag):
            return redirect("admin:wechat_tag_change", tag.pk)
        return super().delete_view(request, object_id, extra_context)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Tag]) -> None:
        gone = [tag.pk for tag in queryset if self._gone_there(request, tag)]
        super().delete_queryset(request, queryset.filter(pk__in=gone))

    def _gone_there(self, request: HttpRequest, tag: Tag) -> bool:
        try:
            people_edits.delete_tag(tag)
        except CallFailed as error:
            said = gettext("The tag “%(name)s” stays. %(reason)s")
            values = {"name": tag.name, "reason": explain_error(error).brief()}
            self.message_user(request, said % values, messages.ERROR)
            return False
        return True

    @asks_first(
        _("Make it at WeChat too"),
        question=_("Make this tag at WeChat?"),
        consequence=_("People who have it here get it there when you tag them anew. WeChat keeps at most 100 tags."),
        icon="cloud_upload",
        permission="act",
    )
    def make_at_wechat(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        tag = self.get_object(request, unquote(object_id))
        if tag is None:
            return leave(request, reverse("admin:wechat_tag_changelist"))
        if tag.platform_id is None:
            publish(self, request, tag)
        if tag.platform_id is not None:
            self.message_user(request, gettext("The tag is at WeChat."), messages.SUCCESS)
        return leave(request, reverse("admin:wechat_tag_change", args=[tag.pk]))
