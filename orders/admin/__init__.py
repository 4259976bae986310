"""Quotes in the admin. One module per topic."""

from orders.admin import additions, plans, quotes, scans

__all__ = ["additions", "plans", "quotes", "scans"]
