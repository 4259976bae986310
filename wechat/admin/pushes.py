"""The inbox as staff see it: every push with what became of it and why; it can be run again, with effects and without."""

import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from wechat import inbox, pushes
from wechat.admin import additions, conversation_links, kinds, looks, push_filters, push_looks, push_pages
from wechat.admin.actions import asks_first
from wechat.admin.menu import MESSAGES, Entry
from wechat.admin.push_filters import FateFilter, InfinitePaginator, KindFilter, ReceivedFilter, RuleFilter
from wechat.admin.records import RecordAdmin
from wechat.admin.scope import only
from wechat.models import Account, Follower, OutgoingMessage, Push
from wechat.models.followers import mask

SHOWN = 50  # what one push caused; a push causes one or two messages
AGAIN = (Push.State.FAILED, Push.State.NOTHING)  # what can be run again: nothing came of it, so nothing is done twice
_VARIANTS = {Push.State.DONE: "success", Push.State.FAILED: "danger"}
_OPENID = re.compile(r"[A-Za-z0-9_-]{20,64}")
_NUMBER = re.compile(r"[0-9]{1,10}")


class Columns:
    """What the list and the page say of a push."""

    @admin.display(description=_("state"))
    def status(self, push: Push) -> SafeString:
        return looks.badge(push.get_state_display(), _VARIANTS.get(Push.State(push.state), ""))

    @admin.display(description=_("received"))
    def when(self, push: Push) -> str:
        return push_looks.received(push)

    @admin.display(description=_("kind"))
    def what(self, push: Push) -> str:
        return str(kinds.in_words(push.kind))

    @admin.display(description=_("person"))
    def who(self, push: Push) -> str:
        return mask(push.openid)

    @admin.display(description=_("what it said"))
    def said(self, push: Push) -> str:
        return push_looks.in_short(push)

    @admin.display(description=_("answered by"))
    def answerer(self, push: Push) -> str:
        return push_looks.answered_by(push)

    @admin.display(description=_("repeats"))
    def repeated(self, push: Push) -> str:
        return str(push.repeats or "")

    @admin.display(description=_("ms"))
    def took(self, push: Push) -> str:
        return "" if push.milliseconds is None else str(push.milliseconds)

    @admin.display(description=_("person"))
    def person(self, push: Push) -> str:
        follower = Follower.objects.filter(account_id=push.account_id, openid=push.openid).first()
        search = f"{reverse('admin:wechat_push_changelist')}?{urlencode({'q': push.openid})}"
        page = reverse("admin:wechat_follower_change", args=[follower.pk]) if follower else ""
        name = looks.link(page, follower) if follower else mask(push.openid)
        talk = [looks.link(conversation_links.address(follower.pk), gettext("Conversation"))] if follower else []
        return looks.lines([name, *talk, looks.link(search, gettext("All pushes of this person"))])

    @admin.display(description=_("signature"))
    def signature(self, push: Push) -> str:
        return push_looks.signed(push)

    @admin.display(description=_("normalised form"))
    def normalised(self, push: Push) -> str:
        message = push_looks.message_of(push)
        return push_looks.key_by_key(message) if message else looks.NOTHING

    @admin.display(description=_("body"))
    def raw_body(self, push: Push) -> str:
        return push_looks.body(push)

    @admin.display(description=_("answer"))
    def answer_sent(self, push: Push) -> str:
        shown = push_looks.conversation(push, push_looks.message_of(push))
        return shown or gettext("None: WeChat was told that the push arrived.")

    @admin.display(description=_("error"))
    def traceback(self, push: Push) -> str:
        return looks.block(push.error)

    @admin.display(description=_("what it caused"))
    def caused_by_it(self, push: Push) -> str:
        # By the person too: only that has an index.
        caused = OutgoingMessage.objects.filter(openid=push.openid, push_id=push.pk, account_id=push.account_id)
        rows = [
            looks.link(
                reverse("admin:wechat_outgoingmessage_change", args=[row.pk]), f"{row}: {row.get_state_display()}"
            )
            for row in caused.order_by("pk")[:SHOWN]
        ]
        more = (tell(push) for tell in additions.consequences)
        return looks.lines([*rows, *(line for line in more if line)])


