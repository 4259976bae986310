"""How often a password may be guessed: counted by django-axes in the database, the same for all processes.

A name is locked from one address after a few failures, and an address altogether after a few more, whatever names were tried.
Neither touches the owner of a name who signs in from elsewhere.
"""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_failure_limit
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # untyped
    """Axes' own, with a second count: all failures of one address."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures of this name from this address, or as many as lock when the address had enough with others."""
        own = int(super().get_failures(request, credentials))
        recent = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
            attempt_time__gte=get_cool_off_threshold(request),
        )
        of_address = recent.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
        locks = int(get_failure_limit(request, credentials))
        return max(own, locks) if of_address >= settings.SIGN_IN_FAILURES_PER_ADDRESS else own
