"""The shared quote: what a card opens, for everybody who has its link."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders import compare, ownership, plans, sharing
from orders.links import link_of
from orders.views.profile import with_form
from orders.views.quotes import private
from orders.views.share import with_script
from wechat import brands


@require_safe
@private
def shared(request: HttpRequest, code: str) -> HttpResponse:
    """The quote behind a card, for everybody who has its link: with the customer's nickname and avatar where known."""
    link = link_of(code)
    if link is None:
        raise Http404
    order, standing = link.order, ownership.standing(request, link)
    context = {
        "order": order,
        **brands.shown(order.account),
        "home_url": plans.form_address(order.account),
        "link": link,
        "mark": sharing.mark_of(link),
        "name": sharing.name_of(link, standing.profile),
        "most": compare.MOST,
        "sdk_url": settings.WECHAT_JSSDK_URL,
        "preview": sharing.preview(link),
        "standing": standing,
        "nickname": standing.profile.nickname if standing.profile else "",
        "avatar": standing.profile.avatar if standing.profile else "",
    }
    response = render(request, "orders/shared.html", context)
    return with_script(with_form(response) if standing.offers_profile else response)
