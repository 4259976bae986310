"""The poster of one quote's own code, with the order number: for the counter, or to hand over with the paper offer."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action

from wechat import conf, qr
from wechat.admin.posters import Subject, poster_page
from wechat.errors import CallFailed
from wechat.explanations import explain_error


class Posters(ModelAdmin):  # type: ignore[misc]
    """What it adds to the page of a quote."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.poster_view)
        return [path("<path:object_id>/poster/", page, name="orders_order_poster"), *super().get_urls()]

    @action(description=_("Poster…"), permissions=["view"], icon="print")  # type: ignore[untyped-decorator]
    def posters(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:orders_order_poster", object_id)

    def poster_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """A code that lasts is made when there is none: that of the visitor's page may end within the hour."""
        order = self.get_object(request, unquote(object_id))
        if order is None:
            raise Http404
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        try:
            code = qr.lasting_code(conf.account_by_id(order.account_id), order.orderid)
        except CallFailed as error:
            text = gettext("WeChat gave no code. %(reason)s") % {"reason": explain_error(error).brief()}
            messages.error(request, text)
            return redirect("admin:orders_order_change", order.pk)
        label = gettext("Quote %(number)s") % {"number": order.orderid}
        context: dict[str, Any] = {
            "title": gettext("Poster"),
            "until": code.expires_at,
            "back": ("admin:orders_order_change", order.pk),
        }
        return poster_page(
            request, self, [Subject(code.url, label, f"quote-{order.orderid}")], order.account, **context
        )
