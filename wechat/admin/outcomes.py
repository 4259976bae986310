"""Errors as the admin shows them: the explanation of wechat.explanations as a block, a line, or a word of our own."""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop

from wechat.explanations import Explanation, explain_stored
from wechat.models import OutgoingMessage

# What the program itself writes on a message that it did not send.
_OUR_REASONS = frozenset(
    {
        gettext_noop("the person unfollowed"),
        gettext_noop("the window closed before it could be sent"),
        gettext_noop("the outcome stayed unknown after one repeat"),
        gettext_noop("a newer message about the same took its place"),
        gettext_noop("the job was cancelled"),
    }
)


def of_message(message: OutgoingMessage) -> Explanation | None:
    """What the platform said of this message; None for nothing, and for success."""
    return None if message.errcode == 0 else explain_stored(message.errcode, message.error)


def our_reason(message: OutgoingMessage) -> str:
    """Why we did not send it, if that is the last word on it; else empty."""
    return gettext(message.error) if message.error in _OUR_REASONS else ""


def shown(explanation: Explanation) -> SafeString:
    """The whole explanation, with a link from its rid to the log of calls."""
    calls = f"{reverse('admin:wechat_apicall_changelist')}?q={explanation.rid}" if explanation.rid else ""
    return render_to_string("admin/explanation.html", {"explanation": explanation, "calls": calls})
