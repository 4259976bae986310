"""Is the process alive, is the installation at work, and how is it doing? For load balancers and the firm's monitoring.

No secrets, no names. A balancer asks /healthz: /readyz speaks of the whole installation, so that it is the same on every host.
"""

import hmac
import logging

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from wechat import figures
from wxhub import metrics
from wxhub.env import is_loopback

logger = logging.getLogger(__name__)


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and messages go out, else 503: a message that may go waits for more than a minute.

    Ages are in seconds, null where there is nothing yet. The site serves without a worker too: `worker` alone is no fault.
    """
    try:
        found = figures.read()
    except (DatabaseError, InterfaceError) as error:
        logger.error("the figures cannot be read: %s", error)
        return JsonResponse({"status": "no database"}, status=503)
    oldest = max((token.age for token in found.tokens), default=None)
    shown = {
        "status": "sending is stuck" if found.stuck else "ok",
        "worker": found.workers > 0,
        "queue_age": _seconds(found.queue_age),
        "last_push": _seconds(found.last_push),
        "last_sent": _seconds(found.last_sent),
        "token_age": _seconds(oldest),
        "skew": _seconds(found.skew),
        "api_failing": found.circuits,
        "paused": found.paused,
    }
    return JsonResponse(shown, status=503 if found.stuck else 200)


def metrics_page(request: HttpRequest) -> HttpResponse:
    """The figures as Prometheus reads them, for who has METRICS_TOKEN, or asks from this very machine. Others find nothing."""
    if not _may_read(request):
        raise Http404
    try:
        text = metrics.render(figures.read())
    except (DatabaseError, InterfaceError) as error:
        logger.error("the figures cannot be read: %s", error)
        text = metrics.NO_DATABASE
    return HttpResponse(text, content_type=metrics.CONTENT_TYPE)


def _may_read(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return True
    # What a proxy on this machine passes on comes from a loopback address too.
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"))
    host = request.get_host().rpartition(":")[0] or request.get_host()
    return is_loopback(request.META.get("REMOTE_ADDR")) and is_loopback(host.strip("[]")) and not passed_on


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
