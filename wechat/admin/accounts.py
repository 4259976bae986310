"""The page of an Official Account: who it is, how it is connected, and its texts, field by field.

Who may change its texts only finds nothing else to fill in, and nothing else is taken from what he posts.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import conf
from wechat.admin import account_status, additions, looks, scope
from wechat.admin.account_form import (
    CLEARABLE,
    EDITABLE,
    FOR_EDITORS,
    STRUCTURE,
    WORDING,
    AccountForm,
    RowsForm,
    clear_box,
)
from wechat.admin.actions import asks_first
from wechat.admin.history import HistoryAdmin, note
from wechat.admin.menu import ACCOUNT, Entry
from wechat.admin.pages import ACCOUNTS, WithPages
from wechat.admin.versions import Key, Part, Record, Version, state_at
from wechat.models import Account, ConfigRow
from wechat.registry import CARD, ROWS


def _groups() -> list[tuple[Any, dict[str, Any]]]:
    """The tabs: the account itself, then the rows by their groups."""
    rows: dict[str | Promise, list[str]] = {}
    for name, row in EDITABLE.items():
        rows.setdefault(row.group, []).append(name)
        if name in CLEARABLE:
            rows[row.group].append(clear_box(name))
    rows[CARD].insert(0, "preview")
    tabs: list[tuple[Any, list[str]]] = [(_("Official Account"), list(STRUCTURE)), *rows.items()]
    return [(title, {"classes": ("tab",), "fields": names}) for title, names in tabs]


@admin.register(Account)
class AccountAdmin(WithPages, HistoryAdmin):  # type: ignore[misc]
    """Everything an account needs. It cannot be deleted here: all of its messages, quotes and people would go with it."""

    menu = Entry(ACCOUNT, 10, "settings")
    pages = ACCOUNTS
    form = AccountForm
    fieldsets = _groups()
    list_display = ("__str__", "slug", "kind", "way", "mode", "health")
    search_fields = ("slug", "name")
    change_form_before_template = "admin/account_status.html"
    history_parts = (Part(ConfigRow, "account", ("conf_value",)),)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed or (_may_change_texts(request) and self.owns(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        """The short name stays: the address that WeChat pushes to is made of it."""
        if _texts_only(request):
            return ("preview", *STRUCTURE)
        return ("preview",) if obj is None else ("preview", "slug")

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> list[tuple[Any, dict[str, Any]]]:
        if not _texts_only(request):
            return self.fieldsets
        own, *rows = self.fieldsets
        return [*(tab for tab in rows if any(tab[0] is group for group in FOR_EDITORS)), own]

    def get_form(self, request: HttpRequest, obj: Account | None = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **options)
        return type(form.__name__, (form,), {"texts_only": _texts_only(request)})

    def form_context(self, request: HttpRequest, obj: Account | None) -> dict[str, Any]:
        if obj is None:
            return {}
        conf.forget()  # somebody may have saved in another process a moment ago
        return {
            "callback_url": "" if _texts_only(request) else account_status.callback_url(obj),
            "token_validity": account_status.token_in_words(obj),
            "notices": account_status.notices(obj),
        }

    def save_model(self, request: HttpRequest, obj: Account, form: RowsForm, change: bool) -> None:  # noqa: FBT001
        """The account, then its rows; the page's own transaction holds both together."""
        rows = form.changed_rows()
        if secrets := [str(EDITABLE[name].label) for name in rows if EDITABLE[name].secret]:
            note(obj, gettext("Secrets changed: %(names)s") % {"names": ", ".join(secrets)})
        super().save_model(request, obj, form, change)
        if not change:
            scope.join(request.user, obj)
        if rows:
            conf.save(obj, rows)
        if not form.texts_only:
            conf.require_key(obj)

    def log_change(self, request: HttpRequest, obj: Account, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        self._log_secrets(request, obj)
        return entry

    def construct_change_message(
        self,
        request: HttpRequest,
        form: RowsForm,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """Beside the names of the fields, one line for each secret that was set or removed: that, and never its value."""
        rows = form.changed_rows()
        request.changed_secrets = [  # type: ignore[attr-defined]
            (EDITABLE[name].label, bool(value)) for name, value in rows.items() if EDITABLE[name].secret
        ]
        return super().construct_change_message(request, form, formsets, add)

    def _log_secrets(self, request: HttpRequest, obj: Account) -> None:
        for label, kept in request.__dict__.pop("changed_secrets", []):
            text = gettext("Secret %(name)s changed.") if kept else gettext("Secret %(name)s removed.")
            super().log_change(request, obj, text % {"name": label})

    def describe_part(self, entry: Any) -> str:
        row = ROWS.get(entry.conf_name)
        return str(row.label if row else entry.conf_name)

    def may_restore(self, request: HttpRequest, obj: Any) -> bool:
        return self.has_change_permission(request, obj)

    def restorable(self, obj: Any, version: Version, found: list[Record]) -> bool:
        return bool(_other_texts(obj, state_at(found, version.moment)))

    def write_back(self, request: HttpRequest, obj: Any, state: Mapping[Key, Any]) -> None:
        """The texts alone: an old connection would cut the account off, and old secrets are not kept."""
        obj.save()
        conf.save(obj, _other_texts(obj, state))

    @asks_first(
        _("Restore"),
        question=_("Restore the texts of this version?"),
        consequence=_(
            "Card, welcome text and default replies become what they were then. The connection and its secrets stay."
        ),
        icon="restore",
        permission="change",
    )
    def restore(self, request: HttpRequest, _form: Any, object_id: str, moment: int) -> HttpResponse:
        return self.go_back(request, object_id, moment)

    @admin.display(description=_("how the quote card travels"))
    def way(self, account: Account) -> str:
        return str(Account.Delivery(account.way_of_delivery).label)

    @admin.display(description=_("state"))
    def health(self, account: Account) -> SafeString:
        config = conf.account(account.slug)
        running = conf.snapshot()
        if config and not config.token:
            return looks.badge(gettext("No token yet"), "danger")
        if config and config.get("wechat_setup_step"):
            return looks.badge(gettext("Being connected"), "warning")
        if any(running.holds(name(account.pk)) for name in account_status.HOLDS):
            return looks.badge(gettext("Sending is held up"), "danger")
        if not (account.may_send_customer_service and account.may_make_codes):
            return looks.badge(gettext("Limited by its kind"), "warning")
        return looks.badge(gettext("Ready"), "success")

    @admin.display(description=_("preview"))
    def preview(self, account: Account) -> str:
        """The card as it is saved now, with invented values."""
        if account.pk is None:
            return gettext("Shown once the account is saved.")
        try:
            config = conf.account_by_id(account.pk)
        except KeyError:
            return looks.NOTHING
        return looks.lines(looks.content(make(config).stored()) for make in additions.card_samples)


def _may_change_texts(request: HttpRequest) -> bool:
    return request.user.has_perm("wechat.change_account_texts")


def _texts_only(request: HttpRequest) -> bool:
    return _may_change_texts(request) and not request.user.has_perm("wechat.change_account")


def _other_texts(account: Account, state: Mapping[Key, Any]) -> dict[str, str]:
    """The texts as they stood then, where they are others now; those of which nothing is known are left out."""
    now = dict(account.rows.values_list("conf_name", "conf_value"))
    names = dict(ConfigRow.objects.filter(account=account).values_list("pk", "conf_name"))
    then = {
        entry.conf_name if entry else names.get(pk, ""): entry.conf_value if entry else ""
        for (model, pk), entry in state.items()
        if model is ConfigRow
    }
    return {name: value for name, value in then.items() if name in WORDING and value != now.get(name, "")}
