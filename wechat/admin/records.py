"""What the program writes and staff only read: lists of any length, without a count, searched by one exact value."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from wechat.admin.scope import ScopedAdmin, accounts_of
from wechat.models import Account


class RecordAdmin(ScopedAdmin, ModelAdmin):  # type: ignore[misc]
    """Read-only. Who holds the change permission may use the actions; who may only view sees none of them."""

    paginator = InfinitePaginator  # millions of rows: counting them costs more than showing fifty
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_disable_select_all = True
    sortable_by = ()
    ordering: tuple[str, ...] = ("-pk",)
    list_filter_sheet = False
    exact_search = "openid"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:
        """Whether this person may use the actions of this page."""
        opts = self.opts
        allowed = request.user.has_perm(f"{opts.app_label}.change_{opts.model_name}")
        return bool(allowed) and self.owns(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exactly that value. Naming the accounts lets the database use the indexes that begin with the account."""
        value = search_term.strip()
        if value and self.search_fields:
            own = accounts_of(request.user)
            accounts = Account.objects.values_list("pk", flat=True) if own is None else own
            queryset = queryset.filter(**{self.exact_search: value}, account_id__in=list(accounts))
        return queryset, False

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The row of an action's address, None when there is none."""
        return self.get_object(request, unquote(object_id))

    def back(self, request: HttpRequest, obj: Model | None = None) -> HttpResponse:
        """From an action to the row's page, or to the list: in the dialog's own way, or as a plain redirect."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return leave(request, reverse(f"{name}_change", args=[obj.pk]) if obj else reverse(f"{name}_changelist"))


def leave(request: HttpRequest, url: str) -> HttpResponse:
    """Go on to `url`; the theme's dialog asks by htmx and follows a header of its own."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


OPENID_HELP = _("A complete openid.")
