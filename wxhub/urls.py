"""Every address of the site."""

from typing import NoReturn

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.urls import include, path

from wxhub.health import healthz, readyz


def nothing_here(request: HttpRequest, row: str) -> NoReturn:
    """In place of Django's way from any row to its public page: it knows no rights, and our public addresses are keys."""
    raise Http404


urlpatterns = [
    path("wechat/", include("wechat.urls")),
    path("api/", include("wechat.api")),
    path("api/", include("wechat.api_sending")),
    path("api/", include("wechat.api_hub")),
    path("", include("orders.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/r/<path:row>", nothing_here),
    path("admin/", admin.site.urls),
]
