"""The pages of refused requests. They read nothing of what was sent: Django's own look for a form's token in it, and a body
that breaks off would make a server error of a page that does not exist.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

Refusal = Callable[..., HttpResponse]


def _page(status: int) -> Refusal:
    def refuse(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        return HttpResponse(get_template(f"{status}.html").render(), status=status)

    return refuse


bad_request, forbidden, not_found, failed = map(_page, (400, 403, 404, 500))
