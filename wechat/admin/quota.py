"""The quotas of an account: used and left of the main calls, clearing them, and what a refused call was, by its rid."""

import json
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.validators import RegexValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from wechat import calls, conf
from wechat.admin import endpoints, outcomes, pages
from wechat.client import quota as client
from wechat.client.quota import CLEARS_PER_MONTH
from wechat.conf import AccountConfig
from wechat.errors import CallFailed
from wechat.explanations import explain, explain_error
from wechat.hub import BEIJING, PER_DAY, renewals_today
from wechat.models import Account, ApiCall
from wechat.redaction import redact

MAIN = (
    "/cgi-bin/message/custom/send",
    "/cgi-bin/message/template/send",
    "/cgi-bin/message/subscribe/bizsend",
    "/cgi-bin/qrcode/create",
    "/cgi-bin/user/get",
    "/cgi-bin/user/info/batchget",
    "/cgi-bin/menu/create",
    "/cgi-bin/media/upload",
    "/cgi-bin/material/add_material",
    "/cgi-bin/stable_token",
)
CLEARS = ("/cgi-bin/clear_quota", "/cgi-bin/clear_quota/v2")
KEPT = 60  # seconds
NARROW = 0.1  # of a quota
RID = r"^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$"
Json = dict[str, Any]


class RidForm(forms.Form):
    """Which call."""

    rid = forms.CharField(
        label="rid",
        validators=[
            RegexValidator(
                r"^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$", _("Three groups of eight, as 61725984-6126f6f9-040f19c4.")
            )
        ],
        help_text=_("It ends the text of every refusal. WeChat knows it for seven days."),
        widget=UnfoldAdminTextInputWidget({"placeholder": "61725984-6126f6f9-040f19c4"}),
    )


@pages.ACCOUNTS.page("quota", _("Quotas"), icon="speed", position=40)
def quotas(request: HttpRequest, admin: Any) -> HttpResponse:
    """What is known; a POST asks, clears, or looks up a rid."""
    form, account = pages.chosen(request)
    if account is None:
        raise Http404
    do = request.POST.get("do", "") if request.method == "POST" else ""
    context: Json = {"rid": RidForm()}
    if do == "clear":
        return _clear(request, admin, account)
    if do == "rid":
        context = _look_up(request, _config(account))
    shown = {"form": form, "account": account, **_known(account, ask=do == "ask"), **context}
    return pages.render(request, admin, "quota.html", title=_("Quotas"), **shown)


def _config(account: Account) -> AccountConfig:
    conf.forget()
    return conf.account_by_id(account.pk)


def _known(account: Account, *, ask: bool) -> Json:
    key = f"quota:{account.pk}"
    found = cache.get(key)
    if found is None and ask:
        found = _ask(_config(account))
        cache.set(key, found, KEPT)
    return {
        "found": found,
        "cleared": cleared_this_month(account.pk),
        "clears": CLEARS_PER_MONTH,
        "renewed": renewals_today(account.pk),
        "renewals": PER_DAY,
    }


def _ask(account: AccountConfig) -> Json:
    """One call per path. Where the first fails for the account as a whole, the others would too."""
    rows: list[Json] = []
    for path in MAIN:
        try:
            rows.append(_row(path, client.quota(account, path)))
        except CallFailed as error:
            if not rows:
                return {"at": timezone.now(), "failed": outcomes.shown(explain_error(error))}
            rows.append({"name": endpoints.in_words(path), "path": path, "trouble": explain_error(error).title})
    return {"at": timezone.now(), "rows": rows}


def _row(path: str, left: client.Quota) -> Json:
    return {"name": endpoints.in_words(path), "path": path, "quota": left, "narrow": round(left.daily * NARROW)}


def cleared_this_month(account_id: int) -> int:
    """How often this program has cleared the quotas this month; the console and others are not in it."""
    calls.flush()
    month = timezone.now().astimezone(BEIJING).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    done = ApiCall.objects.filter(account_id=account_id, endpoint__in=CLEARS, errcode=0, started_at__gte=month)
    return done.count()


def _clear(request: HttpRequest, admin: Any, account: Account) -> HttpResponse:
    """Once confirmed: the browser's own question may be switched off, so the box has to be ticked."""
    if request.POST.get("sure") != "on":
        messages.error(request, gettext("Tick the box first: a month has ten of these."))
    else:
        try:
            client.clear_quota(_config(account))
        except CallFailed as error:
            messages.error(request, explain_error(error).text())
        else:
            admin.log_change(request, account, gettext("Quotas cleared"))
            cache.delete(f"quota:{account.pk}")
            messages.success(request, gettext("All daily quotas of this account begin anew."))
    return redirect(f"{pages.ACCOUNTS.address('quota')}?account={account.pk}")


def _look_up(request: HttpRequest, account: AccountConfig) -> Json:
    form = RidForm(request.POST)
    if not form.is_valid():
        return {"rid": form}
    try:
        told = client.call_of_rid(account, form.cleaned_data["rid"])
    except CallFailed as error:
        return {"rid": form, "rid_failed": outcomes.shown(explain_error(error))}
    return {"rid": form, "call": _facts(told), "meaning": _meaning(told)}


def _facts(told: Json) -> Json:
    """What the platform keeps of the call, without secrets: it masks them, and so do we."""
    moment = told.get("invoke_time")
    at = datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) and 0 < moment < 2**33 else None
    facts = {
        gettext("Time"): timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S") if at else "",
        gettext("Took"): f"{told.get('cost_in_ms')} ms",
        gettext("Called from"): str(told.get("client_ip", "")),
        gettext("Query"): redact(str(told.get("request_url", ""))),
        gettext("Sent"): redact(str(told.get("request_body", ""))),
        gettext("Answered"): redact(str(told.get("response_body", ""))),
    }
    return {label: value for label, value in facts.items() if value}


def _meaning(told: Json) -> str:
    """The explanation of what was answered."""
    try:
        answer = json.loads(str(told.get("response_body", "")))
        return outcomes.shown(explain(int(answer["errcode"]), str(answer.get("errmsg", ""))))
    except (ValueError, KeyError, TypeError):
        return ""
