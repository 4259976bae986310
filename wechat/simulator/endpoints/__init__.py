"""The API's endpoints, one module per topic. Importing this package registers them all in ENDPOINTS."""

from wechat.simulator.calls import ENDPOINTS
from wechat.simulator.endpoints import (
    agents,
    blacklist,
    materials,
    media,
    menus,
    messages,
    network,
    oauth,
    qrcodes,
    quotas,
    subscriptions,
    tags,
    templates,
    tokens,
    users,
)

TOPICS = (
    agents, blacklist, materials, media, menus, messages, network, oauth, qrcodes, quotas, subscriptions, tags, templates,
    tokens, users,
)  # fmt: skip

__all__ = ["ENDPOINTS", "TOPICS"]
