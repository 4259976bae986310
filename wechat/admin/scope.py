"""Who sees which rows: a member of staff works for some accounts, and what belongs to the others does not exist for him.

Comes in: a user and the rows of a page. Goes out: the rows of his accounts. Superusers work for all accounts; what belongs to
no account is for superusers only. RecordAdmin and HistoryAdmin bring this along; every other ModelAdmin takes ScopedAdmin as
its first base, every inline that reaches over several accounts takes ScopedRows.
"""

from typing import Any, TypeVar

from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.options import BaseModelAdmin, IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path, unquote
from django.core.exceptions import FieldDoesNotExist
from django.db import DataError
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from wechat.models import Account, Membership

_KEPT = "_accounts_of"  # on the user of one request
M = TypeVar("M", bound=Model)
Base: Any = BaseModelAdmin  # it is mixed with the theme's classes, which have no types


def accounts_of(user: Any) -> frozenset[int] | None:
    """The primary keys of the accounts this user works for; None: all of them. Asks the database once per request."""
    if user.is_active and user.is_superuser:
        return None
    if not hasattr(user, _KEPT):
        setattr(user, _KEPT, frozenset(Membership.objects.filter(user_id=user.pk).values_list("account_id", flat=True)))
    kept: frozenset[int] = getattr(user, _KEPT)
    return kept


def join(user: Any, account: Account) -> None:
    """Who makes an account works for it."""
    if accounts_of(user) is not None:
        Membership.objects.get_or_create(user_id=user.pk, account=account)
        delattr(user, _KEPT)


def path_of(model: type[Model]) -> str | None:
    """The way from a row of this model to its account; None when it has no account of its own."""
    if model is Account:
        return "pk"
    try:
        field = model._meta.get_field("account")
    except FieldDoesNotExist:
        return None
    return "account" if isinstance(field, ForeignKey) and field.related_model is Account else None


def only(rows: QuerySet[M], user: Any, path: str | None = None) -> QuerySet[M]:
    """Those of the rows that belong to an account of this user. `path` leads from a row to its account."""
    accounts = accounts_of(user)
    if accounts is None:
        return rows
    path = path or path_of(rows.model)
    return rows.filter(**{f"{path}__in": accounts}) if path and accounts else rows.none()


class ScopedRows(Base):  # type: ignore[misc]
    """For a ModelAdmin or an inline: its rows, and what its fields offer to choose from, are of the user's accounts."""

    account_path: str | None = None  # where the row itself has no `account`: the way to it, for example order__account

    @property
    def path(self) -> str | None:
        """The way from a row of this page to its account."""
        return self.account_path or path_of(self.model)

    def within(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Those of the rows that this user may know of."""
        return only(rows, request.user, self.path)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.within(super().get_queryset(request), request)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest | None) -> QuerySet[Any] | None:
        rows: QuerySet[Any] | None = super().get_field_queryset(db, db_field, request)
        if request is None:
            return rows
        model = db_field.remote_field.model
        return self.offered(model._default_manager.using(db) if rows is None else rows, request)

    def offered(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Those rows of another model that this user may choose from."""
        other = self.admin_site._registry.get(rows.model)
        if isinstance(other, ScopedRows):
            return other.within(rows, request)
        return only(rows, request.user) if path_of(rows.model) else rows


class OwnChoices(RelatedFieldListFilter):
    """The filter by a related row: it offers the rows that this user may know of."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = model_admin.offered(field.related_model._default_manager.all(), request)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": rows.values("pk")})


class ScopedAdmin(ScopedRows):
    """A ModelAdmin of rows that belong to accounts: a foreign row is like one that does not exist."""

    # Columns by which other pages link to a part of the list, beside those of its filters.
    linked_by: tuple[str, ...] = ()

    def owns(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this row, given itself or by the primary key of an address, is of the user's accounts.

        Without a row: whether there can be any for him.
        """
        accounts = accounts_of(request.user)
        if accounts is None:
            return True
        if not accounts or self.path is None:
            return False
        if obj is None:
            return True
        if isinstance(obj, Model):
            return _account_id(obj, self.path) in accounts
        return self.get_object(request, unquote(str(obj))) is not None

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of an address. A number that no column holds, and an empty name of a field, are no server errors."""
        try:
            return super().get_object(request, object_id, from_field or None)
        except OverflowError:
            return None

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list. A filter with a value that no column holds is refused like one that does not exist."""
        try:
            changelist = super().get_changelist_instance(request)
            len(changelist.result_list)  # else the database is asked by the template
        except (OverflowError, TypeError, ValueError, DataError) as error:
            if not request.GET:
                raise  # a fault of ours
            raise IncorrectLookupParameters from error
        return changelist

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only by what the list offers to filter by: a column that it does not show could be guessed, letter by letter."""
        name = lookup.partition("__")[0]
        try:
            field = self.model._meta.pk if name == "pk" else self.model._meta.get_field(name)
        except FieldDoesNotExist:
            field = None  # a filter's own parameter
        may_be: bool = super().lookup_allowed(lookup, value, request)
        return may_be and (field is None or field.name in self._filtered_by(request))  # `rule_id` is `rule`

    def _filtered_by(self, request: HttpRequest) -> set[str]:
        """The columns that the list's filters, and links to it, ask for."""
        entries = [entry[0] if isinstance(entry, list | tuple) else entry for entry in self.get_list_filter(request)]
        names = [entry if isinstance(entry, str) else getattr(entry, "parameter_name", "") for entry in entries]
        return {str(name).partition("__")[0] for name in (*names, *self.linked_by, self.date_hierarchy or "")}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Who works for one account only need not choose it; accounts are made on their own page.

        Not in an inline: a line that holds nothing but what was chosen for him would count as empty.
        """
        field = super().formfield_for_dbfield(db_field, request, **options)
        if db_field.related_model is Account and isinstance(field, ModelChoiceField):
            for link in ("can_add_related", "can_change_related", "can_view_related"):
                setattr(field.widget, link, False)
            mine = list(field.queryset.values_list("pk", flat=True)[:2])  # type: ignore[union-attr]
            field.initial = mine[0] if len(mine) == 1 else None
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and self.owns(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self.owns(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self.owns(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.owns(request, obj)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        entries: Any = super().get_list_filter(request)
        return [(entry, OwnChoices) if self._is_relation(entry) else entry for entry in entries]

    def _is_relation(self, entry: Any) -> bool:
        return isinstance(entry, str) and get_fields_from_path(self.model, entry)[-1].is_relation


def _account_id(obj: Model, path: str) -> Any:
    """The account of a row; None when the row leads to none."""
    *hops, last = path.split("__")
    row: Any = obj
    for hop in hops:
        row = getattr(row, hop)
        if row is None:
            return None
    return row.pk if last == "pk" else getattr(row, f"{last}_id")
