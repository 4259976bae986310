"""How the lines of a conversation look: bubbles of both sides, small lines for events, and how each message stands.

Comes in: the turns of wechat.conversations. Goes out: dictionaries for templates/admin/wechat/conversation_line.html. All of it
may have been written by a stranger: nothing is marked safe here, and marks that turn text around are shown as what they are.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wechat.admin import kinds, looks, outcomes, push_looks
from wechat.admin.outgoing import PURPOSES
from wechat.admin.versions import person
from wechat.conversations import STAFF, Turn
from wechat.models import Material, MessageTemplate, OutgoingMessage, Push

State = OutgoingMessage.State
Json = dict[str, Any]
_PROMISES: Mapping[str, str | Promise] = {"rule": _("A further answer of the rule"), "answer": _("Reply")}
_QPIC = (".qpic.cn", ".qlogo.cn")  # the platform names its pictures with http, and has them with https too
_LEVELS = {State.OWED: "warning", State.GIVEN_UP: "danger", State.SET_ASIDE: "danger"}
_SHORT = {
    State.WAITING: _("On its way"),
    State.SENDING: _("On its way"),
    State.SENT: _("Sent"),
    State.OWED: _("Goes out at the next contact"),
    State.GIVEN_UP: _("Did not go out"),
    State.SET_ASIDE: _("Set aside for staff"),
}


def lines(turns: Iterable[Turn], account_id: int) -> list[Json]:
    """What the page draws: one dictionary per line, with everything in it looked up at once."""
    turns = list(turns)
    names = _names(turns, account_id)
    shown: list[Json] = []
    for turn in turns:
        line: Json = {"key": turn.key, "at": turn.at, "when": _when(turn.at), "parts": []}
        if turn.push:
            line["parts"] += [_said(turn.push), *_answers(turn.push, turn.row, names)]
        elif turn.row:
            line["parts"].append(_sent(turn.row, names))
        line["day"] = date_format(timezone.localtime(turn.at), "DATE_FORMAT")
        shown.append(line)
    return shown


def _when(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"


def _said(push: Push) -> Json:
    """The person's side."""
    message = push_looks.message_of(push)
    part: Json = {"side": "person", "page": reverse("admin:wechat_push_change", args=[push.pk])}
    if push.state == Push.State.FAILED:
        part["failed"] = True
    if message is None:
        text = gettext("%(what)s: not readable") % {"what": kinds.in_words(push.kind)}
        return {**part, "side": "event", "text": text}
    if message.is_event:
        deed, detail = str(kinds.in_words(message.handle)), " ".join(push_looks.gist(message).split())
        return {**part, "side": "event", "text": deed, "detail": push_looks.visible(detail[:200])}
    fields = message.fields
    words = {name: push_looks.visible(value) for name, value in fields.items() if isinstance(value, str)}
    shown: Json = {"kind": message.handle, "called": kinds.in_words(message.handle), **words}
    if message.handle == "image":
        shown |= {"picture": _picture(fields.get("url", "")), "link": looks.outside_link(fields.get("url", ""))}
    elif message.handle == "link":
        shown["link"] = looks.outside_link(str(fields.get("url", "")))
    elif message.handle == "location":
        shown["place"] = ", ".join(str(fields.get(name)) for name in ("location_x", "location_y"))
    return {**part, "bubble": shown}


def _picture(url: str) -> str:
    """The address of a picture that the admin's policy lets through; empty for every other."""
    parts = urlsplit(url)
    if parts.scheme == "http" and (parts.hostname or "").endswith(_QPIC):
        return parts._replace(scheme="https").geturl()
    return url if parts.scheme == "https" else ""


def _answers(push: Push, row: OutgoingMessage | None, names: Mapping[str, str]) -> list[Json]:
    """What the push was answered: the message of the outbox that travelled so, else what its answer tells."""
    by = push_looks.answered_by(push)
    if row:
        return [{**_sent(row, names), "by": by if by != looks.NOTHING else _author(row)}]
    stored = push_looks.answered(push.answer)
    if not stored:
        return []
    bubble = _bubble(stored, names)
    return [{"side": "account", "bubble": bubble, "by": by, "state": _("Sent"), "level": "done", "passive": True}]


def _sent(row: OutgoingMessage, names: Mapping[str, str]) -> Json:
    """A message of ours, and what became of it."""
    content = row.content if isinstance(row.content, dict) else {}
    explained = None if row.state in (State.SENT, State.WAITING, State.SENDING) else outcomes.of_message(row)
    state: str | Promise = _SHORT[State(row.state)]
    level = _LEVELS.get(State(row.state), "done" if row.state == State.SENT else "")
    if row.delivery:
        state = row.get_delivery_display()
        level = "done" if row.delivery == OutgoingMessage.Delivery.DELIVERED else "danger"
    if row.unknown_outcomes and row.state != State.SENT:
        state, level = gettext("May have arrived"), "warning"
    return {
        "side": "account",
        "bubble": _bubble(content, names),
        "by": _author(row),
        "state": state,
        "level": level,
        "why": explained.brief() if explained else outcomes.our_reason(row),
        "page": reverse("admin:wechat_outgoingmessage_change", args=[row.pk]),
        "passive": row.route == OutgoingMessage.Route.PASSIVE,
    }


def _author(row: OutgoingMessage) -> str:
    """Who wrote it: a member of staff by name, with the agent he spoke as; else what the program sent it for."""
    name = person(row.written_by) if row.written_by else ""
    if not name:
        what = PURPOSES.get(row.purpose) or _PROMISES.get(row.purpose) or row.purpose
        name = f"{what} {row.about}".strip() if row.purpose != STAFF else str(what)
    return gettext("%(name)s as %(agent)s") % {"name": name, "agent": row.agent} if row.agent else name


def _bubble(stored: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    """A stored reply with the names of its files and its template."""
    kind = str(stored.get("kind", ""))
    bubble: Json = {**stored, "kind": kind, "called": kinds.in_words(kind)}
    if kind in ("template", "subscription"):
        data = stored.get("data")
        values = data.items() if isinstance(data, dict) else ()
        bubble |= {"values": [(key, push_looks.visible(str(value))) for key, value in values]}
        bubble["name"] = names.get(str(stored.get("template_id", "")), "")
    if media := stored.get("media"):
        bubble["name"] = names.get(str(media), "")
    return bubble


def _names(turns: Iterable[Turn], account_id: int) -> dict[str, str]:
    """What the files and templates in these lines are called."""
    contents = [turn.row.content for turn in turns if turn.row and isinstance(turn.row.content, dict)]
    media = {str(content["media"]) for content in contents if content.get("media")}
    templates = {str(content["template_id"]) for content in contents if content.get("template_id")}
    names: dict[str, str] = {}
    if media:
        files = Material.objects.filter(account_id=account_id, media_id__in=media)
        names |= dict(files.values_list("media_id", "name"))
    if templates:
        known = MessageTemplate.objects.filter(account_id=account_id, template_id__in=templates)
        names |= dict(known.values_list("template_id", "title"))
    return names
