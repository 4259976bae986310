"""Posters of channel codes: of one, of chosen ones, of those made together. And the code alone, as PNG and SVG."""

import io
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat import channel_codes, posters, qr
from wechat.admin import scope
from wechat.admin.pages import CHANNELS
from wechat.admin.posters import MOST, Subject, poster_page
from wechat.models import ChannelCode, QRCode

PIXELS = 1200  # of a code alone


def posters_address(**chosen: str) -> str:
    """The page for the codes of these numbers (`codes="1,2"`) or of a `batch`."""
    query = QueryDict(mutable=True)
    query.update(chosen)
    return f"{CHANNELS.address('posters')}?{query.urlencode()}"


def code_file(code: QRCode, kind: str) -> HttpResponse:
    """The code alone, to be put into a drawing of one's own: `png` or `svg`."""
    if kind == "svg":
        response = HttpResponse(qr.svg(code.url), content_type="image/svg+xml")
    else:
        out = io.BytesIO()
        posters.code(code.url, PIXELS).save(out, "PNG")
        response = HttpResponse(out.getvalue(), content_type="image/png")
    response["Content-Disposition"] = f'attachment; filename="code-{code.pk}.{kind}"'
    return response


@CHANNELS.page("posters", _("Posters"))
def poster_of_codes(request: HttpRequest, admin: Any) -> HttpResponseBase:
    """One page for all of them; codes of one account at a time, for they wear its logo."""
    chosen = list(_chosen(request))
    channels = [channel for channel in chosen if channel.account_id == chosen[0].account_id]
    found = [(channel, code) for channel in channels if (code := channel_codes.code_of(channel))]
    if not found:
        messages.warning(request, gettext("None of these codes is there yet: a poster needs one that is valid."))
        return redirect("admin:wechat_channelcode_changelist")
    subjects = [Subject(code.url, _label(channel), f"poster-{channel.pk}") for channel, code in found]
    ends = [code.expires_at for _channel, code in found if code.expires_at]
    back = ("admin:wechat_channelcode_change", channels[0].pk) if len(channels) == 1 else None
    context = {
        "title": gettext("Poster") if len(found) == 1 else gettext("Posters"),
        "left_out": len(chosen) - len(found),
        "until": min(ends) if ends else None,
        "back": back,
    }
    return poster_page(request, admin, subjects, channels[0].account, **context)


def _chosen(request: HttpRequest) -> QuerySet[ChannelCode]:
    """The codes that the address names, of this person's accounts, at most as many as one file takes."""
    mine = scope.only(ChannelCode.objects.select_related("account").order_by("pk"), request.user)
    batch = request.GET.get("batch", "")
    numbers = [int(each) for each in request.GET.get("codes", "").split(",") if each.isdecimal() and len(each) < 19]
    return (mine.filter(batch=batch) if batch else mine.filter(pk__in=numbers[:MOST]))[:MOST]


def _label(channel: ChannelCode) -> str:
    return " · ".join(dict.fromkeys(part for part in (channel.campaign or channel.name, channel.salesperson) if part))
