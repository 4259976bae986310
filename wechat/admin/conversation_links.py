"""The way to a person's conversation, from a push, a message, or the person's own page."""

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from wechat.admin import looks
from wechat.models import Follower


def link_to(account_id: int, openid: str) -> SafeString | str:
    """A link to the conversation that a push or a message belongs to."""
    number = Follower.objects.filter(account_id=account_id, openid=openid).values_list("pk", flat=True).first()
    return looks.link(address(number), gettext("Conversation")) if number else looks.NOTHING


def address(follower_id: int) -> str:
    """The page of this person's conversation."""
    return reverse("admin:wechat_follower_conversation", args=[follower_id])
