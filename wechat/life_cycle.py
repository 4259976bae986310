"""What the platform reports by itself: how the account stands, what a person allows us to keep, where he is, what he bought.

Nobody waits for an answer to these: each is taken without a reply.
"""

import re

from wechat import followers, notices, privacy
from wechat.conf import AccountConfig
from wechat.routing import Contact, Handled, on
from wechat.signals import merchant_order

# RevokeInfo of web pages (授权用户信息变更, https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/authorization_change.html)
PROFILE, POSITION = "205", "206"


@on(*notices.KINDS)
def account_changed(contact: Contact) -> Handled:
    """The account was verified, or was not, or has to be verified anew: staff must hear of it."""
    notices.give(contact)
    return Handled()


@on("user_info_modified")
def profile_changed(contact: Contact) -> Handled:
    """What we keep of his profile is out of date; he has to agree anew before we may ask for the new one."""
    if openid := _person(contact):
        privacy.forget_profile(contact.account.id, openid)
    return Handled()


@on("user_authorization_revoke")
def authorization_revoked(contact: Contact) -> Handled:
    """He takes back what he allowed. Where the push does not say what, it is everything."""
    openid = _person(contact)
    if not openid:
        return Handled()
    revoked = re.findall(r"[0-9]+", _data(contact, "revokeinfo"))
    if PROFILE in revoked or not revoked:
        privacy.forget_profile(contact.account.id, openid)
    if POSITION in revoked or not revoked:
        privacy.forget_position(contact.account.id, openid)
    return Handled()


@on("user_authorization_cancellation")
def person_gone(contact: Contact) -> Handled:
    """He closed his WeChat account: nothing that leads to him may stay."""
    if openid := _person(contact):
        privacy.erase(contact.account.id, openid)
    return Handled()


@on("trace")
def located(contact: Contact) -> Handled:
    """He lets WeChat tell us where he is; the platform forbids an answer."""
    followers.located(contact)
    return Handled()


@on("merchant_order")
def bought(contact: Contact) -> Handled:
    """He paid an order in the WeChat shop."""
    merchant_order.send(AccountConfig, contact=contact)
    return Handled()


def _person(contact: Contact) -> str:
    """Whom the push is about: its sender is the platform. Empty where it does not say."""
    return _data(contact, "openid")


def _data(contact: Contact, name: str) -> str:
    value = contact.message.fields["data"].get(name, "")
    return value if isinstance(value, str) else ""
