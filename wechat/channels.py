"""A scan of a channel code, one of those that staff hand out themselves (渠道码): who came by it, and what answers him.

Comes in: a Contact whose scene no other room took. Goes out: a ChannelScan, and the answer of the rule that is bound to the
code. Which scenes are channel codes stands in the account's cached configuration: a scan of anything else costs no statement.
The tag is put on by the worker (wechat.channel_tags).
"""

from wechat import answers, statements
from wechat.conf import Channel
from wechat.models import ChannelScan
from wechat.routing import Contact, Handled
from wechat.rules import index_of
from wechat.statements import Insert


def scanned(contact: Contact) -> Channel | None:
    """Keep who scanned. None when the scene is no channel code that is on."""
    message = contact.message
    channel = contact.account.channels.get(message.scene or "")
    if channel is None:
        return None
    scan = Insert(
        ChannelScan,
        {
            "push_id": contact.push_id,
            "code_id": channel.id,
            "account_id": contact.account.id,
            "openid": message.sender,
            "new": message.handle == "subscribe",
            "tagged": not channel.tags,
            "scanned_at": contact.now,
        },
        on_conflict="DO NOTHING",  # staff may run a push again: then the scan stays what it was
        returning="push_id",
    )
    statements.insert_later(scan)
    return channel


def answer(channel: Channel, contact: Contact) -> Handled | None:
    """The answer of the code's own rule; None when it has none, or the rule is off, out of season or has no answer now."""
    if channel.rule_id is None:
        return None
    rule = index_of(contact.account).entry(channel.rule_id, contact.now)
    return answers.compose(rule, contact) if rule else None
