"""The instant quote: a visitor reckons his own quote from the plans of staff, and gets its page with the code.

The form needs no cookie: it has no session to protect, and works in a frame of the firm's website, where browsers send none.
In place of a token the browser's own word counts where the form comes from.
"""

import json
from typing import Any

from axes.helpers import get_client_ip_address
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from orders import embedding, instant, plans
from orders.instant import InstantForm
from orders.making import make_order
from orders.models import Order, PricePlan
from wechat import brands
from wechat.models import Account

SEE_OTHER = 303
_fresh = cache_control(private=True, no_cache=True)


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """The form of the one account that offers plans; the choice between them when there are several."""
    offering = list(plans.offering_accounts()[:100])
    if not offering:
        raise Http404
    if len(offering) == 1:
        query = request.GET.urlencode()
        return HttpResponseRedirect(reverse("instant-of", args=[offering[0].slug]) + (f"?{query}" if query else ""))
    return render(request, "orders/home.html", {"offering": offering})


@csrf_exempt  # see the head of this file
@require_http_methods(["GET", "HEAD", "POST"])
@_fresh
def form(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of one account, as a page of its own."""
    return _answer(request, _account(slug), framed=False)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_fresh
def framed_form(request: HttpRequest, slug: str) -> HttpResponse:
    """The same in a frame of the firm's website."""
    account = _account(slug)
    response = _answer(request, account, framed=True)
    embedding.may_frame(response, account.pk)
    return response


def _account(slug: str) -> Account:
    account = plans.offering_accounts().filter(slug=slug).first()
    if account is None:
        raise Http404
    return account


def _answer(request: HttpRequest, account: Account, *, framed: bool) -> HttpResponse:
    if request.method != "POST":
        form = InstantForm(account, initial={"c": request.GET.get("c", "")[:64], "plan": request.GET.get("plan", "")})
        return _page(request, form, framed=framed)
    if not _is_ours(request):
        raise PermissionDenied
    form = InstantForm(account, request.POST)
    if not form.is_valid():
        return _page(request, form, framed=framed, status=400)
    if not instant.may_make_one(get_client_ip_address(request) or ""):
        response = _page(request, form, framed=framed, status=429)
        response["Retry-After"] = str(instant.seconds_left())
        return response
    order = _make(form)
    address = reverse("quote-embed", args=[order.key]) + "?numbers" if framed else order.get_absolute_url()
    return HttpResponseRedirect(address, status=SEE_OTHER)


def _is_ours(request: HttpRequest) -> bool:
    """Whether the form comes from one of our own pages, as far as the browser says; old ones say nothing."""
    origin = request.headers.get("Origin")
    return origin in (None, settings.PUBLIC_URL, f"{request.scheme}://{request.get_host()}")


def _make(form: InstantForm) -> Order:
    plan, area = form.cleaned_data["plan"], form.cleaned_data["room_area"]
    reckoned = plans.reckon(plan, area)
    return make_order(
        reckoned.lines,
        account=form.account,
        room_area=area,
        total_money=reckoned.total,
        saved_money=reckoned.saved,
        valid_until=plans.valid_until(plan),
        source=form.source(),
    )


def _page(request: HttpRequest, form: InstantForm, *, framed: bool, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "plans": [{"plan": plan, "prices": json.dumps(_prices(plan))} for plan in form.plans],
        "chosen": str(form["plan"].value() or (form.plans[0].pk if len(form.plans) == 1 else "")),
        "too_many": status == 429,
        **brands.shown(form.account),
        "framed": framed,
    }
    response = render(request, "orders/new.html", context, status=status)
    # Without a referrer Chromium sends `Origin: null` with the form.
    response["Referrer-Policy"] = "same-origin"
    return response


def _prices(plan: PricePlan) -> dict[str, Any]:
    """What static/js/reckon.js needs to show the total while a visitor types; the server decides."""
    return {
        "price": str(plan.price),
        "market": str(plan.market_price),
        "smallest": str(plan.smallest),
        "largest": str(plan.largest),
        "items": [[str(item.amount), str(item.market_amount), item.per_area] for item in plan.items.all()],
    }
