"""Everything about the WeChat platform. Knows nothing of orders; the README has the reading order."""
