"""The tables of quotes: the quotes themselves, their scans and links, what becomes of them, and how they are reckoned."""

from orders.models.events import PageEvent
from orders.models.journeys import FunnelDay, Journey
from orders.models.plans import PlanItem, PricePlan
from orders.models.profiles import Profile
from orders.models.quotes import ASSIGNED, ORDERID_MAX, Figures, Order, OrderItem, new_key
from orders.models.scans import RowNumber, Scan, share_code
from orders.models.sharing import Onward
from orders.models.shortcodes import ShortCode

__all__ = [
    "ASSIGNED",
    "ORDERID_MAX",
    "Figures",
    "FunnelDay",
    "Journey",
    "Onward",
    "Order",
    "OrderItem",
    "PageEvent",
    "PlanItem",
    "PricePlan",
    "Profile",
    "RowNumber",
    "Scan",
    "ShortCode",
    "new_key",
    "share_code",
]
