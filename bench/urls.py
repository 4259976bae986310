"""The project's addresses, and a bare view to compare the callback with, on both ways through Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from wxhub.urls import urlpatterns as project


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """What a callback costs that does nothing."""
    return HttpResponse("success", headers={"Content-Type": "text/plain", "Content-Length": "7"})


urlpatterns = [path("bare", bare), path("wechat/bare", bare), *project]
