"""Two pages of one push: run it again without effects and see why it is answered as it is, and copy it as a test file."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from wechat import conf, messages, trial
from wechat.admin import trial as trial_page
from wechat.admin.push_looks import TURNING, message_of
from wechat.models import Push

Json = dict[str, Any]
Page = Callable[[HttpRequest, Json, Push], HttpResponse | None]


def rehearsal(request: HttpRequest, context: Json, push: Push) -> HttpResponse | None:
    """What would happen if this push came again: with the rules of now, at the time of then. None when it cannot be read."""
    message = message_of(push)
    if message is None:
        return None
    result = trial.run(conf.account_by_id(push.account_id), message, push.received_at)
    shown = trial_page.shown(request, result)
    return TemplateResponse(request, "admin/push_rehearsal.html", {**context, **shown, "push": push})


def test_file(request: HttpRequest, context: Json, push: Push) -> HttpResponse | None:
    """The push as an entry of the test vectors, to be looked at, copied or downloaded. None when it cannot be read."""
    message = message_of(push)
    if message is None:
        return None
    # The marks that turn text around stand as escapes: the file means the same, and nobody is fooled by its look.
    text = TURNING.sub(
        lambda mark: f"\\u{ord(mark[0]):04x}", json.dumps(entry(push, message), ensure_ascii=False, indent=1)
    )
    if "download" in request.GET:
        name = f'attachment; filename="push-{push.pk}.json"'
        return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": name})
    return TemplateResponse(request, "admin/push_test_file.html", {**context, "push": push, "text": text})


def entry(push: Push, message: messages.Message) -> Json:
    """One entry as tests/vectors/messages.json has them."""
    body = push.raw.encode()
    source = message.dedupe_source() or f"raw|{hashlib.sha256(body).hexdigest()}"
    return {
        "id": f"push-{push.pk}",
        "source": gettext("copied from the inbox; it holds personal data"),
        "body" if push.raw.lstrip().startswith("{") else "xml": push.raw,
        "raw": message.tree,
        "normalised": message.normalised(),
        "dedupe_source": source,
        "dedupe_key": message.dedupe_key(body),
    }
