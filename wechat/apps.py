"""Start-up of the WeChat room: the built-in handlers register, and changes of the configuration reach the cached view."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save
from django.utils.translation import gettext_lazy as _


class WechatConfig(AppConfig):
    name = "wechat"
    verbose_name = _("WeChat")

    def ready(self) -> None:
        from wechat import alarms, conf, groups, materials
        from wechat.models import Account, ChannelCode, Material, Rule

        import_module("wechat.checks")
        import_module("wechat.handlers")
        import_module("wechat.portable_rules")
        import_module("wechat.portable_menus")
        import_module("wechat.menu_lints")
        import_module("wechat.life_cycle")
        import_module("wechat.delivery_reports")
        alarms.watch()
        post_migrate.connect(groups.install, dispatch_uid="groups")
        for signal in (post_save, post_delete):
            signal.connect(conf.account_changed, sender=Account, dispatch_uid="account_changed")
            signal.connect(conf.rules_changed, sender=Rule, dispatch_uid="rules_changed")
            signal.connect(conf.channels_changed, sender=ChannelCode, dispatch_uid="channels_changed")
        post_delete.connect(materials.remove_file, sender=Material, dispatch_uid="material_files")
