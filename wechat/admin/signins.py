"""Logins, good and failed, as django-axes recorded them: to be read only, without what was typed."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from wechat.admin.menu import ACCESS, Entry
from wechat.admin.records import RecordAdmin

for model in (AccessAttempt, AccessFailureLog, AccessLog):
    admin.site.unregister(model)


@admin.register(AccessLog)
class LoginAdmin(RecordAdmin):
    """Who came in."""

    menu = Entry(ACCESS, 40, "login", _("Logins"))
    list_display = ("attempt_time", "username", "ip_address", "logout_time")
    list_filter = ("attempt_time",)
    fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")


@admin.register(AccessAttempt)
class FailedLoginAdmin(RecordAdmin):
    """Who failed to; five failures lock that name from that address for a quarter of an hour."""

    menu = Entry(ACCESS, 50, "gpp_bad", _("Failed logins"))
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")
    list_filter = ("attempt_time",)
    fields = ("attempt_time", "username", "ip_address", "user_agent", "failures_since_start")
