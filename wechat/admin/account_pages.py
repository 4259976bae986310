"""The pages around the accounts that are no list and no form: connect one, examine them, look at the quotas.

@account_pages.page("doctor", _("Check-up"), icon="stethoscope", position=30)
def examine(request: HttpRequest, admin: AccountAdmin) -> HttpResponse: ...

@account_pages.page("connect", _("Connect"), of_one=True)
def step(request: HttpRequest, admin: AccountAdmin, account: Account) -> HttpResponse: ...

They hang below the address of the accounts, or of one of them, and need the right to change accounts unless they say another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from unfold.admin import ModelAdmin

from wechat.admin import scope
from wechat.admin.menu import ACCOUNT, Entry
from wechat.models import Account

Words = str | Promise
View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Page:
    """One such page: its name and address, its title, its place in the menu, and the right it takes."""

    name: str
    title: Words
    icon: str
    position: int
    right: str
    of_one: bool
    view: View

    @property
    def address(self) -> str:
        """Its pattern below that of the accounts."""
        return f"<int:account_id>/{self.name}/" if self.of_one else f"{self.name}/"

    def allows(self, request: HttpRequest) -> bool:
        """Whether this person may open it, at some account. Who may add one need not have one yet."""
        user: Any = request.user
        some = scope.accounts_of(user) is None or scope.accounts_of(user) or self.right == "wechat.add_account"
        return user.has_perm(self.right) and bool(some)


pages: list[Page] = []


def page(
    name: str,
    title: Words,
    *,
    icon: str = "",
    position: int = 0,
    right: str = "wechat.change_account",
    of_one: bool = False,
) -> Callable[[View], View]:
    """Register a page; without an icon it is not in the menu. `of_one`: it is about one account, which it is given."""

    def register(view: View) -> View:
        pages.append(Page(name, title, icon, position, right, of_one, view))
        return view

    return register


class AccountPages(ModelAdmin):  # type: ignore[misc]
    """A base of the accounts' ModelAdmin: it answers the addresses of the pages."""

    def get_urls(self) -> list[URLPattern]:
        own = [path(one.address, self._wrapped(one), name=f"wechat_account_{one.name}") for one in pages]
        return [*own, *super().get_urls()]

    def menu_pages(self, request: HttpRequest) -> Iterator[tuple[Entry, str]]:
        """The pages that stand in the menu for this person (wechat.admin.menu)."""
        for one in pages:
            if one.icon and one.allows(request):
                yield Entry(ACCOUNT, one.position, one.icon, one.title), address(one.name)

    def _wrapped(self, one: Page) -> Any:
        view = partial(_guarded, one, self)
        update_wrapper(view, one.view)
        return self.admin_site.admin_view(view)


def accounts(request: HttpRequest) -> QuerySet[Account]:
    """The accounts that this person works for."""
    return scope.only(Account.objects.all(), request.user)


def address(name: str, *arguments: object) -> str:
    """Where the page of that name is."""
    return reverse(f"admin:wechat_account_{name}", args=arguments)


def render(request: HttpRequest, admin: Any, template: str, **context: Any) -> TemplateResponse:
    """A page of the admin around `template`, with what the theme needs."""
    return TemplateResponse(request, f"admin/wechat/{template}", {**admin.admin_site.each_context(request), **context})


def _guarded(one: Page, admin: Any, request: HttpRequest, account_id: int | None = None) -> HttpResponse:
    if not one.allows(request):
        raise PermissionDenied
    if account_id is None:
        return one.view(request, admin)
    account = accounts(request).filter(pk=account_id).first()
    if account is None:
        raise Http404
    return one.view(request, admin, account)
