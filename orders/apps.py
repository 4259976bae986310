"""Start-up of the orders room: it tells wechat what a scan means, what rules may say of quotes, and who may do what."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Quotes")

    def ready(self) -> None:
        from wechat import groups

        import_module("orders.scans")
        import_module("orders.shortcodes")
        import_module("orders.answers")
        import_module("orders.notices")
        import_module("orders.journeys")
        for code in groups.NAMES:
            groups.grant(code, *groups.may("view", "priceplan", "planitem", app="orders"))
        groups.grant(groups.MANAGER, *groups.may("add change delete", "priceplan", "planitem", app="orders"))
        for code in (groups.SERVICE, groups.ANALYST):
            groups.grant(code, *groups.may("view", "order", "orderitem", "scan", app="orders"))
        groups.grant(groups.SERVICE, *groups.may("change", "scan", app="orders"))
        groups.grant(groups.MANAGER, *groups.may("add change delete", "order", "orderitem", app="orders"))
        import_module("orders.privacy")
