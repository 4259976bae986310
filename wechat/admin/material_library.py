"""What an account holds in WeChat's own library: how many of each kind, which of them we know; take one over, delete one."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import conf, materials
from wechat.admin import pages
from wechat.client import media
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import Account, Material

KINDS = {kind.value: kind.label for kind in (Material.Kind.IMAGE, Material.Kind.VOICE, Material.Kind.VIDEO)}


def page(request: HttpRequest, admin: Any) -> HttpResponse:
    """The page; a POST takes one file over, or deletes one there."""
    form, account = pages.chosen(request)
    kind = request.GET.get("kind", "image")
    kind = kind if kind in KINDS else "image"
    if account and request.method == "POST":
        _act(request, admin, account, kind)
        return redirect(_address(account, kind, _offset(request)))
    context: dict[str, Any] = {"form": form, "account": account, "kind": kind}
    if account:
        context |= _found(account, kind, _offset(request))
    context["may_add"] = request.user.has_perm("wechat.add_material")
    context["may_delete"] = request.user.has_perm("wechat.delete_material")
    return pages.render(request, admin, "material/library.html", title=_("Files at WeChat"), **context)


def _offset(request: HttpRequest) -> int:
    text = request.GET.get("offset", "0")
    return int(text) // media.PAGE * media.PAGE if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _address(account: Account, kind: str, offset: int) -> str:
    query = urlencode({"account": str(account.pk), "kind": kind, "offset": str(offset)})
    return f"{reverse('admin:wechat_material_library')}?{query}"


def _found(account: Account, kind: str, offset: int) -> dict[str, Any]:
    config = conf.account_by_id(account.pk)
    try:
        counts = media.count_permanent(config)
        total, items = materials.listed(config, kind, offset)
    except CallFailed as error:
        return {"explanation": explain_error(error)}
    earlier, later = offset - media.PAGE, offset + media.PAGE
    return {
        "kinds": [
            {"kind": each, "label": label, "count": counts[each], "url": _address(account, each, 0)}
            for each, label in KINDS.items()
        ],
        "articles": counts["news"],
        "items": [_item(item) for item in items],
        "first": offset + 1,
        "last": offset + len(items),
        "total": total,
        "earlier": _address(account, kind, earlier) if earlier >= 0 else "",
        "later": _address(account, kind, later) if later < total else "",
    }


def _item(item: dict[str, Any]) -> dict[str, Any]:
    seconds = item.get("update_time")
    moment = datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 < seconds < 2**33 else None
    names = ("media_id", "name", "url")
    return {**{name: str(item.get(name) or "") for name in names}, "here": item.get("here"), "moment": moment}


def _act(request: HttpRequest, admin: Any, account: Account, kind: str) -> None:
    wanted, media_id = request.POST.get("act"), request.POST.get("media_id", "")
    if not media_id or len(media_id) > 128:
        return
    if wanted == "delete":
        _delete(request, admin, account, media_id)
    elif wanted == "take":
        if not request.user.has_perm("wechat.add_material"):
            raise PermissionDenied
        item = {name: request.POST.get(name, "").replace("\0", "") for name in ("name", "url")}
        row = materials.take_in(conf.account_by_id(account.pk), kind, {**item, "media_id": media_id})
        admin.log_addition(request, row, gettext("Taken over from WeChat"))
        messages.success(request, gettext("“%(name)s” can be used in replies now.") % {"name": row.name})


def _delete(request: HttpRequest, admin: Any, account: Account, media_id: str) -> None:
    if not request.user.has_perm("wechat.delete_material"):
        raise PermissionDenied
    row = Material.objects.filter(account=account, media_id=media_id).first()
    if row and (used := materials.used_by(row)):
        said = gettext("These rules use the file: %(rules)s. Give them another answer first.")
        messages.error(request, said % {"rules": "、".join(rule.name for rule in used)})
        return
    try:
        materials.delete_there(conf.account_by_id(account.pk), media_id)
    except CallFailed as error:
        messages.error(request, explain_error(error).brief())
        return
    if row:
        admin.log_deletions(request, [row])
        row.delete()
    messages.success(request, gettext("The file is deleted at WeChat."))
