"""What the account itself does with a push, before any other app has a say: follow, unfollow, scan, and the last resort."""

from wechat import outbox
from wechat.replies import Text
from wechat.routing import Contact, Handled, on, route_scan


@on("subscribe")
def followed(contact: Contact) -> Handled:
    """Somebody follows: what his code stands for comes first, then the welcome text if the answer is still free."""
    handled = route_scan(contact) if contact.message.scene else None
    if handled and handled.reply:
        return handled
    return Handled(_text(contact, "wechat_welcome_text"))


@on("unsubscribe")
def left(contact: Contact) -> Handled:
    """Somebody left: nothing that still waits for him may go out."""
    outbox.give_up_for(contact.account.id, contact.message.sender, reason="the person unfollowed")
    return Handled()


@on("qr")
def scanned(contact: Contact) -> Handled | None:
    """A follower scanned a code."""
    return route_scan(contact)


@on("message")
def unanswered(contact: Contact) -> Handled | None:
    """A message that nothing else answers."""
    reply = _text(contact, "wechat_default_reply")
    return Handled(reply) if reply else None


def _text(contact: Contact, row: str) -> Text | None:
    content = contact.account.get(row)
    return Text(content) if content else None
