"""Every address of the site."""

from typing import NoReturn

from django.contrib import admin
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import include, path, re_path
from django.utils.translation import gettext

from wechat import brands
from wechat.admin import own
from wechat.web_pages import verification_file
from wxhub.health import healthz, metrics_page, readyz


def nothing_here(request: HttpRequest, row: str) -> NoReturn:
    """In place of Django's way from any row to its public page: it knows no rights, and our public addresses are keys."""
    raise Http404


def no_such_call(request: HttpRequest, rest: str) -> JsonResponse:
    """An unknown address of the REST interface, in its own language."""
    return JsonResponse({"detail": gettext("There is no such address.")}, status=404)


urlpatterns = [
    path("wechat/", include("wechat.urls")),
    path("api/", include("wechat.api")),
    path("api/", include("wechat.api_sending")),
    path("api/", include("wechat.api_hub")),
    path("", include("orders.urls")),
    path("api/<path:rest>/", no_such_call),
    re_path(r"^(?P<name>[A-Za-z0-9_-]{1,64}\.txt)$", verification_file, name="verification-file"),
    path("brand/<slug:slug>/logo-<slug:version>.png", brands.logo, name="brand-logo"),
    re_path(r"^brand/(?P<slug>[-\w]+)-(?P<version>[0-9a-f]{12})\.css$", brands.stylesheet, name="brand-style"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics_page, name="metrics"),
    path("admin/r/<path:row>", nothing_here),
    path("admin/me/", include(own.urls())),
    path("admin/", admin.site.urls),
]

handler400 = "wxhub.refusals.bad_request"
handler403 = "wxhub.refusals.forbidden"
handler404 = "wxhub.refusals.not_found"
handler500 = "wxhub.refusals.failed"
