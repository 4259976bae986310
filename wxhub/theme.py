"""How the admin looks: the settings of its theme."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "WxHub",
    "SITE_HEADER": "WxHub",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("img/favicon.svg")},
    ],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "orders.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "wechat.admin.menu.navigation"},
    "ACCOUNT": {
        "navigation": [
            {"title": _("Sign-in and sessions"), "link": reverse_lazy("own-security")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ],
    },
    "COLORS": {
        "primary": {
            "50": "#eefbf3",
            "100": "#d6f5e1",
            "200": "#b0eac8",
            "300": "#7cd9a7",
            "400": "#46c182",
            "500": "#22a666",
            "600": "#107a4b",
            "700": "#0f6b44",
            "800": "#0e5537",
            "900": "#0c462f",
            "950": "#05271a",
        }
    },
}
