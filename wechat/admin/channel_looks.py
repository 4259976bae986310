"""How a channel code is shown: how valid it is, what went wrong, how many permanent ones are used, its numbers."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from wechat import channel_codes
from wechat.admin import looks
from wechat.explanations import explain_stored
from wechat.models import Account, ChannelCode, ChannelScan, QRCode


def counted(channels: QuerySet[ChannelCode]) -> QuerySet[ChannelCode]:
    """With scans, new followers, last scan and the end of the code, each out of an index: `*` reads nothing else."""
    mine = ChannelScan.objects.filter(code=OuterRef("pk")).order_by()
    new = mine.filter(new=True)
    codes = QRCode.objects.filter(account=OuterRef("account"), scene=OuterRef("scene"), kind=OuterRef("kind"))
    return channels.annotate(
        scans_count=_number(mine),
        new_count=_number(new),
        last_scan=Subquery(mine.order_by("-scanned_at").values("scanned_at")[:1]),
        code_made=Subquery(codes.order_by("-pk").values("pk")[:1]),
        code_end=Subquery(codes.order_by("-expires_at").values("expires_at")[:1]),
    )


def _number(scans: QuerySet[ChannelScan]) -> Coalesce:
    counts = scans.values("code").annotate(count=Count("*")).values("count")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)


def validity(channel: Any) -> SafeString:
    """One badge: off, failed, being made, permanent, valid until, ended."""
    if not channel.enabled:
        return looks.badge(gettext("Off"))
    now = timezone.now()
    ended = channel.code_end is not None and channel.code_end <= now
    if channel.code_made is None or ended:
        if channel.error:
            return looks.badge(gettext("No code: failed"), "danger")
        return (
            looks.badge(gettext("Being made"), "info") if channel.due_at else looks.badge(gettext("Ended"), "warning")
        )
    if channel.permanent:
        return looks.badge(gettext("Permanent"), "success")
    until = date_format(timezone.localtime(channel.code_end), "SHORT_DATE_FORMAT")
    return looks.badge(gettext("Valid until %(day)s") % {"day": until}, "warning" if channel.error else "success")


def trouble(channel: ChannelCode) -> str:
    """What stopped the last code, and what stops the tag, in words for staff."""
    found = []
    for what, error in ((gettext("The code"), channel.error), (gettext("The tag"), channel.tag_error)):
        if error:
            explained = explain_stored(None, error)
            found.append(f"{what}: {explained.brief() if explained else error}")
    return looks.lines(found) if found else ""


def permanent_use(accounts: Iterable[Account]) -> list[dict[str, Any]]:
    """How many permanent codes each account has used, those that used any: in one query."""
    mine = {account.pk: account for account in accounts}
    codes = QRCode.objects.filter(account__in=mine, kind=QRCode.Kind.PERMANENT).order_by()
    used = codes.values_list("account").annotate(count=Count("pk"))
    return [
        {
            "account": mine[account_id],
            "count": count,
            "limit": channel_codes.PERMANENT_LIMIT,
            "nearly": count >= channel_codes.NEARLY,
        }
        for account_id, count in used
    ]


def scans_address(channel: ChannelCode, **more: str) -> str:
    """The list of the scans of this code."""
    query = "&".join(f"{name}={value}" for name, value in {"code": channel.pk, **more}.items())
    return f"{reverse('admin:wechat_channelscan_changelist')}?{query}"
