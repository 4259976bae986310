"""Tags: the labels that staff put on followers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from wechat.admin import looks
from wechat.admin.menu import PEOPLE, Entry
from wechat.admin.scope import ScopedAdmin
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
    list_display = ("name", "people", "account")
    list_filter = ("account",)
    list_filter_sheet = False
    list_select_related = ("account",)
    search_fields = ("name",)
    list_per_page = 50

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
