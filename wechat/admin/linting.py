"""The page of mistakes: what the linter finds in the rules of an account, the worst first, with the way to each."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from wechat import linter
from wechat.admin import pages
from wechat.linter import Finding
from wechat.models import Account

MOST = 200  # findings of one level on the page
TITLES = {"error": _("Does not work"), "warning": _("Probably not meant"), "info": _("Worth a look")}
ICONS = {"error": "error", "warning": "warning", "info": "info"}


@pages.RULES.page("lint", _("Check the rules"), icon="rule", position=40)
def lint(request: HttpRequest, admin: Any) -> HttpResponse:
    """What is found now."""
    form, account = pages.chosen(request)
    if account is None:
        raise Http404
    found = linter.of_account(account)
    names = dict(account.rules.values_list("pk", "name"))
    groups = [
        _group(level, found, names, account, may_add=admin.has_add_permission(request)) for level in linter.LEVELS
    ]
    return pages.render(
        request,
        admin,
        "linting.html",
        title=_("Check the rules"),
        form=form,
        account=account,
        groups=[group for group in groups if group["count"]],
        rules=len(names),
    )


def _group(
    level: str, found: list[Finding], names: dict[int, str], account: Account, *, may_add: bool
) -> dict[str, Any]:
    mine = [finding for finding in found if finding.level == level]
    rows = [_row(finding, names, account, may_add=may_add) for finding in mine[:MOST]]
    title, icon = TITLES[level], ICONS[level]
    return {
        "level": level,
        "title": title,
        "icon": icon,
        "rows": rows,
        "count": len(mine),
        "more": len(mine) - len(rows),
    }


def _row(finding: Finding, names: dict[int, str], account: Account, *, may_add: bool) -> dict[str, Any]:
    url, name = "", ""
    if finding.rule_id is not None:
        url, name = reverse("admin:wechat_rule_change", args=[finding.rule_id]), names.get(finding.rule_id, "")
    make = ""
    if finding.code == "menu_key" and may_add:
        query = urlencode({"account": account.pk, "text": finding.values["key"], "source": "click"})
        make = f"{reverse('admin:wechat_rule_add')}?{query}"
    return {"url": url, "name": name, "text": finding.text, "hint": finding.hint, "make": make}
