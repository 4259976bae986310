"""The tables of the account, its followers, what came in, what goes out. One module per topic, in that order."""

from wechat.models.access import ApiKey
from wechat.models.accounts import Account, ConfigRow
from wechat.models.followers import Follower
from wechat.models.leases import Lease
from wechat.models.outgoing import OutgoingMessage
from wechat.models.pushes import Push
from wechat.models.qrcodes import QRCode

__all__ = ["Account", "ApiKey", "ConfigRow", "Follower", "Lease", "OutgoingMessage", "Push", "QRCode"]
