"""Pages of the admin that are no list and no form of a row: try a message, check the rules, connect an account, quotas.

@RULES.page("try", _("Try a message"), icon="science", position=20)
def try_it(request: HttpRequest, admin: ModelAdmin) -> HttpResponse: ...

@ACCOUNTS.page("connect", _("Connect"), of_one=True)
def step(request: HttpRequest, admin: ModelAdmin, account: Account) -> HttpResponse: ...

They hang below the address of a list, wear its rights unless they say others, and stand in the menu beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from wechat.admin import scope
from wechat.admin.menu import ACCOUNT, REPLIES, Entry, Group
from wechat.models import Account

Words = str | Promise
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Page:
    """One such page. `rights` are permissions, all of them needed; without an icon it is not in the menu."""

    name: str
    title: Words
    pattern: str
    icon: str
    position: int
    rights: tuple[str, ...]
    view: View

    def allows(self, request: HttpRequest) -> bool:
        """Whether this person may open it, at some account. Who may add one need not have one yet."""
        user: Any = request.user
        mine = scope.accounts_of(user)
        return user.has_perms(self.rights) and bool(mine is None or mine or "wechat.add_account" in self.rights)


class Pages:
    """The pages below the list of one model."""

    def __init__(self, model: str, group: Group, *rights: str) -> None:
        self.model, self.group, self.rights = model, group, rights
        self._pages: list[Page] = []

    def page(
        self,
        name: str,
        title: Words,
        *,
        below: str = "",
        icon: str = "",
        position: int = 0,
        rights: tuple[str, ...] = (),
        of_one: bool = False,
    ) -> Callable[[View], View]:
        """Register a page, whose address may stand `below` that of another. `of_one`: it is about one account, which it
        is given."""
        pattern = f"<int:account_id>/{name}/" if of_one else f"{below}{name}/"

        def register(view: View) -> View:
            self._pages.append(Page(name, title, pattern, icon, position, rights or self.rights, view))
            return view

        return register

    def address(self, name: str, *arguments: object) -> str:
        """Where the page of that name is."""
        return reverse(f"admin:wechat_{self.model}_{name}", args=arguments)

    def urls(self, admin: Any) -> list[URLPattern]:
        """The addresses of the pages, which `admin` answers."""
        return [path(one.pattern, _wrapped(one, admin), name=f"wechat_{self.model}_{one.name}") for one in self._pages]

    def entries(self, request: HttpRequest) -> Iterator[tuple[Entry, str]]:
        """The pages that stand in the menu for this person (wechat.admin.menu)."""
        for one in self._pages:
            if one.icon and one.allows(request):
                yield Entry(self.group, one.position, one.icon, one.title), self.address(one.name)


RULES = Pages("rule", REPLIES, "wechat.view_rule")
ACCOUNTS = Pages("account", ACCOUNT, "wechat.change_account")
CHANNELS = Pages("channelcode", ACCOUNT, "wechat.view_channelcode")


class WithPages(ModelAdmin):  # type: ignore[misc]
    """A base of the ModelAdmin below whose list the `pages` hang."""

    pages: Pages

    def get_urls(self) -> list[URLPattern]:
        return [*self.pages.urls(self), *super().get_urls()]

    def menu_pages(self, request: HttpRequest) -> Iterator[tuple[Entry, str]]:
        """See Pages.entries."""
        return self.pages.entries(request)


def accounts(request: HttpRequest) -> QuerySet[Account]:
    """The accounts that this person works for."""
    return scope.only(Account.objects.all(), request.user)


def render(request: HttpRequest, admin: Any, template: str, **context: Any) -> TemplateResponse:
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


def _wrapped(one: Page, admin: Any) -> Any:
    view = partial(_guarded, one, admin)
    update_wrapper(view, one.view)
    return admin.admin_site.admin_view(view)


def _guarded(one: Page, admin: Any, request: HttpRequest, account_id: int | None = None) -> HttpResponseBase:
    if not one.allows(request):
        raise PermissionDenied
    if account_id is None:
        return one.view(request, admin)
    account = accounts(request).filter(pk=account_id).first()
    if account is None:
        raise Http404
    return one.view(request, admin, account)
