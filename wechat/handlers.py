"""What the account itself does with a push when no other app took it: follow, unfollow, scan, reply rules, the last resort.

An event becomes text where it stands for words: the key of a menu button, the words of a voice message. Then the rules are
asked, at most three of them, and the first that has an answer wins; then the default reply.
"""

from collections.abc import Iterator
from dataclasses import replace

from wechat import answers, channels, followers, outbox
from wechat.replies import Text
from wechat.routing import Contact, Handled, named_handlers, own, route_scan
from wechat.rules import Query, index_of

PICTURE_BUTTONS = ("pic_sysphoto", "pic_photo_or_album", "pic_weixin")
SCAN_BUTTONS = ("scancode_push", "scancode_waitmsg")
# Events whose key stands for words; the key of a menu link is an address, and no word.
_BECOME_TEXT = frozenset({"click", *SCAN_BUTTONS, *PICTURE_BUTTONS, "location_select"})
# Events after which the person waits for an answer; after the others the default reply would come out of the blue.
_EXPECT_ANSWER = frozenset({"click", "scancode_waitmsg"})


@own("subscribe")
def followed(contact: Contact) -> Handled:
    """Somebody follows: what his code stands for comes first, then the rules, then the welcome if the answer is free."""
    followers.followed(contact)
    handled = _scanned(contact) if contact.message.scene else None
    if handled and handled.reply:
        return handled
    greeting = _of_rules(contact, Query("", None, "subscribe", None)) or _referred(
        contact, "wechat_welcome_keyword", text="wechat_welcome_text", answered_by="welcome"
    )
    return greeting or handled or Handled()


@own("unsubscribe")
def left(contact: Contact) -> Handled:
    """Somebody left: nothing that still waits for him may go out."""
    outbox.give_up_for(contact.account.id, contact.message.sender, reason=outbox.UNFOLLOWED)
    return Handled()


@own("qr")
def scanned(contact: Contact) -> Handled | None:
    """A follower scanned a code."""
    return _scanned(contact)


@own(*PICTURE_BUTTONS)
def picture_taken(contact: Contact) -> Handled | None:
    """A picture button: its pictures come as messages of their own, and belong to its key."""
    followers.picture_tapped(contact)
    return said(contact)


@own("message", "event")
def said(contact: Contact) -> Handled | None:
    """What a person says, or taps: a handler that holds the conversation, then the rules, then the default reply."""
    message = contact.message
    if not message.is_event and contact.held_by and (handled := _held(contact)):
        return handled
    for query in queries_of(contact):
        if handled := _of_rules(contact, query):
            return handled
    if message.is_event and message.handle not in _EXPECT_ANSWER:
        return None
    return _referred(contact, "wechat_default_keyword", text="wechat_default_reply", answered_by="default")


def queries_of(contact: Contact) -> Iterator[Query]:
    """What the rules are asked about this push, one after the other (second analysis, 二次分析)."""
    message, fields = contact.message, contact.message.fields
    handle = message.handle
    if not message.is_event:
        if handle == "image" and (key := followers.picture_key_of(contact.account.id, message.sender, contact.now)):
            yield Query(key, "picture", handle, None)
        said_aloud = fields.get("recognition", "")
        yield Query(fields.get("content", said_aloud), "voice" if said_aloud else None, handle, None)
        return
    yield Query(fields["eventkey"] if handle in _BECOME_TEXT else "", handle, handle, None)
    if handle in SCAN_BUTTONS and (result := fields["scancodeinfo"]["scanresult"]):
        yield Query(result, handle, handle, None)


def _scanned(contact: Contact) -> Handled | None:
    """What the code stands for: another app's own, else a channel code of staff, else a rule that is bound to its scene."""
    message = contact.message
    if handled := route_scan(contact):
        return handled
    query = Query("", "qr", message.handle, message.scene)
    channel = channels.scanned(contact)
    bound = channels.answer(channel, replace(contact, query=query)) if channel else None
    return bound or _of_rules(contact, query) or (Handled() if channel else None)


def _of_rules(contact: Contact, query: Query) -> Handled | None:
    """The answer of the first of the candidates that has one."""
    contact.asked.append(query)
    asking = replace(contact, query=query)
    candidates = index_of(contact.account).candidates(query, contact.now)
    return next((handled for each in candidates if (handled := answers.compose(each.entry, asking))), None)


def _referred(contact: Contact, row: str, *, text: str, answered_by: str) -> Handled | None:
    """The answer that the account's configuration refers to: a keyword for the rules, or else a text of its own."""
    keyword, content = contact.account.get(row), contact.account.get(text)
    handled = _of_rules(contact, Query(keyword, answered_by, "text", None)) if keyword else None
    if handled:
        return replace(handled, answered_by=answered_by)
    reply = Text(content) if content else None
    return Handled(answers.filled(reply, contact), answered_by=answered_by) if reply else None


def _held(contact: Contact) -> Handled | None:
    """The answer of the named handler that holds the conversation; None when it let go."""
    named = named_handlers.get(contact.held_by)
    handled = named.handler(contact) if named else None
    return replace(handled, holder=contact.held_by) if handled else None
