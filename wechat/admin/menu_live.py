"""A menu and the platform, on the menu's pages: compare, publish, fetch, delete, go back to a version, try for a person.

What fails is shown with its explanation, and neither the draft nor a version is lost.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import RegexValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from wechat import menu_differences, menu_publishing, menus
from wechat.admin import outcomes
from wechat.admin.actions import asks_first
from wechat.admin.history import HistoryAdmin, note
from wechat.admin.records import leave
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.menu_publishing import Live
from wechat.models import Menu

SHOWN_VERSIONS = 20


class PersonForm(forms.Form):
    """Whose menu."""

    person = forms.CharField(
        label="openid",
        max_length=64,
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]{1,64}$", _("A complete openid."))],
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )


class LiveMenu(HistoryAdmin):
    """The buttons above a menu's form. Who may look compares and tries; the others change something and ask first."""

    def has_publish_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may change what the followers see."""
        return bool(request.user.has_perm("wechat.publish_menu")) and self.owns(request, obj)

    @action(description=_("Compare with WeChat"), permissions=["view"], icon="compare_arrows")  # type: ignore[untyped-decorator]
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Left what WeChat has, right the draft."""
        menu = self.of(request, object_id)
        context: dict[str, Any] = {}
        try:
            live = menu_publishing.live(menu)
        except CallFailed as error:
            context["failure"] = outcomes.shown(explain_error(error))
        else:
            rows = menu_differences.compare(live.document or {"button": []}, menu.document)
            context |= {"live": live, "rows": rows, "same": all(row.state == "same" for row in rows)}
        context["may_publish"] = self.has_publish_permission(request, menu)
        return self._page_of(request, menu, "compare", _("Compare with WeChat"), **context)

    @asks_first(
        _("Publish"),
        question=_("Publish this menu?"),
        consequence=_(
            "The saved draft takes the place of the menu at WeChat. Phones show it within some minutes: when the chat is "
            "opened and the last look is more than five minutes ago. Afterwards it is read back and compared."
        ),
        icon="publish",
        permission="publish",
    )
    def publish(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        menu = self.of(request, object_id)
        if (done := self._called(request, lambda: menu_publishing.publish(menu, request.user))) is not None:
            self._tell(request, menu, done)
        return self.to_form(request, menu)

    @asks_first(
        _("Fetch from WeChat"),
        question=_("Fetch the menu from WeChat?"),
        consequence=_("It takes the place of the draft. The draft of now stays in the history."),
        icon="download",
        permission="change",
    )
    def fetch(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        menu = self.of(request, object_id)
        live = self._called(request, lambda: menu_publishing.live(menu))
        if live is not None:
            self._take(request, menu, live)
        return self.to_form(request, menu)

    @asks_first(
        _("Delete at WeChat"),
        question=_("Delete the menu at WeChat?"),
        consequence=_(
            "The followers lose it. With the default menu all menus for some people go too: WeChat keeps none of them. "
            "Drafts and versions stay here and can be published again."
        ),
        icon="delete",
        permission="publish",
    )
    def delete_live(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        menu = self.of(request, object_id)
        if self._called(request, lambda: menu_publishing.delete(menu)):
            done = gettext("Deleted the menu at WeChat")
            self.log_change(request, menu, done)
            self.message_user(request, done, messages.SUCCESS)
        return self.to_form(request, menu)

    def put_back_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page of a version's button: who may not change the menu is not even asked."""
        if not self.has_change_permission(request, self.of(request, object_id)):
            raise PermissionDenied
        asking: Any = self.put_back  # without the form, which the theme's decorator adds
        answer: HttpResponse = asking(request, object_id=object_id)
        return answer

    @asks_first(
        _("Take into the draft"),
        question=_("Take this version into the draft?"),
        consequence=_("The draft of now stays in the history. Nothing is published yet."),
        icon="restore",
        permission="change",
    )
    def put_back(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        """A version becomes the draft; `?version=` is its number."""
        menu, number = self.of(request, object_id), request.GET.get("version", "")
        version = menu.versions.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
        if version is None:
            self.message_user(request, gettext("There is no such version."), messages.ERROR)
            return self.to_form(request, menu)
        time = date_format(timezone.localtime(version.published_at), "DATETIME_FORMAT")
        self._keep(request, menu, version.document, gettext("Took the version of %(time)s") % {"time": time})
        return self.to_form(request, menu)

    @action(description=_("Try for a person"), permissions=["view"], icon="person_search")  # type: ignore[untyped-decorator]
    def try_person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Which menu one person sees, as WeChat says."""
        menu = self.of(request, object_id)
        form = PersonForm(request.POST or None)
        context: dict[str, Any] = {"form": form}
        if form.is_bound and form.is_valid():
            try:
                seen = menu_publishing.seen_by(menu.account, form.cleaned_data["person"])
            except CallFailed as error:
                context["failure"] = outcomes.shown(explain_error(error))
            else:
                context |= {"seen": seen, "which": _which(menu, seen)}
        return self._page_of(request, menu, "try", _("Try for a person"), **context)

    def of(self, request: HttpRequest, object_id: str) -> Menu:
        """The menu of an action's address."""
        menu: Menu | None = self.get_object(request, unquote(object_id))
        if menu is None:
            raise Http404
        return menu

    def to_form(self, request: HttpRequest, menu: Menu) -> HttpResponse:
        """Back to the menu's own page."""
        return leave(request, reverse("admin:wechat_menu_change", args=[menu.pk]))

    def _called(self, request: HttpRequest, call: Callable[[], Any]) -> Any:
        """What the call gives; None after a failure, which is told."""
        try:
            return call()
        except CallFailed as error:
            self.message_user(request, outcomes.shown(explain_error(error)), messages.ERROR)
        except ValidationError as error:
            for text in error.messages:
                self.message_user(request, text, messages.ERROR)
        return None

    def _tell(self, request: HttpRequest, menu: Menu, done: menu_publishing.Published) -> None:
        self.log_change(request, menu, gettext("Published the menu"))
        if done.version.agreed:
            text = gettext("Published. Read back: WeChat has exactly this menu.")
            self.message_user(request, text, messages.SUCCESS)
        elif done.unread is None:
            text = gettext("Published, but what WeChat gives back differs. Compare the two.")
            self.message_user(request, text, messages.WARNING)
        else:
            self.message_user(request, gettext("Published, but it could not be read back."), messages.WARNING)
            self.message_user(request, outcomes.shown(explain_error(done.unread)), messages.WARNING)
        if done.left_over:
            self.message_user(request, gettext("The earlier one is still at WeChat too."), messages.WARNING)
            self.message_user(request, outcomes.shown(explain_error(done.left_over)), messages.WARNING)

    def _take(self, request: HttpRequest, menu: Menu, live: Live) -> None:
        """The menu of the platform becomes the draft."""
        if live.document is None:
            self.message_user(request, gettext("WeChat has no menu here. The draft stays as it is."), messages.WARNING)
            return
        if self._keep(request, menu, live.document, gettext("Fetched the menu from WeChat")) and live.changed:
            text = gettext(
                "Made on WeChat's website, and not quite the same by the API: %(names)s. Look at these buttons."
            )
            self.message_user(request, text % {"names": ", ".join(live.changed)}, messages.WARNING)

    def _keep(self, request: HttpRequest, menu: Menu, document: Any, done: str) -> bool:
        """Make `document` the draft, with a word in the history; False when it is refused."""
        try:
            menu.document = menus.clean(document)
        except ValidationError as error:
            self.message_user(request, gettext("The draft stays as it is."), messages.ERROR)
            for text in error.messages:
                self.message_user(request, text, messages.ERROR)
            return False
        note(menu, done)
        menu.save(update_fields=["document", "updated_at"])
        self.log_change(request, menu, done)
        self.message_user(request, done, messages.SUCCESS)
        return True

    def _page_of(self, request: HttpRequest, menu: Menu, template: str, title: Any, **context: Any) -> HttpResponse:
        around = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": menu}
        return TemplateResponse(request, f"admin/wechat/menu/{template}.html", {**around, **context})


def _which(menu: Menu, seen: menus.Document) -> str:
    """The name of the menu here whose newest version is what was seen; empty when it is none of them."""
    for one in menu.account.menus.exclude(menuid=""):
        version = one.versions.first()
        if version and menu_differences.agree(version.document, seen):
            return str(one.name)
    return ""
