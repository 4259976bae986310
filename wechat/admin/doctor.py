"""The check-up: what `manage.py doctor` finds, part by part, when somebody asks for it. Only then calls are made.

A page of parts: the installation, then each account of whoever asks. Its script posts for one after the other and shows how
far it is. What was found is kept for a minute.
"""

from collections.abc import Iterator
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from wechat import conf, doctor
from wechat.admin import pages
from wechat.doctor import Finding, Level
from wechat.models import Account

KEPT = 60  # seconds
INSTALLATION = "installation"
ICONS = {Level.OK: "check_circle", Level.WARN: "warning", Level.BAD: "error"}
ORDER = (Level.BAD, Level.WARN, Level.OK)
# The platform's own page to try a callback address and any call by hand (row A-109).
DEBUGGING = "https://mp.weixin.qq.com/debug/"
Part = tuple[str, str]


@pages.ACCOUNTS.page("doctor", _("Check-up"), icon="stethoscope", position=30)
def examine(request: HttpRequest, admin: Any) -> HttpResponse:
    """The page with what is known already; a POST examines one part, or all of them where no script runs."""
    parts = list(_parts(request))
    wanted = request.POST.get("part", "") if request.method == "POST" else ""
    if wanted and wanted != "all":
        if wanted not in dict(parts):
            raise Http404
        shown = {"part": _shown((wanted, dict(parts)[wanted]), fresh="anew" in request.POST)}
        return TemplateResponse(request, "admin/wechat/doctor_part.html", shown)
    known = [_shown(part, fresh=False, look=wanted == "all") for part in parts]
    context = {"title": _("Check-up"), "parts": known, "debugging": DEBUGGING, "command": "manage.py doctor"}
    return pages.render(request, admin, "doctor.html", **context)


def _parts(request: HttpRequest) -> Iterator[Part]:
    """What there is to examine for this person: name and title."""
    yield INSTALLATION, gettext("Installation")
    for account in pages.accounts(request):
        yield str(account.pk), str(account)


def _shown(part: Part, *, fresh: bool, look: bool = True) -> dict[str, Any]:
    """One part for the template. `look`: examine it if nothing is known; `fresh`: in any case, but once a second."""
    name, title = part
    key = f"doctor:{name}:{get_language()}"
    found = cache.get(key)
    if (found is None and look) or (fresh and _may_repeat(name)):
        found = (timezone.now(), _findings(name))
        cache.set(key, found, KEPT)
    at, findings = found or (None, [])
    ordered = sorted(findings, key=lambda finding: ORDER.index(finding.level))
    rows = [{"finding": finding, "icon": ICONS[finding.level]} for finding in ordered]
    counts = {level.name.lower(): sum(finding.level is level for finding in findings) for level in Level}
    return {"name": name, "title": title, "at": at, "rows": rows, **counts}


def _may_repeat(name: str) -> bool:
    """Whoever leans on the button makes no storm of calls."""
    return cache.add(f"doctor-again:{name}", 1, 3)


def _findings(name: str) -> list[Finding]:
    conf.forget()
    if name == INSTALLATION:
        return list(doctor.examine_installation())
    try:
        account = conf.account_by_id(Account.objects.values_list("pk", flat=True).get(pk=name))
    except (Account.DoesNotExist, KeyError):
        return []
    return list(doctor.examine_account(account))
