"""The outbox as staff see it: every message with its state, why it did not go out, and what to do; it can be sent again."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import conversation_links, looks, outcomes
from wechat.admin.actions import asks_first
from wechat.admin.menu import MESSAGES, Entry
from wechat.admin.records import OPENID_HELP, RecordAdmin
from wechat.models import Follower, OutgoingMessage
from wechat.models.followers import ERASED, mask
from wechat.outbox import PATIENT, TEMPLATE_WINDOW

State, Delivery = OutgoingMessage.State, OutgoingMessage.Delivery
_VARIANTS = {
    State.WAITING: "info",
    State.SENDING: "info",
    State.SENT: "success",
    State.OWED: "warning",
    State.GIVEN_UP: "danger",
    State.SET_ASIDE: "danger",
}
_DELIVERIES = {Delivery.DELIVERED: "success", Delivery.BLOCKED: "danger", Delivery.FAILED: "danger"}
STUCK = (State.OWED, State.GIVEN_UP, State.SET_ASIDE)
PURPOSES = {
    "template": _("Template message"),
    "quote": _("Quote card"),
    "welcome": _("Welcome text"),
    "reply": _("Reply"),
    "staff": _("Answer by staff"),
}


def send_again(message: OutgoingMessage, at: datetime) -> str:
    """Put a message that is stuck back: into the queue while WeChat takes it, else among the owed. Returns its new state.

    Empty when somebody else changed it in the meantime, or when its person was erased.
    """
    if message.openid == ERASED:
        return ""
    patient = message.route in PATIENT  # it needs no window, and nobody owes it
    open_now = patient or (message.expires_at > at and message.account.may_send_customer_service)
    target = State.WAITING if open_now else State.OWED
    values: dict[str, Any] = {"state": target, "holder": ""}
    if patient:
        values |= {"expires_at": at + TEMPLATE_WINDOW, "unknown_outcomes": 0}
    if open_now:
        values |= {"attempts": 0, "due_at": at, "errcode": None, "error": ""}
    with transaction.atomic():
        if not OutgoingMessage.objects.filter(pk=message.pk, state=message.state).update(**values):
            return ""
        step = int(target == State.OWED) - int(message.state == State.OWED)
        owing = Follower.objects.filter(account_id=message.account_id, openid=message.openid)
        if step > 0:
            owing.update(owed=F("owed") + 1)
        elif step < 0:
            owing.filter(owed__gt=0).update(owed=F("owed") - 1)
    return target


class Outlook:
    """The columns and fields that say how a message stands."""

    @admin.display(description=_("state"))
    def status(self, message: OutgoingMessage) -> SafeString:
        if message.delivery:
            return looks.badge(message.get_delivery_display(), _DELIVERIES[Delivery(message.delivery)])
        return looks.badge(message.get_state_display(), _VARIANTS[State(message.state)])

    @admin.display(description=_("purpose"))
    def what_for(self, message: OutgoingMessage) -> str:
        return str(PURPOSES.get(message.purpose, message.purpose))

    @admin.display(description=_("person"))
    def who(self, message: OutgoingMessage) -> str:
        return mask(message.openid)

    @admin.display(description=_("conversation"))
    def conversation(self, message: OutgoingMessage) -> str:
        return conversation_links.link_to(message.account_id, message.openid)

    @admin.display(description=_("problem"))
    def problem(self, message: OutgoingMessage) -> str:
        """In the list: one line that says why it is not through."""
        if message.unknown_outcomes:
            return looks.badge(gettext("may have arrived"), "warning")
        if message.state == State.SENT:
            return ""
        if reason := outcomes.our_reason(message):
            return reason
        explained = outcomes.of_message(message)
        return explained.title if explained else message.error.strip().rpartition("\n")[2][:60]

    @admin.display(description=_("unknown outcomes"))
    def doubt(self, message: OutgoingMessage) -> str:
        if not message.unknown_outcomes:
            return gettext("None")
        times = ngettext(
            "The connection was lost once after it went out: it may have arrived.",
            "The connection was lost %(times)d times after it went out: it may have arrived.",
            message.unknown_outcomes,
        ) % {"times": message.unknown_outcomes}
        return looks.badge(times, "warning")

    @admin.display(description=_("WeChat's answer"))
    def answered(self, message: OutgoingMessage) -> str:
        if message.errcode == 0:
            return gettext("Accepted")
        explained = outcomes.of_message(message)
        return outcomes.shown(explained) if explained else looks.NOTHING

    @admin.display(description=_("what the person sees"))
    def shown(self, message: OutgoingMessage) -> str:
        content = message.content
        return looks.content(content) if isinstance(content, dict) else looks.block(str(content))

    @admin.display(description=_("last error"))
    def last_error(self, message: OutgoingMessage) -> str:
        return outcomes.our_reason(message) or looks.block(message.error)


@admin.register(OutgoingMessage)
class OutgoingAdmin(Outlook, RecordAdmin):
    """Read-only, with one action."""

    menu = Entry(MESSAGES, 20, "outbox", _("Sent and waiting"))
    list_display = ("created_at", "status", "what_for", "about", "who", "account", "attempts", "problem")
    list_filter = ("state", "route", "account", "created_at")
    linked_by = ("job", "delivery")
    list_select_related = ("account",)
    search_fields = ("openid",)
    search_help_text = OPENID_HELP
    actions = ("send_chosen_again",)
    actions_detail = ("send_once_more",)
    fieldsets = (
        (None, {"fields": ("status", "what_for", "about", "account", "openid", "conversation", "push", "shown")}),
        (_("Why"), {"fields": ("answered", "delivery_text", "last_error", "doubt", "attempts")}),
        (_("When"), {"fields": ("route", "created_at", "due_at", "expires_at", "sent_at", "holder")}),
    )
    readonly_fields = ("conversation", "status", "what_for", "shown", "answered", "last_error", "doubt")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        message = self.get_object(request, unquote(str(object_id)))
        stuck = message is not None and message.state in STUCK
        return super().get_actions_detail(request, object_id) if stuck else []  # type: ignore[no-any-return]

    @asks_first(
        _("Send again"),
        question=_("Send this message again?"),
        consequence=_(
            "It goes out at once if WeChat still takes messages for this person, else when the person next writes "
            "or scans. If its outcome was unknown, the person may get it twice."
        ),
        icon="forward_to_inbox",
        permission="act",
    )
    def send_once_more(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        message = self.found(request, object_id)
        if message is not None:
            self._send(request, message)
        return self.back(request, message)

    @admin.action(description=_("Send the chosen ones again"), permissions=["act"])
    def send_chosen_again(self, request: HttpRequest, chosen: QuerySet[OutgoingMessage]) -> None:
        for message in chosen.order_by("pk"):
            self._send(request, message)

    def _send(self, request: HttpRequest, message: OutgoingMessage) -> None:
        state = send_again(message, timezone.now()) if message.state in STUCK else ""
        name = {"message": f"{self.what_for(message)} {message.about} ({message.pk})"}
        if not state:
            text, level = gettext("%(message)s is not stuck; nothing to do."), messages.INFO
        elif state == State.WAITING:
            text, level = gettext("%(message)s is on its way."), messages.SUCCESS
        else:
            text = gettext("%(message)s: WeChat takes no message for this person now; it goes out at the next contact.")
            level = messages.WARNING
        if state:
            self.log_change(request, message, gettext("Send again"))
        self.message_user(request, text % name, level)
