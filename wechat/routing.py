"""Which handler answers a push. Other apps register here; wechat itself knows none of them.

@routing.on("click")                    # by the message's `handle`; returns None for what is not its own
@routing.on_scan                        # by a scanned code: asked in the order of registration, the first that knows wins
@routing.before_scan                    # asks the database with the record of the push what its handler will want to know
@routing.named("price", _("Price list"))    # by name: an answer that staff choose in a reply rule
def quote_scanned(contact: Contact) -> Handled | None: ...

The account's own handlers (wechat.handlers) come after those of other apps, and the reply rules after the scanned codes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.functional import Promise

from wechat.conf import AccountConfig
from wechat.messages import Message
from wechat.replies import Reply
from wechat.rules import Query


@dataclass(frozen=True, slots=True)
class Contact:
    """One push and the person behind it, as a handler sees them.

    `query` is what the rules were asked when an answer is made, `asked` all that they were asked. `answerable` is False when
    staff run a push again: the connection that could carry an answer is long gone. In a `rehearsal` everything is rolled
    back afterwards: a handler must do nothing outside of the database.
    """

    account: AccountConfig
    message: Message
    push_id: int
    now: datetime
    owed: int = 0
    held_by: str = ""
    query: Query | None = None
    answerable: bool = True
    rehearsal: bool = False
    asked: list[Query] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Handled:
    """The handler took the push; `reply` answers it, None means there is nothing to say.

    `more` follows as customer-service messages where the account may send them. A named handler that gives `hold` gets the
    person's next messages first, for that long (a conversation lock); without, the conversation is free again.
    """

    reply: Reply | None = None
    answered_by: str = "handler"
    rule_id: int | None = None
    more: tuple[Reply, ...] = ()
    hold: timedelta | None = None
    holder: str = ""


Handler = Callable[[Contact], Handled | None]
Asker = Callable[[AccountConfig, str], None]


@dataclass(frozen=True, slots=True)
class Named:
    """A handler that staff may choose as an answer; `label` is what they read."""

    name: str
    label: str | Promise
    handler: Handler


named_handlers: dict[str, Named] = {}
_handlers: dict[str, list[Handler]] = {}
_own_handlers: dict[str, Handler] = {}
_scan_handlers: list[Handler] = []
_scan_askers: list[Asker] = []


def on(*handles: str) -> Callable[[Handler], Handler]:
    """Register a handler for these handles (message types, event names, `qr`, `trace`).

    Several may listen to one handle; they are asked in the order of registration, and the first that takes the push wins.
    """

    def register(handler: Handler) -> Handler:
        for handle in handles:
            asked = _handlers.setdefault(handle, [])
            if handler not in asked:
                asked.append(handler)
        return handler

    return register


def own(*handles: str) -> Callable[[Handler], Handler]:
    """Register what the account itself does when no other app took the push: of these handles, of every `event` that
    has no entry of its own, or of every `message`. Raises ValueError when one is taken."""

    def register(handler: Handler) -> Handler:
        for handle in handles:
            if _own_handlers.setdefault(handle, handler) is not handler:
                raise ValueError(f"{handle} already has a handler")
        return handler

    return register


def on_scan(handler: Handler) -> Handler:
    """Register a handler for scanned codes. It returns None for a scene that is not its own."""
    if handler not in _scan_handlers:
        _scan_handlers.append(handler)
    return handler


def before_scan(asker: Asker) -> Asker:
    """Register who asks ahead (`statements.ask_ahead`) what a handler of scanned codes will want to know of a scene."""
    if asker not in _scan_askers:
        _scan_askers.append(asker)
    return asker


def named(name: str, label: str | Promise) -> Callable[[Handler], Handler]:
    """Register a handler under a name that stays the same: rules keep it. It returns None when it has no answer."""

    def register(handler: Handler) -> Handler:
        named_handlers[name] = Named(name, label, handler)
        return handler

    return register


def route(contact: Contact) -> Handled | None:
    """Ask those who registered for this push, one after the other. None when nobody wanted it."""
    message = contact.message
    for handler in _handlers.get(message.handle, ()):
        if handled := handler(contact):
            return handled
    rest = "event" if message.is_event else "message"
    own_handler = _own_handlers.get(message.handle) or _own_handlers.get(rest)
    return own_handler(contact) if own_handler else None


def ask_ahead(account: AccountConfig, message: Message) -> None:
    """Let everybody ask who will want to know something of the scanned scene; nobody does, of a push without one."""
    for asker in _scan_askers if message.scene else ():
        asker(account, message.scene or "")


def route_scan(contact: Contact) -> Handled | None:
    """Ask who knows the scanned scene. None when nobody does."""
    return next((handled for handler in _scan_handlers if (handled := handler(contact))), None)
