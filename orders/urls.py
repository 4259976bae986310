"""The visitor's pages and the REST interface."""

from django.urls import include, path

from orders import api
from orders.views import compare, embed, instant, profile, quotes, seen, share, shared

urlpatterns = [
    path("", quotes.home, name="home"),
    path("embed.js", embed.script, name="embed-script"),
    path("quotes/new/", instant.choose, name="instant"),
    path("quotes/new/<slug:slug>/", instant.form, name="instant-of"),
    path("quotes/new/<slug:slug>/embed/", instant.framed_form, name="instant-embed"),
    path("quotes/<slug:key>/", quotes.quote, name="quote"),
    path("quotes/<slug:key>/embed/", embed.quote, name="quote-embed"),
    path("quotes/<slug:key>/code", quotes.code_panel, name="quote-code"),
    path("quotes/<slug:key>/qr.svg", quotes.code_svg, name="quote-svg"),
    path("quotes/<slug:key>/qr.png", quotes.code_png, name="quote-png"),
    path("quotes/<slug:key>/status", quotes.status, name="quote-status"),
    path("s/<str:code>/", shared.shared, name="shared"),
    path("s/<str:code>/owner/", profile.owner, name="owner"),
    path("s/<str:code>/owner/show", profile.show, name="owner-show"),
    path("s/<str:code>/owner/prove", profile.prove, name="owner-prove"),
    path("s/<str:code>/owner/withdraw", profile.withdraw, name="owner-withdraw"),
    path("s/<str:code>/owner/revoke", profile.revoke, name="owner-revoke"),
    path("s/<str:code>/owner/<slug:outcome>/", profile.answer, name="owner-answer"),
    path("s/<str:code>/onward", share.onward, name="shared-onward"),
    path("s/<str:code>/wechat", share.wechat, name="shared-wechat"),
    path("compare/", compare.choose, name="compare"),
    path("compare/<path:codes>/", compare.side_by_side, name="compared"),
    path("seen/", seen.seen, name="seen"),
    path("api/", include(api.urlpatterns)),
]
