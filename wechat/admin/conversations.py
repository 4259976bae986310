"""One person's conversation, below the followers: what was said, what he was answered, and a box to answer him in.

The page works without a script; with one, new lines and the windows come by themselves. Comes in: what staff type. Goes out: a
message in the outbox. What was typed comes back with every refusal.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from unfold.decorators import action

from wechat import client, conf, conversations, outbox, windows
from wechat.admin import conversation_links, conversation_looks
from wechat.admin.conversation_form import AnswerForm
from wechat.admin.records import leave
from wechat.errors import CallFailed, PlatformError
from wechat.explanations import explain_error
from wechat.models import Follower, OutgoingMessage
from wechat.windows import Ledger

RIGHTS = ("wechat.view_follower", "wechat.view_push")
AGENTS_FOR, NO_AGENTS_FOR = 600, 120  # seconds for which an answer of the platform is kept
EXCHANGE = timedelta(seconds=30)  # typing is shown only so long after the last message
TYPING_EVERY = 4  # seconds between two calls for one person
TYPING_ENDS = frozenset({48001, 45015, 45072, 40003, 43019, 48002})  # there is no use in trying again from this page
TRIGGERS: Mapping[str, str | Promise] = {
    windows.MESSAGE: _("because he wrote"),
    windows.MENU: _("because he tapped the menu"),
    windows.SCAN: _("because he scanned a code"),
    windows.FOLLOW: _("because he followed"),
}
CLOSED: Mapping[str, str | Promise] = {
    "account": _("This kind of account may not send customer-service messages."),
    "unfollowed": _("He does not follow the account: nothing reaches him."),
    "refused": _("WeChat takes no more messages for him until he writes again."),
    "used_up": _("All messages that WeChat allows are used up, until he writes again."),
    "silent": _("He has not written for 48 hours, nor tapped or scanned in the last minute: WeChat takes no message."),
}


class Conversing:
    """The pages of the conversation, for the followers' ModelAdmin."""

    def has_converse_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        """Whether this person may read conversations. Of which accounts, the row itself says."""
        return request.user.has_perms(RIGHTS)  # type: ignore[union-attr]

    def get_urls(self) -> list[URLPattern]:
        wrap, below = self.admin_site.admin_view, "<path:object_id>/conversation/"  # type: ignore[attr-defined]
        name = "wechat_follower_conversation"
        own = [
            path(f"{below}lines/", wrap(require_GET(self.conversation_lines)), name=f"{name}_lines"),
            path(f"{below}agents/", wrap(require_GET(self.conversation_agents)), name=f"{name}_agents"),
            path(f"{below}typing/", wrap(require_POST(self.conversation_typing)), name=f"{name}_typing"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    @action(description=_("Conversation"), permissions=["converse"], icon="forum", url_path="conversation")  # type: ignore[untyped-decorator]
    def conversation(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page; a POST answers the person."""
        follower = self._partner(request, object_id)
        if request.method != "POST":
            return self._shown(request, follower, AnswerForm(follower.account_id))
        if not self.has_act_permission(request, follower):  # type: ignore[attr-defined]
            raise PermissionDenied
        form = AnswerForm(follower.account_id, request.POST)
        row = _answered(request, follower, form)
        if "application/json" in request.headers.get("Accept", ""):
            errors = {} if row else {name: [str(one) for one in found] for name, found in form.errors.items()}
            return JsonResponse({"sent": bool(row), "errors": errors}, status=200 if row else 400)
        if row is None:
            return self._shown(request, follower, form)
        if row.state == OutgoingMessage.State.OWED:
            self.message_user(request, gettext("Kept: it goes out at the next contact."), messages.SUCCESS)  # type: ignore[attr-defined]
        return leave(request, conversation_links.address(follower.pk))

    def conversation_lines(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The lines as JSON: those before a place, or the newest, if anything changed since `stamp`; and the windows."""
        follower = self._partner(request, object_id)
        page = _page(request, follower)
        answer: dict[str, Any] = {"stamp": page.stamp, "older": page.older}
        if page.stamp != request.GET.get("stamp"):
            shown = conversation_looks.lines(page.turns, follower.account_id)
            answer["lines"] = [{"key": line["key"], "day": line["day"], "html": _drawn(line)} for line in shown]
        if "before" not in request.GET:
            state = _state(follower)
            html = render_to_string("admin/wechat/conversation_windows.html", state, request)
            answer["windows"] = {
                "html": html,
                "open": state["open"],
                "can_wait": state["can_wait"],
                "left": state["left"],
            }
            answer["windows"]["reason"] = str(state["reason"])
        return JsonResponse(answer)

    def conversation_agents(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The agents in whose name staff may speak; none where the account has none, or may not ask."""
        return JsonResponse({"agents": _agents(self._partner(request, object_id))})

    def conversation_typing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the person that somebody types, at most every few seconds. What goes wrong is no matter of the writer's."""
        follower = self._partner(request, object_id)
        if not self.has_act_permission(request, follower):  # type: ignore[attr-defined]
            raise PermissionDenied
        return JsonResponse(_type(follower))

    def _partner(self, request: HttpRequest, object_id: str) -> Follower:
        """The person of the address; a foreign one does not exist."""
        if not self.has_converse_permission(request):
            raise PermissionDenied
        follower: Follower | None = self.found(request, object_id)  # type: ignore[attr-defined]
        if follower is None:
            raise Http404
        return follower

    def _shown(self, request: HttpRequest, follower: Follower, form: AnswerForm) -> HttpResponse:
        page = _page(request, follower)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            **_state(follower),
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": gettext("Conversation with %(name)s") % {"name": follower},
            "lines": conversation_looks.lines(page.turns, follower.account_id),
            "page": page,
            "earlier": "before" in request.GET,
            "form": form,
            "may_answer": self.has_act_permission(request, follower),  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/wechat/conversation.html", context, status=400 if form.errors else 200)


def _answered(request: HttpRequest, follower: Follower, form: AnswerForm) -> OutgoingMessage | None:
    """The message in the outbox; None when the form says what is wrong."""
    if not form.is_valid():
        return None
    cleaned = form.cleaned_data
    try:
        return conversations.answer(
            follower,
            form.reply,
            author_id=int(request.user.pk or 0),
            number=cleaned["number"],
            agent=cleaned["agent"],
            may_wait=cleaned["may_wait"],
        )
    except conversations.Closed:
        ledger = windows.of(follower)
        waits = conversations.can_wait(ledger, form.reply)
        words = gettext("It was not sent; what you wrote is still here.")
        if not waits and conversations.can_wait(ledger):
            words = gettext("A message of this kind cannot wait for the next contact; a text can.")
        form.add_error(None, f"{CLOSED[ledger.closed_because or 'silent']} {words}")
        return None


def _page(request: HttpRequest, follower: Follower) -> conversations.Page:
    try:
        return conversations.page(follower, request.GET.get("before", ""))
    except ValueError:
        raise Http404 from None


def _drawn(line: dict[str, Any]) -> str:
    return render_to_string("admin/wechat/conversation_line.html", {"line": line})


def _state(follower: Follower) -> dict[str, Any]:
    """What stands beside the conversation: the windows, and the way that still works when none is open."""
    ledger = windows.of(follower)
    reason = ledger.closed_because
    return {
        "follower": follower,
        "ledger": ledger,
        "open": bool(ledger.open),
        "left": ledger.left,
        "until": ledger.until,
        "rows": [{"window": window, "why": TRIGGERS[window.trigger]} for window in ledger.windows],
        "reason": CLOSED.get(reason, ""),
        "can_wait": conversations.can_wait(ledger),
        "template": _template_page(follower) if ledger.follows else "",
        "held_up": _held_up(follower, ledger),
    }


def _held_up(follower: Follower, ledger: Ledger) -> bool:
    """Whether a message would wait though the window is open: no worker, or the API fails or is paused."""
    try:
        return bool(ledger.open) and not outbox.is_open(conf.account_by_id(follower.account_id))
    except KeyError:
        return False


def _template_page(follower: Follower) -> str:
    """Where a template message, which needs no window, is written."""
    try:
        return reverse("admin:wechat_messagetemplate_changelist") + f"?account__id__exact={follower.account_id}"
    except NoReverseMatch:
        return ""


def _agents(follower: Follower) -> list[dict[str, str]]:
    """The account's agents, as the platform named them within the last minutes."""
    name = f"agents:{follower.account_id}"
    known: list[dict[str, str]] | None = cache.get(name)
    if known is not None or not follower.account.may_send_customer_service:
        return known or []
    try:
        answered = client.agents(conf.account_by_id(follower.account_id))
    except CallFailed:
        answered = []
    found = [
        {"name": str(one.get("kf_nick") or one["kf_account"]), "account": str(one["kf_account"])}
        for one in answered
        if one.get("kf_account")
    ]
    cache.set(name, found, AGENTS_FOR if found else NO_AGENTS_FOR)
    return found


def _type(follower: Follower) -> dict[str, Any]:
    """Ask the platform to show that somebody types. `stop`: not again from this page."""
    ledger = windows.of(follower)
    if not ledger.open or follower.last_seen < timezone.now() - EXCHANGE:
        return {"shown": False, "stop": not ledger.may_send}
    if not cache.add(f"typing:{follower.pk}", 1, TYPING_EVERY):
        return {"shown": True, "stop": False}
    try:
        client.show_typing(conf.account_by_id(follower.account_id), follower.openid, typing=True)
    except CallFailed as error:
        code = error.code if isinstance(error, PlatformError) else None
        return {"shown": code == 45081, "stop": code in TYPING_ENDS, "why": explain_error(error).title}
    return {"shown": True, "stop": False}
