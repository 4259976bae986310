"""Export and import: an account's configuration as one file, looked at before it is applied (see wechat.portable).
An uploaded file waits for the decision in wechat.admin.drafts.
"""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from wechat import portable, strictjson
from wechat.admin import drafts, pages
from wechat.admin.transfer_words import shown, told
from wechat.models import Account

READS = ("wechat.view_rule",)
WRITES = ("wechat.view_rule", "wechat.add_rule", "wechat.change_rule", "wechat.change_account_texts")
REMOVES = ("wechat.delete_rule",)


class UploadForm(pages.AccountForm):
    """The file, and the account it is meant for."""

    prefix = "into"
    file = forms.FileField(
        label=_("File"),
        widget=UnfoldAdminFileFieldWidget({"accept": ".json,application/json"}),
        help_text=_("A file that was exported here or on another installation, at most 5 MB."),
    )

    def clean_file(self) -> Any:
        """The document in the file."""
        upload = self.cleaned_data["file"]
        if upload.size > strictjson.MOST_BYTES:
            raise ValidationError(
                _("The file has more than %(most)d MB."), params={"most": strictjson.MOST_BYTES // 1024**2}
            )
        return strictjson.read(upload.read())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "file" in cleaned:
            try:
                portable.read(cleaned["file"])
            except ValidationError as error:
                self.add_error("file", error)
        return cleaned


@pages.RULES.page("transfer", _("Export and import"), icon="swap_vert", position=50, rights=READS)
def transfer(request: HttpRequest, admin: Any) -> HttpResponse:
    """Both forms; the second only for who may write."""
    return _page(request, admin, UploadForm(request))


@pages.RULES.page("export", _("Export"), below="transfer/", rights=READS)
def export(request: HttpRequest, _admin: Any) -> HttpResponse:
    """The file."""
    _form, account = pages.chosen(request)
    if account is None:
        raise Http404
    text = json.dumps(portable.export(account), ensure_ascii=False, indent=2)
    name = f"wxhub-{account.slug}-{date_format(timezone.localtime(), 'Y-m-d')}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(f"{text}\n", content_type="application/json; charset=utf-8", headers=headers)


@pages.RULES.page("import", _("Import"), below="transfer/", rights=WRITES)
def differences(request: HttpRequest, admin: Any) -> HttpResponse:
    """What the uploaded file would change."""
    if request.method != "POST":
        return redirect(pages.RULES.address("transfer"))
    form = UploadForm(request, request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, admin, form, status=422)
    return _preview(request, admin, form.cleaned_data["account"], form.cleaned_data["file"])


@pages.RULES.page("apply", _("Apply"), below="transfer/", rights=WRITES)
def apply(request: HttpRequest, admin: Any) -> HttpResponse:
    """Make it so, if nobody changed anything since the differences were shown."""
    draft = drafts.find(request)
    account = pages.accounts(request).filter(pk=draft.get("account", 0)).first()
    if account is None:
        messages.error(request, gettext("The uploaded file is no longer here. Please choose it again."))
        return redirect(pages.RULES.address("transfer"))
    remove = bool(request.POST.get("remove")) and request.user.has_perms(REMOVES)
    user: Any = request.user
    document = draft["document"]
    draft.delete()
    try:
        done = portable.apply(account, document, user=user, remove=remove, seen=draft["seen"])
    except portable.Moved as error:
        messages.warning(request, " ".join(error.messages))
        return _preview(request, admin, account, document)
    except ValidationError as error:  # what another program registered is gone since the file was read
        messages.error(request, " ".join(error.messages))
    else:
        admin.log_change(request, account, told(done))
        messages.success(request, told(done))
    return redirect(pages.RULES.address("transfer"))


def _preview(request: HttpRequest, admin: Any, account: Account, document: Any) -> HttpResponse:
    draft = {"account": account.pk, "document": document, "seen": portable.state(account)}
    return pages.render(
        request,
        admin,
        "import.html",
        title=_("Import: what would change"),
        account=account,
        origin=document.get("account", {}),
        may_remove=request.user.has_perms(REMOVES),
        draft=drafts.keep(request, draft),
        **shown(portable.differences(account, document), account, document),
    )


def _page(request: HttpRequest, admin: Any, form: UploadForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": pages.AccountForm(request),
        "upload": form if request.user.has_perms(WRITES) else None,
    }
    response = pages.render(request, admin, "transfer.html", title=_("Export and import"), **context)
    response.status_code = status
    return response
