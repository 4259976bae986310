"""One person's data: handed out whole, withdrawn in part, or erased. Everything is found by an index.

Comes in: an account and an openid. Goes out: rows that lead to nobody any more, or the pieces of a JSON file. Other rooms add
what they keep of a person:

@privacy.on_erase
def forget_scans(person: Person) -> None: ...       # in the transaction that erases, while his pushes still name him
@privacy.on_profile_gone
def hide(person: Person) -> None: ...               # what he showed of himself is out of date, or he took it back
@privacy.on_export("scans")
def scans_of(person: Person) -> Iterable[Facts]: ...
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Replace

from wechat import messages, pushes
from wechat.models import ChannelScan, Follower, OutgoingMessage, Push
from wechat.models.followers import ERASED

Facts = Mapping[str, Any]

REASON = "the person was erased"
# Pushes of the platform about a person, and of other people who deal with him: his openid stands in their bodies.
ABOUT_HIM = ("user_info_modified", "user_authorization_revoke", "user_authorization_cancellation")
NAMING_HIM = (
    "user_get_card",
    "user_gifting_card",
    "giftcard_send_to_friend",
    "giftcard_user_accept",
    "guide_qrcode_scan_event",
    "guide_invite_result_event",
)
_ADDRESS = re.compile(r"(https?://[^/?#\s\"'<>]+)[^\s\"'<>]*")

State = OutgoingMessage.State


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as one account knows him."""

    account_id: int
    openid: str

    def pushes(self) -> QuerySet[Push]:
        """What he sent, or caused the platform to send."""
        return Push.objects.filter(account_id=self.account_id, openid=self.openid)

    def messages(self) -> QuerySet[OutgoingMessage]:
        """What we sent him, or wanted to."""
        return OutgoingMessage.objects.filter(account_id=self.account_id, openid=self.openid)

    def naming(self, kinds: Iterable[str]) -> Iterator[QuerySet[Push]]:
        """Pushes of these rare kinds, of others, whose bodies name him."""
        for kind in kinds:
            yield pushes.of_kind(Push.objects.filter(account_id=self.account_id, raw__contains=self.openid), kind)


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows were made anonymous."""

    pushes: int
    messages: int


Eraser = Callable[[Person], None]
Exporter = Callable[[Person], Iterable[Facts]]

_erasers: list[Eraser] = []
_profile_erasers: list[Eraser] = []
_exporters: dict[str, Exporter] = {}


def on_erase(eraser: Eraser) -> Eraser:
    """Register what another room forgets of a person."""
    if eraser not in _erasers:
        _erasers.append(eraser)
    return eraser


def on_profile_gone(eraser: Eraser) -> Eraser:
    """Register what another room shows of a person with his consent, and must not show any more."""
    if eraser not in _profile_erasers:
        _profile_erasers.append(eraser)
    return eraser


def on_export(section: str) -> Callable[[Exporter], Exporter]:
    """Register what another room keeps of a person: one section of the file. It gives no secrets away."""

    def register(exporter: Exporter) -> Exporter:
        _exporters[section] = exporter
        return exporter

    return register


def erase(account_id: int, openid: str) -> Erased:
    """Delete what describes this person and make anonymous what is counted, in one transaction.

    A push keeps its kind, time and state for the statistics, and its key: a hash, which goes on keeping repeats out. A
    message on its way is stopped if it has not left yet. Whatever he sends later starts anew.
    """
    person = Person(account_id, openid)
    with transaction.atomic():
        for forget in _erasers:
            forget(person)
        _forget_follower(person)
        _channel_scans(person).update(openid=ERASED, tagged=True)
        sent = _forget_messages(person)
        nothing = {"raw": "", "answer": "", "error": ""}
        for about_him in person.naming(ABOUT_HIM):
            about_him.update(**nothing)
        for naming_him in person.naming(NAMING_HIM):
            naming_him.update(raw=Replace("raw", Value(openid), Value(ERASED)))
        received = person.pushes().update(openid=ERASED, **nothing)
    return Erased(received, sent)


def forget_profile(account_id: int, openid: str) -> None:
    """Drop nickname and avatar; pages show a placeholder until he agrees anew."""
    for forget in _profile_erasers:
        forget(Person(account_id, openid))
    Follower.objects.filter(account_id=account_id, openid=openid).update(nickname="", avatar="")


def forget_position(account_id: int, openid: str) -> None:
    """Drop where he is, and what his reports said of it."""
    unknown = {"latitude": None, "longitude": None, "precision": None, "located_at": None}
    Follower.objects.filter(account_id=account_id, openid=openid).update(**unknown)
    Person(account_id, openid).pushes().filter(kind="trace").update(raw="")


def export(account_id: int, openid: str) -> Iterator[str]:
    """Everything kept of this person as the pieces of one JSON object, section by section, one line per row. No secrets."""
    person, opening = Person(account_id, openid), "{"
    for section, exporter in (_OWN | _exporters).items():
        yield f"{opening}\n{_json(section)}: ["
        separator = "\n"
        for facts in exporter(person):
            yield separator + _json(facts)
            separator = ",\n"
        yield "\n]"
        opening = ","
    yield "\n}\n"


def _forget_follower(person: Person) -> None:
    followers = Follower.objects.filter(account_id=person.account_id, openid=person.openid)
    numbers = [str(number) for number in followers.values_list("pk", flat=True)]
    # What staff did with him stays on record, without his name.
    kind = ContentType.objects.get_for_model(Follower)
    LogEntry.objects.filter(content_type=kind, object_id__in=numbers).update(object_repr=ERASED)
    followers.delete()


def _forget_messages(person: Person) -> int:
    nothing: dict[str, Any] = {"openid": ERASED, "content": {}}
    ended = models.Q(state__in=[State.SENT, State.GIVEN_UP])
    given_up = person.messages().exclude(ended).update(state=State.GIVEN_UP, holder="", error=REASON, **nothing)
    return given_up + person.messages().update(error="", **nothing)


def _follower(person: Person) -> Iterator[Facts]:
    hidden = {"id", "account_id"}
    for follower in Follower.objects.filter(account_id=person.account_id, openid=person.openid):
        names = [field.attname for field in Follower._meta.concrete_fields if field.attname not in hidden]
        facts = {"account": str(follower.account), **{name: getattr(follower, name) for name in names}}
        yield {**facts, "tags": list(follower.tags.values_list("name", flat=True))}


def _channel_scans(person: Person) -> QuerySet[ChannelScan]:
    """By his openid and not by his pushes, which may be gone. No index serves: hardly anybody is ever erased."""
    return ChannelScan.objects.filter(account_id=person.account_id, openid=person.openid)


def _codes(person: Person) -> Iterator[Facts]:
    for scan in _channel_scans(person).select_related("code").order_by("pk"):
        yield {"scanned_at": scan.scanned_at, "code": scan.code.name, "followed_by_it": scan.new}


def _pushes(person: Person) -> Iterator[Facts]:
    for push in chain(person.pushes().order_by("pk").iterator(), *person.naming(ABOUT_HIM)):
        said = _nodes(push.raw)
        if isinstance(said, dict):
            said.pop("Ticket", None)  # whoever has it gets the code
        yield {
            "received_at": push.received_at,
            "kind": push.kind,
            "state": push.state,
            "said": said,
            "answer": _shortened(_nodes(push.answer)),
        }


def _messages(person: Person) -> Iterator[Facts]:
    for message in person.messages().order_by("pk").iterator():
        yield {
            "created_at": message.created_at,
            "sent_at": message.sent_at,
            "purpose": message.purpose,
            "about": message.about,
            "state": message.state,
            "content": _shortened(message.content),
        }


def _nodes(body: str) -> Any:
    """What a body holds, node by node; the body itself where it cannot be read."""
    try:
        return messages.read_tree(body.encode())
    except (messages.Unreadable, messages.Hostile):
        return body


def _shortened(value: Any) -> Any:
    """What we sent, without the ends of its addresses: a card's address opens the quote to everybody who has it."""
    if isinstance(value, str):
        return _ADDRESS.sub(r"\1/…", value)
    if isinstance(value, dict):
        return {name: _shortened(part) for name, part in value.items()}
    return [_shortened(part) for part in value] if isinstance(value, list) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)


_OWN: dict[str, Exporter] = {
    "person": _follower,
    "channel_codes": _codes,
    "pushes": _pushes,
    "messages": _messages,
}
