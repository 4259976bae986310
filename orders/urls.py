"""The visitor's pages and the REST interface."""

from django.urls import include, path

from orders import api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("quotes/<slug:key>/", views.quote, name="quote"),
    path("quotes/<slug:key>/code", views.code_panel, name="quote-code"),
    path("quotes/<slug:key>/qr.svg", views.code_svg, name="quote-svg"),
    path("quotes/<slug:key>/qr.png", views.code_png, name="quote-png"),
    path("quotes/<slug:key>/status", views.status, name="quote-status"),
    path("s/<str:code>/", views.shared, name="shared"),
    path("api/", include(api.urlpatterns)),
]
