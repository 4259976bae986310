"""The admin of the account: what came in, what goes out, who is there, and how the account is set up. One module per topic."""

from wechat.admin import (
    access,
    accounts,
    calls,
    codes,
    followers,
    linting,
    notices,
    outgoing,
    people,
    pushes,
    rules,
    signins,
    tags,
    transfer,
    trial,
    unanswered,
)

__all__ = [
    "access",
    "accounts",
    "calls",
    "codes",
    "followers",
    "linting",
    "notices",
    "outgoing",
    "people",
    "pushes",
    "rules",
    "signins",
    "tags",
    "transfer",
    "trial",
    "unanswered",
]
