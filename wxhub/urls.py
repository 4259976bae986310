"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from wxhub.health import healthz, readyz

urlpatterns = [
    path("wechat/", include("wechat.urls")),
    path("", include("orders.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/", admin.site.urls),
]
