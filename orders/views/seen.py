"""The beacon of the public pages: a browser says that it shows one, or that somebody shares it (static/js/seen.js).

Comes in: `POST /seen/` with the page's own address, which only who has it can know. Goes out: a PageEvent, or none; the page
never waits for it. A reload within half an hour is no second visit, and no link fills the database.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.links import link_of
from orders.models import Order, PageEvent

MOST_BYTES = 1024
ONE_VISIT = timedelta(minutes=30)
PER_MINUTE = 30  # rows of one quote; what comes beyond that is not counted
_VISITOR = re.compile(r"[0-9a-f]{32}|")  # empty: the browser keeps nothing
_EVENTS = ("shown", "shared")

Kind = PageEvent.Kind


class Unreadable(Exception):
    """What came is not what the page sends."""


@dataclass(frozen=True)
class Page:
    """A page of a quote: which one, through which link, and what it means that it is shown."""

    account_id: int
    order_id: int
    link: str
    shown: str


@csrf_exempt  # it changes nothing that belongs to a session, and comes from our own pages only
@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """204, whether it was counted or not; 404 for a page that is none, 400 and 403 for what no page of ours sends."""
    if not _is_ours(request):
        return HttpResponse(status=403)
    try:
        path, event, visitor = _read(request)
        page = _page(path)
        if page is None:
            return HttpResponse(status=404)
        _keep(page, Kind.SHARED if event == "shared" else page.shown, visitor)
    except Unreadable:
        return HttpResponse(status=400)
    except (OperationalError, InterfaceError):  # the database is busy with what matters more
        return HttpResponse(status=503)
    return HttpResponse(status=204)


def _is_ours(request: HttpRequest) -> bool:
    """Whether a page of this site sent it. Old browsers know no Sec-Fetch-Site; every one names the origin of a fetch."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    public = urlsplit(settings.PUBLIC_URL)
    return request.headers.get("Origin") in (
        f"{public.scheme}://{public.netloc}",
        f"{request.scheme}://{request.get_host()}",
    )


def _read(request: HttpRequest) -> tuple[str, str, str]:
    """The address of the page, what happened there, and the browser's number."""
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MOST_BYTES):
        raise Unreadable
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Unreadable from None
    values: Sequence[Any] = [body.get(name) for name in ("page", "event", "visitor")] if isinstance(body, dict) else []
    if not values or not all(isinstance(value, str) for value in values):
        raise Unreadable
    path, event, visitor = values
    if event not in _EVENTS or not _VISITOR.fullmatch(visitor):
        raise Unreadable
    return path, event, visitor


def _page(path: str) -> Page | None:
    """The page at that address; None when it opens nothing, or is no page of a quote."""
    try:
        found = resolve(path)
    except Resolver404:
        return None
    if found.url_name in ("quote", "quote-embed"):
        row = Order.objects.filter(key=found.kwargs["key"]).values_list("account_id", "pk").first()
        return Page(*row, link="", shown=Kind.SHOWN) if row else None
    if found.url_name != "shared":
        return None
    link = link_of(found.kwargs["code"])
    if link is None or link.scan.order_id is None:
        return None
    shown = Kind.OPENED if link.is_own else Kind.FORWARDED
    return Page(link.scan.account_id, link.scan.order_id, link=link.number, shown=shown)


def _keep(page: Page, kind: str, visitor: str) -> None:
    now = timezone.now()
    lately = PageEvent.objects.filter(order_id=page.order_id, happened_at__gt=now - ONE_VISIT)
    if lately.filter(happened_at__gt=now - timedelta(minutes=1)).count() >= PER_MINUTE:
        return
    if lately.filter(link=page.link, kind=kind, visitor=visitor).exists():
        return
    PageEvent.objects.create(
        account_id=page.account_id,
        order_id=page.order_id,
        link=page.link,
        kind=kind,
        visitor=visitor,
        happened_at=now,
    )
