"""Is the process alive, and is it ready to serve? For load balancers and the firm's monitoring; no secrets, no details."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from wechat import conf


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, else 503. `worker` says whether one is alive; the site serves without one too."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        worker = conf.snapshot().holds("worker:")
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok", "worker": worker})
