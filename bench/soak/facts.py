"""What the database of a stand holds, as JSON. Runs inside of the project: `python -m bench.soak.facts`."""

import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wxhub.settings")
django.setup()

from bench.pushes import fingerprint  # noqa: E402
from wechat.models import Lease, Notice, OutgoingMessage, Push  # noqa: E402  # only a set-up Django has models


def facts() -> dict[str, Any]:
    """Pushes by fingerprint with their state, and every outgoing message; times in Unix seconds."""
    pushes = Push.objects.values_list("raw", "state", "repeats", "error")
    fields = ("openid", "purpose", "about", "route", "state", "unknown_outcomes", "attempts", "error")
    messages = [
        {
            **{name: getattr(message, name) for name in fields},
            "created": message.created_at.timestamp(),
            "expires": message.expires_at.timestamp(),
            "sent": message.sent_at.timestamp() if message.sent_at else None,
        }
        for message in OutgoingMessage.objects.order_by("pk")
    ]
    return {
        "pushes": [[fingerprint(raw), state, repeats, error[-300:]] for raw, state, repeats, error in pushes],
        "messages": messages,
        "notices": list(Notice.objects.values_list("kind", flat=True)),
        "leases": list(Lease.objects.values_list("name", flat=True)),
    }


if __name__ == "__main__":
    json.dump(facts(), sys.stdout)
