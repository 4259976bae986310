"""The callback's address, with and without a slash: a redirect would lose the push. And the way back from WeChat."""

from django.urls import path

from wechat.views import callback
from wechat.web_pages import authorized

urlpatterns = [
    path("<slug:slug>/callback", callback, name="callback"),
    path("<slug:slug>/callback/", callback),
    path("<slug:slug>/authorized/", authorized, name="authorized"),
]
