"""What was uploaded and shown, until somebody decides: between a preview and its application.

A draft waits in a row of the session table that is nobody's session: out of the way of every request, found by the form's key
and by its owner only, and gone after an hour. A form field cannot hold it: the site takes 256 kB.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest

LASTS = 3600  # seconds

Drafts: Any = import_module(settings.SESSION_ENGINE).SessionStore


def keep(request: HttpRequest, draft: dict[str, Any]) -> str:
    """Put it where the next request finds it, whichever process that meets. Returns its key."""
    Drafts.clear_expired()
    store = Drafts()
    store.update({**draft, "user": request.user.pk})
    store.set_expiry(LASTS)
    store.save()
    return str(store.session_key)


def find(request: HttpRequest) -> Any:
    """The draft that the posted form names; an empty one when it is gone or somebody else's."""
    draft = Drafts(request.POST.get("draft", "") if request.method == "POST" else "")
    return draft if draft.get("user") == request.user.pk else Drafts()
