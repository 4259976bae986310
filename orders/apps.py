"""Start-up of the orders room: it tells wechat what a scan means."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Quotes")

    def ready(self) -> None:
        import_module("orders.scans")