@admin.register(Push)
class PushAdmin(Columns, RecordAdmin):
    """Read-only, with what can be done with one push."""

    menu = Entry(MESSAGES, 10, "move_to_inbox", _("Received pushes"))
    list_display = ("when", "what", "said", "who", "answerer", "status", "account", "repeated", "took")
    list_filter = (FateFilter, KindFilter, RuleFilter, ReceivedFilter, "account", "encrypted")
    paginator = InfinitePaginator
    search_fields = ("openid",)
    search_help_text = _("An openid, an order number, or words of the newest 20,000")
    actions = ("run_chosen_again",)
    actions_detail = ("rehearse", "run_again", "as_test_file")
    fieldsets = (
        (None, {"fields": ("status", "what", "received_at", "account", "person", "openid")}),
        (_("What became of it"), {"fields": ("answerer", "answer_sent", "caused_by_it", "traceback")}),
        (_("What came in"), {"fields": ("normalised", "raw_body", "signature", "repeats", "milliseconds")}),
    )
    readonly_fields = (
        "status",
        "what",
        "person",
        "answerer",
        "answer_sent",
        "caused_by_it",
        "traceback",
        "normalised",
        "raw_body",
        "signature",
    )

    class Media:
        css = {"all": ("css/inbox.css",)}

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Without the account for whoever works for one only."""
        several = len(only(Account.objects.all(), request.user)[:2]) > 1
        return tuple(name for name in self.list_display if several or name != "account")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return push_filters.ordering(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Push], search_term: str
    ) -> tuple[QuerySet[Push], bool]:
        """A whole openid, the number of an order, or words; see `search_help_text`."""
        term = search_term.strip()
        if _OPENID.fullmatch(term):
            return pushes.of_person(queryset, term), False
        if _NUMBER.fullmatch(term):
            found = (find(term) for find in additions.push_searches)
            return queryset.filter(pk__in=[number for numbers in found for number in numbers]), False
        return pushes.containing(queryset, term) if term else queryset, False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Push]:
        """With the rules, as a query of their own: in one with the pushes, those of a deleted rule would be lost."""
        rows = super().get_queryset(request).select_related("account")
        return rows.prefetch_related("rule")  # type: ignore[no-any-return]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        push = self.get_object(request, unquote(str(object_id)))
        offered: list[Any] = super().get_actions_detail(request, object_id)
        if push is not None and push.state in AGAIN:
            return offered
        return [one for one in offered if one.method.original_function_name != "run_again"]

    @action(description=_("Run again without effects"), permissions=["view"], icon="science")  # type: ignore[untyped-decorator]
    def rehearse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = gettext("Run again without effects")
        return self._page(request, object_id, push_pages.rehearsal, title)

    @action(description=_("Copy as test file"), permissions=["view"], icon="content_copy")  # type: ignore[untyped-decorator]
    def as_test_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = gettext("Copy as test file")
        return self._page(request, object_id, push_pages.test_file, title)

    def _page(self, request: HttpRequest, object_id: str, page: push_pages.Page, title: str) -> HttpResponse:
        push = self.found(request, object_id)
        if push is None:
            return self.back(request)
        context = {**self.admin_site.each_context(request), "title": title}
        shown = page(request, context, push)
        if shown is None:
            self.message_user(request, gettext("The body of this push cannot be read."), messages.ERROR)
        return shown or self.back(request, push)

    @asks_first(
        _("Run again"),
        question=_("Run this push again?"),
        consequence=_("Everything it should have caused happens now. What it sends goes out as a message."),
        icon="replay",
        permission="act",
    )
    def run_again(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        push = self.found(request, object_id)
        if push is not None:
            self._run(request, push)
        return self.back(request, push)

    @admin.action(description=_("Run the chosen ones again"), permissions=["act"])
    def run_chosen_again(self, request: HttpRequest, chosen: QuerySet[Push]) -> None:
        for push in chosen.order_by("pk"):
            self._run(request, push)

    def _run(self, request: HttpRequest, push: Push) -> None:
        name = {"push": f"{self.what(push)} ({push.pk})"}
        if push.state not in AGAIN:
            self.message_user(request, gettext("%(push)s is done; it is not done twice.") % name, messages.INFO)
            return
        self.log_change(request, push, gettext("Run again"))
        if reason := inbox.run_again(push):
            text = gettext("%(push)s failed again: %(reason)s") % {**name, "reason": reason}
            self.message_user(request, text, messages.ERROR)
        else:
            self.message_user(request, gettext("%(push)s has been handled.") % name, messages.SUCCESS)
