"""Staff: their logins, their groups, and the accounts they work for.

Superusers do everything. Whoever else may edit staff sees those who share an account with him, and hands on nothing that he has
not himself: no accounts, no groups, no password of somebody who has more.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from wechat import groups, second_factor, sessions
from wechat.admin import looks
from wechat.admin.actions import asks_first
from wechat.admin.menu import ACCESS, Entry
from wechat.admin.records import leave
from wechat.admin.scope import ScopedAdmin, ScopedRows, accounts_of, only
from wechat.admin.versions import person
from wechat.models import Membership

admin.site.unregister(User)
admin.site.unregister(Group)

_DATES = ("last_login", "date_joined")
HAS_MORE = _(
    "This person has accounts or rights that you have not. You can take him in at your accounts and let him go; "
    "the rest is for a superuser."
)


class GroupsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Groups as boxes, ours with what they may do."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "widget": UnfoldAdminCheckboxSelectMultipleWidget})

    def label_from_instance(self, obj: Model) -> str:
        words = groups.IN_WORDS.get(str(obj))
        return f"{obj}：{words}" if words else str(obj)


class MembershipInline(ScopedRows, TabularInline):  # type: ignore[misc]
    """The accounts that a member of staff works for."""

    model = Membership
    verbose_name = _("account")
    verbose_name_plural = _("works for")
    fields = ("account",)
    extra = 0
    hide_title = True

    def get_min_num(self, request: HttpRequest, obj: User | None = None, **_options: Any) -> int:
        """A new login needs an account, or its maker would not see it."""
        return 1 if obj is None and accounts_of(request.user) is not None else 0

    def get_formset(self, request: HttpRequest, obj: User | None = None, **options: Any) -> Any:
        options["validate_min"] = True
        return super().get_formset(request, obj, **options)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """A plain choice: no account is made, changed or deleted from here."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        field.widget = getattr(field.widget, "widget", field.widget)
        return field


@admin.register(User)
class UserAdmin(ScopedAdmin, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Who may sign in here, what he may do, and for which accounts."""

    menu = Entry(ACCESS, 20, "badge", _("Staff"))
    account_path = "memberships__account"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    list_display = ("username", "called", "in_groups", "works_for", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active", "groups")
    list_filter_sheet = False
    actions_detail = ("sign_out", "reset_factor")

    def within(self, rows: QuerySet[User], request: HttpRequest) -> QuerySet[User]:
        """Himself, and who shares an account with him. Superusers are none of his business."""
        accounts = accounts_of(request.user)
        if accounts is None:
            return rows
        colleagues = Membership.objects.filter(account__in=accounts).values("user")
        return (
            rows.filter(Q(pk__in=colleagues) | Q(pk=request.user.pk), is_superuser=False) if accounts else rows.none()
        )

    def owns(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and obj.pk and accounts_of(request.user):
            return self.within(User.objects.filter(pk=obj.pk), request).exists()
        return super().owns(request, None if isinstance(obj, User) else obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        shared = only(Membership.objects.select_related("account"), request.user)
        return rows.prefetch_related("groups", Prefetch("memberships", shared, to_attr="shared"))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("username", "password1", "password2", "groups")})]
        above: list[str] = []
        if request.user.is_superuser:  # rights come by groups; those that somebody has beside them can be taken here
            above = ["is_superuser", *(["user_permissions"] if obj.user_permissions.exists() else [])]
        own = self.may_touch(request, obj)
        login = {"fields": ("username", "password_page")} if own else {"fields": ("username",), "description": HAS_MORE}
        return [
            (None, login),
            (_("Person"), {"fields": (("last_name", "first_name"), "email")}),
            (_("Rights"), {"fields": ("is_active", "is_staff", "groups", *above)}),
            (_("Important dates"), {"fields": (_DATES,)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Of somebody who has more than the editor, only the memberships can be edited."""
        if obj is None or self.may_touch(request, obj):
            return ("password_page", *_DATES)
        return (*_DATES, "username", "last_name", "first_name", "email", "is_active", "is_staff", "groups")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name != "groups":
            return super().formfield_for_dbfield(db_field, request, **options)
        return GroupsField(
            queryset=groups.within_rights_of(request.user).order_by("pk"),
            label=capfirst(db_field.verbose_name),
            required=False,
            help_text=_("What he may do, at the accounts that he works for."),
        )

    def may_touch(self, request: HttpRequest, obj: User) -> bool:
        """Whether this person has everything that the other one has, and so may change his login."""
        user: Any = request.user
        accounts = accounts_of(user)
        if accounts is None:
            return True
        theirs = set(obj.memberships.values_list("account_id", flat=True))  # type: ignore[attr-defined]
        return not obj.is_superuser and theirs <= accounts and groups.rights_held(obj) <= user.get_all_permissions()

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        other = self.get_object(request, id)
        if other is not None and not self.may_touch(request, other):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        if not change:
            obj.is_staff = True  # the page makes staff; nobody else signs in here
        super().save_model(request, obj, form, change)

    def has_superuser_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What only a superuser does for others."""
        return bool(request.user.is_active and request.user.is_superuser)

    @asks_first(
        _("Sign out everywhere"),
        question=_("Sign this person out everywhere?"),
        consequence=_("All browsers have to sign in again."),
        icon="logout",
        permission="superuser",
    )
    def sign_out(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        other = self.get_object(request, unquote(object_id))
        if other is not None:
            count = sessions.end(other)
            self.log_change(request, other, gettext("Signed out everywhere"))
            messages.success(request, gettext("Signed out elsewhere: %(count)d.") % {"count": count})
        return leave(request, reverse("admin:auth_user_changelist"))

    @asks_first(
        _("Take the second step away"),
        question=_("Take the second step of signing in away?"),
        consequence=_("For somebody who lost phone and backup codes. He is signed out, and sets it up anew."),
        icon="phonelink_erase",
        permission="superuser",
    )
    def reset_factor(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        other = self.get_object(request, unquote(object_id))
        if other is not None and second_factor.remove(other):
            self.log_change(request, other, gettext("Second step taken away"))
            messages.success(request, gettext("Done. Make sure that it was really this person who asked for it."))
        return leave(request, reverse("admin:auth_user_changelist"))

    @admin.display(description=_("name"), ordering="last_name")
    def called(self, user: User) -> str:
        return person(user)

    @admin.display(description=_("password"))
    def password_page(self, user: User) -> str:
        return looks.link(reverse("admin:auth_user_password_change", args=[user.pk]), gettext("Set a new password"))

    @admin.display(description=_("groups"))
    def in_groups(self, user: User) -> str:
        return "、".join(group.name for group in user.groups.all())

    @admin.display(description=_("works for"))
    def works_for(self, user: Any) -> str:
        return str(_("all accounts")) if user.is_superuser else "、".join(str(one.account) for one in user.shared)


@admin.register(Group)
class GroupAdmin(ScopedAdmin, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Django's own, in the look of the rest. The program's own groups are to be read only; for other rights make another."""

    menu = Entry(ACCESS, 30, "groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (isinstance(obj, Group) and groups.is_ours(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (isinstance(obj, Group) and groups.is_ours(obj))
