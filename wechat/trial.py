"""What somebody wants to try becomes the push that the platform would send: same nodes, same parser, same way from there.

Comes in: a kind, and what that kind holds. Goes out: what would happen, with the verdict on every rule; nothing stays.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat import inbox, messages
from wechat.conf import AccountConfig
from wechat.inbox import Rehearsal
from wechat.messages import Message
from wechat.rules import Candidate, Outcome, Query, RuleEntry, RuleIndex, Verdict, index_of

STRANGER = "oTRY_IT_OUT_000000000000001"  # follows nothing and is nobody: genuine openids have 28 characters
MENU_ID = "400000000"
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

_MATCHED = (Outcome.CHOSEN, Outcome.BEATEN)
_OUT = (Outcome.OFF, Outcome.EARLY, Outcome.OVER, Outcome.HOUR)

Values = Mapping[str, str]
Nodes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing to try: what staff call it, what has to be given, what may be, and the nodes it becomes."""

    label: str | Promise
    nodes: Callable[[Values], Nodes]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    event: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that this kind knows."""
        return (*self.needs, *self.takes)


def _scan_code(values: Values) -> Nodes:
    scanned = {"ScanType": "qrcode", "ScanResult": values["result"]}
    return {"EventKey": values["key"], "ScanCodeInfo": scanned}


def _picture_event(values: Values) -> Nodes:
    return {"EventKey": values["key"], "SendPicsInfo": {"Count": "1", "PicList": {"item": {"PicMd5Sum": "0" * 32}}}}


def _place(values: Values, latitude: str, longitude: str) -> Nodes:
    return {latitude: values["latitude"] or "39.908", longitude: values["longitude"] or "116.397"}


def _location(values: Values) -> Nodes:
    return {**_place(values, "Location_X", "Location_Y"), "Scale": "16", "Label": values["content"]}


def _media(**more: str) -> Callable[[Values], Nodes]:
    return lambda _values: {"MediaId": "MEDIA_ID", **more}


def _menu(values: Values) -> Nodes:
    return {"EventKey": values["key"], "MenuId": MENU_ID}


def _follow(values: Values) -> Nodes:
    scene = values["scene"]
    return {"EventKey": f"qrscene_{scene}", "Ticket": "TICKET"} if scene else {"EventKey": ""}


PLACE = ("latitude", "longitude")

KINDS: Mapping[str, Kind] = {  # in the order in which they are offered
    "text": Kind(_("Text message"), lambda values: {"Content": values["content"]}, ("content",)),
    "subscribe": Kind(_("Follows"), _follow, event="subscribe"),
    "subscribe_by_code": Kind(_("Follows by scanning a code"), _follow, ("scene",), event="subscribe"),
    "qr": Kind(
        _("Scans a code, follows already"),
        lambda values: {"EventKey": values["scene"], "Ticket": "TICKET"},
        ("scene",),
        event="SCAN",
    ),
    "click": Kind(_("Taps a menu button"), _menu, ("key",), event="CLICK"),
    "scancode_waitmsg": Kind(
        _("Scans with the menu's scan button, and waits"), _scan_code, ("key",), ("result",), event="scancode_waitmsg"
    ),
    "scancode_push": Kind(_("Scans with the menu's scan button"), _scan_code, ("key",), ("result",), "scancode_push"),
    "pic_photo_or_album": Kind(_("Sends pictures by the menu"), _picture_event, ("key",), event="pic_photo_or_album"),
    "location_select": Kind(
        _("Chooses a location by the menu"),
        lambda values: {"EventKey": values["key"], "SendLocationInfo": _location(values)},
        ("key",),
        ("content", *PLACE),
        "location_select",
    ),
    "view": Kind(_("Opens a link of the menu"), _menu, ("key",), event="VIEW"),
    "image": Kind(_("Picture"), _media(PicUrl="https://mmbiz.qpic.cn/try")),
    "voice": Kind(
        _("Voice message"),
        lambda values: {"MediaId": "MEDIA_ID", "Format": "amr", "Recognition": values["content"]},
        takes=("content",),
    ),
    "video": Kind(_("Video"), _media(ThumbMediaId="THUMB")),
    "location": Kind(_("Location"), _location, takes=("content", *PLACE)),
    "link": Kind(
        _("Link"),
        lambda values: {"Title": values["content"], "Description": "", "Url": values["url"]},
        ("url",),
        ("content",),
    ),
    "trace": Kind(
        _("Reports the position"),
        lambda values: {**_place(values, "Latitude", "Longitude"), "Precision": "65"},
        takes=PLACE,
        event="LOCATION",
    ),
    "unsubscribe": Kind(_("Unfollows"), lambda _values: {"EventKey": ""}, event="unsubscribe"),
}
FIELDS: Mapping[str, tuple[str | Promise, int]] = {  # name: what staff call it, and the most characters
    "content": (_("Text"), 2048),
    "key": (_("Key or link of the button"), 1024),
    "scene": (_("Scene of the code"), 64),
    "result": (_("What the code says"), 2048),
    "url": (_("Link"), 1024),
    "latitude": (_("Latitude"), 20),
    "longitude": (_("Longitude"), 20),
}


def of_event(event: str, *, scene: str = "") -> str:
    """The kind of an event as the platform names it. Raises ValueError for one that cannot be tried."""
    found = [name for name, kind in KINDS.items() if kind.event == event]
    if not found:
        raise ValueError(event)
    return found[-1] if scene else found[0]  # of the two kinds of a follow the one with a code is the second


def check(kind: str, values: Values) -> None:
    """Raise ValidationError, by field, where something is missing or has no place in this kind."""
    known = KINDS[kind]
    errors = {name: _("Needed for this.") for name in known.needs if not values.get(name, "").strip()}
    errors |= {name: _("This has no place here.") for name in FIELDS if values.get(name) and name not in known.fields}
    if errors:
        raise ValidationError(errors)


def message(kind: str, values: Values, *, account: AccountConfig, openid: str = "", at: datetime) -> Message:
    """The push of this kind, as the parser reads it. `values` are checked; what is missing of them is empty."""
    known = KINDS[kind]
    complete = {name: values.get(name, "") for name in FIELDS}
    envelope = {
        "ToUserName": account.original_id or "gh_try",
        "FromUserName": openid or STRANGER,
        "CreateTime": str(int(at.timestamp())),
        "MsgType": "event" if known.event else kind,
        **({"Event": known.event} if known.event else {"MsgId": "1"}),
    }
    return messages.parse(_xml({"xml": {**envelope, **known.nodes(complete)}}).encode())


def _xml(nodes: Nodes) -> str:
    return "".join(
        f"<{name}>{_xml(value) if isinstance(value, dict) else escape(value)}</{name}>" for name, value in nodes.items()
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What a trial showed: the rehearsal, the rules that would be asked, and the verdict on each rule, those first."""

    rehearsal: Rehearsal
    candidates: list[Candidate]
    verdicts: list[Verdict]

    @property
    def matched(self) -> list[Verdict]:
        """The rules that this push is for, in the order in which they are asked."""
        return [verdict for verdict in self.verdicts if verdict.outcome in _MATCHED]

    @property
    def kept_out(self) -> list[Verdict]:
        """The rules that have a keyword for this push and are off, or not on at that moment."""
        return [verdict for verdict in self.verdicts if verdict.keyword and verdict.outcome not in _MATCHED]

    @property
    def others(self) -> list[Verdict]:
        """All other rules, each with the reason."""
        return [verdict for verdict in self.verdicts if not verdict.keyword]

    @property
    def winner_id(self) -> int | None:
        handled = self.rehearsal.handled
        return handled.rule_id if handled else None

    @property
    def is_private(self) -> bool:
        """Whether the scanned code is another app's own, such as a quote's: its number can be counted up by anybody."""
        contact = self.rehearsal.contact
        return contact.message.scene is not None and all(query.scene is None for query in contact.asked)


