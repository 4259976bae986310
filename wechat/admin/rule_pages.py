"""The pages around the reply rules that are no list and no row: try a message, look for mistakes, export and import.

@rule_pages.page("try", _("Try a message"), icon="science", position=20)
def try_it(request: HttpRequest, admin: ModelAdmin) -> HttpResponse: ...

They hang below the address of the rules, wear their rights, and stand in the menu beside them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from wechat.admin import scope
from wechat.admin.menu import REPLIES, Entry
from wechat.models import Account

Words = str | Promise
View = Callable[[HttpRequest, Any], HttpResponse]


@dataclass(frozen=True)
class Page:
    """One such page: its name and address, its title, its place in the menu, and the rights it takes."""

    name: str
    below: str
    title: Words
    icon: str
    position: int
    rights: tuple[str, ...]
    view: View

    def allows(self, request: HttpRequest) -> bool:
        """Whether this person may open it."""
        user: Any = request.user
        return user.has_perms(self.rights) and bool(scope.accounts_of(user) is None or scope.accounts_of(user))


pages: list[Page] = []


def page(
    name: str,
    title: Words,
    *,
    below: str = "",
    icon: str = "",
    position: int = 0,
    rights: tuple[str, ...] = ("wechat.view_rule",),
) -> Callable[[View], View]:
    """Register a page, whose address stands `below` that of another one. `rights` are permissions, all of them needed;
    without an icon it is not in the menu."""

    def register(view: View) -> View:
        pages.append(Page(name, below, title, icon, position, rights, view))
        return view

    return register


class RulePages(ModelAdmin):  # type: ignore[misc]
    """A base of the rules' ModelAdmin: it answers the addresses of the pages."""

    def get_urls(self) -> list[URLPattern]:
        own = [path(f"{one.below}{one.name}/", self._wrapped(one), name=f"wechat_rule_{one.name}") for one in pages]
        return [*own, *super().get_urls()]

    def menu_pages(self, request: HttpRequest) -> Iterator[tuple[Entry, str]]:
        """The pages that stand in the menu for this person (wechat.admin.menu)."""
        for one in pages:
            if one.icon and one.allows(request):
                yield Entry(REPLIES, one.position, one.icon, one.title), address(one.name)

    def _wrapped(self, one: Page) -> Any:
        view = partial(_guarded, one, self)
        update_wrapper(view, one.view)
        return self.admin_site.admin_view(view)


def accounts(request: HttpRequest) -> QuerySet[Account]:
    """The accounts that this person works for."""
    return scope.only(Account.objects.all(), request.user)


def address(name: str) -> str:
    """Where the page of that name is."""
    return reverse(f"admin:wechat_rule_{name}")


def render(request: HttpRequest, admin: Any, template: str, **context: Any) -> HttpResponse:
    """A page of the admin around `template`, with what the theme needs."""
    return TemplateResponse(request, f"admin/wechat/{template}", {**admin.admin_site.each_context(request), **context})


class AccountForm(forms.Form):
    """Which account; a person who works for one is not asked."""

    account: Any = forms.ModelChoiceField(
        Account.objects.none(), label=_("account"), empty_label=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = accounts(request)
        self.fields["account"].queryset = mine  # type: ignore[attr-defined]
        only = list(mine[:2])
        self.initial.setdefault("account", only[0].pk if only else None)
        if len(only) == 1:
            self.fields["account"].widget = forms.HiddenInput()


def chosen(request: HttpRequest) -> tuple[AccountForm, Account | None]:
    """The account that the address names, else the first of this person's; and the form that chooses another."""
    form = AccountForm(request, {"account": request.GET["account"]} if "account" in request.GET else None)
    if form.is_bound:
        return form, form.cleaned_data["account"] if form.is_valid() else None
    return form, accounts(request).first()


def _guarded(one: Page, admin: Any, request: HttpRequest) -> HttpResponse:
    if not one.allows(request):
        raise PermissionDenied
    return one.view(request, admin)
