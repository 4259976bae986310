"""The callback's address, with and without a slash: a redirect would lose the push."""

from django.urls import path

from wechat.views import callback

urlpatterns = [path("<slug:slug>/callback", callback, name="callback"), path("<slug:slug>/callback/", callback)]
