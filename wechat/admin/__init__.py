"""The admin of the account: what came in, what goes out, who is there, and how the account is set up. One module per topic."""

from wechat.admin import access, accounts, codes, followers, outgoing, people, pushes, signins

__all__ = ["access", "accounts", "codes", "followers", "outgoing", "people", "pushes", "signins"]
