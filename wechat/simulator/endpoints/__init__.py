"""The API's endpoints, one module per topic. Importing this package registers them all in ENDPOINTS."""

from wechat.simulator.calls import ENDPOINTS
from wechat.simulator.endpoints import menus, messages, network, oauth, qrcodes, quotas, tokens, users

__all__ = ["ENDPOINTS", "menus", "messages", "network", "oauth", "qrcodes", "quotas", "tokens", "users"]
