"""The inbox as staff see it: every push with what became of it; a failed one can be run again."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import inbox
from wechat import messages as bodies
from wechat.admin import additions, kinds, looks
from wechat.admin.actions import asks_first
from wechat.admin.menu import MESSAGES, Entry
from wechat.admin.records import OPENID_HELP, RecordAdmin
from wechat.models import OutgoingMessage, Push
from wechat.models.followers import mask

_VARIANTS = {Push.State.DONE: "success", Push.State.FAILED: "danger"}
SHOWN = 50  # what one push caused; a push causes one or two messages


@admin.register(Push)
class PushAdmin(RecordAdmin):
    """Read-only, with one action."""

    menu = Entry(MESSAGES, 10, "move_to_inbox", _("Received pushes"))
    list_display = ("received_at", "status", "what", "who", "account", "repeats")
    list_filter = ("state", kinds.KindFilter, "account", "received_at")
    list_select_related = ("account",)
    search_fields = ("openid",)
    search_help_text = OPENID_HELP
    actions = ("run_chosen_again",)
    actions_detail = ("run_again",)
    fieldsets = (
        (None, {"fields": ("status", "what", "received_at", "account", "openid", "repeats", "encrypted")}),
        (_("What it says"), {"fields": ("said", "raw_body")}),
        (_("What became of it"), {"fields": ("answer_sent", "caused_by_it", "traceback")}),
    )
    readonly_fields = ("status", "what", "said", "raw_body", "answer_sent", "caused_by_it", "traceback")

    @admin.display(description=_("state"))
    def status(self, push: Push) -> SafeString:
        return looks.badge(push.get_state_display(), _VARIANTS.get(Push.State(push.state), ""))

    @admin.display(description=_("kind"))
    def what(self, push: Push) -> str:
        return str(kinds.in_words(push.kind))

    @admin.display(description=_("person"))
    def who(self, push: Push) -> str:
        return mask(push.openid)

    @admin.display(description=_("content"))
    def said(self, push: Push) -> str:
        try:
            fields = bodies.parse(push.raw.encode()).fields
        except (bodies.Unreadable, bodies.Hostile):
            return looks.NOTHING
        return looks.facts(fields)

    @admin.display(description=_("body"))
    def raw_body(self, push: Push) -> str:
        return looks.block(push.raw)

    @admin.display(description=_("answer"))
    def answer_sent(self, push: Push) -> str:
        return looks.block(push.answer) if push.answer else gettext("None: WeChat was told that the push arrived.")

    @admin.display(description=_("error"))
    def traceback(self, push: Push) -> str:
        return looks.block(push.error)

    @admin.display(description=_("what it caused"))
    def caused_by_it(self, push: Push) -> str:
        rows = [
            looks.link(
                reverse("admin:wechat_outgoingmessage_change", args=[row.pk]), f"{row}: {row.get_state_display()}"
            )
            for row in OutgoingMessage.objects.filter(push_id=push.pk).order_by("pk")[:SHOWN]
        ]
        more = (tell(push) for tell in additions.consequences)
        return looks.lines([*rows, *(line for line in more if line)])

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        push = self.get_object(request, unquote(str(object_id)))
        failed = push is not None and push.state == Push.State.FAILED
        return super().get_actions_detail(request, object_id) if failed else []  # type: ignore[no-any-return]

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

    @admin.action(description=_("Run the chosen failed ones again"), permissions=["act"])
    def run_chosen_again(self, request: HttpRequest, chosen: QuerySet[Push]) -> None:
        for push in chosen.order_by("pk"):
            self._run(request, push)

    def _run(self, request: HttpRequest, push: Push) -> None:
        name = {"push": f"{self.what(push)} ({push.pk})"}
        if push.state != Push.State.FAILED:
            self.message_user(request, gettext("%(push)s has not failed; nothing to do.") % name, messages.INFO)
            return
        self.log_change(request, push, gettext("Run again"))
        if reason := inbox.run_again(push):
            text = gettext("%(push)s failed again: %(reason)s") % {**name, "reason": reason}
            self.message_user(request, text, messages.ERROR)
        else:
            self.message_user(request, gettext("%(push)s has been handled.") % name, messages.SUCCESS)
