"""The page that lists what a manager should look at (wechat.doctor.access), as far as it concerns his accounts and staff."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from wechat import conf
from wechat.admin import pages
from wechat.admin.doctor import ICONS, ORDER
from wechat.doctor import Finding, Level, access


@pages.ACCOUNTS.page("security", _("Security"), icon="shield", position=35)
def security(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """One list, what matters most first."""
    found = sorted(_findings(request), key=lambda finding: ORDER.index(finding.level))
    rows = [{"finding": finding, "icon": ICONS[finding.level]} for finding in found]
    told = sum(finding.level is not Level.OK for finding in found)
    shown = {"title": _("Security"), "rows": rows, "told": told, "command": "manage.py securitycheck"}
    return pages.render(request, model_admin, "security.html", **shown)


def _findings(request: HttpRequest) -> Iterator[Finding]:
    if request.user.is_superuser:
        yield from access.examine()
        return
    if request.user.has_perm("auth.view_user"):
        yield from access.staff(admin.site._registry[User].get_queryset(request))
    conf.forget()
    mine = set(pages.accounts(request).values_list("pk", flat=True))
    yield from access.accounts(each for each in conf.snapshot().accounts.values() if each.id in mine)
