"""The tables of the account, its followers, its rules, what came in, what goes out. One module per topic, in that order."""

from wechat.models.access import ApiKey, Membership
from wechat.models.accounts import Account, ConfigRow
from wechat.models.authorizations import Authorization
from wechat.models.brand import Brand
from wechat.models.calls import ApiCall
from wechat.models.channels import ChannelCode, ChannelScan, FollowerDay
from wechat.models.followers import Follower, Tag
from wechat.models.leases import Cursor, Lease
from wechat.models.materials import Material
from wechat.models.menus import Menu, MenuVersion
from wechat.models.notices import Notice
from wechat.models.outgoing import OutgoingMessage
from wechat.models.people_sync import SyncRun
from wechat.models.pushes import Push
from wechat.models.qrcodes import QRCode
from wechat.models.rules import Rule, RuleDay, UnansweredText
from wechat.models.second_factors import SecondFactor
from wechat.models.templates import MessageTemplate, SendJob, SendRequest
from wechat.models.tokens import TokenRequest

__all__ = [
    "Account",
    "ApiCall",
    "ApiKey",
    "Authorization",
    "Brand",
    "ChannelCode",
    "ChannelScan",
    "ConfigRow",
    "Cursor",
    "Follower",
    "FollowerDay",
    "Lease",
    "Material",
    "Membership",
    "Menu",
    "MenuVersion",
    "MessageTemplate",
    "Notice",
    "OutgoingMessage",
    "Push",
    "QRCode",
    "Rule",
    "RuleDay",
    "SecondFactor",
    "SendJob",
    "SendRequest",
    "SyncRun",
    "Tag",
    "TokenRequest",
    "UnansweredText",
]