def run(account: AccountConfig, pushed: Message, at: datetime) -> Result:
    """Rehearse this push as if it came at that moment. Nothing of it is kept, and nothing sent."""
    rehearsal = inbox.rehearse(account, pushed, now=at)
    query = rehearsal.query
    if query is None:
        return Result(rehearsal, [], [])
    candidates = index_of(account).candidates(query, at)
    place = {candidate.entry.id: number for number, candidate in enumerate(candidates)}
    verdicts = sorted(rehearsal.verdicts(), key=lambda one: place.get(one.entry.id, len(place)))
    return Result(rehearsal, candidates, list(_if_on(verdicts, query, at)))


def _always_on(entry: RuleEntry) -> RuleEntry:
    return replace(entry, enabled=True, starts_on=None, ends_on=None, from_time=None, until_time=None)


def _if_on(verdicts: list[Verdict], query: Query, at: datetime) -> Iterator[Verdict]:
    """The same verdicts; those on rules that are off or not on at that moment say which keyword would have matched."""
    out = [one.entry for one in verdicts if one.outcome in _OUT]
    would = RuleIndex(map(_always_on, out)).explain(query, at)
    keywords = {one.entry.id: one.keyword for one in would}
    for one in verdicts:
        yield replace(one, keyword=keywords[one.entry.id]) if one.outcome in _OUT else one
