"""Many channel codes at once, out of a table: looked at first, then made all together or not at all.

The rows are stored in one transaction; the worker gets their codes from WeChat, a few a second, and the list tells of it.
"""

import secrets
from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from simple_history.utils import bulk_create_with_history
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from wechat import channel_scenes, channel_table, conf
from wechat.admin import drafts, pages
from wechat.admin.channel_form import owners, wants_confirmation
from wechat.channel_table import Line
from wechat.models import Account, ChannelCode, QRCode

WRITES = ("wechat.view_channelcode", "wechat.add_channelcode")
PERMANENT = QRCode.Kind.PERMANENT


class TableForm(pages.AccountForm):
    """The table, pasted or as a file."""

    kind = forms.ChoiceField(
        label=_("kind"),
        choices=QRCode.Kind.choices,
        help_text=_("Of the lines that name none."),
        widget=UnfoldAdminSelectWidget,
    )
    table = forms.CharField(
        label=_("Table"),
        required=False,
        max_length=60_000,
        strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 10, "spellcheck": "false"}),
        help_text=_("Copy the cells in Excel or WPS and paste them here."),
    )
    file = forms.FileField(
        label=_("or a file"),
        required=False,
        widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text=_("CSV or TSV, at most 1,000 lines and 1 MB."),
    )
    confirm = forms.BooleanField(
        label=_("Permanent codes may be made"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("An account has 100,000 in its whole life."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        account, file = cleaned.get("account"), cleaned.get("file")
        if self.errors or account is None:
            return cleaned
        text = channel_table.text_of(file.read(channel_table.MOST_BYTES + 1)) if file else cleaned.get("table", "")
        cleaned["lines"] = checked(channel_table.read(text, account.pk, kind=cleaned["kind"]), account.pk)
        permanent = sum(line.values["kind"] == PERMANENT for line in cleaned["lines"])
        if permanent and not cleaned.get("confirm"):
            self.add_error("confirm", wants_confirmation(account.pk, permanent))
        return cleaned


def checked(lines: list[Line], account_id: int) -> list[Line]:
    """The lines, with what other rooms have to say about their scenes."""
    owned = owners(account_id, [line.values["scene"] for line in lines if line.number])
    for line in lines:
        if owner := owned.get(line.values["scene"]):
            line.faults.append(gettext("This number belongs to %(owner)s.") % {"owner": owner})
    return lines


@pages.CHANNELS.page("batch", _("Several codes at once"), rights=WRITES)
def batch(request: HttpRequest, admin: Any) -> HttpResponse:
    """The form; after it what would be made."""
    form = TableForm(request, request.POST or None, request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        return _shown(request, admin, form=form, status=422 if form.is_bound else 200)
    lines, account = form.cleaned_data["lines"], form.cleaned_data["account"]
    faulty = sum(bool(line.faults) for line in lines)
    key = "" if faulty else drafts.keep(request, {"account": account.pk, "lines": [asdict(line) for line in lines]})
    return _shown(request, admin, form=form, lines=lines, faulty=faulty, draft=key, status=422 if faulty else 200)


@pages.CHANNELS.page("make", _("Make the codes"), below="batch/", rights=WRITES)
def make(request: HttpRequest, admin: Any) -> HttpResponse:
    """Make all of what was shown, unless meanwhile one of its scenes was taken: then none."""
    draft = drafts.find(request)
    account = pages.accounts(request).filter(pk=draft.get("account", 0)).first()
    if account is None:
        messages.error(request, gettext("The table is no longer here. Please paste it again."))
        return redirect(pages.CHANNELS.address("batch"))
    lines = [Line(**line) for line in draft["lines"]]
    draft.delete()
    try:
        key = store(lines, account, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(pages.CHANNELS.address("batch"))
    count = len(lines)
    text = ngettext("%(count)d code is on its way.", "%(count)d codes are on their way.", count)
    messages.success(request, text % {"count": count})
    return redirect(f"{reverse('admin:wechat_channelcode_changelist')}?batch={key}")


def store(lines: list[Line], account: Account, user: Any) -> str:
    """Store a code for each line, all or none; their batch's name. Raises ValidationError when a scene is taken by now."""
    key, now = secrets.token_hex(6), timezone.now()
    wanted = [line.values["scene"] for line in lines if line.values["scene"]]
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)  # two tables with the same scene at once
        gone = {*channel_scenes.taken(account.pk, wanted), *owners(account.pk, wanted)}
        if gone:
            raise ValidationError(gettext("Meanwhile taken: %(scenes)s") % {"scenes": "、".join(sorted(gone)[:5])})
        rows = [
            ChannelCode(
                account=account,
                number=line.number,
                batch=key,
                due_at=now,
                **{**line.values, "scene": line.values["scene"] or channel_scenes.new_scene()},
            )
            for line in lines
        ]
        made = bulk_create_with_history(rows, ChannelCode, default_user=user)
        conf.channels_changed(made[0])
    return key


def _shown(request: HttpRequest, admin: Any, *, status: int, **context: Any) -> HttpResponse:
    most = {"columns": channel_table.COLUMNS, "most": channel_table.MOST_LINES}
    response = pages.render(
        request, admin, "channel/batch.html", title=gettext("Several codes at once"), **most, **context
    )
    response.status_code = status
    return response
