"""The page of a menu: the phone with its buttons, the JSON beside it, and every version that was published."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action

from wechat import menu_differences
from wechat.admin import looks, menu_editor, menu_form, rule_form, scope
from wechat.admin.menu import REPLIES, Entry
from wechat.admin.menu_live import SHOWN_VERSIONS, LiveMenu
from wechat.models import Account, Menu, MenuVersion, Tag


@admin.register(Menu)
class MenuAdmin(LiveMenu):
    """One menu. Its form is checked by wechat.admin.menu_form; the platform is in wechat.admin.menu_live."""

    menu = Entry(REPLIES, 15, "menu")
    form = menu_form.MenuForm
    compressed_fields = False
    warn_unsaved_form = True
    change_form_template = "admin/wechat/menu/change_form.html"
    list_display = ("name", "readers", "buttons", "state", "account", "updated_at")
    list_filter = ("account",)
    list_filter_sheet = False
    list_select_related = ("account", "tag")
    readonly_fields = ("menu_shown",)
    actions_detail = ("compare", "publish", "fetch", "try_person", "delete_live")
    actions_submit_line = ("save_and_compare",)

    def get_urls(self) -> list[URLPattern]:
        check = self.admin_site.admin_view(require_POST(self.check_view))
        back = self.admin_site.admin_view(self.put_back_view)
        return [
            path("check/", check, name="wechat_menu_check"),
            path("<path:object_id>/put_back/", back, name="wechat_menu_put_back"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Menu | None = None) -> list[tuple[Any, dict[str, Any]]]:
        """Who may only look reads the menu in words; the default menu is for everybody."""
        may = self.has_change_permission(request, obj) if obj else True
        readers = [] if obj and obj.is_default else [("tag", "client")]
        fields: list[Any] = [("name", "account"), *readers]
        return [(None, {"fields": fields}), (None, {"fields": ["document" if may else "menu_shown"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Menu | None = None) -> tuple[str, ...]:
        return ("menu_shown", "account") if obj else ("menu_shown",)

    def has_delete_permission(self, request: HttpRequest, obj: Menu | None = None) -> bool:
        """What is at the platform is deleted there first: nobody would know of it any more."""
        at_wechat = isinstance(obj, Menu) and bool(obj.menuid)
        return super().has_delete_permission(request, obj) and not at_wechat

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Deleting at the platform is offered where something is there to delete."""
        offered: list[Any] = super().get_actions_detail(request, object_id)
        menu = self.get_object(request, object_id)
        return [one for one in offered if one.action_name != "delete_live" or (menu and _is_at_wechat(menu))]

    @action(  # type: ignore[untyped-decorator]
        description=_("Save and compare"), permissions=["change"], attrs={"name": "_compare"}, icon="compare_arrows"
    )
    def save_and_compare(self, _request: HttpRequest, _obj: Menu) -> None:
        """Nothing beside saving; where it leads to, the two methods below say."""

    def response_add(self, request: HttpRequest, obj: Menu, post_url_continue: str | None = None) -> HttpResponse:
        """A new menu is worked on before it is left: its page has the buttons for the platform."""
        response: HttpResponse = super().response_add(request, obj, post_url_continue)
        return _compare(obj) if "_compare" in request.POST else response

    def response_change(self, request: HttpRequest, obj: Menu) -> HttpResponse:
        response: HttpResponse = super().response_change(request, obj)
        return _compare(obj) if "_compare" in request.POST else response

    def form_context(self, request: HttpRequest, obj: Menu | None) -> dict[str, Any]:
        return {
            "editor": menu_editor.texts(),
            "check_url": reverse("admin:wechat_menu_check"),
            "versions": self._versions(request, obj) if obj else [],
        }

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """What is wrong with the menu in the box now, and what is worth a look. Nothing is stored."""
        if not (self.has_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        may_add_rule = bool(request.user.has_perm("wechat.add_rule"))
        answer = menu_editor.checked(self._asked(request), request.POST.get("document", ""), may_add_rule=may_add_rule)
        return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})

    @admin.display(description=_("for whom"))
    def readers(self, menu: Menu) -> str:
        return _readers(menu)

    @admin.display(description=_("buttons"))
    def buttons(self, menu: Menu) -> str:
        names = [button["name"] for button in menu_differences.normalised(menu.document)["button"]]
        return " · ".join(names) or looks.NOTHING

    @admin.display(description=_("state"))
    def state(self, menu: Menu) -> SafeString:
        newest = menu.versions.first()
        if newest is None:
            return looks.badge(gettext("Never published"))
        if not _is_at_wechat(menu):
            return looks.badge(gettext("Not at WeChat any more"))
        if not menu_differences.agree(newest.document, menu.document):
            return looks.badge(gettext("Changed since it was published"), "warning")
        return _agreement(newest)

    @admin.display(description=_("menu"))
    def menu_shown(self, menu: Menu) -> SafeString | str:
        return looks.block(menu_differences.in_words(menu.document))

    def describe_value(self, field: Any, value: Any) -> Any:
        """A menu in the history as staff read it, not as it is stored."""
        if field.name == "document":
            return menu_differences.in_words(value)
        if field.name == "client":
            return str(Menu.Client(value).label) if value in Menu.Client.values and value else ""
        return super().describe_value(field, value)

    def _versions(self, request: HttpRequest, menu: Menu) -> list[dict[str, Any]]:
        """What was published, newest first; the way back to each, but not to what the draft is already."""
        may = self.has_change_permission(request, menu)
        back = reverse("admin:wechat_menu_put_back", args=[menu.pk])
        return [
            {
                "version": version,
                "agreement": _agreement(version),
                "words": menu_differences.in_words(version.document),
                "back": f"{back}?version={version.pk}"
                if may and not menu_differences.agree(version.document, menu.document)
                else "",
            }
            for version in menu.versions.select_related("published_by")[:SHOWN_VERSIONS]
        ]

    def _asked(self, request: HttpRequest) -> Menu:
        """The menu that the editor asks about, as far as it is one of this person's accounts; not saved."""
        menus_of = scope.only(Menu.objects.select_related("account", "tag"), request.user)
        menu = _chosen(menus_of, request.POST.get("menu", "")) or Menu()
        if not menu.pk:
            menu.account = rule_form.account_of(
                scope.only(Account.objects.all(), request.user), request.POST.get("account", "")
            )
        if not (menu.pk and menu.is_default):
            menu.tag = _chosen(Tag.objects.filter(account_id=menu.account_id), request.POST.get("tag", ""))
            client = request.POST.get("client", "")
            menu.client = client if client in Menu.Client.values else ""
            menu.is_default = not menu.pk and not (menu.tag or menu.client)
        return menu


def _chosen(rows: Any, number: str) -> Any:
    return rows.filter(pk=int(number)).first() if number.isascii() and number.isdigit() and len(number) < 19 else None


def _compare(menu: Menu) -> HttpResponse:
    return redirect("admin:wechat_menu_compare", object_id=menu.pk)


def _readers(menu: Menu) -> str:
    if menu.is_default:
        return gettext("Everybody else")
    parts = [menu.tag.name if menu.tag else "", str(Menu.Client(menu.client).label) if menu.client else ""]
    return " · ".join(filter(None, parts))


def _is_at_wechat(menu: Menu) -> bool:
    """As far as we know: published, and not deleted since. What was never read back has no number."""
    newest = menu.versions.first()
    return bool(menu.menuid) or bool(newest and newest.agreed is None)


def _agreement(version: MenuVersion) -> SafeString:
    if version.agreed is None:
        return looks.badge(gettext("Published, not read back"), "warning")
    if version.agreed:
        return looks.badge(gettext("Published, read back the same"), "success")
    return looks.badge(gettext("Published, read back different"), "danger")
